//! What the pool knows of one partition.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::capacity::Load;
use super::job::Offsets;
use super::offset::{Generation, NextOffset};

/// A partition while it is assigned, and afterwards for as long as a job of it is in flight: a key stays taken across
/// assignments, so that an old job and a new one of the same key never run at once.
#[derive(Debug)]
pub(super) struct Partition<P> {
    pub(super) current: Option<Current>,
    pub(super) keys: HashMap<Bytes, KeyState<P>>,
    /// Keys to dispatch, each once, in order.
    pub(super) ready: VecDeque<Bytes>,
    pub(super) held: Load,
    pub(super) refusal: Option<Refusal>,
}

/// The present assignment of a partition.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) generation: Generation,
    /// Takes records; no longer once it is being revoked.
    pub(super) open: bool,
    /// Keys with a change that waits.
    pub(super) waiting: usize,
    pub(super) in_flight: usize,
    /// What may be committed has moved since it was last taken.
    pub(super) moved: bool,
    /// What was received and is not finished, with the time it was received. Finished offsets take no memory: a key
    /// that is retried for hours holds back the commit, not the work behind it.
    unfinished: BTreeMap<i64, Duration>,
    /// What is not finished either, but waits for something outside the pool: it holds back the commit and nothing else.
    parked: BTreeMap<i64, Duration>,
    /// Keys that wait for everything before their offsets.
    barriers: BTreeMap<i64, Bytes>,
    /// Highest received plus one, at first the assigned position.
    next_expected: Option<i64>,
}

/// The changes of one key.
#[derive(Debug)]
pub(super) struct KeyState<P> {
    pub(super) in_flight: bool,
    pub(super) waiting: Option<Waiting<P>>,
}

/// A change, with all it has absorbed, that is not in flight.
#[derive(Debug)]
pub(super) struct Waiting<P> {
    pub(super) payload: P,
    pub(super) offsets: Offsets,
    /// As it is accounted for in the pool's capacity.
    pub(super) bytes: usize,
    /// Attempts made so far.
    pub(super) attempts: u32,
    /// It waits for this time, not for its turn.
    pub(super) not_before: Option<Duration>,
    /// It waits for something outside the pool.
    pub(super) parked: bool,
}

impl<P> Default for KeyState<P> {
    fn default() -> Self {
        Self {
            in_flight: false,
            waiting: None,
        }
    }
}

impl<P> Waiting<P> {
    pub(super) fn load(&self) -> Load {
        Load::of(&self.offsets, self.bytes, self.parked)
    }
}

/// The last record that the partition was refused, until there is room again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    pub(super) load: Load,
    /// Room is reported when the partition holds no more than this: half of what it held, so that reading is not
    /// stopped and started for every record.
    pub(super) resume_at: usize,
}

impl<P> Partition<P> {
    pub(super) fn new() -> Self {
        Self {
            current: None,
            keys: HashMap::new(),
            ready: VecDeque::new(),
            held: Load::default(),
            refusal: None,
        }
    }

    /// The present assignment, if it is this one.
    pub(super) fn current_of(&mut self, generation: Generation) -> Option<&mut Current> {
        self.current.as_mut().filter(|current| current.generation == generation)
    }
}

impl Current {
    pub(super) fn new(generation: Generation, position: Option<NextOffset>) -> Self {
        Self {
            generation,
            open: true,
            waiting: 0,
            in_flight: 0,
            moved: false,
            unfinished: BTreeMap::new(),
            parked: BTreeMap::new(),
            barriers: BTreeMap::new(),
            next_expected: position.map(NextOffset::get),
        }
    }

    /// Whether this assignment has received the offset, or starts behind it.
    pub(super) fn has_received(&self, offset: i64) -> bool {
        self.next_expected.is_some_and(|next| offset < next)
    }

    pub(super) fn receive(&mut self, offset: i64, now: Duration) {
        self.unfinished.insert(offset, now);
        self.next_expected = Some(NextOffset::after(offset).get());
    }

    /// Marks offsets as finished. Returns whether what may be committed has moved and nobody has been told yet.
    pub(super) fn finish(&mut self, offsets: &Offsets) -> bool {
        let before = self.committable();
        for offset in offsets {
            if self.unfinished.remove(offset).is_none() {
                self.parked.remove(offset);
            }
        }
        let moved = !self.moved && self.committable() != before;
        self.moved |= moved;
        moved
    }

    /// From now on these offsets hold back the commit only.
    pub(super) fn park(&mut self, offsets: &Offsets) {
        for offset in offsets {
            if let Some(received) = self.unfinished.remove(offset) {
                self.parked.insert(*offset, received);
            }
        }
    }

    /// Holds a key back until everything before its offset is finished or parked; `false` if everything is.
    pub(super) fn hold_back(&mut self, offset: i64, key: &Bytes) -> bool {
        let is_first = self
            .unfinished
            .first_key_value()
            .is_none_or(|(first, _)| *first == offset);
        if !is_first {
            self.barriers.insert(offset, key.clone());
        }
        !is_first
    }

    /// The key that was held back and need not be any more.
    pub(super) fn take_reached(&mut self) -> Option<Bytes> {
        let (first, _) = self.unfinished.first_key_value()?;
        self.barriers.remove(first)
    }

    /// The first unfinished offset, or the next one expected. `None` until anything is known of the position.
    pub(super) fn committable(&self) -> Option<NextOffset> {
        let first = |offsets: &BTreeMap<i64, Duration>| offsets.first_key_value().map(|(offset, _)| *offset);
        let unfinished = first(&self.unfinished).into_iter().chain(first(&self.parked)).min();
        unfinished.or(self.next_expected).map(NextOffset::at)
    }

    /// The first offset that is neither finished nor parked, or the next one expected, if anything is parked.
    pub(super) fn passed(&self) -> Option<NextOffset> {
        if self.parked.is_empty() {
            return None;
        }
        let unfinished = self.unfinished.first_key_value().map(|(offset, _)| *offset);
        unfinished.or(self.next_expected).map(NextOffset::at)
    }

    /// When the oldest unfinished record was received, those that are parked aside.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.unfinished.first_key_value().map(|(_, received)| *received)
    }
}
