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
    /// It was created or updated, and its row cannot be queued as it is.
    Rejected(Box<Rejection>),
    /// It was deleted.
    Delete,
    /// A read of the whole table under the change's epoch did not find it: it was deleted, unless it has come since.
    Absent,
    /// Not a record: everything that the read of the change's epoch found stands before it in the partition.
    EpochEnd,
}

/// Why the row of a record cannot be queued as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The column at fault, if it is one.
    pub column: Option<String>,
    /// Stable code, e.g. `RECORD_TOO_LARGE`.
    pub code: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl ChangeKind {
    /// Whether the source had the record.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        matches!(self, Self::Upsert(_) | Self::Rejected(_))
    }
}

impl Change {
    /// Makes this change, which has not been written, stand for itself and one of the same record that was queued behind it.
    ///
    /// A row carries every column, so the newer one replaces the older. What the older one was to do beyond its row stays:
    /// to write all fields, or to write even what is unchanged.
    pub fn absorb(&mut self, mut newer: Self) {
        let stands = self.stands_against(&newer);
        newer.epoch = newer.epoch.max(self.epoch);
        newer.force |= self.force;
        if self.origin.rank() > newer.origin.rank() {
            newer.origin = self.origin;
        }
        if stands {
            (self.epoch, self.force, self.origin) = (newer.epoch, newer.force, newer.origin);
            return;
        }
        if self.kind == ChangeKind::Delete && newer.kind.is_present() {
            // Made again after it was deleted: another record, of which nothing may stay as it was.
            newer.origin = Origin::Initial;
        }
        *self = newer;
    }

    /// Whether what this change found still holds although `newer` was queued behind it.
    fn stands_against(&self, newer: &Self) -> bool {
        match (&self.kind, &newer.kind) {
            (ChangeKind::Delete, ChangeKind::Absent) => true,
            // It was found by the read that is said to have missed it, or since.
            (found, ChangeKind::Absent) if found.is_present() => self.epoch >= newer.epoch,
            // A page that was queued twice, or a record read again while it changed. Versions of different epochs do not
            // compare: an environment may have been restored from a backup.
            (older, later) if older.is_present() && later.is_present() => {
                self.epoch > newer.epoch
                    || (self.epoch == newer.epoch && newer.version.is_some() && self.version > newer.version)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn change(epoch: u64, version: Option<u64>, kind: ChangeKind) -> Change {
        Change {
            origin: Origin::Change,
            version,
            epoch: Epoch(epoch),
            force: false,
            read_at: Timestamp::UNIX_EPOCH,
            mapping: EntryId(Uuid::nil()),
            kind,
        }
    }

    fn row(name: &str) -> ChangeKind {
        let columns = vec![("firstname".into(), Value::Text(name.into()))];
        ChangeKind::Upsert(Row { columns })
    }

    fn rejected() -> ChangeKind {
        ChangeKind::Rejected(Box::new(Rejection {
            column: None,
            code: "DYNAMICS_VALUE_UNFIT".to_owned(),
            message: "x".to_owned(),
        }))
    }

    /// What an older change comes to that absorbs a newer one.
    fn absorbed(mut older: Change, newer: Change) -> Change {
        older.absorb(newer);
        older
    }

    #[test]
    fn the_newer_of_two_changes_replaces_the_older() {
        for (older, newer) in [
            (row("Ada"), row("Grace")),
            (row("Ada"), rejected()),
            (rejected(), row("Grace")),
            (row("Ada"), ChangeKind::Delete),
            (ChangeKind::Absent, row("Grace")),
            (ChangeKind::Absent, ChangeKind::Delete),
        ] {
            let absorbed = absorbed(change(1, Some(5), older), change(1, Some(6), newer.clone()));
            assert_eq!(absorbed.kind, newer);
        }
    }

    #[test]
    fn a_row_queued_twice_does_not_bring_back_its_older_version() {
        let absorbed = absorbed(change(1, Some(6), row("Grace")), change(1, Some(5), row("Ada")));
        assert_eq!((absorbed.kind, absorbed.version), (row("Grace"), Some(6)));
    }

    #[test]
    fn versions_of_different_epochs_do_not_compare() {
        let absorbed = absorbed(
            change(1, Some(100), row("before")),
            change(2, Some(50), row("restored")),
        );
        assert_eq!((absorbed.kind, absorbed.epoch), (row("restored"), Epoch(2)));
    }

    #[test]
    fn a_record_found_by_the_read_that_is_said_to_have_missed_it_stays() {
        for epoch in [2, 3] {
            let absorbed = absorbed(change(epoch, Some(5), row("Ada")), change(2, None, ChangeKind::Absent));
            assert_eq!((absorbed.kind, absorbed.epoch), (row("Ada"), Epoch(epoch)));
        }
    }

    #[test]
    fn a_row_of_an_earlier_epoch_does_not_outlive_the_read_that_missed_it() {
        let absorbed = absorbed(change(1, Some(5), row("Ada")), change(2, None, ChangeKind::Absent));
        assert_eq!((absorbed.kind, absorbed.epoch), (ChangeKind::Absent, Epoch(2)));
    }

    #[test]
    fn a_delete_stays_one_whatever_misses_the_record_besides() {
        let absorbed = absorbed(change(1, None, ChangeKind::Delete), change(2, None, ChangeKind::Absent));
        assert_eq!(absorbed.kind, ChangeKind::Delete);
    }

    #[test]
    fn a_record_made_again_after_its_delete_is_written_whole() {
        let absorbed = absorbed(change(1, None, ChangeKind::Delete), change(1, Some(7), row("Ada")));
        assert_eq!((absorbed.kind, absorbed.origin), (row("Ada"), Origin::Initial));
    }

    #[test]
    fn what_an_older_change_was_to_do_beyond_its_row_stays() {
        let older = Change {
            origin: Origin::Replay,
            force: true,
            ..change(2, Some(5), row("Ada"))
        };
        let absorbed = absorbed(older, change(2, Some(6), row("Grace")));
        assert_eq!(
            (absorbed.kind, absorbed.origin, absorbed.force),
            (row("Grace"), Origin::Replay, true)
        );
    }
}
