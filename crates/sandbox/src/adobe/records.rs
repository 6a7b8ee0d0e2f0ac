//! What can be done with one record: create, read, update, delete. Both the REST API and the admin API come through
//! here.

use bytes::Bytes;
use http::{Method, StatusCode};

use super::body::{self, Members};
use super::convert::Converter;
use super::definition::{Definition, Family, FieldId};
use super::error::CampaignError;
use super::field::FieldKind;
use super::organisation::{Organisation, Resource};
use super::render::{Collection, RecordWriter, View};
use super::row::{Cell, Changes, Row, Value};
use super::table::{self, Duplicate, RowId, Table};
use super::time;
use super::writes::Write;

/// What the write journal learns about a write while it is done.
#[derive(Default)]
struct Trace {
    key: String,
    sequence: Option<u64>,
}

impl Organisation {
    /// Creates a record and returns it whole, as JSON.
    pub(super) fn create_record(
        &self,
        resource: &Resource,
        view: View<'_>,
        body: &Bytes,
    ) -> Result<Vec<u8>, CampaignError> {
        let (id, row) = self.journalled("POST", resource, body, |trace| self.insert(resource, view, body, trace))?;
        let mut record = Vec::with_capacity(4096);
        RecordWriter::new(self, resource, view).write(&mut record, id, &row);
        Ok(record)
    }

    /// Changes the record of `key`, or the one whose key is in the body, and returns its `PKey` and `href` as JSON.
    pub(super) fn update_record(
        &self,
        resource: &Resource,
        view: View<'_>,
        key: Option<&str>,
        body: &Bytes,
    ) -> Result<Vec<u8>, CampaignError> {
        let id = self.journalled("PATCH", resource, body, |trace| {
            self.change(resource, view, key, body, trace)
        })?;
        let primary_key = self.sealer.primary_key(resource.number, id, view.context);
        let href = self.url(&view, view.path(&resource.definition), &primary_key);
        Ok(serde_json::json!({"PKey": primary_key, "href": href})
            .to_string()
            .into_bytes())
    }

    /// Deletes the record of `key`, and the records that are a part of it.
    pub(super) fn delete_record(&self, resource: &Resource, view: View<'_>, key: &str) -> Result<(), CampaignError> {
        self.journalled("DELETE", resource, &Bytes::new(), |trace| {
            let id = {
                let mut table = resource.table.write();
                key.clone_into(&mut trace.key);
                let id = self.locate(resource, &table, &view, key)?;
                trace.key = key_of(&resource.definition, &table, id);
                table.delete(id);
                trace.sequence = self.draw_sequence();
                id
            };
            self.delete_parts(&resource.definition, id);
            Ok(())
        })
    }

    /// Deletes the rows of a record's collections, since a collection is all there is of them.
    fn delete_parts(&self, definition: &Definition, id: RowId) {
        for (_, field) in definition.fields() {
            let FieldKind::Collection { target, link } = field.kind else {
                continue;
            };
            let Some(resource) = self.resource(target) else {
                continue;
            };
            let Some(link) = resource.definition.id(link) else {
                continue;
            };
            let mut table = resource.table.write();
            for part in table.find(link, Cell::Integer(i64::from(id))).unwrap_or_default() {
                table.delete(part);
            }
        }
    }

    /// The record of `key`, as JSON.
    pub(super) fn read_record(&self, resource: &Resource, view: View<'_>, key: &str) -> Result<Vec<u8>, CampaignError> {
        let (id, row) = {
            let table = resource.table.read();
            let id = self.locate(resource, &table, &view, key)?;
            (id, table.row(id).cloned())
        };
        let mut record = Vec::with_capacity(4096);
        if let Some(row) = row {
            RecordWriter::new(self, resource, view).write(&mut record, id, &row);
        }
        Ok(record)
    }

