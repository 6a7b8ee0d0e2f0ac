//! The admin listener: JSON over HTTP, without authentication, for people, tests and oracles.

mod control;
mod json;
mod limits;
mod rows;
mod switches;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, patch, post, put};

use crate::sandbox::Shared;

/// Longest import, in bytes.
const IMPORT_LIMIT: usize = 512 * 1024 * 1024;

/// The routes of the admin listener. Those of Campaign are nested under `/campaign`.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let campaign = shared.campaign.admin_router();
    Router::new()
        .route("/", get(control::overview))
        .route("/counters", get(control::counters))
        .route("/counters/reset", post(control::reset_counters))
        .route(
            "/faults",
            get(control::faults)
                .post(control::add_fault)
                .delete(control::clear_faults),
        )
        .route("/faults/{id}", delete(control::remove_fault))
        .route("/switches", get(switches::show).patch(switches::change))
        .route("/latency", put(control::set_latency))
        .route("/activity", get(control::activity).put(control::set_activity))
        .route("/dynamics/limits", get(limits::show).patch(limits::change))
        .route("/dynamics/limits/reset", post(limits::reset))
        .route("/dynamics/tables", get(rows::tables).post(rows::add_table))
        .route("/dynamics/tables/{table}/columns", patch(rows::change_columns))
        .route(
            "/dynamics/tables/{table}/import",
            post(rows::import).layer(DefaultBodyLimit::max(IMPORT_LIMIT)),
        )
        .route("/dynamics/tables/{table}/rows", get(rows::list).post(rows::create))
        .route(
            "/dynamics/tables/{table}/rows/{id}",
            get(rows::show).patch(rows::update).delete(rows::delete),
        )
        .route("/dynamics/tables/{table}/export", get(rows::export))
        .route("/dynamics/tables/{table}/keys", post(rows::declare_key))
        .with_state(shared)
        .nest("/campaign", campaign)
}
