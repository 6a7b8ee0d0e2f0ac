//! The admin API of the Adobe side: rows, switches, write journal and engine calls, without tokens and faults.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::declared::DefinitionError;
use super::error::CampaignError;
use super::organisation::Organisation;
use super::writes::WriteJournalState;
use super::{Adobe, EngineCalls, Switches};

/// Rows or journal entries in one answer unless asked otherwise.
const DEFAULT_LIMIT: usize = 100;

/// Name of the one switch that is an action: it does not stay on.
const REVOKE_ACCESS_TOKENS: &str = "access_tokens_revoked";

pub(super) fn router(adobe: Arc<Adobe>) -> Router {
    Router::new()
        .route("/resources", get(list_resources).post(add_resource))
        .route("/resources/{resource}/fields", patch(change_fields))
        .route("/resources/{resource}/rows", get(list_rows).post(create_row))
        .route(
            "/resources/{resource}/rows/{key}",
            patch(update_row).delete(delete_row).get(read_row),
        )
        .route("/resources/{resource}/export", get(export))
        .route("/resources/{resource}/count", get(count))
        .route("/switches", get(read_switches).patch(change_switches))
        .route("/writes", get(list_writes).put(configure_writes).delete(clear_writes))
        .route("/engine-calls", get(engine_calls))
        .route("/engine-calls/reset", post(reset_engine_calls))
        .with_state(adobe)
}

/// What an admin request is refused for.
enum AdminError {
    /// Campaign itself refuses it.
    Campaign(CampaignError),
    /// The request makes no sense.
    Request(String),
}

impl From<CampaignError> for AdminError {
    fn from(error: CampaignError) -> Self {
        Self::Campaign(error)
    }
}

impl From<DefinitionError> for AdminError {
    fn from(error: DefinitionError) -> Self {
        Self::Request(error.to_string())
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            // What the product calls 500 is the fault of the request here.
            Self::Campaign(error) if error.status().is_server_error() => {
                (StatusCode::BAD_REQUEST, error.code(), error.to_string())
            }
            Self::Campaign(error) => (error.status(), error.code(), error.to_string()),
            Self::Request(problem) => (StatusCode::BAD_REQUEST, "invalid".to_owned(), problem),
        };
        (status, Json(json!({"error": {"code": code, "message": message}}))).into_response()
    }
}

type Answer<T> = Result<T, AdminError>;

/// Query parameters; those that are wrong or unknown are named in a JSON body.
struct Parameters<T>(T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(AdminError::Request(rejection.body_text())),
        }
    }
}

/// Which organisation a request means; the first unless named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    organisation: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsQuery {
    organisation: Option<String>,
    limit: Option<usize>,
    offset: Option<usize>,
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WritesQuery {
    after: Option<u64>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WritesConfig {
    enabled: bool,
    capacity: Option<usize>,
}

fn organisation<'a>(adobe: &'a Adobe, name: Option<&str>) -> Answer<&'a Arc<Organisation>> {
    let found = match name {
        Some(name) => adobe.organisation(name),
        None => adobe.organisations().first(),
    };
    found.ok_or_else(|| AdminError::Request(format!("organisation: there is no {}", name.unwrap_or("organisation"))))
}

/// The named organisation, or all.
fn organisations<'a>(adobe: &'a Adobe, name: Option<&str>) -> Answer<&'a [Arc<Organisation>]> {
    match name {
        Some(_) => Ok(std::slice::from_ref(organisation(adobe, name)?)),
        None => Ok(adobe.organisations()),
    }
}

/// The body as JSON; unknown and missing fields are named.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Answer<T> {
    serde_json::from_slice(body).map_err(|error| AdminError::Request(error.to_string()))
}

async fn list_resources(State(adobe): State<Arc<Adobe>>, Parameters(place): Parameters<Place>) -> Answer<Json<Value>> {
    let organisation = organisation(&adobe, place.organisation.as_deref())?;
    Ok(Json(json!({"resources": organisation.resource_names()})))
}

/// Publishes a custom resource in one organisation, or in all of them.
async fn add_resource(
    State(adobe): State<Arc<Adobe>>,
    Parameters(place): Parameters<Place>,
    body: Bytes,
) -> Answer<StatusCode> {
    let declared = parse(&body)?;
    for organisation in organisations(&adobe, place.organisation.as_deref())? {
        organisation.add_resource(&declared)?;
    }
    Ok(StatusCode::CREATED)
}

