//! `Mappings.PreviewMapping`: what a mapping makes of records, and how that differs from what Campaign holds.

mod rows;
mod verdict;

use std::time::Duration;

use crosswalk_campaign::RecordKey;
use crosswalk_core::{
    InstanceId, MappingId, Row,
    control::State,
    ledger::Subject,
    mapping::{CompiledMapping, Part, TableMapping, held_differences, key_text, parse_key, shown_value, validate},
};
use crosswalk_kafka::ledger::{LedgerMap, read_ledger};
use crosswalk_proto::v1::{
    FieldDifference, FieldFault, Preview, PreviewMappingRequest, PreviewMappingResponse, PreviewValue, preview::Effect,
};
use crosswalk_runtime::error::chain;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use tokio_util::sync::CancellationToken;

use self::rows::Found;
use super::mappings::{catalogs, completed, mapping};
use crate::{
    error::{ApiError, Violations},
    parse::{add_problems, mapping_definition, mapping_name},
    shared::{Shared, instance},
};

/// Records that Campaign is asked for at once.
const CONCURRENT_READS: usize = 4;

/// How long the ledger may take to be read, a turn to read it included. A large one takes longer; it is then said that it is
/// not known what it says.
const LEDGER: Duration = Duration::from_secs(10);

/// What is previewed.
struct Previewed<'a> {
    shared: &'a Shared,
    state: &'a State,
    instance: &'a InstanceId,
    id: &'a MappingId,
    definition: TableMapping,
    compiled: CompiledMapping,
}

pub(super) async fn preview(
    shared: &Shared,
    request: PreviewMappingRequest,
) -> Result<PreviewMappingResponse, ApiError> {
    let (instance_id, id) = mapping_name("name", &request.name)?;
    let state = shared.state().await?;
    let definition = match request.mapping {
        Some(unsaved) => mapping_definition(unsaved)?,
        None => (*mapping(&state, &instance_id, &id)?.definition).clone(),
    };
    let (table, resource) = catalogs(shared, &state, &instance_id, &definition).await?;
    let definition = completed(definition, &table);
    let mut violations = Violations::default();
    add_problems(&mut violations, validate(&definition, &table, &resource));
    violations.finish()?;
    let compiled = CompiledMapping::new(&definition, &resource)
        .map_err(|_| ApiError::field("mapping", "MAPPING_INVALID", "does not fit the resource"))?;
    let previewed = Previewed {
        shared,
        state: &state,
        instance: &instance_id,
        id: &id,
        definition,
        compiled,
    };
    let found = previewed.rows(&table, request.records).await?;
    // Boxed, since the compiler cannot tell otherwise that a stream of borrowing futures may move between threads.
    let previews: Vec<_> = found.into_iter().map(|found| previewed.of(found).boxed()).collect();
    let previews = futures::stream::iter(previews).buffered(CONCURRENT_READS);
    let mut previews: Vec<Preview> = previews.try_collect().await?;
    previewed.tell_deletions(&mut previews).await;
    Ok(PreviewMappingResponse { previews })
}

