//! Bringing a record into the wanted state with as few calls as possible (design §7).

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::exchange::{Exchange, parse};
use crate::{Error, Links, RecordKey};

/// What a record shall become.
#[derive(Debug, Clone)]
pub struct Write<'a> {
    /// API name of the resource.
    pub resource: &'a str,
    /// The record's key.
    pub key: &'a RecordKey,
    /// Links of the resource that may hide a record. What a write learns of them is noted there.
    pub links: &'a Links,
    /// What to do.
    pub action: Action,
}

/// What to do with a record.
#[derive(Debug, Clone)]
pub enum Action {
    /// Make it or change it.
    Upsert {
        /// What it is made with: a JSON object that holds the key.
        insert: Bytes,
        /// What it is changed with: a JSON object that holds the key.
        update: Bytes,
        /// Whether the record is believed to exist. Being wrong costs a call, not correctness.
        known: bool,
    },
    /// Delete it.
    Delete,
}

impl Action {
    /// An upsert that makes and changes the record with the same body.
    #[must_use]
    pub fn upsert(body: impl Into<Bytes>, known: bool) -> Self {
        let body = body.into();
        Self::Upsert {
            insert: body.clone(),
            update: body,
            known,
        }
    }
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
    /// The record is new, and Campaign hides it, since a record that it must be linked to is not there
    /// (contracts/campaign.md §4.4). It can be neither changed nor deleted until that one is.
    InsertedHidden,
    /// The record existed and was changed. Also after an insert whose answer was lost.
    Updated,
    /// The record is there but hidden, so it was not changed.
    StillHidden,
    /// The record existed and was deleted.
    Deleted,
    /// There was no record to delete, or it is hidden.
    AlreadyGone,
}

/// A record believed to exist is changed, and made if it is not there; another one is made, and changed if it is there.
pub(crate) async fn upsert(
    exchange: &mut Exchange<'_>,
    write: &Write<'_>,
    (insert, update): (Bytes, Bytes),
    update_first: bool,
) -> Result<WrittenKind, Error> {
    if update_first && exchange.update(update.clone()).await? {
        return Ok(WrittenKind::Updated);
    }
    let duplicate = match exchange.insert(insert, !write.links.is_empty()).await {
        Ok(answer) => return inserted(exchange, write.links, &answer).await,
        Err(error) if may_be_ours(&error, write.key) => error,
        Err(error) => return Err(error),
    };
    if exchange.update(update).await? {
        Ok(WrittenKind::Updated)
    } else if write.links.is_empty() {
        // There is no record with our key, so the value that is taken is another one's.
        Err(duplicate)
    } else {
        // Our key is taken and yet there is no such record to be seen.
        Ok(WrittenKind::StillHidden)
    }
}

/// Whether a record that was made can be seen. The answer shows a link that leads nowhere as null (§2.5); only then is it
/// worth a call to find out.
async fn inserted(exchange: &mut Exchange<'_>, links: &Links, answer: &[u8]) -> Result<WrittenKind, Error> {
    if links.is_empty() {
        return Ok(WrittenKind::Inserted);
    }
    let made: Map<String, Value> = parse(answer)?;
    if !links.any_is_unset_in(&made) {
        return Ok(WrittenKind::Inserted);
    }
    // Looked at as it is now: what it is linked to may have come in between.
    let Some(seen) = exchange.get().await? else {
        return Ok(WrittenKind::InsertedHidden);
    };
    links.is_seen(&seen);
    Ok(WrittenKind::Inserted)
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
