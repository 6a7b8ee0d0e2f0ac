//! The rebalance callbacks of a queue's group member: partitions given to the pool, and drained when they are taken away.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
    time::Duration,
};

use parking_lot::Mutex;
use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance},
    error::KafkaError as ClientError,
};
use tokio::{runtime::Handle, sync::watch, time::Instant};

use super::{Share, restoration::Restoration};
use crate::{
    Ledger, QUEUE_PARTITIONS, client_log,
    pool::{Assignment, Handler, NextOffset, PartitionId, Pool},
};

/// How long what was finished last may take to be durable in the ledger, when all of the time to drain has been used.
const DURABLE_WITHIN: Duration = Duration::from_secs(1);

/// What the rebalance callbacks need. They run on the polling thread, within `poll`.
pub(super) struct QueueContext<H: Handler> {
    topics: Arc<[String]>,
    assignments: Mutex<HashMap<PartitionId, Assignment>>,
    drain_timeout: Duration,
    share: watch::Sender<Share>,
    runtime: Handle,
    /// Set before the consumer is polled for the first time, unless it is only polled to leave its group.
    feeding: OnceLock<Feeding<H>>,
}

/// What assigned partitions are given to.
struct Feeding<H: Handler> {
    pool: Pool<H>,
    restoration: Option<Restoration>,
}

impl<H: Handler> QueueContext<H> {
    /// Must be made within the runtime that the pool runs in.
    pub(super) fn new(topics: Arc<[String]>, drain_timeout: Duration) -> Self {
        let total = topics.len() * usize::try_from(QUEUE_PARTITIONS).unwrap_or_default();
        Self {
            topics,
            assignments: Mutex::default(),
            drain_timeout,
            share: watch::Sender::new(Share {
                total,
                ..Share::default()
            }),
            runtime: Handle::current(),
            feeding: OnceLock::new(),
        }
    }

    /// From now on what is assigned is given to a pool, after its part of the ledger has been restored, if there is one.
    pub(super) fn feed(&self, pool: Pool<H>, ledger: Option<Ledger>) {
        let restoration = ledger.map(Restoration::new);
        self.feeding.get_or_init(|| Feeding { pool, restoration });
    }

    /// How much is assigned, as it changes.
    pub(super) fn share(&self) -> watch::Receiver<Share> {
        self.share.subscribe()
    }

    /// Restores the ledger of what is assigned, if there is one.
    pub(super) fn restoration(&self) -> Option<&Restoration> {
        self.feeding.get()?.restoration.as_ref()
    }

    /// Whether the ledger of a partition is being restored, so that nothing of it may be worked on yet.
    pub(super) fn is_restoring(&self, partition: PartitionId) -> bool {
        let restoration = self.restoration();
        restoration.is_some_and(|restoration| restoration.is_under_way(partition))
    }

    /// The pool's name for the present assignment of a partition; `None` if it is not ours.
    pub(super) fn assignment(&self, partition: PartitionId) -> Option<Assignment> {
        self.assignments.lock().get(&partition).copied()
    }

    pub(super) fn partition_id(&self, topic: &str, partition: i32) -> Option<PartitionId> {
        let topic = self.topics.iter().position(|name| name == topic)?;
        Some(PartitionId {
            topic: u16::try_from(topic).ok()?,
            partition,
        })
    }

    /// All partitions of the topics.
    pub(super) fn partitions(&self) -> impl Iterator<Item = PartitionId> {
        let topics = (0..=u16::MAX).take(self.topics.len());
        topics.flat_map(|topic| (0..QUEUE_PARTITIONS).map(move |partition| PartitionId { topic, partition }))
    }

    pub(super) fn topic(&self, partition: PartitionId) -> &str {
        self.topics.get(usize::from(partition.topic)).map_or("", String::as_str)
    }

    fn partition_ids(&self, list: &TopicPartitionList) -> Vec<PartitionId> {
        list.elements()
            .iter()
            .filter_map(|element| self.partition_id(element.topic(), element.partition()))
            .collect()
    }

    pub(super) fn offset_list(&self, offsets: &[(PartitionId, NextOffset)]) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, next) in offsets {
            let offset = Offset::Offset(next.get());
            if let Err(error) = list.add_partition_offset(self.topic(*partition), partition.partition, offset) {
                tracing::debug!(error = %error, "an offset cannot be listed");
            }
        }
        list
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &[PartitionId]) {
        let Some(feeding) = self.feeding.get() else { return };
        // Partitions that were lost, not handed over, have a new owner already: nothing more of them is started.
        let lost = consumer.assignment_lost();
        let drain = if lost { Duration::ZERO } else { self.drain_timeout };
        let deadline = Instant::now() + drain;
        let offsets = self.runtime.block_on(feeding.pool.revoke(partitions, deadline));
        let is_durable = self.make_durable(deadline + DURABLE_WITHIN.min(drain));
        if let Some(restoration) = &feeding.restoration {
            restoration.release(partitions);
        }
        self.assignments
            .lock()
            .retain(|partition, _| !partitions.contains(partition));
        self.publish_share();
        if offsets.is_empty() || !is_durable || lost || consumer.assignment_lost() {
            return;
        }
        if let Err(error) = consumer.commit(&self.offset_list(&offsets), CommitMode::Sync) {
            tracing::debug!(error = %error, "finished offsets of revoked partitions were not committed");
        }
    }

    /// Waits until what was settled is durable; `false` if it is not by the deadline.
    pub(super) fn make_durable(&self, deadline: Instant) -> bool {
        let Some(ledger) = self.restoration().map(Restoration::ledger) else {
            return true;
        };
        let durable = ledger.durable(ledger.ticket());
        self.runtime
            .block_on(async { tokio::time::timeout_at(deadline, durable).await })
            .is_ok()
    }

    fn assign(&self, partitions: &[PartitionId], list: &TopicPartitionList) {
        let Some(feeding) = self.feeding.get() else { return };
        tracing::info!(partitions = %shown(list), "partitions assigned");
        {
            let mut assignments = self.assignments.lock();
            for partition in partitions {
                assignments.insert(*partition, feeding.pool.assign(*partition, None));
            }
        }
        if let Some(restoration) = &feeding.restoration
            && !partitions.is_empty()
        {
            restoration.begin(partitions.to_vec());
        }
        self.publish_share();
    }

    /// Says how much is assigned, and how much of that is worked on.
    pub(super) fn publish_share(&self) {
        let assignments = self.assignments.lock();
        let is_ready = |partition: &&PartitionId| !self.is_restoring(**partition);
        let (assigned, ready) = (assignments.len(), assignments.keys().filter(is_ready).count());
        drop(assignments);
        self.share
            .send_modify(|share| (share.assigned, share.ready) = (assigned, ready));
    }
}

impl<H: Handler> ClientContext for QueueContext<H> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        client_log::line(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        client_log::error(&error, reason);
    }
}

impl<H: Handler> ConsumerContext for QueueContext<H> {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance {
            tracing::info!(partitions = %shown(list), "partitions revoked");
            self.revoke(consumer, &self.partition_ids(list));
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(list) = rebalance {
            self.assign(&self.partition_ids(list), list);
        }
    }
}

/// The partitions of each topic, for the log.
fn shown(list: &TopicPartitionList) -> String {
    let mut by_topic: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for element in list.elements() {
        let partitions = by_topic.entry(element.topic().to_owned()).or_default();
        partitions.push(element.partition());
    }
    let topics = by_topic
        .iter()
        .map(|(topic, partitions)| format!("{topic}{partitions:?}"));
    topics.collect::<Vec<_>>().join(" ")
}
