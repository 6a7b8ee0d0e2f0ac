//! What stands in Kafka, package `crosswalk.record.v1`, and its way to and from the domain types.

mod change;
mod checkpoint;
mod control;
mod dead_letter;
mod ledger;
mod mapping;
mod worker;

use crosswalk_core::NameError;
use jiff::Timestamp;
use uuid::Uuid;

pub use change::{decode_change, encode_change};
pub use checkpoint::{Checkpoint, Position, Read, ReplayRead, decode_checkpoint, encode_checkpoint};
pub use control::{decode_entry, encode_entry};
pub use dead_letter::{decode_dead_letter, encode_dead_letter};
pub use ledger::{SweepCount, decode_ledger_entry, decode_sweep_count, encode_ledger_entry, encode_sweep_count};
pub use worker::{decode_report, encode_report};

#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    rust_2018_idioms,
    unused_qualifications
)]
mod wire {
    tonic::include_proto!("crosswalk.record.v1");
}

/// A value of a topic that we cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is not a protobuf message of the expected type.
    #[error("not a message of this topic")]
    Malformed(#[from] prost::DecodeError),
    /// A field that must be there is missing.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field holds a value outside its range, or one that a newer release writes.
    #[error("the field `{0}` holds a value unknown to this release")]
    Unknown(&'static str),
    /// A name in it does not follow the rules of names.
    #[error("it holds a name that is not one")]
    Name(#[from] NameError),
}

fn uuid(bytes: &[u8], field: &'static str) -> Result<Uuid, DecodeError> {
    Uuid::from_slice(bytes).map_err(|_| DecodeError::Unknown(field))
}

fn milliseconds(timestamp: Timestamp) -> i64 {
    timestamp.as_millisecond()
}

fn timestamp(milliseconds: i64, field: &'static str) -> Result<Timestamp, DecodeError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| DecodeError::Unknown(field))
}
