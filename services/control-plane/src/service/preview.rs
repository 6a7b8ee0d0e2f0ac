//! `Mappings.PreviewMapping`: what a mapping makes of records, and how that differs from what Campaign holds.

use crosswalk_campaign::RecordKey;
use crosswalk_core::{
    ChangeKind, InstanceId, Row,
    control::State,
    mapping::{
        CompiledMapping, Part, TableMapping, columns, held_differences, key_text, parse_key, shown_value, validate,
    },
    schema::Table,
};
use crosswalk_dynamics::{Selection, SourceChange};
use crosswalk_proto::v1::{
    FieldDifference, FieldFault, Preview, PreviewMappingRequest, PreviewMappingResponse, PreviewValue, preview::Effect,
    preview_mapping_request::Records,
};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};

use super::mappings::{catalogs, completed, mapping};
use crate::{
    error::{ApiError, Violations},
    parse::{add_problems, mapping_definition, mapping_name},
    shared::{Shared, instance},
};

/// Most records in one preview, and how many if nobody says.
const MAX_SAMPLE: usize = 100;
const DEFAULT_SAMPLE: usize = 10;

/// Records that Campaign is asked for at once.
const CONCURRENT_READS: usize = 4;

/// What is previewed.
struct Previewed<'a> {
    shared: &'a Shared,
    state: &'a State,
    instance: &'a InstanceId,
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
        definition,
        compiled,
    };
    let rows = previewed.rows(&table, request.records).await?;
    // Boxed, since the compiler cannot tell otherwise that a stream of borrowing futures may move between threads.
    let previews: Vec<_> = rows.iter().map(|row| previewed.of_row(row).boxed()).collect();
    let previews = futures::stream::iter(previews).buffered(CONCURRENT_READS);
    Ok(PreviewMappingResponse {
        previews: previews.try_collect().await?,
    })
}

impl Previewed<'_> {
    /// The records asked for.
    async fn rows(&self, table: &Table, wanted: Option<Records>) -> Result<Vec<SourceChange>, ApiError> {
        let columns: Vec<String> = columns(&self.definition).into_iter().map(str::to_owned).collect();
        let selection = Selection::new(table, &columns)
            .map_err(|error| ApiError::precondition("MAPPING_INVALID", error.to_string()))?;
        let present = instance(self.state, self.instance)?;
        let systems = &self.shared.systems;
        match wanted {
            Some(Records::RecordId(text)) => {
                let id = parse_key(&text)
                    .ok_or_else(|| ApiError::field("record_id", "NOT_A_GUID", "must be the GUID of a record"))?;
                let row = systems.ask_dynamics(self.state, self.instance, present, async |client| {
                    client.row(&selection, id).await
                });
                let name = format!("the record {} of {}", key_text(id), table.logical_name);
                Ok(vec![row.await?.ok_or(ApiError::NotFound(name))?])
            }
            Some(Records::SampleSize(size)) if !(0..=MAX_SAMPLE as i32).contains(&size) => Err(ApiError::field(
                "sample_size",
                "OUT_OF_RANGE",
                format!("must be from 1 to {MAX_SAMPLE}; 0 is the default, {DEFAULT_SAMPLE}"),
            )),
            other => {
                let size = match other {
                    Some(Records::SampleSize(size)) if size > 0 => usize::try_from(size).unwrap_or(DEFAULT_SAMPLE),
                    _ => DEFAULT_SAMPLE,
                };
                let page = systems.ask_dynamics(self.state, self.instance, present, async |client| {
                    client.first_page(&selection).await
                });
                let mut rows = page.await?.changes;
                rows.truncate(size);
                Ok(rows)
            }
        }
    }

    async fn of_row(&self, source: &SourceChange) -> Result<Preview, ApiError> {
        let empty = Row::default();
        let row = match &source.kind {
            ChangeKind::Upsert(row) => row,
            _ => &empty,
        };
        let id = key_text(source.id);
        let mut preview = Preview {
            record_id: id.clone(),
            source: row.columns.iter().map(preview_value).collect(),
            failing_conditions: self
                .compiled
                .failing_conditions(row)
                .into_iter()
                .filter_map(|place| i32::try_from(place).ok())
                .collect(),
            ..Preview::default()
        };
        let payload = match self.compiled.apply(&id, row) {
            Ok(payload) => payload,
            Err(rejected) => {
                preview.errors = rejected.errors.iter().map(fault).collect();
                preview.set_effect(Effect::Rejected);
                return Ok(preview);
            }
        };
        let mut body = Vec::new();
        payload.write_json(Part::All, &mut body);
        preview.mapped_json = String::from_utf8(body).unwrap_or_default();
        let held = self.held(&id).await?;
        if let Some(held) = &held {
            preview.differences = held_differences(&payload, held).iter().map(difference).collect();
        }
        preview.set_effect(if !self.compiled.passes(row) {
            Effect::Filtered
        } else if held.is_none() {
            Effect::Create
        } else if preview.differences.is_empty() {
            Effect::Unchanged
        } else {
            Effect::Update
        });
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
    }
}
