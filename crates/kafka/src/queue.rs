//! Reading queue topics as a member of a consumer group, and feeding a work pool with them (design §7).
//!
//! One thread polls, offers to the pool, and stores for committing what the pool says may be committed; librdkafka
//! commits what was stored. The thread never stops polling: a partition the pool has no room for is paused.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rdkafka::{
    ClientContext, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance},
    error::{KafkaError as ClientError, RDKafkaErrorCode},
};
use tokio::{runtime::Handle, sync::watch, time::Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Kafka, KafkaError,
    client::log_client_error,
    pool::{Assignment, Handler, NextOffset, PartitionId, Pool, Record, Refused},
    tail,
};

/// How long a poll may block while nothing is held back, and while something is.
const POLL: Duration = Duration::from_millis(20);
const POLL_WHILE_FULL: Duration = Duration::from_millis(2);

/// A record as it lies in a queue topic.
#[derive(Debug, Clone, Copy)]
pub struct QueueRecord<'a> {
    /// Index of its topic in the list given to [`Queue::consume`].
    pub topic: u16,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its key.
    pub key: &'a [u8],
    /// Its value; empty for a tombstone.
    pub payload: &'a [u8],
}

/// How much of the queue this member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Partitions assigned to this member.
    pub assigned: usize,
    /// Partitions of all topics.
    pub total: usize,
}

/// Membership in the group that works off some queue topics. Leaves, without draining, when dropped.
pub struct Queue {
    share: watch::Receiver<Share>,
    ended: watch::Receiver<Option<Result<(), Arc<KafkaError>>>>,
    stop: CancellationToken,
    /// What a stopped pool had finished, to be committed last.
    finished: Arc<Mutex<Vec<(PartitionId, NextOffset)>>>,
    _stop_on_drop: DropGuard,
}

impl Queue {
    /// Joins `group`, reads `topics`, and offers every record to the pool as what `decode` makes of it.
    ///
    /// A revoked partition is drained for at most half the session timeout; what was not finished by then is read again
    /// by whoever gets the partition.
    ///
    /// # Errors
    /// If the settings are not valid.
    pub fn consume<H: Handler>(
        kafka: &Kafka,
        group: &str,
        topics: &[String],
        pool: Pool<H>,
        decode: impl Fn(QueueRecord<'_>) -> H::Payload + Send + 'static,
    ) -> Result<Self, KafkaError> {
        let total = topics.len() * usize::try_from(crate::QUEUE_PARTITIONS).unwrap_or_default();
        let (publish_share, share) = watch::channel(Share { assigned: 0, total });
        let context = QueueContext {
            topics: topics.into(),
            pool: pool.clone(),
            assignments: Mutex::default(),
            drain_timeout: kafka.settings().session_timeout / 2,
            share: publish_share,
            runtime: Handle::current(),
        };
        let consumer = kafka.member(group, context)?;
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer
            .subscribe(&names)
            .map_err(KafkaError::client("join the group of writers"))?;
        let (publish_end, ended) = watch::channel(None);
        let stop = CancellationToken::new();
        let cancelled = stop.clone();
        // A join takes half the session timeout at the embedded broker, and a second one may be under way.
        let settle = kafka
            .settings()
            .leave_as_member
            .then(|| kafka.settings().session_timeout * 2);
        let finished: Arc<Mutex<Vec<(PartitionId, NextOffset)>>> = Arc::default();
        let last = Arc::clone(&finished);
        let run = move || {
            let mut feeder = Feeder {
                consumer: &consumer,
                pool,
                decode,
                held: HashMap::new(),
            };
            let result = feeder.run(&cancelled).map_err(Arc::new);
            feeder.store(&last.lock());
            feeder.commit_stored();
            if let Some(deadline) = settle {
                feeder.become_member(deadline);
            }
            drop(feeder);
            consumer.unsubscribe();
            drop(consumer);
            publish_end.send_replace(Some(result));
        };
        tail::spawn(&format!("queue {group}"), run)?;
        Ok(Self {
            share,
            ended,
            finished,
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        })
    }

    /// How much of the queue this member holds, as it changes.
    #[must_use]
    pub fn share(&self) -> watch::Receiver<Share> {
        self.share.clone()
    }

    /// Waits until reading has ended: with an error if it cannot go on, without one after [`Self::stop`].
    ///
    /// # Errors
    /// Why reading cannot go on.
    pub async fn ended(&self) -> Result<(), Arc<KafkaError>> {
        let mut ended = self.ended.clone();
        let end = ended.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        end.unwrap_or_else(|| Err(Arc::new(KafkaError::Cancelled)))
    }

    /// Stops reading, commits what the pool has finished, leaves the group, and waits until that is done. Stop the pool
    /// first, and hand over the offsets it gives: what it has drained.
    ///
    /// # Errors
    /// If reading had ended with an error.
    pub async fn stop(self, finished: Vec<(PartitionId, NextOffset)>) -> Result<(), Arc<KafkaError>> {
        *self.finished.lock() = finished;
        self.stop.cancel();
        self.ended().await
    }
}

/// The polling thread's own things.
struct Feeder<'a, H: Handler, D> {
    consumer: &'a BaseConsumer<QueueContext<H>>,
    pool: Pool<H>,
    decode: D,
    /// Records the pool had no room for, by partition; these partitions are paused.
    held: HashMap<PartitionId, VecDeque<Record<H::Payload>>>,
}