impl Previewed<'_> {
    async fn of(&self, found: Found) -> Result<Preview, ApiError> {
        match found {
            Found::Row(id, row) => self.of_row(key_text(id), &row).await,
            Found::Unreadable(row) => Ok(verdict::of_unreadable(key_text(row.id), row, &self.definition.fields)),
        }
    }

    async fn of_row(&self, id: String, row: &Row) -> Result<Preview, ApiError> {
        let failing = self.compiled.failing_conditions(row).into_iter();
        let mut preview = Preview {
            source: row.columns.iter().map(preview_value).collect(),
            failing_conditions: failing.filter_map(|place| i32::try_from(place).ok()).collect(),
            ..Preview::default()
        };
        let payload = self.compiled.apply(&id, row);
        match &payload {
            Ok(payload) => {
                let mut body = Vec::new();
                payload.write_json(Part::All, &mut body);
                preview.mapped_json = String::from_utf8(body).unwrap_or_default();
            }
            Err(rejected) => preview.errors = rejected.errors.iter().map(fault).collect(),
        }
        if !self.compiled.passes(row) {
            // Whether it would be deleted is told when all records are known.
            preview.deletion_unknown = self.definition.filter.delete_filtered && self.held(&id).await?.is_some();
            preview.set_effect(Effect::Filtered);
        } else if let Ok(payload) = &payload {
            let held = self.held(&id).await?;
            let differences = held.map(|held| held_differences(&self.compiled, payload, &held));
            preview.set_effect(verdict::of_passing(differences.as_deref()));
            preview.differences = differences.iter().flatten().map(difference).collect();
        } else {
            preview.set_effect(Effect::Rejected);
        }
        preview.record_id = id;
        Ok(preview)
    }

    /// What Campaign holds of a record.
    async fn held(&self, id: &str) -> Result<Option<serde_json::Map<String, serde_json::Value>>, ApiError> {
        let key = RecordKey::new(id).map_err(|error| ApiError::field("record_id", "KEY_INVALID", error.to_string()))?;
        let present = instance(self.state, self.instance)?;
        let resource = &self.definition.target_resource;
        let held = self
            .shared
            .systems
            .ask_campaign(self.state, self.instance, present, async |client| {
                client.get(resource, &key).await
            });
        Ok(held.await?)
    }

    /// Says of the records that Campaign holds and the filter leaves out whether they would be deleted.
    async fn tell_deletions(&self, previews: &mut [Preview]) {
        if !previews.iter().any(|preview| preview.deletion_unknown) {
            return;
        }
        let ledger = match tokio::time::timeout(LEDGER, self.ledger()).await {
            Ok(Ok(ledger)) => Some(ledger),
            Ok(Err(error)) => {
                tracing::debug!(error = %chain(&error), "a preview does without the ledger");
                None
            }
            Err(_) => None,
        };
        for preview in previews.iter_mut().filter(|preview| preview.deletion_unknown) {
            let id = parse_key(&preview.record_id);
            let is_written = |ledger: &LedgerMap| {
                id.and_then(|id| ledger.get(id))
                    .is_some_and(|known| known.standing.exists())
            };
            verdict::set_deletion(preview, ledger.as_ref().map(is_written));
        }
    }

    /// The ledger of the mapping; empty if it has never been saved with these tables.
    async fn ledger(&self) -> Result<LedgerMap, ApiError> {
        let present = instance(self.state, self.instance)?;
        let (settings, source) = (&present.settings, &self.definition.source_table);
        let is_same = |saved: &&crosswalk_core::control::Mapping| {
            saved.definition.source_table == *source
                && saved.definition.target_resource == self.definition.target_resource
        };
        let Some(saved) = present.mapping(self.id).filter(is_same) else {
            return Ok(LedgerMap::default());
        };
        let subject = Subject::new(saved.uid, settings.dynamics_address(), &settings.campaign_address());
        let _turn = self.shared.estimates.enter()?.turn().await;
        // Ends the reading, which has a thread of its own, when nobody waits for it any more.
        let cancel = CancellationToken::new();
        let _ends = cancel.clone().drop_guard();
        let kafka = &self.shared.connected()?.kafka;
        Ok(read_ledger(kafka, self.instance, source, subject, cancel).await?)
    }
}

fn preview_value((name, value): &(Box<str>, crosswalk_core::Value)) -> PreviewValue {
    PreviewValue {
        dynamics_field: name.to_string(),
        value: shown_value(value),
    }
}

fn fault(error: &crosswalk_core::mapping::FieldError) -> FieldFault {
    FieldFault {
        campaign_field: error.field.clone(),
        dynamics_field: error.source.clone(),
        code: error.code.to_owned(),
        message: error.message.clone(),
    }
}

fn difference(difference: &crosswalk_core::mapping::FieldDifference) -> FieldDifference {
    FieldDifference {
        campaign_field: difference.field.clone(),
        mapped: difference.mapped.to_string(),
        held: difference.held.as_ref().map(ToString::to_string).unwrap_or_default(),
        only_by_replay: difference.only_by_replay,
    }
}
