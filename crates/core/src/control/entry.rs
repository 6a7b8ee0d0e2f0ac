//! Entries of the control log.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use uuid::Uuid;

use super::InstanceSettings;
use crate::{ResourceName, mapping::TableMapping};

/// The place of an entry in the control log. As every effective change has one, it is also the revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogOffset(pub u64);

/// The version of a resource: the offset of the last entry that took effect for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Etag(pub LogOffset);

/// The text is not an etag we ever gave out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an etag")]
pub struct InvalidEtag;

impl fmt::Display for Etag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.0)
    }
}

impl FromStr for Etag {
    type Err = InvalidEtag;

    fn from_str(text: &str) -> Result<Self, InvalidEtag> {
        let etag = text.parse().map(|offset| Self(LogOffset(offset)));
        // A number has other spellings (`+1`, `007`), which were never given out.
        etag.ok().filter(|etag| etag.to_string() == text).ok_or(InvalidEtag)
    }
}

/// The id of an entry, chosen by its writer, who recognises its own entry by it when reading the log back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub Uuid);

/// One run of a workflow, from a start to the next stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub Uuid);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

/// One entry of the control log: somebody wants a change of one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Chosen by the writer.
    pub id: EntryId,
    /// Who asked for the change.
    pub actor: String,
    /// When, by the writer's clock. For people; nothing is decided by it.
    pub time: Timestamp,
    /// What is to change.
    pub resource: ResourceName,
    /// The etag the resource must have when the entry's turn comes; `None`: it must not exist.
    pub expected_etag: Option<Etag>,
    /// What is to become of it.
    pub change: Change,
}

/// What an entry wants to do to its resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Create or replace an instance.
    PutInstance(Box<InstanceSettings>),
    /// Delete an instance with its mappings.
    DeleteInstance,
    /// Create or replace a mapping.
    PutMapping(Box<TableMapping>),
    /// Delete a mapping.
    DeleteMapping,
    /// Start a workflow: its draft configuration is pinned under a new run.
    StartWorkflow(RunId),
    /// Stop a workflow.
    StopWorkflow,
    /// Read a mapping's table anew at the next start of its workflow.
    RequestReplay {
        /// Whether what does not differ is written as well.
        force: bool,
    },
    /// Read records that were set aside again from their source.
    RequestRedrive(RedriveSelection),
}

/// Which dead letters of a workflow are meant: those that fit all that is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedriveSelection {
    /// Only these, by their keys; empty: any.
    pub keys: Vec<String>,
    /// Only those with this reason.
    pub code: Option<String>,
    /// Only those of this source table.
    pub table: Option<String>,
}

impl RedriveSelection {
    /// Whether a dead letter is meant.
    #[must_use]
    pub fn selects(&self, key: &str, code: &str, table: &str) -> bool {
        (self.keys.is_empty() || self.keys.iter().any(|wanted| wanted == key))
            && self.code.as_deref().is_none_or(|wanted| wanted == code)
            && self.table.as_deref().is_none_or(|wanted| wanted == table)
    }
}
