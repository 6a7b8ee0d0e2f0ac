//! The polling thread of a queue: feeds the pool, and stores for committing what the pool has finished.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crosswalk_core::{Class, Classify};
use rdkafka::{
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError as ClientError, RDKafkaErrorCode},
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{QueueRecord, feed::Feed, membership::QueueContext};
use crate::{
    KafkaError, Ledger,
    ledger::Ticket,
    pool::{Handler, NextOffset, PartitionId, Pool},
    tail::OnTurn,
};

/// How long to wait for records, for room in the pool, or for the group, before looking after everything again.
const TURN: Duration = Duration::from_millis(20);

/// How long the last ledger entries may take to be durable when the queue is left.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// The polling thread's own things.
pub(super) struct Feeder<'a, H: Handler, D> {
    consumer: &'a BaseConsumer<QueueContext<H>>,
    /// Every partition of the topics, assigned or not.
    feeds: Vec<Feed<H>>,
    /// Notified when there is something to do for this thread.
    woken: Arc<Notify>,
    pool: Pool<H>,
    decode: D,
    ledger: Option<Ledger>,
    /// What the pool has finished and the ledger has not made durable yet, in order.
    finished: VecDeque<(Ticket, Vec<(PartitionId, NextOffset)>)>,
}

impl<'a, H: Handler, D: Fn(QueueRecord<'_>) -> H::Payload> Feeder<'a, H, D> {
    /// `woken` is notified whenever the group has news for the consumer.
    pub(super) fn new(
        consumer: &'a Arc<BaseConsumer<QueueContext<H>>>,
        woken: Arc<Notify>,
        pool: Pool<H>,
        ledger: Option<Ledger>,
        decode: D,
    ) -> Result<Self, KafkaError> {
        let partitions = consumer.context().partitions();
        let feeds = partitions.map(|partition| Feed::new(consumer, partition, &woken));
        Ok(Self {
            feeds: feeds.collect::<Result<_, _>>()?,
            consumer,
            woken,
            pool,
            decode,
            ledger,
            finished: VecDeque::new(),
        })
    }

    /// Feeds the pool until told to stop.
    pub(super) fn run(&mut self, stop: &CancellationToken, on_turn: &OnTurn) -> Result<(), KafkaError> {
        while !stop.is_cancelled() {
            on_turn.run();
            self.serve_group()?;
            self.begin_restored()?;
            let is_busy = self.feed()?;
            self.store_finished();
            let room = if is_busy {
                self.pool.take_room()
            } else {
                self.wait(stop)
            };
            for feed in self.feeds.iter_mut().filter(|feed| room.contains(&feed.partition())) {
                feed.offer_held(&self.pool);
            }
        }
        Ok(())
    }

    /// Runs the callbacks of a rebalance that is due.
    fn serve_group(&self) -> Result<(), KafkaError> {
        match self.consumer.poll(Duration::ZERO) {
            None => Ok(()),
            Some(Err(error)) => pass_over(error),
            // Every partition has a queue of its own, as long as its topic is the one that it was when we began.
            Some(Ok(_)) => Err(KafkaError::TopicReplaced),
        }
    }

    /// Takes in what has come, each partition in its turn. Returns whether there may be more at once.
    fn feed(&mut self) -> Result<bool, KafkaError> {
        let mut is_busy = false;
        for feed in &mut self.feeds {
            is_busy |= feed.take(self.consumer.context(), &self.pool, &self.decode)?;
        }
        Ok(is_busy)
    }

    /// Waits for something to do. Returns the partitions for which there is room again.
    fn wait(&self, stop: &CancellationToken) -> Vec<PartitionId> {
        let something = async {
            tokio::select! {
                room = self.pool.room() => room,
                () = self.woken.notified() => Vec::new(),
                () = stop.cancelled() => Vec::new(),
                () = tokio::time::sleep(TURN) => Vec::new(),
            }
        };
        self.consumer.context().block_on(something)
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

    /// Says that partitions are worked on whose ledger has been restored.
    fn begin_restored(&mut self) -> Result<(), KafkaError> {
        let context = self.consumer.context();
        let Some(restoration) = context.restoration() else {
            return Ok(());
        };
        if restoration.take_restored()? {
            context.publish_share();
        }
        Ok(())
    }

    /// Polls on until there is an assignment, so that the group is not left in the midst of joining it.
    pub(super) fn become_member(&mut self, patience: Duration) {
        let deadline = std::time::Instant::now() + patience;
        while !self.consumer.context().is_member() && std::time::Instant::now() < deadline {
            // What comes is not taken any more; its offsets are not stored, so whoever joins next reads it.
            drop(self.consumer.poll(TURN));
        }
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

/// An error of the client that passes by itself is waited out.
pub(super) fn pass_over(source: ClientError) -> Result<(), KafkaError> {
    let error = KafkaError::Client {
        operation: "read a queue",
        source,
    };
    if error.class() == Class::Fatal {
        return Err(error);
    }
    tracing::debug!(error = %error, "waiting for the broker");
    Ok(())
}