impl<H: Handler, D: Fn(QueueRecord<'_>) -> H::Payload> Feeder<'_, H, D> {
    fn run(&mut self, stop: &CancellationToken) -> Result<(), KafkaError> {
        use crosswalk_core::{Class, Classify};
        while !stop.is_cancelled() {
            let wait = if self.held.is_empty() { POLL } else { POLL_WHILE_FULL };
            match self.consumer.poll(wait) {
                None => {}
                Some(Ok(message)) => self.take(&message)?,
                Some(Err(source)) => {
                    let error = KafkaError::Client {
                        operation: "read a queue",
                        source,
                    };
                    if error.class() == Class::Fatal {
                        return Err(error);
                    }
                    tracing::debug!(error = %error, "waiting for the broker");
                }
            }
            self.offer_held()?;
            self.store(&self.pool.take_committable());
        }
        self.store(&self.pool.take_committable());
        Ok(())
    }

    /// Polls on until there is an assignment, so that the group is not left in the midst of joining it.
    fn become_member(&mut self, patience: Duration) {
        let deadline = std::time::Instant::now() + patience;
        while self.consumer.context().share.borrow().assigned == 0 && std::time::Instant::now() < deadline {
            // What comes is not taken any more; its offsets are not stored, so whoever joins next reads it.
            drop(self.consumer.poll(POLL));
        }
    }

    fn take(&mut self, message: &impl Message) -> Result<(), KafkaError> {
        let context = self.consumer.context();
        let Some(partition) = context.partition_id(message.topic(), message.partition()) else {
            return Ok(());
        };
        let Some(assignment) = context.assignments.lock().get(&partition).copied() else {
            return Ok(());
        };
        let key = message.key().unwrap_or_default();
        let payload = (self.decode)(QueueRecord {
            topic: partition.topic,
            partition: partition.partition,
            offset: message.offset(),
            key,
            payload: message.payload().unwrap_or_default(),
        });
        let key = bytes::Bytes::copy_from_slice(key);
        let record = Record {
            assignment,
            offset: message.offset(),
            key,
            payload,
        };
        if let Some(held) = self.held.get_mut(&partition) {
            // Fetched before the pause took hold; it must not overtake what is held.
            held.push_back(record);
            return Ok(());
        }
        if let Err(Refused::Full(record)) = self.pool.try_offer(record) {
            self.held.insert(partition, VecDeque::from([record]));
            let paused = self.list([partition]);
            self.consumer
                .pause(&paused)
                .map_err(KafkaError::client("pause a partition"))?;
        }
        Ok(())
    }

    /// Offers again what the pool had no room for, in order, and goes on reading partitions that hold nothing back.
    fn offer_held(&mut self) -> Result<(), KafkaError> {
        if self.held.is_empty() {
            return Ok(());
        }
        for partition in self.pool.take_room() {
            let Some(mut held) = self.held.remove(&partition) else {
                continue;
            };
            while let Some(record) = held.pop_front() {
                // Refused as closed: the partition has gone to somebody else, who reads the record again.
                if let Err(Refused::Full(record)) = self.pool.try_offer(record) {
                    held.push_front(record);
                    break;
                }
            }
            if held.is_empty() {
                let resumed = self.list([partition]);
                self.consumer
                    .resume(&resumed)
                    .map_err(KafkaError::client("resume a partition"))?;
            } else {
                self.held.insert(partition, held);
            }
        }
        let assignments = self.consumer.context().assignments.lock();
        self.held.retain(|partition, _| assignments.contains_key(partition));
        Ok(())
    }

    fn list(&self, partitions: impl IntoIterator<Item = PartitionId>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(self.consumer.context().topic(partition), partition.partition);
        }
        list
    }

    fn store(&self, offsets: &[(PartitionId, NextOffset)]) {
        if offsets.is_empty() {
            return;
        }
        let list = self.consumer.context().offset_list(offsets);
        if let Err(error) = self.consumer.store_offsets(&list) {
            // A partition that has just been revoked: its new owner works the records off again.
            tracing::debug!(error = %error, "finished offsets were not stored");
        }
    }

    fn commit_stored(&self) {
        match self.consumer.commit_consumer_state(CommitMode::Sync) {
            Ok(()) | Err(ClientError::ConsumerCommit(RDKafkaErrorCode::NoOffset)) => {}
            Err(error) => {
                tracing::warn!(error = %error, "finished offsets were not committed; records are written again");
            }
        }
    }
}

