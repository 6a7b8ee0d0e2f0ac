//! What the work pool carries: one queued change, decoded.

use crosswalk_core::{Change, ChangeKind, Value};
use crosswalk_kafka::{QueueRecord, pool::Coalesce};
use crosswalk_proto::record::{DecodeError, decode_change};

/// One queued change, or what could not be read as one.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) change: Result<Change, DecodeError>,
    bytes: usize,
}

impl Work {
    /// Decodes a record of a queue topic.
    pub(crate) fn decode(record: QueueRecord<'_>) -> Self {
        let change = decode_change(record.payload);
        let bytes = change.as_ref().map_or(0, memory);
        Self { change, bytes }
    }
}

impl Coalesce for Work {
    fn absorb(&mut self, newer: Self) {
        match (&mut self.change, newer.change) {
            (Ok(older), Ok(newer)) => {
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
    let ChangeKind::Upsert(row) = &change.kind else {
        return size_of::<Change>();
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
    fn a_record_not_written_yet_stays_one_that_may_be_new() {
        let mut waiting = work(Origin::Initial, "Ada");
        waiting.absorb(work(Origin::Change, "Grace"));
        assert_eq!(waiting.change.unwrap().origin, Origin::Initial);
    }
}
