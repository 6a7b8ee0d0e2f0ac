#![doc = include_str!("../README.md")]

mod drift;
mod ending;
mod failure;
mod hidden;
mod metrics;
mod progress;
mod proof;
mod purge;
mod run;
mod set_aside;
mod settings;
mod sweep;
mod table;
mod work;
mod write;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use crosswalk_core::WorkflowId;
use crosswalk_kafka::{ControlLog, History, Kafka, KafkaError, Producer, Reporter, keep_runs};
use crosswalk_runtime::{
    health::Liveness,
    retry::{Backoff, RetryPolicy, retry},
    sealing::SealingKeys,
    service::{Context, ServiceInfo},
    supervise::Rule,
};

pub use metrics::describe as describe_metrics;
pub use settings::{WriterSettings, WritingSettings};

/// How long entries of the ledger are gathered. Nobody waits for one but the offsets that are committed behind it, several times
/// a second; sent as they come, they would cost the broker as much as all the rest.
const LEDGER_LINGER: Duration = Duration::from_millis(50);

/// Which service this is.
pub const SERVICE: ServiceInfo = ServiceInfo {
    name: "campaign-writer",
    version: env!("CARGO_PKG_VERSION"),
    about: "Writes queued changes from Kafka to Adobe Campaign.",
};

/// Starts the service in a process that hosts it.
///
/// # Errors
/// If its settings cannot be used, or Kafka refuses it.
pub async fn start(context: Context, settings: WriterSettings) -> anyhow::Result<()> {
    describe_metrics();
    let kafka = Kafka::new(settings.kafka.clone(), SERVICE.name);
    let keys = settings.sealing.keys()?;
    let followed = context.readiness().latch("control log followed");
    let worker = format!("{}-{}", SERVICE.name, uuid::Uuid::new_v4().simple());

    let policy = RetryPolicy::forever(Backoff::default());
    let drain_deadline = context.shutdown().drain_deadline();
    let liveness = context.liveness().clone();
    let connect = || connect(&kafka, &settings, &keys, &worker, drain_deadline, &liveness);
    let shared = retry(&policy, context.token(), "connect to Kafka", connect)
        .await
        .context("Kafka cannot be used")?;
    let shared = Arc::new(shared);
    shared.control.on_turn(liveness.beats("control log"));
    shared.reporter.on_turn(move |name| liveness.beats(name));

    let control = shared.control.clone();
    let stop = context.token().clone();
    context.spawn("runs", Rule::Critical, async move {
        control.state().await?;
        followed.release();
        let start = move |name, run, cancel| run::run(Arc::clone(&shared), name, run, cancel);
        keep_runs(&control, WorkflowId::Ingress, &stop, start).await?;
        Ok(())
    });
    Ok(())
}

async fn connect(
    kafka: &Kafka,
    settings: &WriterSettings,
    keys: &SealingKeys,
    worker: &str,
    drain_deadline: Duration,
    liveness: &Liveness,
) -> Result<run::Shared, KafkaError> {
    let producer = Producer::new(kafka)?;
    Ok(run::Shared {
        control: ControlLog::follow(kafka, producer.clone(), History::Forgotten).await?,
        reporter: Reporter::open(kafka, producer.clone()).await?,
        kafka: kafka.clone(),
        producer,
        ledger_producer: Producer::with_linger(kafka, LEDGER_LINGER)?,
        keys: keys.clone(),
        settings: settings.clone(),
        worker: worker.to_owned(),
        // Some of the deadline is left for committing and leaving the group.
        drain: drain_deadline * 3 / 4,
        liveness: liveness.clone(),
    })
}
