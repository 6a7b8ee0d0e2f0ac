//! The polling thread of a queue: feeds the pool, and stores for committing what the pool has finished.

use std::{collections::VecDeque, sync::Arc, thread, time::Duration};

use rdkafka::{
    Message as _, Offset,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError as ClientError, RDKafkaErrorCode},
};
use tokio_util::sync::CancellationToken;

use super::{QueueRecord, feed::Feed, membership::QueueContext};
use crate::{
    KafkaError, Ledger,
    ledger::Ticket,
    pool::{Handler, NextOffset, PartitionId, Pool},
    tail::OnTurn,
};

/// How long to wait for records or for the group before looking after everything again; also while the pool has no room for what
/// has come, of which nobody wakes this thread.
const TURN: Duration = Duration::from_millis(20);
const TURN_WHILE_FULL: Duration = Duration::from_millis(2);

/// What is tried, as errors tell it.
pub(super) const READ: &str = "read a queue";

/// Events of the group that are served in one turn.
const GROUP_EVENTS: u32 = 8;

/// How long the client may take to go back to an offset.
const SEEK: Duration = Duration::from_secs(5);

/// How long the last ledger entries may take to be durable when the queue is left.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// The polling thread's own things.
pub(super) struct Feeder<'a, H: Handler, D> {
    consumer: &'a Arc<BaseConsumer<QueueContext<H>>>,
    /// Every partition of the topics, assigned or not.
    feeds: Vec<Feed<H>>,
    pool: Pool<H>,
    decode: D,
    ledger: Option<Ledger>,
    /// What the pool has finished and the ledger has not made durable yet, in order.
    finished: VecDeque<(Ticket, Vec<(PartitionId, NextOffset)>)>,
}

impl<'a, H: Handler, D: Fn(QueueRecord<'_>) -> H::Payload> Feeder<'a, H, D> {
    /// To be made on the thread that runs it: that is the one which is woken when records come.
    pub(super) fn new(
        consumer: &'a Arc<BaseConsumer<QueueContext<H>>>,
        pool: Pool<H>,
        ledger: Option<Ledger>,
        decode: D,
    ) -> Result<Self, KafkaError> {
        let partitions = consumer.context().partitions();
        let feeds = partitions.map(|partition| Feed::new(consumer, partition));
        Ok(Self {
            feeds: feeds.collect::<Result<_, _>>()?,
            consumer,
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
            self.offer_held();
            let is_busy = self.feed()?;
            self.store_finished();
            if !is_busy {
                self.wait();
            }
        }
        Ok(())
    }

    /// Runs the callbacks of rebalances that are due.
    fn serve_group(&mut self) -> Result<(), KafkaError> {
        for _ in 0..GROUP_EVENTS {
            let stray = match self.consumer.poll(Duration::ZERO) {
                // Nothing, or an event that has been served.
                None => continue,
                Some(Err(error)) => {
                    KafkaError::pass_over(READ, error)?;
                    continue;
                }
                Some(Ok(message)) => (message.topic().to_owned(), message.partition(), message.offset()),
            };
            self.read_again(&stray)?;
        }
        Ok(())
    }

    /// The client forgets what it knew of a partition that is not assigned when a broker says that it does not know the topic,
    /// as one that starts may do. Assigned again, the partition comes by the queue of the whole consumer: it is split off again,
    /// and read from that record on.
    fn read_again(&mut self, (topic, partition, offset): &(String, i32, i64)) -> Result<(), KafkaError> {
        let id = self.consumer.context().partition_id(topic, *partition);
        let Some(feed) = self.feeds.iter_mut().find(|feed| Some(feed.partition()) == id) else {
            return Ok(());
        };
        feed.split_again(self.consumer)?;
        self.consumer
            .seek(topic, *partition, Offset::Offset(*offset), SEEK)
            .map_err(KafkaError::client("read a partition again"))
    }

    /// Offers again what the pool had no room for.
    fn offer_held(&mut self) {
        if !self.feeds.iter().any(Feed::is_full) {
            return;
        }
        let room = self.pool.take_room();
        for feed in self.feeds.iter_mut().filter(|feed| room.contains(&feed.partition())) {
            feed.offer_held(&self.pool);
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

    /// Waits until records come, or the group has news, or it is time to look after everything again.
    fn wait(&self) {
        let is_full = self.feeds.iter().any(Feed::is_full);
        thread::park_timeout(if is_full { TURN_WHILE_FULL } else { TURN });
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
