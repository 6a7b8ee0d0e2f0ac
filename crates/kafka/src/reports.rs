//! Worker reports: publishing one's own, and following everybody's (design §5).

use std::{collections::HashMap, sync::Arc};

use crosswalk_core::{
    WorkflowName,
    worker::{Role, WorkerReport},
};
use crosswalk_proto::record::{decode_report, encode_report};
use jiff::Timestamp;
use parking_lot::RwLock;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Kafka, KafkaError, Producer,
    tail::{self, Tail},
};

/// Publishes the reports of this process.
#[derive(Clone)]
pub struct Reporter {
    producer: Producer,
    topic: String,
}

impl Reporter {
    /// Makes the topic of reports if it is not there.
    ///
    /// # Errors
    /// If Kafka refuses or cannot be reached.
    pub async fn open(kafka: &Kafka, producer: Producer) -> Result<Self, KafkaError> {
        kafka.ensure_topics(&[kafka.topics().workers_spec()]).await?;
        Ok(Self {
            producer,
            topic: kafka.topics().workers(),
        })
    }

    /// Publishes a report. Does not wait for it to be acknowledged: another one follows within a second.
    ///
    /// # Errors
    /// If the producer does not take it.
    pub async fn publish(&self, report: &WorkerReport) -> Result<(), KafkaError> {
        let pending = self
            .producer
            .enqueue(&self.topic, &report.worker, Some(&encode_report(report)))
            .await?;
        drop(pending);
        Ok(())
    }
}

/// Follows the reports of all workers and keeps the last of each worker about each workflow.
#[derive(Clone)]
pub struct Reports {
    shared: Arc<Shared>,
    changed: watch::Receiver<u64>,
}

type Key = (WorkflowName, Role, String);

struct Shared {
    last: RwLock<HashMap<Key, WorkerReport>>,
    _stop_on_drop: DropGuard,
}

/// Reports of workers not heard of for so long are forgotten, so that the map does not grow with every restart.
const FORGET_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

impl Reports {
    /// Begins to follow, making the topic if it is not there.
    ///
    /// # Errors
    /// If Kafka refuses, or cannot be reached to make the topic.
    pub async fn follow(kafka: &Kafka) -> Result<Self, KafkaError> {
        kafka.ensure_topics(&[kafka.topics().workers_spec()]).await?;
        let cancel = CancellationToken::new();
        let shared = Arc::new(Shared {
            last: RwLock::default(),
            _stop_on_drop: cancel.clone().drop_guard(),
        });
        let (publish, changed) = watch::channel(0);
        let follower = Arc::downgrade(&shared);
        let mut is_caught_up = false;
        let handle = move |event: Tail<'_>| {
            let Some(shared) = follower.upgrade() else { return };
            let payload = match event {
                Tail::Record {
                    payload: Some(payload), ..
                } => payload,
                Tail::Record { payload: None, .. } => return,
                Tail::End => {
                    is_caught_up = true;
                    return;
                }
            };
            match decode_report(payload) {
                Ok(mut report) => {
                    // Whether a worker lives is told by when it was heard of, by one clock: its own may be wrong. What
                    // stood in the topic before is only known by the worker's clock.
                    if is_caught_up {
                        report.time = Timestamp::now();
                    }
                    remember(&shared, report);
                    publish.send_modify(|count| *count += 1);
                }
                Err(error) => tracing::debug!(error = %error, "a worker report cannot be read"),
            }
        };
        let ended = |result: Result<(), KafkaError>| {
            if let Err(error) = result {
                tracing::error!(error = %error, "worker reports cannot be followed any more");
            }
        };
        tail::follow(kafka, &kafka.topics().workers(), cancel, handle, ended)?;
        Ok(Self { shared, changed })
    }

    /// The last report of each worker about a workflow.
    #[must_use]
    pub fn of(&self, workflow: &WorkflowName) -> Vec<WorkerReport> {
        let last = self.shared.last.read();
        let mut reports: Vec<WorkerReport> = last
            .iter()
            .filter(|((name, ..), _)| name == workflow)
            .map(|(_, report)| report.clone())
            .collect();
        reports.sort_by(|one, other| (one.role, &one.worker).cmp(&(other.role, &other.worker)));
        reports
    }

    /// Changes whenever a report has come.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.clone()
    }
}

fn remember(shared: &Shared, report: WorkerReport) {
    let mut last = shared.last.write();
    let now = report.time;
    last.retain(|_, old| now.duration_since(old.time) < FORGET_AFTER);
    last.insert((report.workflow.clone(), report.role, report.worker.clone()), report);
}
