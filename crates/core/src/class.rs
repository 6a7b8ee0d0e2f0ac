//! What to do about an error: every error type of the workspace decides its own class.

use std::time::Duration;

/// What the caller of a failed operation should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Nothing is wrong with the request: try again, not before `after` where the other side asked for a delay
    /// (`Retry-After`).
    Retry {
        /// The delay the other side asked for.
        after: Option<Duration>,
    },
    /// This one record is at fault: set it aside as a dead letter and go on with the rest.
    Rejected,
    /// Configuration, credentials or a defect: this workflow cannot go on until somebody mends it.
    Fatal,
    /// We were told to stop; not an error.
    Cancelled,
}

impl Class {
    /// A retry without a delay asked for by the other side.
    pub const RETRY: Self = Self::Retry { after: None };
}

/// Implemented by every error that a service may have to act upon.
pub trait Classify {
    /// The class of this error.
    fn class(&self) -> Class;
}
