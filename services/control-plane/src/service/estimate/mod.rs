//! `Mappings.EstimateMapping`: what a start with the draft would do, found out by going through the whole table.

mod start;
mod tally;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use crosswalk_core::{
    InstanceId, MappingId,
    control::{Mapping, State},
    ledger::Subject,
    mapping::{CompiledMapping, columns, list_problems},
    schema::Table,
};
use crosswalk_dynamics::{Page, PageLink, Selection};
use crosswalk_kafka::ledger::read_ledger;
use crosswalk_proto::v1::{EstimateMappingRequest, EstimateMappingResponse};
use crosswalk_runtime::retry::{Backoff, RetryError, RetryPolicy, retry};
use futures::Stream;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use self::{start::Start, tally::Tally};
use super::{
    mappings::{catalogs, mapping},
    tied_stream::tied,
};
use crate::{
    error::ApiError,
    parse::mapping_name,
    shared::{Shared, instance},
    system::SystemFailure,
    turns::Place,
};

/// How often it is told how far it is.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often a page is asked for until the caller is told that it cannot be had: for two minutes, if nobody asks for more.
const ATTEMPTS: NonZeroU32 = NonZeroU32::new(10).expect("is not zero");

/// What is estimated.
struct Estimate {
    shared: Arc<Shared>,
    state: Arc<State>,
    instance: InstanceId,
    mapping: Mapping,
    table: Table,
    compiled: CompiledMapping,
    selection: Selection,
}

type Answers = mpsc::Sender<EstimateMappingResponse>;

pub(super) async fn estimate(
    shared: Arc<Shared>,
    request: &EstimateMappingRequest,
) -> Result<impl Stream<Item = Result<EstimateMappingResponse, Status>> + use<>, ApiError> {
    let (instance_id, id) = mapping_name("name", &request.name)?;
    let place = shared.estimates.enter()?;
    let estimate = Estimate::prepare(shared, instance_id, &id).await?;
    Ok(tied(move |answers| estimate.run(place, answers)))
}

impl Estimate {
    async fn prepare(shared: Arc<Shared>, instance_id: InstanceId, id: &MappingId) -> Result<Self, ApiError> {
        let state = shared.state().await?;
        let draft = mapping(&state, &instance_id, id)?.clone();
        let definition = &*draft.definition;
        let (table, resource) = catalogs(&shared, &state, &instance_id, definition).await?;
        let invalid = |problem: String| ApiError::precondition("MAPPING_INVALID", problem);
        let compiled =
            CompiledMapping::new(definition, &resource).map_err(|problems| invalid(list_problems(&problems)))?;
        let columns: Vec<String> = columns(definition).into_iter().map(str::to_owned).collect();
        let selection = Selection::new(&table, &columns).map_err(|error| invalid(error.to_string()))?;
        Ok(Self {
            shared,
            state,
            instance: instance_id,
            mapping: draft,
            table,
            compiled,
            selection,
        })
    }

    /// Waits for its turn and goes through the table, until told to stop.
    async fn run(self, place: Place, answers: Answers) -> Result<(), ApiError> {
        let stop = self.shared.stop.clone();
        let work = async {
            let _turn = place.turn().await;
            self.go_through(&answers).await
        };
        stop.run_until_cancelled(work).await.unwrap_or(Err(ApiError::Draining))
    }

    async fn go_through(self, answers: &Answers) -> Result<(), ApiError> {
        let Self {
            shared,
            state,
            instance: id,
            mapping: draft,
            table,
            compiled,
            selection,
        } = self;
        let (connected, present) = (shared.connected()?, instance(&state, &id)?);
        let (settings, source) = (&present.settings, &draft.definition.source_table);
        let checkpoint = connected.positions.checkpoint(&id, source).await?;
        let columns: Vec<String> = selection.columns().map(str::to_owned).collect();
        let start = Start::after(checkpoint.as_ref(), settings, &draft, &columns);
        let subject = Subject::new(draft.uid, settings.dynamics_address(), &settings.campaign_address());
        // Ends the reading of the ledger, which has a thread of its own, when nobody waits for it any more.
        let cancel = CancellationToken::new();
        let _ends = cancel.clone().drop_guard();
        let ledger = read_ledger(&connected.kafka, &id, source, subject, cancel).await?;
        let expected = shared.systems.ask_dynamics(&state, &id, present, async |client| {
            client.total_record_count(&table).await
        });
        let expected = expected.await.ok();
        if let Some(rows) = expected {
            connected.record_counts.note(&id, present, source, rows);
        }
        let mut tally = Tally::new(draft, compiled, start, ledger, expected);
        let page = |link: Option<PageLink>| {
            let (systems, selection) = (&shared.systems, &selection);
            systems.ask_dynamics(&state, &id, present, async move |client| match link {
                None => client.first_page(selection).await,
                Some(link) => client.next_page(selection, &link).await,
            })
        };
        count_pages(&mut tally, page, &shared.stop, answers).await?;
        tally.finish();
        // Whoever does not listen any more does not miss it.
        let _ = answers.send(tally.answer(true)).await;
        Ok(())
    }
}

