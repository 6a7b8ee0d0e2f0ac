//! What a change comes to, as far as the ledger and the mapping's options tell without a look at its fields.

use super::{Known, Standing};
use crate::{Change, ChangeKind, Rejection, Row, mapping::MappingOptions};

/// Why there is nothing to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skip {
    /// A newer version of the record has been settled.
    Stale,
    /// The destination holds it already.
    Unchanged,
    /// It does not pass the filter.
    Filtered,
    /// The mapping does not apply deletes.
    DeletesOff,
    /// It was taken for missing from the source, and is not, or was never written.
    NotMissing,
}

impl Skip {
    /// The name for metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Unchanged => "unchanged",
            Self::Filtered => "filtered",
            Self::DeletesOff => "deletes_off",
            Self::NotMissing => "not_missing",
        }
    }
}

/// What a change comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Judgement<'a> {
    /// Nothing is to be written.
    Skip(Skip),
    /// The record is to be deleted.
    Delete,
    /// The row is to be mapped, and written unless it is unchanged.
    Map(&'a Row),
    /// The reader could not queue its row: it is to be set aside.
    SetAside(&'a Rejection),
    /// It is no record: the read of an epoch has come to its end.
    EpochEnd,
}

/// What a change comes to. `passes` tells whether a row passes the mapping's filter.
#[must_use]
pub fn judge<'a>(
    change: &'a Change,
    known: Option<&Known>,
    options: MappingOptions,
    delete_filtered: bool,
    passes: impl FnOnce(&Row) -> bool,
) -> Judgement<'a> {
    let was_written = known.is_some_and(|known| known.standing.exists());
    match &change.kind {
        ChangeKind::EpochEnd => Judgement::EpochEnd,
        ChangeKind::Delete | ChangeKind::Absent if !options.apply_deletes => Judgement::Skip(Skip::DeletesOff),
        // Also what is not known: nothing says that we did not write it.
        ChangeKind::Delete => Judgement::Delete,
        ChangeKind::Absent if was_written && known.is_some_and(|known| known.epoch < change.epoch) => Judgement::Delete,
        ChangeKind::Absent => Judgement::Skip(Skip::NotMissing),
        ChangeKind::Upsert(_) | ChangeKind::Rejected(_) if known.is_some_and(|known| is_stale(change, known)) => {
            Judgement::Skip(Skip::Stale)
        }
        ChangeKind::Rejected(rejection) => Judgement::SetAside(rejection),
        ChangeKind::Upsert(row) if passes(row) => Judgement::Map(row),
        ChangeKind::Upsert(_) if delete_filtered && was_written => Judgement::Delete,
        ChangeKind::Upsert(_) => Judgement::Skip(Skip::Filtered),
    }
}

/// Whether a newer version has been settled. Versions of different epochs do not compare.
fn is_stale(change: &Change, known: &Known) -> bool {
    // What is hidden has not been settled yet: it is tried again.
    known.standing != Standing::Hidden
        && change.epoch <= known.epoch
        && change.version.is_some_and(|version| version < known.version)
}
