#![doc = include_str!("../README.md")]

mod backlog;
mod call_metrics;
mod catalog_cache;
mod error;
mod gauges;
mod host_guard;
mod letters;
mod parse;
mod positions;
mod record_counts;
mod server;
mod service;
mod settings;
mod shared;
mod system;
#[cfg(test)]
mod testing;
mod turns;
mod view;
mod watch;

use std::sync::Arc;

use anyhow::Context as _;
use crosswalk_kafka::Kafka;
use crosswalk_proto::v1::{
    catalog_server::SERVICE_NAME as CATALOG, dead_letters_server::SERVICE_NAME as DEAD_LETTERS,
    instances_server::SERVICE_NAME as INSTANCES, mappings_server::SERVICE_NAME as MAPPINGS,
    workflows_server::SERVICE_NAME as WORKFLOWS,
};
use crosswalk_runtime::{
    bind::bind,
    health::Latch,
    retry::{Backoff, RetryPolicy, retry},
    service::{Context, ServiceInfo},
    settings::{SettingsError, Validate, within},
    supervise::Rule,
};
use tokio::net::TcpListener;
use tonic_health::{ServingStatus, server::HealthReporter};

pub use crate::settings::{ApiSettings, ControlPlaneSettings};
use crate::shared::{Connected, Shared};

/// Which service this is.
pub const SERVICE: ServiceInfo = ServiceInfo {
    name: "control-plane",
    version: env!("CARGO_PKG_VERSION"),
    about: "Serves the API: instances, workflows, mappings and catalogs.",
};

/// Starts the service in a process that hosts it.
///
/// # Errors
/// If its settings cannot be used, or its port cannot be opened.
pub async fn start(context: Context, settings: ControlPlaneSettings) -> anyhow::Result<()> {
    let listener = bind(settings.api.listen, "api.listen").await?;
    start_on(context, settings, listener).await
}

/// Starts the service on a port that has been opened already, `api.listen` or a free one.
///
/// # Errors
/// If its settings cannot be used.
pub async fn start_on(context: Context, settings: ControlPlaneSettings, listener: TcpListener) -> anyhow::Result<()> {
    let problems = within("api", settings.api.problems());
    if !problems.is_empty() {
        return Err(SettingsError::new(problems).into());
    }
    call_metrics::describe();
    gauges::describe();
    let shared = Arc::new(Shared::new(
        settings.sealing.keys()?,
        &settings.api,
        context.token().clone(),
    ));
    let health = HealthReporter::new();
    set_health(&health, ServingStatus::NotServing).await;

    let address = listener.local_addr().context("the port of the API has no address")?;
    let router = server::router(&shared, health.clone(), &settings.api)?;
    context.spawn(
        "api",
        Rule::Critical,
        server::serve(listener, router, context.token().clone()),
    );
    tracing::info!(%address, "the API is served");

    let followed = context.readiness().latch("control log followed");
    let kafka = Kafka::new(settings.kafka, SERVICE.name);
    context.spawn(
        "follow",
        Rule::Critical,
        follow(context.clone(), kafka, settings.api, shared, health, followed),
    );
    Ok(())
}

/// Reaches Kafka, follows what it says, and measures backlogs until told to stop.
async fn follow(
    context: Context,
    kafka: Kafka,
    settings: ApiSettings,
    shared: Arc<Shared>,
    health: HealthReporter,
    followed: Latch,
) -> anyhow::Result<()> {
    let stop = context.token();
    let policy = RetryPolicy::forever(Backoff::default());
    let connected = retry(&policy, stop, "connect to Kafka", || Connected::to(&kafka, &settings)).await;
    let connected = shared.connect(connected.context("Kafka cannot be used")?);
    connected.control.on_turn(context.liveness().beats("control log"));
    connected.reports.on_turn(context.liveness().beats("worker reports"));
    let Some(state) = stop.run_until_cancelled(connected.control.state()).await else {
        return Ok(());
    };
    state.context("the control log cannot be followed")?;
    followed.release();
    set_health(&health, ServingStatus::Serving).await;

    let mut reports = connected.reports.changes();
    let result = tokio::select! {
        measured = connected.backlogs.run(&connected.control, stop) => {
            measured.context("the control log cannot be followed any more")
        }
        () = async { while reports.changed().await.is_ok() {} } => {
            Err(anyhow::anyhow!("worker reports cannot be followed any more"))
        }
        never = connected.letters.run(&connected.control) => match never {},
        never = connected.record_counts.run(&shared) => match never {},
        never = gauges::run(connected) => match never {},
    };
    set_health(&health, ServingStatus::NotServing).await;
    result
}

/// Tells the health service of the whole and of each part.
async fn set_health(health: &HealthReporter, status: ServingStatus) {
    for service in ["", INSTANCES, WORKFLOWS, MAPPINGS, CATALOG, DEAD_LETTERS] {
        health.set_service_status(service, status).await;
    }
}
