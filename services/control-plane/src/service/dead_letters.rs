//! `DeadLetters`.

use std::sync::Arc;

use crosswalk_core::{
    ResourceName, WorkflowName,
    control::{Change, Redrive, RedriveSelection, State},
};
use crosswalk_kafka::{DeadLetterIndex, KafkaError, LetterSummary};
use crosswalk_proto::{
    api,
    v1::{
        DeadLetter, DeadLetterGroup, DiscardDeadLettersRequest, DiscardDeadLettersResponse, GetDeadLetterRequest,
        ListDeadLettersRequest, ListDeadLettersResponse, RedriveDeadLettersRequest, RedriveDeadLettersResponse,
        SummarizeDeadLettersRequest, SummarizeDeadLettersResponse, dead_letters_server::DeadLetters,
    },
};
use tonic::{Request, Response, Status, async_trait};

use super::cut;
use crate::{
    error::{ApiError, TOO_MANY_DEAD_LETTERS},
    parse::{LetterFilter, dead_letter_name, dead_letter_names, letter_filter, next_page_token, page, workflow_name},
    shared::{Shared, instance},
    view::is_available,
};

pub(crate) struct DeadLettersService(pub(crate) Arc<Shared>);

#[async_trait]
impl DeadLetters for DeadLettersService {
    async fn list_dead_letters(
        &self,
        request: Request<ListDeadLettersRequest>,
    ) -> Result<Response<ListDeadLettersResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }

    async fn summarize_dead_letters(
        &self,
        request: Request<SummarizeDeadLettersRequest>,
    ) -> Result<Response<SummarizeDeadLettersResponse>, Status> {
        Ok(Response::new(self.summarize(request.into_inner()).await?))
    }

    async fn get_dead_letter(&self, request: Request<GetDeadLetterRequest>) -> Result<Response<DeadLetter>, Status> {
        Ok(Response::new(self.get(request.get_ref()).await?))
    }

    async fn redrive_dead_letters(
        &self,
        request: Request<RedriveDeadLettersRequest>,
    ) -> Result<Response<RedriveDeadLettersResponse>, Status> {
        Ok(Response::new(self.redrive(request.into_inner()).await?))
    }

    async fn discard_dead_letters(
        &self,
        request: Request<DiscardDeadLettersRequest>,
    ) -> Result<Response<DiscardDeadLettersResponse>, Status> {
        Ok(Response::new(self.discard(request.into_inner()).await?))
    }
}

impl DeadLettersService {
    async fn list(&self, request: ListDeadLettersRequest) -> Result<ListDeadLettersResponse, ApiError> {
        let name = workflow_name("parent", &request.parent)?;
        let list = format!("{name}/deadLetters");
        let page = page(&list, request.page_size, &request.page_token)?;
        let filter = letter_filter("filter", request.filter.unwrap_or_default())?;
        let state = self.state_with(&name).await?;
        let found = self.fitting(&name, |key, letter| filter.fits(key, letter)).await?;
        let total = found.len() as u64;
        // Told by time and key, which is the order of the list: what has been settled meanwhile is simply not there.
        let place = |key: &str, letter: &LetterSummary| format!("{:020} {key}", letter.time.as_microsecond());
        let rest = found.into_iter().filter(|(key, letter)| {
            page.after
                .as_deref()
                .is_none_or(|after| place(key, letter).as_str() > after)
        });
        let (shown, more) = cut(rest.take(page.size + 1).collect(), page.size);
        let last = shown.last().filter(|_| more);
        let redrives = redrives(&state, &name);
        Ok(ListDeadLettersResponse {
            next_page_token: last
                .map(|(key, letter)| next_page_token(&list, &place(key, letter)))
                .unwrap_or_default(),
            dead_letters: shown
                .iter()
                .map(|(key, letter)| summary(&name, key, letter, redrives))
                .collect(),
            total,
        })
    }

    async fn summarize(&self, request: SummarizeDeadLettersRequest) -> Result<SummarizeDeadLettersResponse, ApiError> {
        let name = workflow_name("parent", &request.parent)?;
        let filter = letter_filter("filter", request.filter.unwrap_or_default())?;
        self.state_with(&name).await?;
        let found = self.fitting(&name, |key, letter| filter.fits(key, letter)).await?;
        Ok(SummarizeDeadLettersResponse { groups: groups(&found) })
    }

    async fn get(&self, request: &GetDeadLetterRequest) -> Result<DeadLetter, ApiError> {
        let (name, key) = dead_letter_name("name", &request.name)?;
        let state = self.state_with(&name).await?;
        let found = self.followed(&name).await?.get(&key).await?;
        let (known, letter) = found.ok_or_else(|| ApiError::NotFound(request.name.clone()))?;
        let listed = summary(&name, &key, &known, redrives(&state, &name));
        Ok(api::dead_letter(listed, letter))
    }

