//! The ledger: what a writer knows of the records it has settled, and what that spares (design §7).
//!
//! [`judge`] says what a change comes to without a look at its fields, [`Known::is_unchanged_by`] whether its mapped row is
//! what the destination holds already, and the constructors of [`Known`] what is to be remembered when it is settled. All
//! are pure; where the memory is kept is not their business.
//!
//! Invariants:
//! * What is not known costs calls, never correctness: a record without an entry is written or deleted as if it were new.
//! * A record is deleted as filtered out or as missing from its source only if its entry says that we wrote it.

mod bodies;
mod judge;
#[cfg(test)]
mod tests;

pub use bodies::Bodies;
pub use judge::{Judgement, Skip, judge};

use crate::{Change, Epoch, Origin, control::EntryId, mapping::Part};

/// What a ledger is a ledger of: a mapping, the environment that is read and the system that is written to, as one number.
/// An entry of another subject tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject(pub u64);

impl Subject {
    /// The subject of a mapping between two systems.
    #[must_use]
    pub fn new(mapping: EntryId, source: &str, target: &str) -> Self {
        let mut text = Vec::with_capacity(18 + source.len() + target.len());
        text.extend_from_slice(mapping.0.as_bytes());
        // No address holds the separator, so two subjects never come to the same text.
        for address in [source, target] {
            text.push(b'\n');
            text.extend_from_slice(address.as_bytes());
        }
        Self(xxhash_rust::xxh3::xxh3_64(&text))
    }
}

/// The hash of a part of a mapped row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadHash(pub u64);

impl PayloadHash {
    /// It is not known what the destination holds.
    pub const UNKNOWN: Self = Self(0);

    /// The hash of a body; never [`UNKNOWN`](Self::UNKNOWN).
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self(xxhash_rust::xxh3::xxh3_64(body).max(1))
    }
}

/// The hashes of a mapped row, by what later changes do to its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadHashes {
    /// Of [`Part::Updates`].
    pub updates: PayloadHash,
    /// Of [`Part::InsertOnly`].
    pub insert_only: PayloadHash,
}

/// How a record stands at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It is there, as the hashes tell.
    Written,
    /// It is there, as the hashes tell, but not to be seen until its parent is (contracts/campaign.md §4.4).
    Hidden,
    /// It is there, as the hashes tell; a later change of it was rejected.
    Outdated,
    /// It was rejected and is not there.
    Rejected,
}

impl Standing {
    /// Whether we wrote it.
    #[must_use]
    pub const fn exists(self) -> bool {
        !matches!(self, Self::Rejected)
    }
}

/// What is known of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// How it stands.
    pub standing: Standing,
    /// What the destination holds of it.
    pub hashes: PayloadHashes,
    /// The highest version of it that was settled; 0 if none was told.
    pub version: u64,
    /// The last epoch in which the source had it.
    pub epoch: Epoch,
}

/// Whether a change writes the fields that later changes leave alone (contracts/campaign.md §10.2). A record that was rejected
/// when it was first to be written gets them when it is redriven.
#[must_use]
pub fn written_part(origin: Origin, known: Option<&Known>) -> Part {
    match origin {
        Origin::Initial | Origin::Replay => Part::All,
        Origin::Redrive if known.is_some_and(|known| known.standing == Standing::Rejected) => Part::All,
        Origin::Change | Origin::Redrive => Part::Updates,
    }
}

impl Known {
    /// Whether the destination holds what the change would write.
    #[must_use]
    pub fn is_unchanged_by(&self, change: &Change, hashes: PayloadHashes) -> bool {
        let same_insert_only = self.hashes.insert_only == hashes.insert_only;
        matches!(self.standing, Standing::Written | Standing::Outdated)
            && !change.force
            && self.hashes.updates == hashes.updates
            && (same_insert_only || written_part(change.origin, Some(self)) == Part::Updates)
    }

    /// The record as it stands when `part` of the change's row has been written.
    #[must_use]
    pub fn written(before: Option<Self>, change: &Change, hashes: PayloadHashes, part: Part, hidden: bool) -> Self {
        let insert_only = match part {
            Part::All | Part::InsertOnly => hashes.insert_only,
            Part::Updates => before.map_or(PayloadHash::UNKNOWN, |before| before.hashes.insert_only),
        };
        Self {
            standing: if hidden { Standing::Hidden } else { Standing::Written },
            hashes: PayloadHashes { insert_only, ..hashes },
            ..Self::seen(before, change)
        }
    }

    /// The record as it stands when the change has been rejected.
    #[must_use]
    pub fn rejected(before: Option<Self>, change: &Change) -> Self {
        let standing = match before.map(|before| before.standing) {
            Some(Standing::Written | Standing::Outdated) => Standing::Outdated,
            // Whether it can be seen is to be found out still.
            Some(Standing::Hidden) => Standing::Hidden,
            Some(Standing::Rejected) | None => Standing::Rejected,
        };
        Self {
            standing,
            ..Self::seen(before, change)
        }
    }

    /// The record as it stands when it turned out that the destination has it and hides it.
    #[must_use]
    pub fn hidden(before: Option<Self>, change: &Change) -> Self {
        Self {
            standing: Standing::Hidden,
            ..Self::seen(before, change)
        }
    }

    /// Whether this was settled later than `other`, or as late: what a former owner of a partition wrote late must not stand
    /// against it.
    #[must_use]
    pub fn is_as_late_as(&self, other: &Self) -> bool {
        (self.epoch, self.version) >= (other.epoch, other.version)
    }

    /// The record as it stood, known to be in the source.
    #[must_use]
    pub fn seen(before: Option<Self>, change: &Change) -> Self {
        let before = before.unwrap_or(Self {
            standing: Standing::Rejected,
            hashes: PayloadHashes {
                updates: PayloadHash::UNKNOWN,
                insert_only: PayloadHash::UNKNOWN,
            },
            version: 0,
            epoch: change.epoch,
        });
        // Versions of different epochs do not compare: an environment may have been restored from a backup.
        let version = change.version.unwrap_or_default();
        Self {
            version: if change.epoch > before.epoch {
                version
            } else {
                version.max(before.version)
            },
            epoch: before.epoch.max(change.epoch),
            ..before
        }
    }
}
