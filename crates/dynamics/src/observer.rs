//! A hook for counting requests, so that this crate needs no metrics library.

use std::time::Duration;

/// What a request was for; a closed set, fit for a metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Obtaining an access token.
    Token,
    /// Asking who we are.
    Identity,
    /// Reading tables, columns and options.
    Metadata,
    /// Reading a page of rows or of changes.
    Page,
    /// Reading one row by its id.
    Row,
    /// Counting the rows of a table.
    Count,
}

impl Operation {
    /// The name in metrics and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Identity => "identity",
            Self::Metadata => "metadata",
            Self::Page => "page",
            Self::Row => "row",
            Self::Count => "count",
        }
    }
}

/// One finished HTTP exchange; a request repeated after a 401 counts twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// What it was for.
    pub operation: Operation,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// From sending the request to the last byte of the answer.
    pub duration: Duration,
    /// Length of the answer's body after decompression, as far as it was received.
    pub bytes: u64,
}

/// Told of every HTTP exchange.
pub trait Observer: Send + Sync {
    /// Called once when an exchange has ended. Must not block.
    fn exchanged(&self, exchange: Exchange);
}

/// The observer of a client that nobody observes.
pub(crate) struct Nobody;

impl Observer for Nobody {
    fn exchanged(&self, _exchange: Exchange) {}
}