    async fn redrive(&self, request: RedriveDeadLettersRequest) -> Result<RedriveDeadLettersResponse, ApiError> {
        let name = workflow_name("parent", &request.parent)?;
        let state = self.state_with(&name).await?;
        let meant = Meant::read(&name, &request.names, request.filter)?;
        if let Meant::Filtered(filter) = &meant
            && !filter.is_by_reason_and_table()
        {
            let description = "can only name a code and a table; name the dead letters one by one otherwise";
            return Err(ApiError::field("filter", "UNSUPPORTED", description));
        }
        let count = counted(self.find(&name, &meant).await)?;
        if count != Some(0) {
            let resource = ResourceName::DeadLetters(name.clone());
            let selection = match meant {
                Meant::Named(keys) => RedriveSelection {
                    keys,
                    ..RedriveSelection::default()
                },
                Meant::Filtered(filter) => filter.selection(),
            };
            let change = Change::RequestRedrive(selection);
            self.0.append_whatever_the_etag(resource, change).await?;
        }
        let is_started = instance(&state, &name.instance)?
            .workflow(name.workflow)
            .run()
            .is_some();
        Ok(RedriveDeadLettersResponse {
            count: count.unwrap_or_default(),
            waits_for_start: !is_started,
            uncounted: count.is_none(),
        })
    }

    async fn discard(&self, request: DiscardDeadLettersRequest) -> Result<DiscardDeadLettersResponse, ApiError> {
        let name = workflow_name("parent", &request.parent)?;
        self.state_with(&name).await?;
        let meant = Meant::read(&name, &request.names, request.filter)?;
        let count = match (self.find(&name, &meant).await, meant) {
            (Ok(found), _) => {
                self.followed(&name).await?.discard(&found).await?;
                found.len()
            }
            (Err(error), Meant::Filtered(filter)) if is_too_many(&error) && filter.is_by_reason_and_table() => {
                let letters = &self.0.connected()?.letters;
                letters.discard_unlisted(&name, &filter.selection()).await?
            }
            (Err(error), _) => return Err(error),
        };
        tracing::info!(workflow = %name, records = count, "dead letters discarded");
        Ok(DiscardDeadLettersResponse { count: count as u64 })
    }

    /// The present state, in which a workflow is and has dead letters.
    async fn state_with(&self, name: &WorkflowName) -> Result<Arc<State>, ApiError> {
        let state = self.0.state().await?;
        instance(&state, &name.instance)?;
        if !is_available(name.workflow) {
            let message = format!("the workflow \"{}\" is not available yet", name.workflow.display_name());
            return Err(ApiError::precondition("WORKFLOW_NOT_AVAILABLE", message));
        }
        Ok(state)
    }

    async fn followed(&self, name: &WorkflowName) -> Result<DeadLetterIndex, ApiError> {
        Ok(self.0.connected()?.letters.of(name).await?)
    }

    /// The dead letters of a workflow that fit, oldest first.
    async fn fitting(
        &self,
        name: &WorkflowName,
        fits: impl Fn(&str, &LetterSummary) -> bool,
    ) -> Result<Vec<(Box<str>, LetterSummary)>, ApiError> {
        Ok(self.followed(name).await?.list(fits).await?)
    }

    /// The keys of the dead letters that are meant and there. One that is named must be.
    async fn find(&self, name: &WorkflowName, meant: &Meant) -> Result<Vec<Box<str>>, ApiError> {
        let found = self.fitting(name, |key, letter| meant.fits(key, letter)).await?;
        let keys = found.into_iter().map(|(key, _)| key).collect();
        meant.check(name, keys)
    }
}

