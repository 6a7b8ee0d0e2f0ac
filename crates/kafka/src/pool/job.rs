//! A piece of work in flight, and how it can end.

use std::time::Duration;

use bytes::Bytes;
use smallvec::SmallVec;

use super::offset::{Assignment, PartitionId};

/// Offsets that finish together, rising. Most changes absorb none or one.
pub(super) type Offsets = SmallVec<[i64; 2]>;

/// The work of one key, in flight. Whoever takes one from the scheduler gives it back with
/// [`finish`](super::Scheduler::finish): it holds one slot of the concurrency limit until then.
#[derive(Debug)]
#[must_use = "a job holds its slot until it is given back with `finish`"]
pub struct Job<P> {
    pub(super) assignment: Assignment,
    pub(super) key: Bytes,
    pub(super) payload: P,
    pub(super) offsets: Offsets,
    pub(super) bytes: usize,
    pub(super) attempt: u32,
    pub(super) parked: bool,
    pub(super) started: Duration,
}

impl<P> Job<P> {
    /// The partition its records were read from.
    pub fn partition(&self) -> PartitionId {
        self.assignment.partition
    }

    /// The key of its records.
    pub fn key(&self) -> &Bytes {
        &self.key
    }

    /// The change to apply, with everything it has absorbed.
    pub fn payload(&self) -> &P {
        &self.payload
    }

    /// The newest offset it stands for.
    pub fn offset(&self) -> i64 {
        *self.offsets.last().expect("a job carries at least one offset")
    }

    /// How many records it stands for: one, and one more for each that was absorbed.
    pub fn records(&self) -> usize {
        self.offsets.len()
    }

    /// Which attempt this is, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect is durable.
    Done,
    /// Nothing was to be done and the destination was not called, so the time taken says nothing about it.
    Skipped,
    /// It is to be tried again, not before this time; the key keeps its place and other keys go on.
    Retry {
        /// The earliest time of the next attempt.
        not_before: Duration,
    },
    /// It waits for something outside the pool. It is tried again, not before this time; meanwhile neither what waits for all
    /// records before it nor the bound on records takes it into account, only the offset to commit does.
    Parked {
        /// The earliest time of the next attempt.
        not_before: Duration,
    },
    /// As `Retry`, and the destination said that it is asked too much: concurrency falls.
    Throttled {
        /// The earliest time of the next attempt.
        not_before: Duration,
    },
    /// The handler was told to stop. Tried again while the partition is open; otherwise given up unfinished, to be
    /// read again by the partition's next owner.
    Cancelled {
        /// The earliest time of the next attempt.
        not_before: Duration,
    },
    /// Nothing can go on: dispatch stops, and no offset from this one on is committed.
    Fatal,
}

/// What a scheduler has to say when asked for work.
#[derive(Debug)]
pub enum Next<P> {
    /// This is to be worked on now.
    Job(Job<P>),
    /// There is work, but none before this time unless a job finishes or a record is offered.
    At(Duration),
    /// There is nothing to do until a job finishes or a record is offered.
    Idle,
}
