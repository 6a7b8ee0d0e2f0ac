//! `Mappings.EstimateMapping`: what a start with the draft would do, found out by going through the whole table.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crosswalk_core::{
    Change, ChangeKind, Epoch, InstanceId, MappingId, Origin,
    control::{Mapping, State},
    ledger::{Judgement, Known, PayloadHash, PayloadHashes, Skip, Subject, judge},
    mapping::{CompiledMapping, Part, columns, key_text},
};
use crosswalk_dynamics::{Page, PageLink, Selection, SourceChange};
use crosswalk_kafka::ledger::{LedgerMap, read_ledger};
use crosswalk_proto::v1::{EstimateMappingRequest, EstimateMappingResponse, RejectionCount};
use futures::Stream;
use jiff::Timestamp;
use tokio::{sync::mpsc, time::Instant};
use tonic::Status;

use super::mappings::{catalogs, mapping};
use crate::{
    error::ApiError,
    parse::mapping_name,
    shared::{Shared, instance},
};

/// How often it is told how far it is.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is estimated.
struct Estimate {
    shared: Arc<Shared>,
    state: Arc<State>,
    instance: InstanceId,
    mapping: Mapping,
    compiled: CompiledMapping,
    selection: Selection,
    ledger: LedgerMap,
    counted: EstimateMappingResponse,
    rejects: HashMap<(String, String), u64>,
}

pub(super) async fn estimate(
    shared: Arc<Shared>,
    request: &EstimateMappingRequest,
) -> Result<impl Stream<Item = Result<EstimateMappingResponse, Status>> + use<>, ApiError> {
    let (instance_id, id) = mapping_name("name", &request.name)?;
    let estimate = open(&shared, instance_id, &id).await?;
    let (answers, received) = mpsc::channel(1);
    let stop = shared.stop.clone();
    tokio::spawn(async move {
        let failed = answers.clone();
        match stop.run_until_cancelled(estimate.run(answers)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => drop(failed.send(Err(error.into())).await),
            None => drop(failed.send(Err(ApiError::Draining.into())).await),
        }
    });
    Ok(futures::stream::unfold(received, |mut received| async move {
        Some((received.recv().await?, received))
    }))
}

async fn open(shared: &Arc<Shared>, instance_id: InstanceId, id: &MappingId) -> Result<Estimate, ApiError> {
    let state = shared.state().await?;
    let draft = mapping(&state, &instance_id, id)?.clone();
    let definition = &*draft.definition;
    let (table, resource) = catalogs(shared, &state, &instance_id, definition).await?;
    let invalid = |problem: String| ApiError::precondition("MAPPING_INVALID", problem);
    let compiled = CompiledMapping::new(definition, &resource)
        .map_err(|problems| invalid(crosswalk_core::mapping::list_problems(&problems)))?;
    let columns: Vec<String> = columns(definition).into_iter().map(str::to_owned).collect();
    let selection = Selection::new(&table, &columns).map_err(|error| invalid(error.to_string()))?;
    let present = instance(&state, &instance_id)?;
    let settings = &present.settings;
    let subject = Subject::new(draft.uid, settings.dynamics_address(), &settings.campaign_address());
    let (kafka, source) = (&shared.connected()?.kafka, &definition.source_table);
    let ledger = read_ledger(kafka, &instance_id, source, subject, shared.stop.child_token()).await?;
    let expected = shared
        .systems
        .ask_dynamics(&state, &instance_id, present, async |client| {
            client.total_record_count(&table).await
        });
    let counted = EstimateMappingResponse {
        expected_rows: expected.await.ok(),
        ..EstimateMappingResponse::default()
    };
    Ok(Estimate {
        shared: Arc::clone(shared),
        state: Arc::clone(&state),
        instance: instance_id,
        compiled,
        selection,
        ledger,
        counted,
        rejects: HashMap::new(),
        mapping: draft,
    })
}

