//! Where a unit begins: a pure decision from its last checkpoint and the pinned mapping (design §6).

use crosswalk_core::{
    Epoch, Origin,
    control::{EntryId, InstanceSettings, LogOffset, PinnedMapping},
};
use crosswalk_dynamics::PageLink;
use crosswalk_proto::record::{Checkpoint, Position, Read, ReplayRead};

use crate::page::Queued;

/// Where a unit stands and how it goes on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Progress {
    /// How many times the table has been read from the beginning.
    pub(crate) epoch: Epoch,
    /// What is being read.
    pub(crate) reading: Reading,
    /// Where to go on; `None`: at the beginning of the table.
    pub(crate) link: Option<PageLink>,
    /// Records queued in this epoch.
    pub(crate) records: u64,
    /// Rows the source said it holds when the epoch began.
    pub(crate) expected: Option<u64>,
    /// The highest row version of the reads that have come to their end: every row up to it has been queued. Within a read
    /// nothing is known, since pages come in the source's own order.
    pub(crate) version: Option<u64>,
    /// The highest row version of the read in progress.
    pub(crate) seen: Option<u64>,
    /// The last replay that was asked for and has begun.
    pub(crate) replay: Option<ReplayRead>,
    /// The last request to redrive dead letters that is done.
    pub(crate) redriven: Option<LogOffset>,
}

/// What a position is a position of. With any part of it changed, the position tells nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The mapping.
    pub(crate) mapping: EntryId,
    /// The environment that is read.
    pub(crate) source: String,
    /// The system it is read for: another one has none of the records yet.
    pub(crate) target: String,
}

impl Subject {
    /// What a unit with these settings reads, and for whom.
    pub(crate) fn new(mapping: EntryId, settings: &InstanceSettings) -> Self {
        Self {
            mapping,
            source: settings.dynamics_address().to_owned(),
            target: settings.campaign_address(),
        }
    }

    /// Whether a checkpoint tells of it.
    pub(crate) fn is_of(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.mapping_uid == self.mapping && checkpoint.source == self.source && checkpoint.target == self.target
    }
}

/// What is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The whole table, for the first time.
    Initial,
    /// The whole table, on an operator's request.
    Replay {
        /// Whether what does not differ is written as well.
        force: bool,
    },
    /// The whole table, because the position had expired.
    Recovery,
    /// The whole table, for a delta link with other columns. Rows whose version has been queued before are left out; what
    /// has changed since, deletes above all, is told once more by the link with the old columns.
    Rebase {
        /// Where the read with the old columns stands.
        superseded: String,
        /// The highest row version queued before.
        known: u64,
    },
    /// The changes since.
    Changes,
}

impl Reading {
    /// Whether every row of the table is queued: what is not found then is not there any more.
    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self, Self::Initial | Self::Replay { .. } | Self::Recovery)
    }

    /// The origin of the rows it finds. Those found because a position had expired are changes that were missed: fields
    /// that later changes leave alone stay as they are.
    pub(crate) const fn origin(&self) -> Origin {
        match self {
            Self::Initial => Origin::Initial,
            Self::Replay { .. } => Origin::Replay,
            Self::Recovery | Self::Rebase { .. } | Self::Changes => Origin::Change,
        }
    }

    /// Whether rows are to be written even if they do not differ.
    pub(crate) const fn force(&self) -> bool {
        matches!(self, Self::Replay { force: true })
    }

    /// What a checkpoint says of it.
    pub(crate) const fn read(&self) -> Read {
        match self {
            Self::Initial => Read::Initial,
            Self::Replay { .. } => Read::Replay,
            Self::Recovery => Read::Recovery,
            Self::Rebase { .. } => Read::Rebase,
            Self::Changes => Read::Changes,
        }
    }
}

impl Progress {
    /// A read of the whole table in an epoch of its own.
    pub(crate) const fn anew(epoch: Epoch, reading: Reading) -> Self {
        Self {
            epoch,
            reading,
            link: None,
            records: 0,
            expected: None,
            version: None,
            seen: None,
            replay: None,
            redriven: None,
        }
    }

