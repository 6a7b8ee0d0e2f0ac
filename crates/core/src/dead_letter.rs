//! Dead letters: records that were set aside (design §8).

use jiff::Timestamp;

use crate::{Row, control::RunId};

/// A record that was set aside, with everything needed to see why.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Stable code of the reason; the first of several.
    pub code: String,
    /// What was wrong and what to do.
    pub message: String,
    /// What was wrong with single fields.
    pub faults: Vec<FieldFault>,
    /// The source table.
    pub table: String,
    /// Where it lay in its queue; `None` if it never got there.
    pub place: Option<QueuePlace>,
    /// The source row as read; `None` for a delete and for a row that could not be typed.
    pub source_row: Option<Row>,
    /// The request that was refused, if one was made.
    pub request: Option<RefusedRequest>,
    /// The answer that refused it, if there was one.
    pub answer: Option<RefusingAnswer>,
    /// When it was read from the source.
    pub read_at: Timestamp,
    /// When it was set aside.
    pub time: Timestamp,
    /// The run it was set aside in.
    pub run: RunId,
}

/// What was wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The target field; empty if it never came to that.
    pub field: String,
    /// The source column; empty if it is not known.
    pub source: String,
    /// Stable code.
    pub code: String,
    /// What was wrong and what to do.
    pub message: String,
}

/// A place in a queue topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePlace {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRequest {
    /// Its method and path.
    pub line: String,
    /// Its body, as JSON; empty if it had none.
    pub body: Vec<u8>,
}

/// An answer that refused a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusingAnswer {
    /// HTTP status.
    pub status: u16,
    /// Its text, shortened.
    pub text: String,
}
