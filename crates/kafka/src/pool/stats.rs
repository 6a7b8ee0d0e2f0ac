//! What a pool says about itself, for reports and metrics.

use std::borrow::Cow;
use std::time::Duration;

/// A picture of a pool at one moment. Counters run from the pool's start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stats {
    /// Records in the pool, those that are parked aside: waiting, absorbed or in flight.
    pub records: usize,
    /// Bytes of keys and payloads in the pool.
    pub bytes: usize,
    /// Keys with a change that waits, for its turn or for its next attempt.
    pub waiting: usize,
    /// Jobs in flight.
    pub in_flight: usize,
    /// Jobs that may be in flight at present.
    pub limit: usize,
    /// Keys whose last attempt failed, or that are parked, and that are not finished since.
    pub retrying: usize,
    /// The pause in force, if any.
    pub paused: Option<Pause>,
    /// Jobs started, repeated attempts included.
    pub started: u64,
    /// Records finished, those that needed no call and those that were absorbed included.
    pub done: u64,
    /// Of `done`: records of jobs that needed no call to the destination.
    pub skipped: u64,
    /// Records that an older change of their key absorbed.
    pub coalesced: u64,
    /// Attempts that are to be repeated.
    pub retries: u64,
    /// Of `retries`: attempts that the destination refused because it is asked too much.
    pub throttled: u64,
    /// How long the oldest unfinished record has been in the pool, those that are parked aside.
    pub oldest_unfinished: Option<Duration>,
    /// How long ago a record was last finished.
    pub last_progress: Option<Duration>,
}

/// A pause of everything that goes to the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Time until dispatch goes on.
    pub remaining: Duration,
    /// Who asked for it and why, in words for people.
    pub reason: Cow<'static, str>,
}