    /// The table read again from its beginning because the position is void.
    pub(crate) fn next_epoch(&self) -> Self {
        let reading = match &self.reading {
            Reading::Initial => Reading::Initial,
            Reading::Replay { force } => Reading::Replay { force: *force },
            Reading::Recovery | Reading::Rebase { .. } | Reading::Changes => Reading::Recovery,
        };
        Self {
            replay: self.replay,
            redriven: self.redriven,
            ..Self::anew(Epoch(self.epoch.0 + 1), reading)
        }
    }

    /// Where a unit goes on after its last checkpoint.
    pub(crate) fn after(
        checkpoint: Option<Checkpoint>,
        subject: &Subject,
        mapping: &PinnedMapping,
        columns: &[String],
    ) -> Self {
        let asked = mapping.replay.map(|replay| ReplayRead {
            id: replay.id,
            force: replay.force,
        });
        let Some(checkpoint) = checkpoint else {
            // What is read for the first time need not be replayed.
            return Self {
                replay: asked,
                ..Self::anew(Epoch(1), Reading::Initial)
            };
        };
        let (epoch, redriven) = (Epoch(checkpoint.epoch.0 + 1), checkpoint.redriven);
        let anew = |reading, replay| Self {
            replay,
            redriven,
            ..Self::anew(epoch, reading)
        };
        if !subject.is_of(&checkpoint) {
            return anew(Reading::Initial, asked);
        }
        match asked.filter(|asked| checkpoint.replay != Some(*asked)) {
            Some(replay) => anew(Reading::Replay { force: replay.force }, asked),
            None => Self::going_on(checkpoint, columns, anew),
        }
    }

    fn going_on(
        checkpoint: Checkpoint,
        columns: &[String],
        anew: impl FnOnce(Reading, Option<ReplayRead>) -> Self,
    ) -> Self {
        // An epoch of which only the beginning is known may have queued records all the same.
        let same_columns = checkpoint.columns == columns && checkpoint.position != Position::Next(String::new());
        let link = match checkpoint.position {
            Position::Next(link) => PageLink::Next(link),
            Position::Delta(link) => PageLink::Delta(link),
        };
        let whole = match checkpoint.read {
            Read::Initial => Some(Reading::Initial),
            Read::Recovery => Some(Reading::Recovery),
            Read::Replay => Some(Reading::Replay {
                force: checkpoint.replay.is_some_and(|replay| replay.force),
            }),
            Read::Rebase | Read::Changes => None,
        };
        let (reading, link) = match (whole, same_columns, checkpoint.superseded_link) {
            (Some(reading), true, _) => (reading, Some(link)),
            (Some(reading), false, _) => return anew(reading, checkpoint.replay),
            (None, true, None) => (Reading::Changes, Some(link)),
            // Told by no version what has been queued, so all of it is.
            (None, _, _) if checkpoint.version.is_none() => return anew(Reading::Recovery, checkpoint.replay),
            (None, true, Some(superseded)) => (
                Reading::Rebase {
                    superseded,
                    known: checkpoint.version.unwrap_or_default(),
                },
                Some(link),
            ),
            (None, false, superseded) => {
                let superseded = superseded.unwrap_or_else(|| link.address().to_owned());
                (
                    Reading::Rebase {
                        superseded,
                        known: checkpoint.version.unwrap_or_default(),
                    },
                    None,
                )
            }
        };
        Self {
            epoch: checkpoint.epoch,
            reading,
            link,
            records: checkpoint.records,
            expected: checkpoint.expected,
            version: checkpoint.version,
            seen: None,
            replay: checkpoint.replay,
            redriven: checkpoint.redriven,
        }
    }

    /// Moves behind a page.
    pub(crate) fn advance(&mut self, next: PageLink, queued: Queued) {
        self.records += queued.records;
        self.seen = self.seen.max(queued.version);
        if let PageLink::Delta(_) = next {
            self.version = self.version.max(self.seen.take());
            self.reading = Reading::Changes;
        }
        self.link = Some(next);
    }
}

#[cfg(test)]
mod tests;
