//! The admin port: metrics, health and build of a process, for operators and their machines.
//!
//! | Path | Answer |
//! |---|---|
//! | `/metrics` | all metrics, for Prometheus |
//! | `/readyz` | 200 when ready, else 503; the body names what is missing |
//! | `/livez` | 200 when every loop turns, else 503; the body names the loops that do not |
//! | `/buildinfo` | name and version of the service, and how long it has run |

use std::net::SocketAddr;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bind::{BindError, bind};
use crate::health::{Liveness, Readiness, SilentLoop};
use crate::metrics::Metrics;
use crate::service::ServiceInfo;
use crate::settings::AdminSettings;

/// The content type of Prometheus' text format.
const EXPOSITION_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the admin port shows.
#[derive(Debug, Clone)]
pub struct AdminState {
    /// The service.
    pub service: ServiceInfo,
    /// What `/readyz` tells.
    pub readiness: Readiness,
    /// What `/livez` tells.
    pub liveness: Liveness,
    /// What `/metrics` shows.
    pub metrics: Metrics,
}

/// The admin port, opened.
#[derive(Debug)]
pub struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

#[derive(Debug, Serialize)]
struct Readyz {
    ready: bool,
    /// Names of what the service waits for.
    missing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Livez {
    live: bool,
    /// Loops that gave no sign of life for longer than they should.
    silent: Vec<SilentLoop>,
}

#[derive(Debug, Serialize)]
struct BuildInfo {
    service: &'static str,
    version: &'static str,
    uptime_s: u64,
}

impl AdminServer {
    /// Opens the port.
    ///
    /// # Errors
    /// When the port cannot be opened.
    pub async fn bind(settings: &AdminSettings, state: AdminState) -> Result<Self, BindError> {
        const KEY: &str = "admin.listen";
        let listener = bind(settings.listen, KEY).await?;
        let address = listener.local_addr().map_err(|source| BindError::Other {
            address: settings.listen,
            key: KEY,
            source,
        })?;
        Ok(Self {
            listener,
            address,
            router: router(state),
        })
    }

    /// The address it listens on, with the port that was taken when the settings say 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until told to stop.
    ///
    /// # Errors
    /// When the listener breaks.
    pub async fn serve(self, stop: CancellationToken) -> std::io::Result<()> {
        axum::serve(self.listener, self.router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await
    }
}

fn router(state: AdminState) -> Router {
    let started = Instant::now();
    Router::new()
        .route("/metrics", get(metrics))
        .route("/readyz", get(readyz))
        .route("/livez", get(livez))
        .route(
            "/buildinfo",
            get(async move |State(state): State<AdminState>| build_info(&state, started)),
        )
        .with_state(state)
}

async fn metrics(State(state): State<AdminState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, EXPOSITION_FORMAT)], state.metrics.render())
}

async fn readyz(State(state): State<AdminState>) -> Response {
    let missing = state.readiness.missing();
    let ready = missing.is_empty();
    (status(ready), Json(Readyz { ready, missing })).into_response()
}

async fn livez(State(state): State<AdminState>) -> Response {
    let silent = state.liveness.silent();
    let live = silent.is_empty();
    (status(live), Json(Livez { live, silent })).into_response()
}

fn build_info(state: &AdminState, started: Instant) -> Json<BuildInfo> {
    let ServiceInfo { name, version, .. } = state.service;
    Json(BuildInfo {
        service: name,
        version,
        uptime_s: started.elapsed().as_secs(),
    })
}

fn status(is_well: bool) -> StatusCode {
    if is_well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::service::probe;

    const SERVICE: ServiceInfo = ServiceInfo {
        name: "admin-test",
        version: "1.2.3",
        about: "",
    };

    struct Running {
        address: SocketAddr,
        readiness: Readiness,
        liveness: Liveness,
        stop: CancellationToken,
        served: tokio::task::JoinHandle<std::io::Result<()>>,
    }

    async fn start() -> Running {
        let (readiness, liveness) = (Readiness::new(), Liveness::new());
        let metrics = crate::metrics::install().expect("nothing else records in this process");
        crate::metrics::record_build(SERVICE.name, SERVICE.version);
        let state = AdminState {
            service: SERVICE,
            readiness: readiness.clone(),
            liveness: liveness.clone(),
            metrics,
        };
        let settings = AdminSettings {
            listen: ([127, 0, 0, 1], 0).into(),
        };
        let server = AdminServer::bind(&settings, state).await.expect("a free port");
        let (address, stop) = (server.address(), CancellationToken::new());
        let served = tokio::spawn(server.serve(stop.clone()));
        Running {
            address,
            readiness,
            liveness,
            stop,
            served,
        }
    }

    async fn get(address: SocketAddr, path: &str) -> (u16, String) {
        let answer = probe(address, path, Duration::from_secs(5))
            .await
            .expect("the server answers");
        (answer.status.as_u16(), answer.body)
    }

    #[tokio::test]
    async fn readyz_names_what_is_missing_until_it_is_there() {
        let running = start().await;
        let latch = running.readiness.latch("control log followed");
        let unready = (503, r#"{"ready":false,"missing":["control log followed"]}"#.to_owned());
        assert_eq!(get(running.address, "/readyz").await, unready);
        latch.release();
        assert_eq!(
            get(running.address, "/readyz").await,
            (200, r#"{"ready":true,"missing":[]}"#.to_owned())
        );
    }

    #[tokio::test]
    async fn livez_names_the_loop_that_is_stuck() {
        let running = start().await;
        assert_eq!(get(running.address, "/livez").await.0, 200);
        let _stuck = running.liveness.heartbeat("poll", Duration::ZERO);
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut answer = get(running.address, "/livez").await;
        while answer.0 != 503 && Instant::now() < deadline {
            answer = get(running.address, "/livez").await;
        }
        assert_eq!(
            answer,
            (
                503,
                r#"{"live":false,"silent":[{"name":"poll","silent_s":0}]}"#.to_owned()
            )
        );
    }

    #[tokio::test]
    async fn metrics_and_buildinfo_say_which_build_runs() {
        let running = start().await;
        let (status, text) = get(running.address, "/metrics").await;
        assert_eq!(status, 200);
        assert!(
            text.contains(r#"crosswalk_build_info{service="admin-test",version="1.2.3"} 1"#),
            "{text}"
        );
        let (_, text) = get(running.address, "/buildinfo").await;
        assert!(
            text.starts_with(r#"{"service":"admin-test","version":"1.2.3","uptime_s":"#),
            "{text}"
        );
        assert_eq!(get(running.address, "/nothing").await.0, 404);
    }

    #[tokio::test]
    async fn server_ends_when_told_to_stop() {
        let running = start().await;
        running.stop.cancel();
        let served = tokio::time::timeout(Duration::from_secs(5), running.served).await;
        served
            .expect("it ends")
            .expect("it does not panic")
            .expect("it ends well");
    }
}
