//! Reading queue topics as a member of a consumer group, and feeding a work pool with them (design §7).
//!
//! One thread polls, offers to the pool, and stores for committing what the pool says may be committed; librdkafka
//! commits what was stored. The thread never stops polling for its group; a partition that the pool has no room for is not read
//! on meanwhile.

mod feed;
mod feeder;
mod member;
mod membership;
mod restoration;

use std::{sync::Arc, thread};

use parking_lot::Mutex;
use rdkafka::consumer::Consumer as _;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::feeder::Feeder;
pub use self::member::QueueMember;
use crate::{
    KafkaError, Ledger,
    pool::{Handler, NextOffset, PartitionId, Pool},
    tail::{self, OnTurn},
};

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
    /// Those of them whose ledger is restored, so that they are worked on.
    pub ready: usize,
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
    on_turn: OnTurn,
    _stop_on_drop: DropGuard,
}

impl Queue {
    /// Reads what the member is assigned, and offers every record to the pool as what `decode` makes of it.
    ///
    /// With a ledger, nothing of a partition is offered before its part of the ledger has been restored, and no offset is
    /// committed before what was settled is durable there. A revoked partition is drained for at most half the session
    /// timeout; what was not finished by then is read again by whoever gets the partition.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn consume<H: Handler>(
        member: QueueMember<H>,
        pool: Pool<H>,
        ledger: Option<Ledger>,
        decode: impl Fn(QueueRecord<'_>) -> H::Payload + Send + 'static,
    ) -> Result<Self, KafkaError> {
        let mut member = member.take().ok_or(KafkaError::Cancelled)?;
        let context = member.consumer.context();
        context.feed(pool.clone(), ledger.clone());
        let share = context.share();
        let (publish_end, ended) = watch::channel(None);
        let stop = CancellationToken::new();
        let cancelled = stop.clone();
        let finished: Arc<Mutex<Vec<(PartitionId, NextOffset)>>> = Arc::default();
        let last = Arc::clone(&finished);
        let on_turn = OnTurn::default();
        let beat = on_turn.clone();
        let name = format!("queue {}", member.group);
        let run = move || {
            let reading = thread::current();
            member.wake_by(move || reading.unpark());
            let result = Feeder::new(&member.consumer, pool, ledger, decode).and_then(|mut feeder| {
                let result = feeder.run(&cancelled, &beat);
                beat.clear();
                feeder.finish(&last.lock());
                result
            });
            member.leave();
            publish_end.send_replace(Some(result.map_err(Arc::new)));
        };
        tail::spawn(&name, run)?;
        Ok(Self {
            share,
            ended,
            finished,
            on_turn,
            _stop_on_drop: stop.clone().drop_guard(),
            stop,
        })
    }

    /// Has the loop that feeds the pool run `beat` at each turn, many times a second: a loop that does not is stuck.
    pub fn on_turn(&self, beat: impl Fn() + Send + Sync + 'static) {
        self.on_turn.set(beat);
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
