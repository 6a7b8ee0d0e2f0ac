//! Slots: how reader units are shared out among the replicas of a reader (design §6).
//!
//! The replicas form a consumer group on a topic of 64 empty partitions. Kafka balances and fences them; a replica runs
//! the units whose slot it holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use crosswalk_core::worker::Role;
use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::KafkaError as ClientError,
};
use tokio::{runtime::Handle, sync::watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Kafka, KafkaError, client_log,
    tail::{self, OnTurn},
    topics::SLOTS,
};

const POLL: Duration = Duration::from_millis(100);

/// A place in the slots topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub i32);

impl Slot {
    /// The slot of a unit, e.g. `instances/demo/ingress/contact`. Never changes: a reader of another release must come
    /// to the same.
    #[must_use]
    pub fn of(unit: &str) -> Self {
        // FNV-1a: fixed for ever by its specification, and good enough to spread a few dozen units.
        let hash = unit.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(i32::try_from(hash % u64::from(SLOTS.unsigned_abs())).unwrap_or_default())
    }
}

/// The slots this replica holds, as a member of the group of a reader's replicas. Leaves when dropped; see also
/// [`Self::leave`].
pub struct Slots {
    shared: Arc<Shared>,
    ended: watch::Receiver<Option<Result<(), Arc<KafkaError>>>>,
    leave: CancellationToken,
    on_turn: OnTurn,
    _leave_on_drop: DropGuard,
}

struct Shared {
    held: watch::Sender<BTreeSet<Slot>>,
    /// How many units run in each slot.
    busy: watch::Sender<BTreeMap<Slot, usize>>,
}

/// The right to run a unit, as long as its slot is held. While it exists, a slot that Kafka takes away is not given to
/// another replica, but for a deadline.
pub struct Held {
    slot: Slot,
    shared: Arc<Shared>,
}

impl Slots {
    /// Joins the group of the replicas of a reader.
    ///
    /// # Errors
    /// If Kafka refuses, or cannot be reached to make the topic.
    pub async fn join(kafka: &Kafka, role: Role) -> Result<Self, KafkaError> {
        kafka.ensure_topics(&[kafka.topics().slots_spec()]).await?;
        let shared = Arc::new(Shared {
            held: watch::Sender::default(),
            busy: watch::Sender::default(),
        });
        let context = SlotContext {
            shared: Arc::clone(&shared),
            release_timeout: kafka.settings().session_timeout / 2,
            runtime: Handle::current(),
        };
        let slots = usize::try_from(SLOTS).unwrap_or_default();
        let consumer = kafka.member(&kafka.topics().reader_group(role), slots, context)?;
        let topic = kafka.topics().slots();
        consumer
            .subscribe(&[&topic])
            .map_err(KafkaError::client("join the group of readers"))?;
        let leave = CancellationToken::new();
        let cancel = leave.clone();
        let (publish_end, ended) = watch::channel(None);
        let on_turn = OnTurn::default();
        let beat = on_turn.clone();
        tail::spawn("slots", move || {
            let result = poll(&consumer, &cancel, &beat).map_err(Arc::new);
            beat.clear();
            consumer.unsubscribe();
            drop(consumer);
            publish_end.send_replace(Some(result));
        })?;
        Ok(Self {
            shared,
            ended,
            _leave_on_drop: leave.clone().drop_guard(),
            leave,
            on_turn,
        })
    }

    /// Has the loop that holds the slots run `beat` at each turn, several times a second: a loop that does not is stuck.
    pub fn on_turn(&self, beat: impl Fn() + Send + Sync + 'static) {
        self.on_turn.set(beat);
    }