    fn insert(
        &self,
        resource: &Resource,
        view: View<'_>,
        body: &[u8],
        trace: &mut Trace,
    ) -> Result<(RowId, Row), CampaignError> {
        let members = body::parse(body)?;
        trace.key = key_in(&resource.definition, &members).unwrap_or_default().to_owned();
        let mut changes = self.convert(resource, view, &members)?;
        if let Some(Collection { link, row, .. }) = view.collection {
            put(&mut changes, link, Value::Integer(i64::from(row)));
        }
        if let Some((field, _)) = resource.definition.generated_name
            && !changes.iter().any(|(id, value)| *id == field && value.is_some())
            && let Some((field, name)) = resource.generated_name()
        {
            put(&mut changes, field, Value::Text(name.into()));
        }
        let enforced = Self::enforced_keys(resource, view.visibility.switches);
        let now = time::now();
        let empty = Row::new(&Changes::new(), now);
        let row = Row::new(
            &table::stamped(&empty, &changes, &resource.definition, now).unwrap_or(changes),
            now,
        );
        let mut table = resource.table.write();
        let id = table
            .insert(row.clone(), &enforced)
            .map_err(|duplicate| duplicate_key(resource, duplicate))?;
        trace.sequence = self.draw_sequence();
        Ok((id, row))
    }

    fn change(
        &self,
        resource: &Resource,
        view: View<'_>,
        uri_key: Option<&str>,
        body: &[u8],
        trace: &mut Trace,
    ) -> Result<RowId, CampaignError> {
        let mut members = body::parse(body)?;
        let definition = &resource.definition;
        trace.key = uri_key
            .or_else(|| key_in(definition, &members))
            .unwrap_or_default()
            .to_owned();
        let body_primary_key = take_primary_key(&mut members);
        let changes = self.convert(resource, view, &members)?;
        let enforced = Self::enforced_keys(resource, view.visibility.switches);

        let mut table = resource.table.write();
        let id = match (uri_key, &body_primary_key) {
            (Some(key), _) => self.locate(resource, &table, &view, key)?,
            (None, Some(key)) => self.locate(resource, &table, &view, key)?,
            (None, None) => self.locate_by_body(resource, &table, view, &members)?,
        };
        trace.key = key_of(definition, &table, id);
        if let Some(uri_key) = uri_key {
            self.check_consistency(resource, view, (uri_key, id), body_primary_key.as_deref(), &changes)?;
        }
        // The time is taken under the lock, so that times of one row are in the order of its changes.
        table
            .update(id, &changes, definition, time::now(), &enforced)
            .map_err(|duplicate| duplicate_key(resource, duplicate))?;
        trace.sequence = self.draw_sequence();
        Ok(id)
    }

    /// `PATCH` on the collection: the custom key in the body names the row (contracts/campaign.md §2.7).
    fn locate_by_body(
        &self,
        resource: &Resource,
        table: &Table,
        view: View<'_>,
        members: &Members<'_>,
    ) -> Result<RowId, CampaignError> {
        let definition = &resource.definition;
        let declared = definition.custom_key(view.visibility).is_some();
        let key = key_in(definition, members).filter(|_| declared).unwrap_or_default();
        self.locate(resource, table, &view, key)
            .map_err(|_| CampaignError::KeyOfBodyNotFound {
                label: definition.label.to_owned(),
                resource: definition.name.to_owned(),
                key: key.to_owned(),
            })
    }

    /// Refuses a body whose key is another than the one in the URI (contracts/campaign.md §6.3, case 2).
    fn check_consistency(
        &self,
        resource: &Resource,
        view: View<'_>,
        (uri_key, id): (&str, RowId),
        body_primary_key: Option<&str>,
        changes: &Changes,
    ) -> Result<(), CampaignError> {
        let inconsistent = |body_key: &str| CampaignError::InconsistentKey {
            resource: resource.definition.name.to_owned(),
            uri_key: uri_key.to_owned(),
            body_key: body_key.to_owned(),
        };
        if let Some(body_key) = body_primary_key
            && self.decode(resource, body_key)? != id
        {
            return Err(inconsistent(body_key));
        }
        if uri_key.starts_with('@') {
            return Ok(());
        }
        let custom_key = resource.definition.custom_key(view.visibility);
        let change = changes.iter().find(|(field, _)| Some(*field) == custom_key);
        let body_key = change.map(|(_, value)| value.as_ref().map_or("", |value| value.as_cell().text()));
        match body_key {
            Some(body_key) if body_key != uri_key => Err(inconsistent(body_key)),
            _ => Ok(()),
        }
    }

