//! Bringing a record into the wanted state with as few calls as possible (design §7).

use bytes::Bytes;

use crate::exchange::Exchange;
use crate::{Error, RecordKey};

/// What a record shall become.
#[derive(Debug, Clone)]
pub struct Write<'a> {
    /// API name of the resource.
    pub resource: &'a str,
    /// The record's key.
    pub key: &'a RecordKey,
    /// What to do.
    pub action: Action,
}

/// What to do with a record.
#[derive(Debug, Clone)]
pub enum Action {
    /// Make it or change it.
    Upsert {
        /// A JSON object that holds the key.
        body: Bytes,
        /// Whether the record is believed to exist. Being wrong costs a call, not correctness.
        known: bool,
    },
    /// Delete it.
    Delete,
}

/// A write that has taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// HTTP requests it took, not counting those for a token.
    pub calls: u32,
    /// What was done.
    pub kind: WrittenKind,
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WrittenKind {
    /// The record is new.
    Inserted,
    /// The record existed and was changed. Also after an insert whose answer was lost.
    Updated,
    /// The record existed and was deleted.
    Deleted,
    /// There was no record to delete.
    AlreadyGone,
}

/// A record believed to exist is changed, and made if it is not there; another one is made, and changed if it is there.
pub(crate) async fn upsert(
    exchange: &mut Exchange<'_>,
    key: &RecordKey,
    body: Bytes,
    update_first: bool,
) -> Result<WrittenKind, Error> {
    if update_first && exchange.update(body.clone()).await? {
        return Ok(WrittenKind::Updated);
    }
    let duplicate = match exchange.insert(body.clone()).await {
        Ok(()) => return Ok(WrittenKind::Inserted),
        Err(error) if may_be_ours(&error, key) => error,
        Err(error) => return Err(error),
    };
    if exchange.update(body).await? {
        Ok(WrittenKind::Updated)
    } else {
        // There is no record with our key, so the value that is taken is another one's.
        Err(duplicate)
    }
}

/// Whether the key that is taken may be the record's own. A value that differs in case only may be, since Campaign's
/// case rules for keys are not public (contracts/campaign.md §12).
fn may_be_ours(error: &Error, key: &RecordKey) -> bool {
    match error {
        Error::DuplicateKey { key: Some(taken), .. } => taken.eq_ignore_ascii_case(key.as_str()),
        Error::DuplicateKey { key: None, .. } => true,
        _ => false,
    }
}
