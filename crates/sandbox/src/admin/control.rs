//! Overview, counters, faults, latency, activity.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::json::{AdminError, ok, read, respond};
use crate::activity::Activity;
use crate::faults::{Rule, Side};
use crate::sandbox::{Shared, url};

type Shares = State<Arc<Shared>>;

/// `GET /`: what runs, where, and how to sign in.
pub(super) async fn overview(State(shared): Shares) -> Response {
    ok(&describe(&shared))
}

/// What runs, where, and how to sign in.
pub(crate) fn describe(shared: &Shared) -> Value {
    let dynamics = shared.dynamics.config();
    let campaign = &shared.config.campaign;
    let microsoft = url(shared.addresses.microsoft);
    let adobe = url(shared.addresses.adobe);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "seed": shared.config.seed,
        "admin": {"url": url(shared.addresses.admin)},
        "dynamics": {
            "url": microsoft,
            "web_api": format!("{microsoft}/api/data/v9.2"),
            "token_url": format!("{microsoft}/{}/oauth2/v2.0/token", dynamics.tenant_id),
            "scope": format!("{microsoft}/.default"),
            "tenant_id": dynamics.tenant_id,
            "client_id": dynamics.client_id,
            "further_client_ids": dynamics.further_client_ids,
            "client_id_without_application_user": dynamics.stranger_client_id,
            "client_secret": dynamics.client_secret,
            "contacts": shared.dynamics.count("contact").unwrap_or_default(),
        },
        "campaign": {
            "url": adobe,
            "token_url": format!("{adobe}/ims/token/v3"),
            "organisations": campaign.organisations,
            "client_id": campaign.client_id,
            "client_secret": campaign.client_secret,
        },
        "activity": shared.activity.get(),
    })
}

/// `GET /counters`.
pub(super) async fn counters(State(shared): Shares) -> Response {
    ok(&shared.counters.snapshot())
}

/// `POST /counters/reset`.
pub(super) async fn reset_counters(State(shared): Shares) -> StatusCode {
    shared.counters.reset();
    StatusCode::NO_CONTENT
}

/// `GET /faults`.
pub(super) async fn faults(State(shared): Shares) -> Response {
    ok(&shared.faults.list())
}

/// `POST /faults`: a rule; answers its id.
pub(super) async fn add_fault(State(shared): Shares, body: Bytes) -> Result<Response, AdminError> {
    let rule: Rule = read(&body)?;
    match rule.problem() {
        Some(problem) => Err(AdminError::invalid(problem)),
        None => Ok(respond(StatusCode::CREATED, &json!({"id": shared.faults.add(rule)}))),
    }
}

/// `DELETE /faults`.
pub(super) async fn clear_faults(State(shared): Shares) -> StatusCode {
    shared.faults.clear();
    StatusCode::NO_CONTENT
}

/// `DELETE /faults/{id}`.
pub(super) async fn remove_fault(State(shared): Shares, Path(id): Path<String>) -> Result<StatusCode, AdminError> {
    let id = id
        .parse()
        .map_err(|_| AdminError::invalid(format!("id: '{id}' is not a number")))?;
    if shared.faults.remove(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(AdminError::not_found(format!("no fault rule {id}")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Latency {
    /// Absent: all sides.
    side: Option<Side>,
    milliseconds: u64,
}

/// `PUT /latency`: of one side, or all.
pub(super) async fn set_latency(State(shared): Shares, body: Bytes) -> Result<Response, AdminError> {
    let Latency { side, milliseconds } = read(&body)?;
    for side in Side::ALL
        .into_iter()
        .filter(|candidate| side.is_none_or(|side| side == *candidate))
    {
        shared.faults.set_latency(side, Duration::from_millis(milliseconds));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /activity`.
pub(super) async fn activity(State(shared): Shares) -> Response {
    ok(&shared.activity.get())
}

/// `PUT /activity`.
pub(super) async fn set_activity(State(shared): Shares, body: Bytes) -> Result<Response, AdminError> {
    let activity: Activity = read(&body)?;
    match activity.problem() {
        Some(problem) => Err(AdminError::invalid(problem)),
        None => {
            shared.activity.set(activity);
            Ok(ok(&activity))
        }
    }
}