/// Changes fields of a resource in one organisation, or in all of them.
async fn change_fields(
    State(adobe): State<Arc<Adobe>>,
    Path(resource): Path<String>,
    Parameters(place): Parameters<Place>,
    body: Bytes,
) -> Answer<StatusCode> {
    let changes = parse(&body)?;
    for organisation in organisations(&adobe, place.organisation.as_deref())? {
        organisation.change_fields(&resource, &changes)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn list_rows(
    State(adobe): State<Arc<Adobe>>,
    Path(resource): Path<String>,
    Parameters(query): Parameters<RowsQuery>,
) -> Answer<Json<Value>> {
    let organisation = organisation(&adobe, query.organisation.as_deref())?;
    let total = organisation.count(&resource)?;
    let rows = match query.key {
        Some(key) => match organisation.record(&resource, &key) {
            Ok(row) => vec![row],
            Err(CampaignError::KeyOfUriNotFound { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        },
        None => organisation.records(
            &resource,
            query.offset.unwrap_or(0),
            query.limit.unwrap_or(DEFAULT_LIMIT),
        )?,
    };
    Ok(Json(json!({"total": total, "rows": rows})))
}

async fn create_row(
    State(adobe): State<Arc<Adobe>>,
    Path(resource): Path<String>,
    Parameters(place): Parameters<Place>,
    body: Bytes,
) -> Answer<(StatusCode, Json<Value>)> {
    let organisation = organisation(&adobe, place.organisation.as_deref())?;
    Ok((
        StatusCode::CREATED,
        Json(organisation.create(&resource, &parse(&body)?)?),
    ))
}

async fn read_row(
    State(adobe): State<Arc<Adobe>>,
    Path((resource, key)): Path<(String, String)>,
    Parameters(place): Parameters<Place>,
) -> Answer<Json<Value>> {
    Ok(Json(
        organisation(&adobe, place.organisation.as_deref())?.record(&resource, &key)?,
    ))
}

async fn update_row(
    State(adobe): State<Arc<Adobe>>,
    Path((resource, key)): Path<(String, String)>,
    Parameters(place): Parameters<Place>,
    body: Bytes,
) -> Answer<Json<Value>> {
    let organisation = organisation(&adobe, place.organisation.as_deref())?;
    Ok(Json(organisation.update(&resource, &key, &parse(&body)?)?))
}

async fn delete_row(
    State(adobe): State<Arc<Adobe>>,
    Path((resource, key)): Path<(String, String)>,
    Parameters(place): Parameters<Place>,
) -> Answer<StatusCode> {
    organisation(&adobe, place.organisation.as_deref())?.delete(&resource, &key)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn export(
    State(adobe): State<Arc<Adobe>>,
    Path(resource): Path<String>,
    Parameters(place): Parameters<Place>,
) -> Answer<Response> {
    let export = organisation(&adobe, place.organisation.as_deref())?.export(&resource)?;
    let mut response = Response::new(Body::new(export));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

async fn count(
    State(adobe): State<Arc<Adobe>>,
    Path(resource): Path<String>,
    Parameters(place): Parameters<Place>,
) -> Answer<Json<Value>> {
    let count = organisation(&adobe, place.organisation.as_deref())?.count(&resource)?;
    Ok(Json(json!({"count": count})))
}

async fn read_switches(State(adobe): State<Arc<Adobe>>) -> Json<Switches> {
    Json(adobe.switches())
}

/// Changes the switches that are named and leaves the others.
async fn change_switches(State(adobe): State<Arc<Adobe>>, body: Bytes) -> Answer<Json<Switches>> {
    let mut wanted: Map<String, Value> = parse(&body)?;
    let revoke = match wanted.remove(REVOKE_ACCESS_TOKENS) {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(other) => {
            return Err(AdminError::Request(format!(
                "{REVOKE_ACCESS_TOKENS}: {other} is no boolean"
            )));
        }
    };
    let mut problem = None;
    adobe.change_switches(|switches| match overlaid(switches, wanted) {
        Ok(changed) => *switches = changed,
        Err(error) => problem = Some(error),
    });
    if let Some(problem) = problem {
        return Err(AdminError::Request(problem));
    }
    if revoke {
        adobe.revoke_access_tokens();
    }
    Ok(Json(adobe.switches()))
}

fn overlaid(switches: &Switches, wanted: Map<String, Value>) -> Result<Switches, String> {
    let mut all = json!(switches);
    for (name, value) in wanted {
        all[name] = value;
    }
    let changed: Switches = serde_json::from_value(all).map_err(|error| error.to_string())?;
    match changed.rate_limit {
        Some(limit) if limit.per_second == 0 || limit.burst == 0 => {
            Err("rate_limit: per_second and burst are at least 1".to_owned())
        }
        _ => Ok(changed),
    }
}

async fn list_writes(State(adobe): State<Arc<Adobe>>, Parameters(query): Parameters<WritesQuery>) -> Json<Value> {
    let writes = adobe
        .writes()
        .entries(query.after.unwrap_or(0), query.limit.unwrap_or(usize::MAX));
    Json(json!({"journal": adobe.writes().state(), "writes": writes}))
}

async fn configure_writes(State(adobe): State<Arc<Adobe>>, body: Bytes) -> Answer<Json<WriteJournalState>> {
    let config: WritesConfig = parse(&body)?;
    match config.enabled {
        true => adobe.writes().enable(config.capacity),
        false => adobe.writes().disable(),
    }
    Ok(Json(adobe.writes().state()))
}

async fn clear_writes(State(adobe): State<Arc<Adobe>>) -> StatusCode {
    adobe.writes().clear();
    StatusCode::NO_CONTENT
}

async fn engine_calls(State(adobe): State<Arc<Adobe>>) -> Json<EngineCalls> {
    Json(adobe.engine_calls())
}

async fn reset_engine_calls(State(adobe): State<Arc<Adobe>>) -> StatusCode {
    adobe.reset_engine_calls();
    StatusCode::NO_CONTENT
}
