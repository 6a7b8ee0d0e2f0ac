//! What the work pool carries: one queued change, decoded.

use crosswalk_core::{Change, ChangeKind, Rejection, Value};
use crosswalk_kafka::{QueueRecord, pool::Coalesce};
use crosswalk_proto::record::{DecodeError, decode_change};

/// One queued change, or what could not be read as one.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) change: Result<Change, DecodeError>,
    /// Whether it stands for several changes that differ. One of them may have taken effect without anybody knowing, so that
    /// the destination need not hold what the ledger says.
    pub(crate) mixed: bool,
    bytes: usize,
}

impl Work {
    /// Decodes a record of a queue topic.
    pub(crate) fn decode(record: QueueRecord<'_>) -> Self {
        let change = decode_change(record.payload);
        let bytes = change.as_ref().map_or(0, memory);
        Self {
            change,
            mixed: false,
            bytes,
        }
    }
}

impl Coalesce for Work {
    fn absorb(&mut self, newer: Self) {
        match (&mut self.change, newer.change) {
            (Ok(older), Ok(newer)) => {
                self.mixed |= older.kind != newer.kind;
                older.absorb(newer);
                self.bytes = memory(older);
            }
            (older, change) => {
                *older = change;
                self.bytes = newer.bytes;
            }
        }
    }

    fn waits_for_all(&self) -> bool {
        matches!(&self.change, Ok(change) if change.kind == ChangeKind::EpochEnd)
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// About how much memory a change holds.
fn memory(change: &Change) -> usize {
    let row = match &change.kind {
        ChangeKind::Upsert(row) => row,
        ChangeKind::Rejected(rejection) => {
            return size_of::<Change>() + size_of::<Rejection>() + rejection.code.len() + rejection.message.len();
        }
        ChangeKind::Delete | ChangeKind::Absent | ChangeKind::EpochEnd => return size_of::<Change>(),
    };
    let columns = row.columns.iter().map(|(name, value)| {
        let text = match value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        size_of::<(Box<str>, Value)>() + name.len() + text
    });
    size_of::<Change>() + columns.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use crosswalk_core::{Epoch, Origin, Row, control::EntryId};
    use crosswalk_proto::record::encode_change;
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn work(origin: Origin, name: &str) -> Work {
        let row = Row {
            columns: vec![("firstname".into(), Value::Text(name.into()))],
        };
        let payload = encode_change(Change {
            origin,
            version: Some(1),
            epoch: Epoch(1),
            force: false,
            read_at: Timestamp::UNIX_EPOCH,
            mapping: EntryId(Uuid::from_u128(1)),
            kind: ChangeKind::Upsert(row),
        });
        Work::decode(QueueRecord {
            topic: 0,
            partition: 0,
            offset: 0,
            key: b"k",
            payload: &payload,
        })
    }

    #[test]
    fn a_newer_change_replaces_the_row_of_one_that_waits() {
        let mut waiting = work(Origin::Change, "Ada");
        waiting.absorb(work(Origin::Change, "Grace"));
        let change = waiting.change.unwrap();
        let ChangeKind::Upsert(row) = change.kind else {
            panic!("it is an upsert")
        };
        assert_eq!(row.get("firstname"), Some(&Value::Text("Grace".into())));
    }

    #[test]
    fn changes_that_differ_are_told_from_one_that_was_queued_twice() {
        let mut waiting = work(Origin::Change, "Ada");
        waiting.absorb(work(Origin::Change, "Ada"));
        assert!(!waiting.mixed);
        waiting.absorb(work(Origin::Change, "Grace"));
        waiting.absorb(work(Origin::Change, "Grace"));
        assert!(waiting.mixed);
    }

    #[test]
    fn a_record_not_written_yet_stays_one_that_may_be_new() {
        let mut waiting = work(Origin::Initial, "Ada");
        waiting.absorb(work(Origin::Change, "Grace"));
        assert_eq!(waiting.change.unwrap().origin, Origin::Initial);
    }
}
