//! Writes: create, update, upsert, delete, single properties and references (contracts/dataverse.md §5.1 to §5.5).

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::errors::{ApiError, JSON, bytes_response};
use super::keys::RowKey;
use super::payload::{WriteKind, parse_payload};
use super::query::Selection;
use super::read::row_json;
use super::request::{ApiRequest, Condition};
use super::schema::{ColumnKind, TableDefinition};
use super::store::{Actor, CellChange, Organization};

/// The circumstances of a write.
pub(crate) struct Writing<'write> {
    /// The tables, held exclusively: what is checked stays true until it is written.
    pub organization: &'write mut Organization,
    /// Index of the table.
    pub table: usize,
    /// Who writes.
    pub actor: Actor,
    /// When, in seconds since 1970 UTC.
    pub now: i64,
}

impl Writing<'_> {
    /// Creates a row from a JSON payload.
    pub(crate) fn create(&mut self, payload: &Map<String, Value>) -> Result<Uuid, ApiError> {
        self.create_with(payload, None, Vec::new())
    }

    /// Changes a row by a JSON payload.
    pub(crate) fn update(&mut self, id: Uuid, payload: &Map<String, Value>) -> Result<(), ApiError> {
        let parsed = parse_payload(self.organization, self.table, payload, WriteKind::Update)?;
        self.change(id, parsed.changes)
    }

    /// Deletes a row.
    pub(crate) fn delete(&mut self, id: Uuid) -> Result<(), ApiError> {
        let definition = self.definition();
        if !definition.capabilities.delete {
            return Err(ApiError::unsupported_message("Delete", &definition));
        }
        self.organization.delete(self.table, id, self.actor, self.now)?;
        Ok(())
    }

    /// Changes the row of a key, or creates it if there is none.
    pub(crate) fn upsert(&mut self, key: &RowKey, payload: Map<String, Value>) -> Result<Uuid, ApiError> {
        match key.find(self.organization, self.table) {
            Some(id) => self.update_at(key, id, payload).map(|()| id),
            None => self.create_at(key, &payload),
        }
    }

    /// The update half of an upsert: values for the key columns of the URL are dropped.
    fn update_at(&mut self, key: &RowKey, id: Uuid, mut payload: Map<String, Value>) -> Result<(), ApiError> {
        if let RowKey::Alternate { values, .. } = key {
            let definition = self.definition();
            values.iter().for_each(|(column, _)| {
                payload.remove(&definition.columns[*column].logical_name);
            });
        }
        self.update(id, &payload)
    }

    /// The create half of an upsert. The key gives id or key values; a value in the payload overrides a key value.
    fn create_at(&mut self, key: &RowKey, payload: &Map<String, Value>) -> Result<Uuid, ApiError> {
        let (id, values) = match key {
            RowKey::Id(id) => (Some(*id), [].as_slice()),
            RowKey::Alternate { values, .. } => (None, values.as_slice()),
        };
        let values = values.iter().map(|(column, cell)| (*column, Some(cell.clone())));
        self.create_with(payload, id, values.collect())
    }

    fn create_with(
        &mut self,
        payload: &Map<String, Value>,
        id: Option<Uuid>,
        mut changes: Vec<CellChange>,
    ) -> Result<Uuid, ApiError> {
        let definition = self.definition();
        if !definition.capabilities.create {
            return Err(ApiError::unsupported_message("Create", &definition));
        }
        let parsed = parse_payload(self.organization, self.table, payload, WriteKind::Create)?;
        changes.extend(parsed.changes);
        let id = id.or(parsed.id).unwrap_or_else(Uuid::new_v4);
        self.organization
            .create(self.table, id, changes, self.actor, self.now)?;
        Ok(id)
    }

    /// Runs writes of which all take effect or, if one is refused, none.
    pub(crate) fn all_or_nothing<Done>(
        &mut self,
        run: impl FnOnce(&mut Writing<'_>) -> Result<Done, ApiError>,
    ) -> Result<Done, ApiError> {
        let (table, actor, now) = (self.table, self.actor, self.now);
        self.organization.all_or_nothing(|organization| {
            run(&mut Writing {
                organization,
                table,
                actor,
                now,
            })
        })
    }

    fn change(&mut self, id: Uuid, changes: Vec<CellChange>) -> Result<(), ApiError> {
        self.organization
            .update(self.table, id, changes, self.actor, self.now)?;
        Ok(())
    }

    /// The table's definition.
    pub(crate) fn definition(&self) -> std::sync::Arc<TableDefinition> {
        self.organization.table(self.table).definition().clone()
    }

    /// The row of a key, if its version is the one asked for.
    fn existing(&self, key: &RowKey, condition: &Condition) -> Result<Option<Uuid>, ApiError> {
        let Some(id) = key.find(self.organization, self.table) else {
            return Ok(None);
        };
        let version = self.organization.table(self.table).row(id).map(|row| row.version);
        match condition {
            Condition::MustMatch(etag) if version.map(|version| format!("W/\"{version}\"")).as_ref() != Some(etag) => {
                Err(ApiError::version_mismatch())
            }
            _ => Ok(Some(id)),
        }
    }
}

