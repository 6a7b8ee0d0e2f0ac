//! `GET|PATCH /dynamics/limits`, `POST /dynamics/limits/reset`: service protection of Dynamics, and what was used up of
//! it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::json::{AdminError, ok, read};
use crate::microsoft::{Dynamics, ListedUsage, ServiceProtection};
use crate::sandbox::Shared;

/// A change of limits. What is absent stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    servers: Option<usize>,
    requests: Option<usize>,
    execution_seconds: Option<u64>,
    window_seconds: Option<u64>,
    concurrent: Option<usize>,
    parallelism_hint: Option<u32>,
}

impl Change {
    fn apply(&self, limits: &ServiceProtection) -> ServiceProtection {
        ServiceProtection {
            servers: self.servers.unwrap_or(limits.servers),
            requests: self.requests.unwrap_or(limits.requests),
            execution: self.execution_seconds.map_or(limits.execution, Duration::from_secs),
            window: self.window_seconds.map_or(limits.window, Duration::from_secs),
            concurrent: self.concurrent.unwrap_or(limits.concurrent),
            parallelism_hint: self.parallelism_hint.unwrap_or(limits.parallelism_hint),
        }
    }
}

/// `GET /dynamics/limits`.
pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Response {
    ok(&state(&shared.dynamics))
}

/// `PATCH /dynamics/limits`: they hold from the next request on; what was counted stays counted.
pub(super) async fn change(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Response, AdminError> {
    let change: Change = read(&body)?;
    let limits = change.apply(&shared.dynamics.service_protection());
    if let Some(problem) = limits.problem() {
        return Err(AdminError::invalid(problem));
    }
    shared.dynamics.set_service_protection(limits);
    Ok(ok(&state(&shared.dynamics)))
}

/// `POST /dynamics/limits/reset`: forgets what was counted.
pub(super) async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.dynamics.reset_service_usage();
    StatusCode::NO_CONTENT
}

fn state(dynamics: &Dynamics) -> Value {
    let limits = dynamics.service_protection();
    let used = |usage: ListedUsage| {
        json!({
            "application_user": usage.user,
            "server": usage.server,
            "requests": usage.requests,
            "execution_seconds": usage.execution.as_secs_f64(),
            "running": usage.running,
            "refused": usage.refused,
        })
    };
    json!({
        "servers": limits.servers,
        "requests": limits.requests,
        "execution_seconds": limits.execution.as_secs(),
        "window_seconds": limits.window.as_secs(),
        "concurrent": limits.concurrent,
        "parallelism_hint": limits.parallelism_hint,
        "used": dynamics.service_usage().into_iter().map(used).collect::<Vec<_>>(),
    })
}
