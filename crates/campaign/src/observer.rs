//! A hook for metrics: one notice for every HTTP request.

use std::time::Duration;

/// Told about every HTTP request, for metrics. Called on the hot path: it must be quick and must not block.
pub trait Observer: Send + Sync {
    /// A request has ended.
    fn call_ended(&self, call: &Call);
}

impl<F: Fn(&Call) + Send + Sync> Observer for F {
    fn call_ended(&self, call: &Call) {
        self(call);
    }
}

/// One HTTP request that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// What it was for.
    pub operation: Operation,
    /// The status of the answer; absent where none arrived.
    pub status: Option<u16>,
    /// From sending to the end of the answer.
    pub duration: Duration,
}

/// What an HTTP request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// An access token from IMS.
    Authenticate,
    /// The list of resources or the description of one.
    Metadata,
    /// One record read by its key.
    Read,
    /// Records looked up through a published filter, or a few of all.
    LookUp,
    /// POST of a record.
    Insert,
    /// PATCH of a record.
    Update,
    /// DELETE of a record.
    Delete,
}

impl Operation {
    /// Its name, as a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authenticate => "authenticate",
            Self::Metadata => "metadata",
            Self::Read => "read",
            Self::LookUp => "look_up",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}