    /// Waits until the slot is held, and takes the right to run a unit in it.
    pub async fn hold(&self, slot: Slot) -> Held {
        let mut held = self.shared.held.subscribe();
        loop {
            // Counted before looking, so that a revocation that comes in between waits for us.
            let right = Held::new(slot, &self.shared);
            if held.borrow_and_update().contains(&slot) {
                return right;
            }
            drop(right);
            if held.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whether this replica has been given its share yet, or at least one slot of it.
    #[must_use]
    pub fn held(&self) -> watch::Receiver<BTreeSet<Slot>> {
        self.shared.held.subscribe()
    }

    /// Waits until membership has ended for good, and says why.
    pub async fn failed(&self) -> Arc<KafkaError> {
        let mut ended = self.ended.clone();
        let end = ended.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        match end {
            Some(Err(error)) => error,
            Some(Ok(())) | None => std::future::pending().await,
        }
    }

    /// Leaves the group, and waits until that is done, so that other replicas get the slots at once. Units must have ended.
    pub async fn leave(&self) {
        self.leave.cancel();
        let mut ended = self.ended.clone();
        // The sender ends with the thread.
        let _ = ended.wait_for(Option::is_some).await;
    }
}

impl Held {
    fn new(slot: Slot, shared: &Arc<Shared>) -> Self {
        shared.busy.send_modify(|busy| *busy.entry(slot).or_default() += 1);
        Self {
            slot,
            shared: Arc::clone(shared),
        }
    }

    /// Waits until the slot is taken away. The unit must end then.
    pub async fn lost(&self) {
        let mut held = self.shared.held.subscribe();
        // The sender lives as long as we do.
        let _ = held.wait_for(|held| !held.contains(&self.slot)).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.busy.send_modify(|busy| {
            if let Some(count) = busy.get_mut(&self.slot) {
                *count -= 1;
            }
            busy.retain(|_, count| *count > 0);
        });
    }
}

fn poll(consumer: &BaseConsumer<SlotContext>, cancel: &CancellationToken, on_turn: &OnTurn) -> Result<(), KafkaError> {
    while !cancel.is_cancelled() {
        on_turn.run();
        if let Some(Err(source)) = consumer.poll(POLL) {
            KafkaError::pass_over("hold slots", source)?;
        }
    }
    Ok(())
}

/// The rebalance callbacks. They run on the polling thread, within `poll`.
struct SlotContext {
    shared: Arc<Shared>,
    release_timeout: Duration,
    runtime: Handle,
}

impl ClientContext for SlotContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        client_log::line(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        client_log::error(&error, reason);
    }
}

impl ConsumerContext for SlotContext {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(partitions) = rebalance else {
            return;
        };
        let revoked = slots(partitions);
        self.shared
            .held
            .send_modify(|held| held.retain(|slot| !revoked.contains(slot)));
        let mut busy = self.shared.busy.subscribe();
        let released = busy.wait_for(|busy| !busy.keys().any(|slot| revoked.contains(slot)));
        // Too late: Kafka gives the slots away all the same. Two readers of a unit repeat records; they lose none.
        let in_time = self
            .runtime
            .block_on(async { tokio::time::timeout(self.release_timeout, released).await.is_ok() });
        if !in_time {
            tracing::warn!("units did not end in time when their slots were taken away");
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            // They are empty for ever: asking 64 partitions for records all the time would only keep the broker busy.
            if let Err(error) = consumer.pause(partitions) {
                tracing::debug!(error = %error, "slots could not be paused");
            }
            self.shared.held.send_modify(|held| held.extend(slots(partitions)));
        }
    }
}

fn slots(partitions: &TopicPartitionList) -> BTreeSet<Slot> {
    partitions
        .elements()
        .iter()
        .map(|element| Slot(element.partition()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_keeps_its_slot_in_every_release() {
        for (unit, slot) in [
            ("instances/demo/ingress/contact", 48),
            ("instances/prod/ingress/account", 53),
        ] {
            assert_eq!(Slot::of(unit), Slot(slot), "{unit}");
        }
    }

    #[test]
    fn units_spread_over_the_slots() {
        let slots: BTreeSet<Slot> = (0..200)
            .map(|unit| Slot::of(&format!("instances/i{unit}/ingress/t")))
            .collect();
        assert!(slots.iter().all(|slot| (0..SLOTS).contains(&slot.0)));
        assert!(slots.len() > 50, "only {} slots are used", slots.len());
    }
}
