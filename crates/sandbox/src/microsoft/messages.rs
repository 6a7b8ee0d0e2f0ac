//! `sdkmessagefilters`: which tables have which messages. Clients ask before they use bulk messages
//! (contracts/dataverse.md §5.6).

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::bulk::BulkMessage;
use super::errors::{ApiError, json_response};
use super::metadata::matches_ignoring_case;
use super::request::ApiRequest;
use super::schema::TableDefinition;
use super::store::Organization;

/// What `$select` may name besides the primary id, which is always shown.
const SELECTABLE: [&str; 2] = ["primaryobjecttypecode", "_sdkmessageid_value"];
const PRIMARY_ID: &str = "sdkmessagefilterid";

/// `GET /sdkmessagefilters`: one row for each message of each table.
pub(super) fn message_filters(request: &ApiRequest, organization: &Organization) -> Result<Response, ApiError> {
    for option in ["$expand", "$orderby", "$apply"] {
        if request.options.get(option).is_some() {
            return Err(ApiError::not_implemented(format!(
                "The query option '{option}' is not supported here."
            )));
        }
    }
    let filter = request.options.resolved("$filter");
    let (shown, context) = selection(request.options.get("$select"))?;
    let mut rows = Vec::new();
    for table in organization.tables() {
        let definition = table.definition();
        for message in messages(definition) {
            let row = row(message, definition);
            let is_wanted = filter
                .as_ref()
                .map_or(Ok(true), |filter| matches_ignoring_case(filter, &row))?;
            if is_wanted {
                rows.push(project(row, &shown));
            }
        }
    }
    rows.truncate(request.options.top()?.unwrap_or(usize::MAX));
    let mut body = Map::new();
    let context = request.context(&format!("sdkmessagefilters{context}"));
    body.insert("@odata.context".into(), context.into());
    if request.options.counts() {
        body.insert("@odata.count".into(), rows.len().into());
    }
    body.insert("value".into(), rows.into());
    Ok(json_response(StatusCode::OK, &Value::Object(body)))
}

/// Names of the messages a table has.
fn messages(table: &TableDefinition) -> Vec<&'static str> {
    let may = table.capabilities;
    let plain = [
        ("Create", may.create),
        ("Update", may.update),
        ("Upsert", may.create && may.update),
        ("Delete", may.delete),
        ("Retrieve", true),
        ("RetrieveMultiple", true),
    ];
    let bulk = BulkMessage::ALL.map(|message| (message.name(), message.is_available(table)));
    let all = plain.into_iter().chain(bulk);
    all.filter(|(_, is_available)| *is_available)
        .map(|(name, _)| name)
        .collect()
}

fn row(message: &str, table: &TableDefinition) -> Value {
    let id = |text: String| Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
    let message_id = id(format!("message {message}"));
    json!({
        "@odata.etag": "W/\"900000\"",
        PRIMARY_ID: id(format!("message {message} of {}", table.logical_name)),
        "primaryobjecttypecode": table.logical_name,
        "_sdkmessageid_value": message_id,
        // For filters only: navigation properties are not shown.
        "sdkmessageid": {"name": message, "sdkmessageid": message_id},
    })
}

/// The properties to show, and the selection part of the context URL.
fn selection(select: Option<&str>) -> Result<(Vec<&str>, String), ApiError> {
    let Some(select) = select.filter(|select| !select.is_empty()) else {
        return Ok((SELECTABLE.to_vec(), String::new()));
    };
    let names: Vec<&str> = select.split(',').map(str::trim).collect();
    match names
        .iter()
        .find(|name| **name != PRIMARY_ID && !SELECTABLE.contains(name))
    {
        Some(unknown) => Err(ApiError::bad_request(format!(
            "Could not find a property named '{unknown}' on type 'Microsoft.Dynamics.CRM.sdkmessagefilter'."
        ))),
        None => {
            let context = format!("({})", names.join(","));
            Ok((names, context))
        }
    }
}

fn project(mut row: Value, shown: &[&str]) -> Value {
    if let Some(members) = row.as_object_mut() {
        members.retain(|name, _| name == "@odata.etag" || name == PRIMARY_ID || shown.contains(&name.as_str()));
    }
    row
}
