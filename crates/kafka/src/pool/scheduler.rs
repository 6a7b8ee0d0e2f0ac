//! Decides what runs next and what may be committed. Pure: time comes in as an argument.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use smallvec::smallvec;

use super::capacity::{Capacity, Load};
use super::concurrency::ConcurrencyLimit;
use super::offset::{Assignment, Generation, NextOffset, PartitionId};
use super::partition::{Current, Partition, Refusal, Waiting};
use super::rate::{Rate, RateLimit};
use super::record::{Accepted, Closed, Coalesce, Record, Refused};
use super::settings::PoolSettings;
use super::stats::{Pause, Stats};
use turns::Turns;

mod dispatch;
mod revocation;
mod turns;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

/// The state of a pool. `now` is always the time since the pool was made and never goes back.
///
/// Its user asks for work with [`next`](Self::next) until there is none, gives every job back with
/// [`finish`](Self::finish), and asks again after each `finish`, each accepted record, each change of rate, and when
/// the time comes that [`Next::At`](super::Next::At) named.
#[derive(Debug)]
pub struct Scheduler<P> {
    partitions: HashMap<PartitionId, Partition<P>>,
    turns: Turns,
    /// Keys that wait for the time of their next attempt.
    delayed: BinaryHeap<Reverse<Delayed>>,
    capacity: Capacity,
    limit: ConcurrencyLimit,
    rate: RateLimit,
    pause: Option<PauseUntil>,
    generations: u64,
    /// No partition takes records any more.
    stopped: bool,
    /// A job has failed for good: nothing is dispatched any more.
    halted: bool,
    /// Partitions with a [`Refusal`].
    refused: Vec<PartitionId>,
    /// Partitions whose committable offset has moved.
    moved: Vec<PartitionId>,
    in_flight: usize,
    counters: Counters,
}

/// A key that waits for a time. Ordered by that time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Delayed {
    not_before: Duration,
    assignment: Assignment,
    key: Bytes,
}

#[derive(Debug)]
struct PauseUntil {
    until: Duration,
    reason: Cow<'static, str>,
}

#[derive(Debug, Default)]
struct Counters {
    started: u64,
    done: u64,
    skipped: u64,
    coalesced: u64,
    retries: u64,
    throttled: u64,
    /// Keys whose last attempt failed.
    retrying: usize,
    last_progress: Option<Duration>,
}

impl<P: Coalesce> Scheduler<P> {
    /// An empty pool.
    #[must_use]
    pub fn new(settings: &PoolSettings) -> Self {
        Self {
            partitions: HashMap::new(),
            turns: Turns::default(),
            delayed: BinaryHeap::new(),
            capacity: Capacity::new(settings.max_records, settings.max_bytes),
            limit: ConcurrencyLimit::new(settings.concurrency),
            rate: RateLimit::new(settings.rate),
            pause: None,
            generations: 0,
            stopped: false,
            halted: false,
            refused: Vec::new(),
            moved: Vec::new(),
            in_flight: 0,
            counters: Counters::default(),
        }
    }

    /// Begins a new assignment of a partition, which ends any earlier one. `position` is where reading starts, `None`
    /// if that is known only with the first record.
    pub fn assign(&mut self, partition: PartitionId, position: Option<NextOffset>) -> Assignment {
        self.forget(&[partition]);
        self.generations += 1;
        let generation = Generation(self.generations);
        let mut current = Current::new(generation, position);
        current.open = !self.stopped;
        self.partitions.entry(partition).or_insert_with(Partition::new).current = Some(current);
        self.share_capacity();
        Assignment { partition, generation }
    }

    /// Takes a record in, unless there is no room for it. Offsets of an assignment that it has received before are
    /// accepted without effect.
    ///
    /// # Errors
    /// [`Refused::Full`] gives the record back; see there. [`Refused::Closed`] if the partition takes no more.
    pub fn offer(&mut self, record: Record<P>, now: Duration) -> Result<Accepted, Refused<P>> {
        if self.stopped || self.halted {
            return Err(Closed::Stopped.into());
        }
        let Assignment {
            partition: id,
            generation,
        } = record.assignment;
        let partition = self.partitions.get_mut(&id).ok_or(Closed::Revoked)?;
        let takes = |current: &&mut Current| current.generation == generation && current.open;
        let current = partition.current.as_mut().filter(takes).ok_or(Closed::Revoked)?;
        if current.has_received(record.offset) {
            return Ok(Accepted::Duplicate);
        }
        let load = Load {
            records: 1,
            bytes: record.key.len() + record.payload.bytes(),
        };
        if !self.capacity.has_room(partition.held, load) {
            let resume_at = partition
                .refusal
                .map_or(partition.held.records / 2, |refusal| refusal.resume_at);
            if partition.refusal.replace(Refusal { load, resume_at }).is_none() {
                self.refused.push(id);
            }
            return Err(Refused::Full(record));
        }
        current.receive(record.offset, now);
        if partition.refusal.take().is_some() {
            self.refused.retain(|refused| *refused != id);
        }
        Ok(self.admit(record, load))
    }

