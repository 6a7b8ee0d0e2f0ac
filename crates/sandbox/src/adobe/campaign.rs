//! The way of a call to the REST API: faults, gateway, endpoint (contracts/campaign.md §2.1).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Adobe;
use super::definition::{Endpoint, Visibility};
use super::dispatch::Call;
use super::engine_calls::EngineCall;
use super::error::CampaignError;
use super::gateway::{self, json_response};
use super::opaque::{self, Context};
use super::organisation::Organisation;
use super::path::Path;
use super::render::View;
use super::workflow::WorkflowCall;
use crate::faults::{Operation, Side};
use crate::wire;

/// Longest body read; a record with every field full stays far below.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// What Campaign answers when it does not refuse.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

/// Everything that is not IMS.
pub(super) async fn handle(State(adobe): State<Arc<Adobe>>, request: Request) -> Response {
    let call = adobe.calls.fetch_add(1, Ordering::Relaxed);
    let path = Path::parse(request.uri().path());
    let operation = path
        .as_ref()
        .map_or(Operation::Other, |path| path.operation(request.method()));
    let route = (Side::Campaign, operation);
    let mut response = wire::serve(&adobe.faults, &adobe.counters, route, gateway::injected, || async {
        if adobe.shared.switches.read().restarting {
            return restarting(call);
        }
        match path {
            Some(path) => answer(&adobe, path, request).await,
            None => gateway::wrong_uri(),
        }
    })
    .await;
    let request_id = format!(
        "{:016x}{:016x}",
        opaque::hash((adobe.config.seed, call)),
        opaque::hash(call)
    );
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", request_id);
    }
    response
}

/// What clients meet around the daily restart (contracts/campaign.md §6.6).
fn restarting(call: u64) -> Response {
    match call % 3 {
        0 => wire::abort_connection(),
        1 => gateway::injected(wire::InjectedAnswer::Status(502)),
        _ => gateway::injected(wire::InjectedAnswer::Status(503)),
    }
}

async fn answer(adobe: &Adobe, path: Path, request: Request) -> Response {
    if let Err(refusal) = gateway::check(adobe, request.headers(), &path.organisation) {
        return refusal.response();
    }
    let Some(organisation) = adobe.organisation(&path.organisation) else {
        return gateway::wrong_uri();
    };
    let (parts, body) = request.into_parts();
    if !path.asks_for_json
        && let Err(error) = check_format(&parts.headers)
    {
        return refused(&error);
    }
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return refused(&CampaignError::MalformedBody {
            reason: "it is too long or was cut off".to_owned(),
        });
    };
    let reply = match path.is_workflow() {
        // No engine call: what the licence counts is about records (contracts/campaign.md §10.3).
        true => workflow(adobe, organisation, &path, &parts, &body),
        false => match records(adobe, organisation, &path, &parts, &body) {
            Some(reply) => reply,
            None => return gateway::wrong_uri(),
        },
    };
    match reply {
        Ok(Reply { status, body }) => json_response(status, body),
        Err(error) => refused(&error),
    }
}

/// A call that is about resources and their records; `None` if there is no such endpoint.
fn records(
    adobe: &Adobe,
    organisation: &Organisation,
    path: &Path,
    parts: &Parts,
    body: &Bytes,
) -> Option<Result<Reply, CampaignError>> {
    let switches = Arc::clone(&adobe.shared.switches.read());
    let endpoint = Endpoint::of(&path.endpoint)?;
    if endpoint == Endpoint::Extended && switches.ext_unpublished {
        return None;
    }
    adobe
        .shared
        .engine_calls
        .count(engine_call(path.operation(&parts.method)));
    let base_url = base_url(&parts.headers, &parts.uri);
    let view = View {
        visibility: Visibility {
            endpoint,
            switches: &switches,
            hidden: false,
        },
        base_url: &base_url,
        context: Context::Record,
        collection: None,
    };
    let call = Call {
        organisation,
        view,
        segments: &path.segments,
        query: parts.uri.query().unwrap_or(""),
    };
    Some(call.dispatch(&parts.method, body))
}

fn workflow(
    adobe: &Adobe,
    organisation: &Organisation,
    path: &Path,
    parts: &Parts,
    body: &Bytes,
) -> Result<Reply, CampaignError> {
    let call = WorkflowCall {
        organisation,
        base_url: &base_url(&parts.headers, &parts.uri),
        segments: &path.segments,
        signal_interval_seconds: adobe.shared.switches.read().signal_interval_seconds,
    };
    call.dispatch(&parts.method, body)
}

/// Refuses calls that ask for anything but JSON (contracts/campaign.md §1.5). That they are refused, and how, is a
/// convention of ours; the `.json` suffix goes before the header.
fn check_format(headers: &HeaderMap) -> Result<(), CampaignError> {
    let ranges = || {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(','))
    };
    let takes_json = |range: &str| {
        let kind = range.split(';').next().unwrap_or("").trim();
        ["*/*", "application/*", "application/json"]
            .iter()
            .any(|taken| kind.eq_ignore_ascii_case(taken))
    };
    if ranges().next().is_none() || ranges().any(takes_json) {
        return Ok(());
    }
    Err(CampaignError::NotAcceptable {
        accept: ranges().collect::<Vec<_>>().join(","),
    })
}

fn refused(error: &CampaignError) -> Response {
    json_response(error.status(), error.body())
}

fn engine_call(operation: Operation) -> EngineCall {
    match operation {
        Operation::Create => EngineCall::Insert,
        Operation::Update => EngineCall::Update,
        Operation::Delete => EngineCall::Delete,
        Operation::Metadata => EngineCall::Metadata,
        _ => EngineCall::Read,
    }
}

/// Scheme and host the client used, so that it can follow the URLs it is given.
fn base_url(headers: &HeaderMap, uri: &http::Uri) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host
        .or_else(|| uri.authority().map(http::uri::Authority::as_str))
        .unwrap_or("localhost");
    format!("http://{host}")
}
