//! What is offered to the pool, and what the pool answers.

use bytes::Bytes;

use super::offset::Assignment;

/// A change that can take in a newer change of the same key.
pub trait Coalesce {
    /// Makes this change stand for itself and `newer`: replaced by it where a change carries the whole row, followed
    /// by it where every change counts. Called in offset order and only while this change waits.
    fn absorb(&mut self, newer: Self);

    /// The memory this change holds, in bytes, for the bound on the pool. An estimate is enough; it must not change
    /// but by [`absorb`](Self::absorb).
    fn bytes(&self) -> usize;

    /// Whether it is worked on only when everything that its partition received before it is finished. What comes after it
    /// is not held up. Its key must be its own.
    fn waits_for_all(&self) -> bool {
        false
    }
}

/// One record of a partition, ready to be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<P> {
    /// The assignment it was read under, as [`assign`](super::Pool::assign) returned it.
    pub assignment: Assignment,
    /// Its offset.
    pub offset: i64,
    /// Its key: records of one partition with equal keys are worked on in order, one at a time.
    pub key: Bytes,
    /// The change it carries.
    pub payload: P,
}

/// How a record was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It waits for its turn.
    New,
    /// An older change of its key, still waiting, has absorbed it; both finish together.
    Coalesced,
    /// This assignment has received the offset before, so nothing was done: the record is in the pool or finished.
    Duplicate,
}

/// Why nothing more is taken from a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The assignment is over or being revoked. The record is not lost: it is not committed, so whoever owns the
    /// partition next reads it again.
    #[error("the assignment of the partition is over")]
    Revoked,
    /// The pool has been stopped, or stopped itself after a fatal error.
    #[error("the work pool has stopped")]
    Stopped,
}

/// Why a record was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused<P> {
    /// No room: the caller gets the record back, stops reading the partition and offers the record again when
    /// [`room`](super::Pool::room) names the partition.
    #[error("the work pool has no room for more of this partition")]
    Full(Record<P>),
    /// Nothing more is taken from the partition.
    #[error(transparent)]
    Closed(#[from] Closed),
}
