//! The work itself, supplied by the pool's user, and how it fails.

use std::future::Future;
use std::time::Duration;

use crosswalk_core::{Class, Classify};

use super::job::Job;
use super::offset::PartitionId;
use super::record::Coalesce;

/// Does the work of a pool.
pub trait Handler: Send + Sync + 'static {
    /// What a record carries.
    type Payload: Coalesce + Send + Sync + 'static;
    /// Why the work cannot go on.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Applies one change, once. The pool repeats it where the verdict says so; a handler does not retry by itself.
    /// It sets rejected records aside on its own: once the dead letter is acknowledged they are [`Verdict::Done`].
    ///
    /// The future is dropped at its next `await` when the pool is stopped past its deadline or dropped. A panic counts
    /// as [`Verdict::Fatal`].
    fn handle(&self, job: &Job<Self::Payload>) -> impl Future<Output = Verdict<Self::Error>> + Send;
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<E> {
    /// The effect is durable.
    Done,
    /// Nothing was to be done, and the destination was not called.
    Skipped,
    /// To be tried again.
    Retry {
        /// The delay that the destination asked for (`Retry-After`).
        after: Option<Duration>,
        /// The destination is asked too much (429, 503, a timeout): concurrency falls, and `after`, if given, pauses
        /// everything.
        throttled: bool,
    },
    /// It waits for something outside the pool, such as another record at the destination, and is tried again after this
    /// time. It holds back the offset to commit and nothing else.
    Wait {
        /// The time to the next attempt, as it is.
        after: Duration,
    },
    /// Nothing can go on.
    Fatal(E),
    /// The handler was told to stop.
    Cancelled,
}

impl<E: Classify> From<E> for Verdict<E> {
    /// By the error's class. A delay asked for by the other side counts as throttling. A rejected record is fatal
    /// here: the handler should have set it aside.
    fn from(error: E) -> Self {
        match error.class() {
            Class::Retry { after } => Self::Retry {
                after,
                throttled: after.is_some(),
            },
            Class::Cancelled => Self::Cancelled,
            Class::Rejected | Class::Fatal => Self::Fatal(error),
        }
    }
}

/// What stopped a pool for good.
#[derive(Debug, thiserror::Error)]
#[error("record at offset {offset} of partition {} cannot be worked on", partition.partition)]
pub struct Failure<E: std::error::Error + 'static> {
    /// The partition of the record that could not be worked on.
    pub partition: PartitionId,
    /// Its offset; of several coalesced records, the newest.
    pub offset: i64,
    /// Why.
    #[source]
    pub cause: Cause<E>,
}

/// Why a pool cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Cause<E: std::error::Error + 'static> {
    /// The handler said so.
    #[error(transparent)]
    Fatal(E),
    /// The handler has a defect.
    #[error("the handler panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
}
