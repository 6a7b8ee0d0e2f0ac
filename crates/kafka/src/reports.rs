//! Worker reports: publishing one's own, and following everybody's (design §5).

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

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
    tail::{self, Beat, OnTurn, Tail},
};

/// Makes the beat of a loop, from the loop's name.
type Watch = Box<dyn Fn(&str) -> Beat + Send + Sync>;

/// Publishes the reports of this process.
#[derive(Clone)]
pub struct Reporter {
    producer: Producer,
    topic: String,
    /// For the loops that publish reports.
    watch: Arc<OnceLock<Watch>>,
}

impl Reporter {
    /// Makes the topic of reports if it is not there.
    ///
    /// # Errors
    /// If Kafka refuses or cannot be reached.
    pub async fn open(kafka: &Kafka, producer: Producer) -> Result<Self, KafkaError> {
        kafka.ensure_topics(&[kafka.topics().workers_spec()]).await?;
        Ok(Self::new(producer, kafka.topics().workers()))
    }

    pub(crate) fn new(producer: Producer, topic: String) -> Self {
        Self {
            producer,
            topic,
            watch: Arc::default(),
        }
    }

    /// Has every loop that publishes reports, of those that begin from now on, run something at each turn, which comes at
    /// least every few seconds, also while the broker is away: a loop that does not is stuck. `watch` is told the name of
    /// the loop; what it gives is dropped when the loop ends. The first call counts.
    pub fn on_turn<B>(&self, watch: impl Fn(&str) -> B + Send + Sync + 'static)
    where
        B: Fn() + Send + Sync + 'static,
    {
        let watch = move |name: &str| -> Beat { Box::new(watch(name)) };
        // It holds the first one already.
        let _ = self.watch.set(Box::new(watch));
    }

    /// What the loop of this name runs at each turn.
    pub(crate) fn beat(&self, name: &str) -> Beat {
        self.watch
            .get()
            .map_or_else(|| -> Beat { Box::new(|| {}) }, |watch| watch(name))
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
    on_turn: OnTurn,
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
                    report.time = heard_at(report.time, is_caught_up, Timestamp::now());
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
        let on_turn = OnTurn::default();
        tail::follow_watched(kafka, &kafka.topics().workers(), cancel, on_turn.clone(), handle, ended)?;
        Ok(Self {
            shared,
            changed,
            on_turn,
        })
    }

    /// Has the loop that follows run `beat` at each turn, several times a second, also while the broker is away: a loop
    /// that does not is stuck.
    pub fn on_turn(&self, beat: impl Fn() + Send + Sync + 'static) {
        self.on_turn.set(beat);
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

/// When a report was heard of that bears the time `sent`.
///
/// Whether a worker lives is told by one clock, ours: the worker's may be wrong. When that was, of what stood in the topic
/// before, is only known by the worker's clock; but it was not later than now.
fn heard_at(sent: Timestamp, is_news: bool, now: Timestamp) -> Timestamp {
    if is_news { now } else { sent.min(now) }
}

fn remember(shared: &Shared, report: WorkerReport) {
    let mut last = shared.last.write();
    let now = report.time;
    last.retain(|_, old| now.duration_since(old.time) < FORGET_AFTER);
    last.insert((report.workflow.clone(), report.role, report.worker.clone()), report);
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_worker_is_heard_of_by_our_clock_and_never_later_than_now() {
        let now: Timestamp = "2026-11-22T06:00:00Z".parse().unwrap();
        let (earlier, later) = (now - 10.minutes(), now + 10.minutes());
        for (sent, is_news, expected) in [
            (earlier, true, now),
            (later, true, now),
            (earlier, false, earlier),
            (later, false, now),
        ] {
            assert_eq!(heard_at(sent, is_news, now), expected, "{sent} {is_news}");
        }
    }
}
