//! One partition of a queue, and how its records come into the pool.

use std::{sync::Arc, thread, time::Duration};

use bytes::Bytes;
use rdkafka::{
    Message,
    consumer::{BaseConsumer, Consumer as _, base_consumer::PartitionQueue},
    error::KafkaError as ClientError,
};

use super::{QueueRecord, feeder::READ, membership::QueueContext};
use crate::{
    KafkaError,
    pool::{Assignment, Coalesce, Handler, PartitionId, Pool, Record, Refused},
};

/// Records taken in before it is another partition's turn.
const AT_ONCE: usize = 256;

/// A partition with a queue of its own in the client. It is not read while the pool has no room for its records: the client then
/// fetches no more than its bound, and keeps what it has fetched. (Pausing would throw that away, to be fetched once more.)
pub(super) struct Feed<H: Handler> {
    partition: PartitionId,
    queue: PartitionQueue<QueueContext<H>>,
    /// The record that the pool had no room for. It is the next one.
    held: Option<Record<H::Payload>>,
}

impl<H: Handler> Feed<H> {
    /// To be made before the consumer is polled for the first time, on the thread that is to be woken when records come.
    pub(super) fn new(
        consumer: &Arc<BaseConsumer<QueueContext<H>>>,
        partition: PartitionId,
    ) -> Result<Self, KafkaError> {
        Ok(Self {
            partition,
            queue: split(consumer, partition)?,
            held: None,
        })
    }

    /// Gives the partition a queue of its own again.
    pub(super) fn split_again(&mut self, consumer: &Arc<BaseConsumer<QueueContext<H>>>) -> Result<(), KafkaError> {
        self.queue = split(consumer, self.partition)?;
        Ok(())
    }

    /// Whether the pool had no room for the next record.
    pub(super) const fn is_full(&self) -> bool {
        self.held.is_some()
    }

    pub(super) const fn partition(&self) -> PartitionId {
        self.partition
    }

    /// Offers what has come to the pool, as long as there is room. Returns whether there may be more to take at once.
    pub(super) fn take(
        &mut self,
        context: &QueueContext<H>,
        pool: &Pool<H>,
        decode: impl Fn(QueueRecord<'_>) -> H::Payload,
    ) -> Result<bool, KafkaError> {
        let assignment = context.assignment(self.partition);
        // Of an earlier assignment: whoever has the partition now reads the record again.
        self.held.take_if(|held| Some(held.assignment) != assignment);
        if self.held.is_some() || context.is_restoring(self.partition) {
            return Ok(false);
        }
        for _ in 0..AT_ONCE {
            match self.queue.poll(Duration::ZERO) {
                None => return Ok(false),
                Some(Err(error)) => KafkaError::pass_over(READ, error)?,
                Some(Ok(message)) => {
                    let Some(assignment) = assignment else { continue };
                    let record = record(assignment, &message, &decode);
                    match pool.try_offer(record) {
                        Ok(_) => {}
                        Err(Refused::Full(record)) => {
                            self.held = Some(record);
                            return Ok(false);
                        }
                        // Whoever has the partition next reads the record again.
                        Err(Refused::Closed(_)) => return Ok(false),
                    }
                }
            }
        }
        Ok(true)
    }

    /// Offers the record that there was no room for.
    pub(super) fn offer_held(&mut self, pool: &Pool<H>) {
        let Some(record) = self.held.take() else { return };
        // Refused as closed: the partition has gone to somebody else, who reads the record again.
        if let Err(Refused::Full(record)) = pool.try_offer(record) {
            self.held = Some(record);
        }
    }
}

fn split<H: Handler>(
    consumer: &Arc<BaseConsumer<QueueContext<H>>>,
    partition: PartitionId,
) -> Result<PartitionQueue<QueueContext<H>>, KafkaError> {
    let topic = consumer.context().topic(partition);
    let queue = consumer.split_partition_queue(topic, partition.partition);
    let mut queue = queue
        .ok_or_else(|| ClientError::Subscription(topic.to_owned()))
        .map_err(KafkaError::client("read a partition by itself"))?;
    let reading = thread::current();
    queue.set_nonempty_callback(move || reading.unpark());
    Ok(queue)
}

fn record<P: Coalesce>(
    assignment: Assignment,
    message: &impl Message,
    decode: impl Fn(QueueRecord<'_>) -> P,
) -> Record<P> {
    let key = message.key().unwrap_or_default();
    let offset = message.offset();
    let payload = decode(QueueRecord {
        topic: assignment.partition.topic,
        partition: assignment.partition.partition,
        offset,
        key,
        payload: message.payload().unwrap_or_default(),
    });
    let key = if payload.waits_for_all() {
        // A key of its own, and none of a record's: it belongs to all records.
        Bytes::copy_from_slice(&offset.to_be_bytes())
    } else {
        Bytes::copy_from_slice(key)
    };
    Record {
        assignment,
        offset,
        key,
        payload,
    }
}
