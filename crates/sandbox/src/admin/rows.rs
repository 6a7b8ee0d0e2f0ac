//! Rows of Dynamics without a token: to look at, to edit by hand, to export for an oracle.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use futures::stream;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::json::{AdminError, ok, read, respond};
use crate::microsoft::Dynamics;
use crate::sandbox::Shared;

type Shares = State<Arc<Shared>>;

/// Rows of one step of an export; the tables are locked for one step at a time.
const EXPORT_STEP: usize = 1000;
const DEFAULT_LIMIT: usize = 50;

/// `GET /dynamics/tables`.
pub(super) async fn tables(State(shared): Shares) -> Result<Response, AdminError> {
    let counts = shared.dynamics.table_names().into_iter().map(|table| {
        let rows = shared.dynamics.count(&table)?;
        Ok(json!({"table": table, "rows": rows}))
    });
    Ok(ok(&counts.collect::<Result<Vec<Value>, AdminError>>()?))
}

/// `GET /dynamics/tables/{table}/rows?limit&offset`.
pub(super) async fn list(
    State(shared): Shares,
    Path(table): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, AdminError> {
    let mut limit = DEFAULT_LIMIT;
    let mut offset = 0;
    for (name, value) in query
        .iter()
        .flat_map(|query| query.split('&'))
        .filter_map(|pair| pair.split_once('='))
    {
        let target = match name {
            "limit" => &mut limit,
            "offset" => &mut offset,
            unknown => return Err(AdminError::invalid(format!("{unknown}: unknown parameter"))),
        };
        *target = value
            .parse()
            .map_err(|_| AdminError::invalid(format!("{name}: '{value}' is not a number")))?;
    }
    let rows = shared.dynamics.rows(&table, limit, offset)?;
    Ok(ok(&json!({"total": shared.dynamics.count(&table)?, "rows": rows})))
}

/// `GET /dynamics/tables/{table}/rows/{id}`.
pub(super) async fn show(
    State(shared): Shares,
    Path((table, id)): Path<(String, String)>,
) -> Result<Response, AdminError> {
    Ok(ok(&shared.dynamics.row(&table, row_id(&id)?)?))
}

/// `POST /dynamics/tables`: publishes a custom table.
pub(super) async fn add_table(State(shared): Shares, body: Bytes) -> Result<StatusCode, AdminError> {
    shared.dynamics.add_table(&read(&body)?)?;
    Ok(StatusCode::CREATED)
}

/// `PATCH /dynamics/tables/{table}/columns`: publishes other columns.
pub(super) async fn change_columns(
    State(shared): Shares,
    Path(table): Path<String>,
    body: Bytes,
) -> Result<StatusCode, AdminError> {
    shared.dynamics.change_columns(&table, &read(&body)?)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /dynamics/tables/{table}/import`: creates one row for each line of JSON.
pub(super) async fn import(
    State(shared): Shares,
    Path(table): Path<String>,
    body: Bytes,
) -> Result<Response, AdminError> {
    let dynamics = shared.dynamics.clone();
    let import = move || dynamics.import(&table, &body);
    let created = tokio::task::spawn_blocking(import)
        .await
        .map_err(|error| AdminError::invalid(error.to_string()))??;
    Ok(ok(&json!({"created": created})))
}

/// `POST /dynamics/tables/{table}/rows`.
pub(super) async fn create(
    State(shared): Shares,
    Path(table): Path<String>,
    body: Bytes,
) -> Result<Response, AdminError> {
    let row: Map<String, Value> = read(&body)?;
    let id = shared.dynamics.create(&table, &row)?;
    Ok(respond(StatusCode::CREATED, &shared.dynamics.row(&table, id)?))
}

/// `PATCH /dynamics/tables/{table}/rows/{id}`.
pub(super) async fn update(
    State(shared): Shares,
    Path((table, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, AdminError> {
    let changes: Map<String, Value> = read(&body)?;
    let id = row_id(&id)?;
    shared.dynamics.update(&table, id, &changes)?;
    Ok(ok(&shared.dynamics.row(&table, id)?))
}

/// `DELETE /dynamics/tables/{table}/rows/{id}`.
pub(super) async fn delete(
    State(shared): Shares,
    Path((table, id)): Path<(String, String)>,
) -> Result<StatusCode, AdminError> {
    shared.dynamics.delete(&table, row_id(&id)?)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    schema_name: String,
    columns: Vec<String>,
}

/// `POST /dynamics/tables/{table}/keys`: declares an alternate key.
pub(super) async fn declare_key(
    State(shared): Shares,
    Path(table): Path<String>,
    body: Bytes,
) -> Result<StatusCode, AdminError> {
    let Key { schema_name, columns } = read(&body)?;
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    shared.dynamics.declare_key(&table, &schema_name, &columns)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /dynamics/tables/{table}/export`: all rows, one JSON object a line, in order of their ids.
pub(super) async fn export(State(shared): Shares, Path(table): Path<String>) -> Result<Response, AdminError> {
    shared.dynamics.count(&table)?;
    let state = Some((shared.dynamics.clone(), table, None));
    let lines = stream::unfold(state, |state| async move {
        let (dynamics, table, after) = state?;
        export_step(dynamics, table, after)
    });
    let content_type = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((content_type, Body::from_stream(lines)).into_response())
}

type ExportState = Option<(Arc<Dynamics>, String, Option<Uuid>)>;

fn export_step(
    dynamics: Arc<Dynamics>,
    table: String,
    after: Option<Uuid>,
) -> Option<(Result<Bytes, std::convert::Infallible>, ExportState)> {
    let mut lines = Vec::new();
    // The table was there when the export began, and tables do not go away.
    let last = dynamics.export(&table, after, EXPORT_STEP, &mut lines).ok()??;
    Some((Ok(Bytes::from(lines)), Some((dynamics, table, Some(last)))))
}

fn row_id(text: &str) -> Result<Uuid, AdminError> {
    Uuid::try_parse(text).map_err(|_| AdminError::invalid(format!("id: '{text}' is not a GUID")))
}