    fn convert(&self, resource: &Resource, view: View<'_>, members: &Members<'_>) -> Result<Changes, CampaignError> {
        let visibility = view.visibility;
        let resolve_link = |target: &str, key: &str| self.resolve_link(target, key, visibility);
        Converter {
            definition: &resource.definition,
            visibility,
            resolve_link,
        }
        .changes(members)
    }

    fn draw_sequence(&self) -> Option<u64> {
        let writes = &self.shared.writes;
        writes.is_enabled().then(|| writes.draw_sequence())
    }

    fn journalled<T>(
        &self,
        method: &'static str,
        resource: &Resource,
        body: &Bytes,
        write: impl FnOnce(&mut Trace) -> Result<T, CampaignError>,
    ) -> Result<T, CampaignError> {
        let mut trace = Trace::default();
        let result = write(&mut trace);
        if let Some(sequence) = trace.sequence.or_else(|| self.draw_sequence()) {
            self.shared.writes.add(Write {
                sequence,
                organisation: self.name.clone(),
                method,
                resource: resource.definition.name,
                key: trace.key,
                status: result
                    .as_ref()
                    .map_or_else(CampaignError::status, |_| success_status(method, &resource.definition))
                    .as_u16(),
                // A copy: the bytes received are a part of a much larger read buffer.
                body: Bytes::copy_from_slice(body),
            });
        }
        result
    }
}

/// The status of a call that was done (contracts/campaign.md §2.2).
pub(super) fn success_status(method: &str, definition: &Definition) -> StatusCode {
    if method == Method::POST.as_str() {
        StatusCode::CREATED
    } else if method == Method::DELETE.as_str() && definition.family == Family::Nested {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::OK
    }
}

/// Puts a value in its place among the changes.
fn put(changes: &mut Changes, field: FieldId, value: Value) {
    let value = Some(value);
    match changes.binary_search_by_key(&field, |(id, _)| *id) {
        Ok(position) => changes[position].1 = value,
        Err(position) => changes.insert(position, (field, value)),
    }
}

/// The value of the resource's custom key in a body.
fn key_in<'a>(definition: &Definition, members: &'a Members<'_>) -> Option<&'a str> {
    let key = definition.unique_keys.iter().find(|key| key.fields.len() == 1)?;
    let name = definition.field(key.fields[0]).name;
    members
        .iter()
        .find(|(member, _)| member == name)
        .and_then(|(_, json)| json.text())
}

/// The value of the resource's custom key in a row.
fn key_of(definition: &Definition, table: &Table, id: RowId) -> String {
    let key = definition.unique_keys.iter().find(|key| key.fields.len() == 1);
    let cell = key.and_then(|key| table.row(id)?.get(key.fields[0]));
    cell.map_or("", Cell::text).to_owned()
}

/// Takes the PKey out of a body, where it only repeats the URI.
fn take_primary_key(members: &mut Members<'_>) -> Option<String> {
    let position = members
        .iter()
        .position(|(name, json)| name == "PKey" && json.text().is_some())?;
    members.remove(position).1.text().map(str::to_owned)
}

fn duplicate_key(resource: &Resource, duplicate: Duplicate) -> CampaignError {
    let key = &resource.definition.unique_keys[duplicate.key];
    CampaignError::DuplicateKey {
        label: resource.definition.label.to_owned(),
        value: duplicate.value,
        constraint: key.constraint.clone(),
        columns: key.columns.clone(),
    }
}