/// `POST /contacts`.
pub(crate) fn post(request: &ApiRequest, writing: &mut Writing<'_>) -> Result<Response, ApiError> {
    let definition = writing.definition();
    let shown = representation(request, &definition)?;
    let id = writing.create(&request.json(&definition.entity_set_name)?)?;
    answer(request, writing, (id, &RowKey::Id(id)), shown, StatusCode::CREATED)
}

/// `PATCH /contacts(key)`: update, upsert or conditional create, as contracts/dataverse.md §5.2 lists.
pub(crate) fn patch(request: &ApiRequest, writing: &mut Writing<'_>, key: &RowKey) -> Result<Response, ApiError> {
    let definition = writing.definition();
    let condition = request.condition();
    let shown = representation(request, &definition)?;
    let payload = request.json(&definition.entity_set_name)?;
    match (writing.existing(key, &condition)?, condition) {
        (Some(_), Condition::MustNotExist) => Err(ApiError::duplicate()),
        (Some(id), _) => {
            writing.update_at(key, id, payload)?;
            answer(request, writing, (id, key), shown, StatusCode::OK)
        }
        (None, Condition::None | Condition::MustNotExist) => {
            let id = writing.create_at(key, &payload)?;
            answer(request, writing, (id, key), shown, StatusCode::CREATED)
        }
        (None, Condition::MustExist | Condition::MustMatch(_)) => Err(key.not_found(&definition)),
    }
}

/// `DELETE /contacts(key)`.
pub(crate) fn delete(request: &ApiRequest, writing: &mut Writing<'_>, key: &RowKey) -> Result<Response, ApiError> {
    let id = writing
        .existing(key, &request.condition())?
        .ok_or_else(|| key.not_found(&writing.definition()))?;
    writing.delete(id)?;
    Ok(no_content())
}

/// `PUT` and `DELETE` of `/contacts(key)/property`.
pub(crate) fn property(
    request: &ApiRequest,
    writing: &mut Writing<'_>,
    key: &RowKey,
    property: &str,
) -> Result<Response, ApiError> {
    let definition = writing.definition();
    let id = writing
        .existing(key, &request.condition())?
        .ok_or_else(|| key.not_found(&definition))?;
    let column = definition
        .column(property)
        .ok_or_else(|| ApiError::unknown_segment(property))?;
    if matches!(definition.columns[column].kind, ColumnKind::Lookup { .. }) {
        return Err(ApiError::bad_request(
            "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.",
        ));
    }
    let value = match request.method {
        http::Method::DELETE => Value::Null,
        _ => request
            .json(&definition.entity_set_name)?
            .remove("value")
            .ok_or_else(|| {
                ApiError::payload(
                    &definition.entity_set_name,
                    "Microsoft.OData.ODataException: A property with name 'value' was expected in the payload.",
                )
            })?,
    };
    writing.update(id, &Map::from_iter([(property.to_owned(), value)]))?;
    Ok(no_content())
}

/// `PUT` and `DELETE` of `/contacts(key)/navigation/$ref`.
pub(crate) fn reference(
    request: &ApiRequest,
    writing: &mut Writing<'_>,
    key: &RowKey,
    navigation: &str,
) -> Result<Response, ApiError> {
    let definition = writing.definition();
    let (column, _) = definition
        .navigation(navigation)
        .ok_or_else(|| ApiError::unknown_segment(navigation))?;
    let id = writing
        .existing(key, &request.condition())?
        .ok_or_else(|| key.not_found(&definition))?;
    if request.method == http::Method::DELETE {
        writing.change(id, vec![(column, None)])?;
    } else {
        let mut body = request.json(&definition.entity_set_name)?;
        let target = body.remove("@odata.id").unwrap_or(Value::Null);
        writing.update(id, &Map::from_iter([(format!("{navigation}@odata.bind"), target)]))?;
    }
    Ok(no_content())
}

/// The columns to show after the write, if the client prefers the row to a bare 204. Read before anything is written.
fn representation(request: &ApiRequest, definition: &TableDefinition) -> Result<Option<Selection>, ApiError> {
    let select = request.options.get("$select");
    request
        .preferences
        .representation
        .then(|| Selection::parse(select, definition))
        .transpose()
}

/// 204 with `OData-EntityId`, or the row.
fn answer(
    request: &ApiRequest,
    writing: &Writing<'_>,
    (id, key): (Uuid, &RowKey),
    shown: Option<Selection>,
    with_body: StatusCode,
) -> Result<Response, ApiError> {
    let table = writing.organization.table(writing.table);
    let definition = table.definition();
    if let Some(selection) = shown {
        let row = table.row(id).ok_or_else(|| key.not_found(definition))?;
        let body = row_json(request, writing.organization, writing.table, row, &selection);
        let mut response = bytes_response(with_body, JSON, body);
        let applied = HeaderValue::from_static("return=representation");
        response
            .headers_mut()
            .insert(HeaderName::from_static("preference-applied"), applied);
        return Ok(response);
    }
    let mut response = no_content();
    let url = request.url(&format!("{}({})", definition.entity_set_name, key.url_text()));
    if let Ok(value) = HeaderValue::from_bytes(url.as_bytes()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("odata-entityid"), value);
    }
    Ok(response)
}

/// 204.
pub(crate) fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