/// Counts all pages. `ask` asks for the page behind a link, the first one without; what passes by itself is waited for.
async fn count_pages<Asked>(
    tally: &mut Tally,
    ask: impl Fn(Option<PageLink>) -> Asked,
    stop: &CancellationToken,
    answers: &Answers,
) -> Result<(), ApiError>
where
    Asked: Future<Output = Result<Page, SystemFailure>>,
{
    let policy = RetryPolicy::limited(Backoff::default(), ATTEMPTS);
    let mut link = None;
    let mut told = Instant::now();
    loop {
        let asked = retry(&policy, stop, "read a page for an estimate", || ask(link.clone())).await;
        let page = asked.map_err(|error| match error {
            RetryError::Failed(failure) | RetryError::Exhausted { error: failure, .. } => failure.into(),
            RetryError::Cancelled(_) => ApiError::Draining,
        })?;
        let next = page.next.clone();
        tally.take(page);
        match next {
            PageLink::Delta(_) => return Ok(()),
            next @ PageLink::Next(_) => link = Some(next),
        }
        if told.elapsed() >= INTERVAL {
            told = Instant::now();
            // Who has not taken the last answer yet does not need this one.
            let _ = answers.try_send(tally.answer(false));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{tally::tests::empty_tally, *};
    use crate::system::System;

    fn page(next: PageLink) -> Page {
        Page {
            unknown_options: Vec::new(),
            changes: Vec::new(),
            rejected: Vec::new(),
            next,
        }
    }

    /// Goes through pages that are answered one after the other; tells which were asked for.
    async fn go_through(pages: Vec<Result<Page, SystemFailure>>) -> (Result<(), ApiError>, Vec<String>) {
        let (answers, _received) = mpsc::channel(1);
        let (pages, asked) = (RefCell::new(pages.into_iter()), RefCell::new(Vec::new()));
        let ask = |link: Option<PageLink>| {
            let address = link.map_or_else(String::new, |link| link.address().to_owned());
            asked.borrow_mut().push(address);
            std::future::ready(pages.borrow_mut().next().unwrap_or_else(|| Err(timed_out())))
        };
        let ended = count_pages(&mut empty_tally(), ask, &CancellationToken::new(), &answers).await;
        (ended, asked.take())
    }

    fn timed_out() -> SystemFailure {
        SystemFailure::timed_out(System::Dynamics, Duration::from_secs(30))
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_does_not_come_is_asked_for_again_and_the_others_are_not() {
        let next = || page(PageLink::Next("second".to_owned()));
        let last = page(PageLink::Delta(String::new()));
        let (ended, asked) = go_through(vec![Err(timed_out()), Ok(next()), Err(timed_out()), Ok(last)]).await;
        assert!(ended.is_ok(), "{ended:?}");
        assert_eq!(asked, ["", "", "second", "second"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_system_that_stays_away_and_one_that_refuses_are_told() {
        let (ended, asked) = go_through(Vec::new()).await;
        assert!(matches!(ended, Err(ApiError::System(_))), "{ended:?}");
        assert_eq!(asked.len(), usize::try_from(ATTEMPTS.get()).unwrap());
        let refused = crosswalk_dynamics::Error::TableNotFound {
            table: "contact".to_owned(),
        };
        let (ended, asked) = go_through(vec![Err(refused.into())]).await;
        assert!(matches!(ended, Err(ApiError::System(_))), "{ended:?}");
        assert_eq!(asked.len(), 1);
    }
}
