//! Records: one row of a source table and what happened to it.

use jiff::Timestamp;

use crate::{Value, control::EntryId};

/// The values of one source row, by column, in the order the reader selected the columns.
///
/// The order is the same for all rows of one read, which lets a consumer guess a column's place and be right.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// Column names and values; a name stands at most once.
    pub columns: Vec<(Box<str>, Value)>,
}

impl Row {
    /// The value of a column, looked for first at `hint`, the place it had in an earlier row.
    #[must_use]
    pub fn get_near(&self, column: &str, hint: usize) -> Option<(usize, &Value)> {
        match self.columns.get(hint) {
            Some((name, value)) if &**name == column => Some((hint, value)),
            _ => self
                .columns
                .iter()
                .enumerate()
                .find_map(|(place, (name, value))| (&**name == column).then_some((place, value))),
        }
    }

    /// The value of a column, if the row has it.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.get_near(column, 0).map(|(_, value)| value)
    }
}

/// Why a reader queued a change (design §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Read by the initial read of a table.
    Initial,
    /// Read again on an operator's request.
    Replay,
    /// Reported by change tracking.
    Change,
    /// Read again to redrive a dead letter.
    Redrive,
}

impl Origin {
    /// Of two changes that become one, the higher origin counts: those that write all fields before those that do not.
    const fn rank(self) -> u8 {
        match self {
            Self::Change => 0,
            Self::Redrive => 1,
            Self::Initial => 2,
            Self::Replay => 3,
        }
    }
}

/// How many times a table has been read from the beginning; a reader raises it when it starts over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(pub u64);

/// One change of one source record, as queued for the writers. The record's id is the Kafka key, not part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Why it was queued.
    pub origin: Origin,
    /// The row's version in the source, where the source tells one (Dataverse `versionnumber`); deletes carry none.
    pub version: Option<u64>,
    /// The epoch of the read that found it.
    pub epoch: Epoch,
    /// Whether it is to be written even if the destination is known to hold it already.
    pub force: bool,
    /// When the reader received it.
    pub read_at: Timestamp,
    /// The mapping it was read for. What was read for another mapping, even one of the same name, is not to be written.
    pub mapping: EntryId,
    /// What happened to the record.
    pub kind: ChangeKind,
}

/// What happened to a record.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeKind {
    /// It was created or updated; the whole selected row.
    Upsert(Row),
    /// It was deleted.
    Delete,
    /// A read of the whole table under the change's epoch did not find it: it was deleted, unless it has come since.
    Absent,
    /// Not a record: everything that the read of the change's epoch found stands before it in the partition.
    EpochEnd,
}

impl Change {
    /// Makes this change, which has not been written, stand for itself and one of the same record that was queued behind it.
    ///
    /// A row carries every column, so the newer one replaces the older. What the older one was to do beyond its row stays:
    /// to write all fields, or to write even what is unchanged.
    pub fn absorb(&mut self, mut newer: Self) {
        newer.epoch = newer.epoch.max(self.epoch);
        newer.force |= self.force;
        if self.origin.rank() > newer.origin.rank() {
            newer.origin = self.origin;
        }
        match (&self.kind, &newer.kind) {
            // What was there, or was deleted, was found later than the read that missed it.
            (ChangeKind::Upsert(_) | ChangeKind::Delete, ChangeKind::Absent) => {
                (self.epoch, self.force, self.origin) = (newer.epoch, newer.force, newer.origin);
            }
            // A page that was queued twice, or a record read again while it changed.
            (ChangeKind::Upsert(_), ChangeKind::Upsert(_))
                if self.version > newer.version && newer.version.is_some() =>
            {
                (self.epoch, self.force, self.origin) = (newer.epoch, newer.force, newer.origin);
            }
            // Made again after it was deleted: another record, of which nothing may stay as it was.
            (ChangeKind::Delete, ChangeKind::Upsert(_)) => {
                newer.origin = Origin::Initial;
                *self = newer;
            }
            _ => *self = newer,
        }
    }
}