impl Estimate {
    async fn run(mut self, answers: mpsc::Sender<Result<EstimateMappingResponse, Status>>) -> Result<(), ApiError> {
        let mut link = None;
        let mut told = Instant::now();
        loop {
            let page = self.page(link.as_ref()).await?;
            for rejected in &page.rejected {
                self.ledger.remove(rejected.id);
                self.reject("DYNAMICS_VALUE_UNFIT", "");
            }
            for change in page.changes {
                self.count(change);
            }
            match page.next {
                PageLink::Delta(_) => break,
                next @ PageLink::Next(_) => link = Some(next),
            }
            if told.elapsed() >= INTERVAL {
                told = Instant::now();
                if answers.send(Ok(self.answer(false))).await.is_err() {
                    // Nobody listens any more.
                    return Ok(());
                }
            }
        }
        if self.mapping.definition.options.apply_deletes {
            self.counted.deletes += self.ledger.iter().filter(|(_, known)| known.standing.exists()).count() as u64;
        }
        let _ = answers.send(Ok(self.answer(true))).await;
        Ok(())
    }

    async fn page(&self, link: Option<&PageLink>) -> Result<Page, ApiError> {
        let present = instance(&self.state, &self.instance)?;
        let page = self
            .shared
            .systems
            .ask_dynamics(&self.state, &self.instance, present, async |client| match link {
                None => client.first_page(&self.selection).await,
                Some(link) => client.next_page(&self.selection, link).await,
            });
        Ok(page.await?)
    }

    /// Counts what becomes of a row. What is left of the ledger in the end is not in the table any more.
    fn count(&mut self, source: SourceChange) {
        self.counted.rows += 1;
        let known = self.ledger.remove(source.id);
        let id = key_text(source.id);
        let change = Change {
            origin: Origin::Change,
            version: source.version,
            epoch: Epoch(u64::MAX),
            force: false,
            read_at: Timestamp::UNIX_EPOCH,
            mapping: self.mapping.uid,
            kind: source.kind,
        };
        let definition = &*self.mapping.definition;
        let (options, delete_filtered) = (definition.options, definition.filter.delete_filtered);
        let passes = |row: &crosswalk_core::Row| self.compiled.passes(row);
        match judge(&change, known.as_ref(), options, delete_filtered, passes) {
            Judgement::Delete => self.counted.deletes += 1,
            Judgement::Skip(Skip::Unchanged) => self.counted.unchanged += 1,
            Judgement::Skip(_) | Judgement::EpochEnd => self.counted.filtered += 1,
            Judgement::Map(_) => self.count_mapped(&id, &change, known),
        }
    }

    fn count_mapped(&mut self, id: &str, change: &Change, known: Option<Known>) {
        let ChangeKind::Upsert(row) = &change.kind else { return };
        let payload = match self.compiled.apply(id, row) {
            Ok(payload) => payload,
            Err(rejected) => {
                if let Some(first) = rejected.errors.first() {
                    let (code, field) = (first.code, first.field.clone());
                    self.reject(code, &field);
                }
                return;
            }
        };
        let hash = |part| {
            let mut body = Vec::new();
            payload.write_json(part, &mut body);
            PayloadHash::of(&body)
        };
        let updates = hash(if self.compiled.has_insert_only_fields() {
            Part::Updates
        } else {
            Part::All
        });
        let hashes = PayloadHashes {
            updates,
            insert_only: PayloadHash::UNKNOWN,
        };
        match known {
            Some(known) if known.is_unchanged_by(change, hashes) => self.counted.unchanged += 1,
            Some(known) if known.standing.exists() => self.counted.updates += 1,
            _ => self.counted.creates += 1,
        }
    }

    fn reject(&mut self, code: &str, field: &str) {
        *self.rejects.entry((code.to_owned(), field.to_owned())).or_default() += 1;
    }

    fn answer(&self, done: bool) -> EstimateMappingResponse {
        let mut rejects: Vec<RejectionCount> = self
            .rejects
            .iter()
            .map(|((code, field), count)| RejectionCount {
                code: code.clone(),
                campaign_field: field.clone(),
                count: *count,
            })
            .collect();
        rejects.sort_by(|one, other| {
            (other.count, &one.code, &one.campaign_field).cmp(&(one.count, &other.code, &other.campaign_field))
        });
        EstimateMappingResponse {
            rejects,
            calls: self.counted.creates + self.counted.updates + self.counted.deletes,
            done,
            ..self.counted.clone()
        }
    }
}