/// How many dead letters were found; `None` where they are too many to be listed, or take too long to be read. That keeps
/// nobody from having them redriven: the reader goes by what is asked for, not by a list.
fn counted(found: Result<Vec<Box<str>>, ApiError>) -> Result<Option<u64>, ApiError> {
    match found {
        Ok(found) => Ok(Some(found.len() as u64)),
        Err(error) if is_too_many(&error) => Ok(None),
        Err(ApiError::Kafka(KafkaError::NoAnswer { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_too_many(error: &ApiError) -> bool {
    matches!(error, ApiError::Precondition { reason, .. } if *reason == TOO_MANY_DEAD_LETTERS)
}

/// Which dead letters a request means.
enum Meant {
    Named(Vec<String>),
    Filtered(LetterFilter),
}

impl Meant {
    fn read(
        workflow: &WorkflowName,
        names: &[String],
        filter: Option<crosswalk_proto::v1::DeadLetterFilter>,
    ) -> Result<Self, ApiError> {
        match (names.is_empty(), filter) {
            (false, None) => Ok(Self::Named(dead_letter_names("names", workflow, names)?)),
            (true, Some(filter)) => Ok(Self::Filtered(letter_filter("filter", filter)?)),
            (false, Some(_)) => Err(ApiError::field("filter", "AMBIGUOUS", "must not be set beside names")),
            (true, None) => {
                let description = "must be set where there are no names; an empty filter means all";
                Err(ApiError::field("filter", "REQUIRED", description))
            }
        }
    }

    fn fits(&self, key: &str, letter: &LetterSummary) -> bool {
        match self {
            Self::Named(keys) => keys.iter().any(|wanted| wanted == key),
            Self::Filtered(filter) => filter.fits(key, letter),
        }
    }

    /// The keys that were found, if all that are named are among them.
    fn check(&self, workflow: &WorkflowName, keys: Vec<Box<str>>) -> Result<Vec<Box<str>>, ApiError> {
        if let Self::Named(wanted) = self
            && let Some(missing) = wanted.iter().find(|wanted| !keys.iter().any(|key| **key == ***wanted))
        {
            return Err(ApiError::NotFound(name_of(workflow, missing)));
        }
        Ok(keys)
    }
}

/// `instances/{instance}/workflows/{workflow}/deadLetters/{table}.{record id}`.
fn name_of(workflow: &WorkflowName, key: &str) -> String {
    format!("{workflow}/deadLetters/{}", key.replacen('/', ".", 1))
}

fn redrives<'a>(state: &'a State, name: &WorkflowName) -> &'a [Redrive] {
    state
        .workflow(name)
        .map_or(&[], |workflow| workflow.redrives.as_slice())
}

fn summary(workflow: &WorkflowName, key: &str, letter: &LetterSummary, redrives: &[Redrive]) -> DeadLetter {
    let is_asked_for = |redrive: &Redrive| {
        redrive.requested >= letter.time && redrive.selection.selects(key, &letter.code, &letter.table)
    };
    DeadLetter {
        name: name_of(workflow, key),
        record_id: key.split_once('/').map_or(key, |(_, id)| id).to_owned(),
        table: letter.table.to_string(),
        code: letter.code.to_string(),
        message: letter.message.to_string(),
        time: Some(api::timestamp(letter.time)),
        read_time: Some(api::timestamp(letter.read_at)),
        redrive_pending: redrives.iter().any(is_asked_for),
        ..DeadLetter::default()
    }
}

/// The dead letters by table, reason and field, the largest group first.
fn groups(letters: &[(Box<str>, LetterSummary)]) -> Vec<DeadLetterGroup> {
    let mut groups: std::collections::BTreeMap<(&str, &str, &str), DeadLetterGroup> = std::collections::BTreeMap::new();
    // Oldest first, so the first of a group is its first.
    for (_, letter) in letters {
        let time = api::timestamp(letter.time);
        let group = groups
            .entry((&letter.table, &letter.code, &letter.target_field))
            .or_insert_with(|| DeadLetterGroup {
                table: letter.table.to_string(),
                code: letter.code.to_string(),
                target_field: letter.target_field.to_string(),
                count: 0,
                first_time: Some(time),
                last_time: None,
            });
        group.count += 1;
        group.last_time = Some(time);
    }
    let mut groups: Vec<DeadLetterGroup> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_listed_can_be_redriven_all_the_same() {
        let found =
            |keys: &[&str]| -> Result<Vec<Box<str>>, ApiError> { Ok(keys.iter().map(|key| Box::from(*key)).collect()) };
        assert_eq!(counted(found(&[])).unwrap(), Some(0), "there is nothing to redrive");
        assert_eq!(counted(found(&["contact/a", "contact/b"])).unwrap(), Some(2));
        let too_many = KafkaError::TooManyDeadLetters { limit: 1_000_000 };
        assert_eq!(counted(Err(too_many.into())).unwrap(), None);
        let slow = KafkaError::NoAnswer {
            operation: "read the dead letters",
            waited: std::time::Duration::from_secs(20),
        };
        assert_eq!(counted(Err(slow.into())).unwrap(), None);
        assert!(counted(Err(KafkaError::Cancelled.into())).is_err());
        assert!(counted(Err(ApiError::NotFound("contact/c".to_owned()))).is_err());
    }

    #[test]
    fn a_dead_letter_that_is_named_must_be_there() {
        let name = crate::testing::ingress();
        let named = Meant::Named(vec!["contact/a".to_owned(), "contact/b".to_owned()]);
        let there = |keys: &[&str]| keys.iter().map(|key| Box::from(*key)).collect::<Vec<Box<str>>>();
        assert_eq!(named.check(&name, there(&["contact/a", "contact/b"])).unwrap().len(), 2);
        assert!(matches!(
            named.check(&name, there(&["contact/a"])),
            Err(ApiError::NotFound(_))
        ));
        let all = Meant::Filtered(LetterFilter::default());
        assert_eq!(all.check(&name, Vec::new()).unwrap().len(), 0);
    }
}