/// What the rebalance callbacks need. They run on the polling thread, within `poll`.
struct QueueContext<H: Handler> {
    topics: Arc<[String]>,
    pool: Pool<H>,
    assignments: Mutex<HashMap<PartitionId, Assignment>>,
    drain_timeout: Duration,
    share: watch::Sender<Share>,
    runtime: Handle,
}

impl<H: Handler> QueueContext<H> {
    fn partition_id(&self, topic: &str, partition: i32) -> Option<PartitionId> {
        let topic = self.topics.iter().position(|name| name == topic)?;
        Some(PartitionId {
            topic: u16::try_from(topic).ok()?,
            partition,
        })
    }

    fn topic(&self, partition: PartitionId) -> &str {
        self.topics.get(usize::from(partition.topic)).map_or("", String::as_str)
    }

    fn partition_ids(&self, list: &TopicPartitionList) -> Vec<PartitionId> {
        list.elements()
            .iter()
            .filter_map(|element| self.partition_id(element.topic(), element.partition()))
            .collect()
    }

    fn offset_list(&self, offsets: &[(PartitionId, NextOffset)]) -> TopicPartitionList {
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
        // Partitions that were lost, not handed over, have a new owner already: nothing more of them is started.
        let drain = if consumer.assignment_lost() {
            Duration::ZERO
        } else {
            self.drain_timeout
        };
        let deadline = Instant::now() + drain;
        let offsets = self.runtime.block_on(self.pool.revoke(partitions, deadline));
        self.assignments
            .lock()
            .retain(|partition, _| !partitions.contains(partition));
        self.publish_share();
        if offsets.is_empty() || consumer.assignment_lost() {
            return;
        }
        if let Err(error) = consumer.commit(&self.offset_list(&offsets), CommitMode::Sync) {
            tracing::debug!(error = %error, "finished offsets of revoked partitions were not committed");
        }
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &[PartitionId], list: &TopicPartitionList) {
        {
            let mut assignments = self.assignments.lock();
            for partition in partitions {
                assignments.insert(*partition, self.pool.assign(*partition, None));
            }
        }
        // A partition that was paused when it was last taken away would come back paused.
        if let Err(error) = consumer.resume(list) {
            tracing::debug!(error = %error, "assigned partitions could not be resumed");
        }
        self.publish_share();
    }

    fn publish_share(&self) {
        let assigned = self.assignments.lock().len();
        self.share.send_modify(|share| share.assigned = assigned);
    }
}

impl<H: Handler> ClientContext for QueueContext<H> {
    fn error(&self, error: ClientError, reason: &str) {
        log_client_error(&error, reason);
    }
}

impl<H: Handler> ConsumerContext for QueueContext<H> {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance {
            self.revoke(consumer, &self.partition_ids(list));
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(list) = rebalance {
            self.assign(consumer, &self.partition_ids(list), list);
        }
    }
}