    /// Puts a record that has been received where it waits: into an older change of its key, or into line.
    fn admit(&mut self, record: Record<P>, load: Load) -> Accepted {
        let Record {
            assignment,
            offset,
            key,
            payload,
        } = record;
        let partition = self
            .partitions
            .get_mut(&assignment.partition)
            .expect("the record's partition is assigned");
        let state = partition.keys.entry(key.clone()).or_default();
        if let Some(older) = &mut state.waiting {
            self.capacity.remove(&mut partition.held, older.load());
            older.payload.absorb(payload);
            older.offsets.push(offset);
            older.bytes = key.len() + older.payload.bytes();
            self.capacity.add(&mut partition.held, older.load());
            self.counters.coalesced += 1;
            // The newer change is not parked before it has had its try; others may wait for it until then.
            if older.parked && older.not_before.take().is_some() {
                partition.ready.push_back(key);
                self.turns.queue(assignment.partition);
            }
            return Accepted::Coalesced;
        }
        let held_back = payload.waits_for_all()
            && partition
                .current
                .as_mut()
                .is_some_and(|current| current.hold_back(offset, &key));
        state.waiting = Some(Waiting {
            payload,
            offsets: smallvec![offset],
            bytes: load.bytes,
            attempts: 0,
            not_before: None,
            parked: false,
        });
        self.capacity.add(&mut partition.held, load);
        if let Some(current) = &mut partition.current {
            current.waiting += 1;
        }
        if !state.in_flight && !held_back {
            partition.ready.push_back(key);
            self.turns.queue(assignment.partition);
        }
        Accepted::New
    }

    /// The offset that may be committed: the first unfinished one. `None` if the partition is not assigned, or was
    /// assigned without a position and has received nothing.
    #[must_use]
    pub fn committable(&self, partition: PartitionId) -> Option<NextOffset> {
        self.partitions.get(&partition)?.current.as_ref()?.committable()
    }

    /// Where partitions with parked records stand without them: everything before is finished or parked.
    #[must_use]
    pub fn passed(&self) -> Vec<(PartitionId, NextOffset)> {
        let passed =
            |(id, partition): (&PartitionId, &Partition<P>)| Some((*id, partition.current.as_ref()?.passed()?));
        self.partitions.iter().filter_map(passed).collect()
    }

    /// The committable offsets that have moved since this was last called.
    pub fn take_committable(&mut self) -> Vec<(PartitionId, NextOffset)> {
        let moved = std::mem::take(&mut self.moved);
        let take = |id: PartitionId| {
            let current = self.partitions.get_mut(&id)?.current.as_mut()?;
            std::mem::take(&mut current.moved).then_some((id, current.committable()?))
        };
        moved.into_iter().filter_map(take).collect()
    }

    /// The partitions that were refused a record and may be offered it again, each named once. When the pool has
    /// stopped these are all that were refused, so that their feeders learn of it; a partition whose assignment was
    /// ended is not named.
    pub fn take_room(&mut self) -> Vec<PartitionId> {
        let (room, refused): (Vec<_>, Vec<_>) = self.refused.iter().partition(|id| self.has_room_again(**id));
        self.refused = refused;
        for id in &room {
            if let Some(partition) = self.partitions.get_mut(id) {
                partition.refusal = None;
            }
        }
        room
    }

    /// Whether [`take_room`](Self::take_room) would name a partition.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.refused.iter().any(|id| self.has_room_again(*id))
    }

    fn has_room_again(&self, id: PartitionId) -> bool {
        if self.stopped || self.halted {
            return true;
        }
        let Some(partition) = self.partitions.get(&id) else {
            return false;
        };
        partition.refusal.is_some_and(|refusal| {
            partition.held.records <= refusal.resume_at && self.capacity.has_room(partition.held, refusal.load)
        })
    }

    /// Whether a fatal outcome has stopped dispatch.
    #[must_use]
    pub fn halted(&self) -> bool {
        self.halted
    }

    /// Starts nothing before `until`, retries included, and goes on from there at a reduced limit. A pause in force
    /// is prolonged, never shortened.
    pub fn pause_until(&mut self, until: Duration, reason: Cow<'static, str>, now: Duration) {
        let in_force = self.pause.as_ref().map_or(now, |pause| pause.until.max(now));
        if in_force == now && until > now {
            self.limit.paused(now);
        }
        if until > in_force {
            self.pause = Some(PauseUntil { until, reason });
        }
    }

    /// Sets the number of jobs that may start per second; `None` is no limit.
    pub fn set_rate(&mut self, rate: Option<Rate>, now: Duration) {
        self.rate.set(rate, now);
    }

    /// A picture of the pool. Costs a look at each partition.
    #[must_use]
    pub fn stats(&self, now: Duration) -> Stats {
        let currents = || {
            self.partitions
                .values()
                .filter_map(|partition| partition.current.as_ref())
        };
        let used = self.capacity.used();
        let paused = self.pause.as_ref().filter(|pause| pause.until > now);
        Stats {
            records: used.records,
            bytes: used.bytes,
            waiting: currents().map(|current| current.waiting).sum(),
            in_flight: self.in_flight,
            limit: self.limit.current(),
            retrying: self.counters.retrying,
            paused: paused.map(|pause| Pause {
                remaining: pause.until - now,
                reason: pause.reason.clone(),
            }),
            started: self.counters.started,
            done: self.counters.done,
            skipped: self.counters.skipped,
            coalesced: self.counters.coalesced,
            retries: self.counters.retries,
            throttled: self.counters.throttled,
            oldest_unfinished: currents()
                .filter_map(Current::oldest)
                .min()
                .map(|oldest| now.saturating_sub(oldest)),
            last_progress: self.counters.last_progress.map(|last| now.saturating_sub(last)),
        }
    }

    fn share_capacity(&mut self) {
        self.capacity
            .share_among(self.partitions.values().map(|partition| partition.held));
    }
}
