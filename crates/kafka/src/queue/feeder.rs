//! The polling thread of a queue: feeds the pool, and stores for committing what the pool has finished.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crosswalk_core::{Class, Classify};
use rdkafka::{
    Message, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError as ClientError, RDKafkaErrorCode},
};
use tokio_util::sync::CancellationToken;

use super::{QueueRecord, membership::QueueContext};
use crate::{
    KafkaError, Ledger,
    ledger::Ticket,
    pool::{Coalesce as _, Handler, NextOffset, PartitionId, Pool, Record, Refused},
    tail::OnTurn,
};

/// How long a poll may block while nothing is held back, and while something is.
const POLL: Duration = Duration::from_millis(20);
const POLL_WHILE_FULL: Duration = Duration::from_millis(2);

/// How long the last ledger entries may take to be durable when the queue is left.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// The polling thread's own things.
pub(super) struct Feeder<'a, H: Handler, D> {
    consumer: &'a BaseConsumer<QueueContext<H>>,
    pool: Pool<H>,
    decode: D,
    /// Records of partitions that are paused: the pool has no room for more, or their ledger is being restored.
    held: HashMap<PartitionId, VecDeque<Record<H::Payload>>>,
    ledger: Option<Ledger>,
    /// What the pool has finished and the ledger has not made durable yet, in order.
    finished: VecDeque<(Ticket, Vec<(PartitionId, NextOffset)>)>,
}

impl<'a, H: Handler, D: Fn(QueueRecord<'_>) -> H::Payload> Feeder<'a, H, D> {
    pub(super) fn new(
        consumer: &'a BaseConsumer<QueueContext<H>>,
        pool: Pool<H>,
        ledger: Option<Ledger>,
        decode: D,
    ) -> Self {
        Self {
            consumer,
            pool,
            decode,
            held: HashMap::new(),
            ledger,
            finished: VecDeque::new(),
        }
    }

    /// Feeds the pool until told to stop.
    pub(super) fn run(&mut self, stop: &CancellationToken, on_turn: &OnTurn) -> Result<(), KafkaError> {
        while !stop.is_cancelled() {
            on_turn.run();
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
            self.begin_restored()?;
            self.offer_held()?;
            self.store_finished();
        }
        Ok(())
    }

    /// Stores and commits everything that has been finished, `last` included.
    pub(super) fn finish(&mut self, last: &[(PartitionId, NextOffset)]) {
        let pending = self.pool.take_committable();
        let deadline = tokio::time::Instant::now() + LAST_WAIT;
        if !self.consumer.context().make_durable(deadline) {
            tracing::warn!("the ledger was not durable in time; what was finished last is worked off again");
            self.commit_stored();
            return;
        }
        for (_, offsets) in std::mem::take(&mut self.finished) {
            self.store(&offsets);
        }
        self.store(&pending);
        self.store(last);
        self.commit_stored();
    }

    /// Stores for committing what has been finished and is durable in the ledger.
    fn store_finished(&mut self) {
        let offsets = self.pool.take_committable();
        let Some(ledger) = &self.ledger else {
            return self.store(&offsets);
        };
        if !offsets.is_empty() {
            // Taken after the offsets: what they stand for was settled before.
            self.finished.push_back((ledger.ticket(), offsets));
        }
        while let Some((_, offsets)) = self.finished.pop_front_if(|(ticket, _)| ledger.is_durable(*ticket)) {
            self.store(&offsets);
        }
    }

    /// Goes on with partitions whose ledger has been restored.
    fn begin_restored(&mut self) -> Result<(), KafkaError> {
        let context = self.consumer.context();
        let Some(restoration) = context.restoration() else {
            return Ok(());
        };
        let restored = restoration.take_restored()?;
        if restored.is_empty() {
            return Ok(());
        }
        for partition in restored {
            self.go_on(partition)?;
        }
        context.publish_share();
        Ok(())
    }

    /// Polls on until there is an assignment, so that the group is not left in the midst of joining it.
    pub(super) fn become_member(&mut self, patience: Duration) {
        let deadline = std::time::Instant::now() + patience;
        while !self.consumer.context().is_member() && std::time::Instant::now() < deadline {
            // What comes is not taken any more; its offsets are not stored, so whoever joins next reads it.
            drop(self.consumer.poll(POLL));
        }
    }

    fn take(&mut self, message: &impl Message) -> Result<(), KafkaError> {
        let context = self.consumer.context();
        let Some(partition) = context.partition_id(message.topic(), message.partition()) else {
            return Ok(());
        };
        let Some(assignment) = context.assignment(partition) else {
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
        let key = if payload.waits_for_all() {
            // A key of its own, and none of a record's: it belongs to all records.
            bytes::Bytes::copy_from_slice(&message.offset().to_be_bytes())
        } else {
            bytes::Bytes::copy_from_slice(key)
        };
        let record = Record {
            assignment,
            offset: message.offset(),
            key,
            payload,
        };
        let is_restoring = context
            .restoration()
            .is_some_and(|restoration| restoration.is_under_way(partition));
        if is_restoring || self.held.contains_key(&partition) {
            // Fetched before the pause took hold; it must not overtake what is held.
            self.held.entry(partition).or_default().push_back(record);
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
            self.go_on(partition)?;
        }
        let context = self.consumer.context();
        self.held
            .retain(|partition, _| context.assignment(*partition).is_some());
        Ok(())
    }

    /// Offers what is held of a partition, and reads it on if nothing is left.
    fn go_on(&mut self, partition: PartitionId) -> Result<(), KafkaError> {
        let mut held = self.held.remove(&partition).unwrap_or_default();
        while let Some(record) = held.pop_front() {
            // Refused as closed: the partition has gone to somebody else, who reads the record again.
            if let Err(Refused::Full(record)) = self.pool.try_offer(record) {
                held.push_front(record);
                break;
            }
        }
        if !held.is_empty() {
            self.held.insert(partition, held);
            return Ok(());
        }
        let resumed = self.list([partition]);
        self.consumer
            .resume(&resumed)
            .map_err(KafkaError::client("resume a partition"))
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
