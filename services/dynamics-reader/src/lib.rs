#![doc = include_str!("../README.md")]

mod drift;
mod failure;
mod metrics;
mod page;
mod parents;
mod plan;
mod position;
mod proof;
mod read;
mod redrive;
mod run;
mod settings;

use std::sync::Arc;

use anyhow::Context as _;
use crosswalk_core::{WorkflowId, worker::Role};
use crosswalk_kafka::{ControlLog, History, Kafka, Producer, Reporter, Slots, keep_runs};
use crosswalk_runtime::{
    retry::{Backoff, RetryPolicy, retry},
    service::{Context, ServiceInfo},
    supervise::Rule,
};

pub use metrics::describe as describe_metrics;
pub use settings::{ReaderSettings, ReadingSettings};

/// Which service this is.
pub const SERVICE: ServiceInfo = ServiceInfo {
    name: "dynamics-reader",
    version: env!("CARGO_PKG_VERSION"),
    about: "Reads changes of Dynamics 365 tables and queues them on Kafka.",
};

/// Starts the service in a process that hosts it.
///
/// # Errors
/// If its settings cannot be used, or Kafka refuses it.
pub async fn start(context: Context, settings: ReaderSettings) -> anyhow::Result<()> {
    describe_metrics();
    let kafka = Kafka::new(settings.kafka.clone(), SERVICE.name);
    let keys = settings.sealing.keys()?;
    let followed = context.readiness().latch("control log followed");
    let joined = context.readiness().latch("slots assigned");
    let worker = format!("{}-{}", SERVICE.name, uuid::Uuid::new_v4().simple());

    let policy = RetryPolicy::forever(Backoff::default());
    let connect = || run::Shared::connect(&kafka, &settings, &keys, &worker);
    let shared = retry(&policy, context.token(), "connect to Kafka", connect)
        .await
        .context("Kafka cannot be used")?;
    let shared = Arc::new(shared);
    let liveness = context.liveness().clone();
    shared.control.on_turn(liveness.beats("control log"));
    shared.slots.on_turn(liveness.beats("slots"));
    shared.reporter.on_turn(move |name| liveness.beats(name));

    let control = shared.control.clone();
    let stop = context.token().clone();
    let mut held = shared.slots.held();
    context.spawn_until_stopped("slots", Rule::Critical, {
        let shared = Arc::clone(&shared);
        async move {
            tokio::select! {
                () = async { if held.changed().await.is_ok() { joined.release() } std::future::pending().await } => {}
                error = shared.slots.failed() => return Err(anyhow::Error::new(error)),
            }
            Ok(())
        }
    });
    context.spawn("runs", Rule::Critical, async move {
        control.state().await?;
        followed.release();
        let running = Arc::clone(&shared);
        let start = move |name, run, cancel| run::run(Arc::clone(&running), name, run, cancel);
        let kept = keep_runs(&control, WorkflowId::Ingress, &stop, start).await;
        shared.slots.leave().await;
        Ok(kept?)
    });
    Ok(())
}

impl run::Shared {
    async fn connect(
        kafka: &Kafka,
        settings: &ReaderSettings,
        keys: &crosswalk_runtime::sealing::SealingKeys,
        worker: &str,
    ) -> Result<Self, crosswalk_kafka::KafkaError> {
        let producer = Producer::new(kafka)?;
        Ok(Self {
            control: ControlLog::follow(kafka, producer.clone(), History::Forgotten).await?,
            reporter: Reporter::open(kafka, producer.clone()).await?,
            slots: Slots::join(kafka, Role::DynamicsReader).await?,
            kafka: kafka.clone(),
            producer,
            keys: keys.clone(),
            settings: settings.clone(),
            worker: worker.to_owned(),
        })
    }
}
