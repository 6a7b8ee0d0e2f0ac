//! Where a unit begins: a pure decision from its last checkpoint and the pinned mapping (design §6).

use crosswalk_core::{
    Epoch,
    control::{EntryId, InstanceSettings},
};
use crosswalk_dynamics::PageLink;
use crosswalk_proto::record::{Checkpoint, Position};

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
        let InstanceSettings { dynamics, campaign, .. } = settings;
        Self {
            mapping,
            source: dynamics.environment_url.trim_end_matches('/').to_owned(),
            target: format!("{}/{}", campaign.api_url.trim_end_matches('/'), campaign.organization),
        }
    }

    fn is_of(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.mapping_uid == self.mapping && checkpoint.source == self.source && checkpoint.target == self.target
    }
}

/// What is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The whole table, for the first time in this epoch.
    Initial,
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

impl Progress {
    /// A read of the whole table in an epoch of its own.
    pub(crate) const fn anew(epoch: Epoch) -> Self {
        Self {
            epoch,
            reading: Reading::Initial,
            link: None,
            records: 0,
            expected: None,
            version: None,
            seen: None,
        }
    }

    /// The same read, begun again from the table's beginning because its position is void.
    pub(crate) const fn next_epoch(&self) -> Self {
        Self::anew(Epoch(self.epoch.0 + 1))
    }

    /// Where a unit goes on after its last checkpoint.
    pub(crate) fn after(checkpoint: Option<Checkpoint>, subject: &Subject, columns: &[String]) -> Self {
        let Some(checkpoint) = checkpoint else {
            return Self::anew(Epoch(1));
        };
        let anew = Self::anew(Epoch(checkpoint.epoch.0 + 1));
        if !subject.is_of(&checkpoint) {
            return anew;
        }
        let same_columns = checkpoint.columns == columns;
        let link = match checkpoint.position {
            Position::Next(link) => PageLink::Next(link),
            Position::Delta(link) => PageLink::Delta(link),
        };
        let (reading, link) = match (checkpoint.initial, same_columns, checkpoint.superseded_link) {
            (true, true, _) => (Reading::Initial, Some(link)),
            (true, false, _) => return anew,
            (false, true, None) => (Reading::Changes, Some(link)),
            // Told by no version what has been queued, so all of it is.
            (false, _, _) if checkpoint.version.is_none() => return anew,
            (false, true, Some(superseded)) => (
                Reading::Rebase {
                    superseded,
                    known: checkpoint.version.unwrap_or_default(),
                },
                Some(link),
            ),
            (false, false, superseded) => {
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
        }
    }

    /// Moves behind a page.
    pub(crate) fn advance(&mut self, next: PageLink, queued: Queued) {
        self.records += queued.records + queued.rejected;
        self.seen = self.seen.max(queued.version);
        if let PageLink::Delta(_) = next {
            self.version = self.version.max(self.seen.take());
            self.reading = Reading::Changes;
        }
        self.link = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    const MAPPING: EntryId = EntryId(Uuid::from_u128(1));

    fn checkpoint(position: Position, initial: bool) -> Checkpoint {
        Checkpoint {
            unit: "ingress/contact".into(),
            mapping_uid: MAPPING,
            columns: columns(&["firstname"]),
            epoch: Epoch(4),
            position,
            initial,
            records: 10,
            expected: Some(20),
            time: Timestamp::UNIX_EPOCH,
            version: Some(900),
            superseded_link: None,
            source: subject().source,
            target: subject().target,
        }
    }

    fn subject() -> Subject {
        Subject {
            mapping: MAPPING,
            source: "https://contoso.example".into(),
            target: "https://campaign.example/contoso".into(),
        }
    }

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn after(checkpoint: Checkpoint, names: &[&str]) -> Progress {
        Progress::after(Some(checkpoint), &subject(), &columns(names))
    }

    #[test]
    fn a_unit_without_checkpoint_reads_the_table() {
        assert_eq!(
            Progress::after(None, &subject(), &columns(&["firstname"])),
            Progress::anew(Epoch(1))
        );
    }

    fn page(version: u64) -> Queued {
        Queued {
            records: 1,
            rejected: 0,
            version: Some(version),
        }
    }

    #[test]
    fn a_version_counts_as_queued_only_when_its_read_has_come_to_its_end() {
        let mut progress = after(checkpoint(Position::Delta("old".into()), false), &["lastname"]);
        progress.advance(PageLink::Next("n".into()), page(950));
        assert_eq!(
            progress.version,
            Some(900),
            "a row of version 920 may stand on the next page"
        );
        assert_eq!(
            progress.reading,
            Reading::Rebase {
                superseded: "old".into(),
                known: 900
            }
        );
        progress.advance(PageLink::Delta("d".into()), page(920));
        assert_eq!((progress.version, progress.reading), (Some(950), Reading::Changes));
    }

    #[test]
    fn another_mapping_environment_or_target_reads_the_table_anew() {
        let others = [
            Subject {
                mapping: EntryId(Uuid::nil()),
                ..subject()
            },
            Subject {
                source: "https://other.example".into(),
                ..subject()
            },
            Subject {
                target: "https://campaign.example/other".into(),
                ..subject()
            },
        ];
        for other in others {
            let checkpoint = checkpoint(Position::Delta("d".into()), false);
            let progress = Progress::after(Some(checkpoint), &other, &columns(&["firstname"]));
            assert_eq!(progress, Progress::anew(Epoch(5)), "{other:?}");
        }
    }

    #[test]
    fn an_interrupted_initial_read_goes_on_at_its_page() {
        let progress = after(checkpoint(Position::Next("n".into()), true), &["firstname"]);
        assert_eq!(progress.reading, Reading::Initial);
        assert_eq!(progress.link, Some(PageLink::Next("n".into())));
        assert_eq!(
            (progress.epoch, progress.records, progress.expected),
            (Epoch(4), 10, Some(20))
        );
    }

    #[test]
    fn changes_go_on_from_the_delta_link() {
        let progress = after(checkpoint(Position::Delta("d".into()), false), &["firstname"]);
        assert_eq!(
            (progress.reading, progress.link),
            (Reading::Changes, Some(PageLink::Delta("d".into())))
        );
    }

    #[test]
    fn other_columns_rebase_without_queuing_known_rows_again() {
        let progress = after(
            checkpoint(Position::Delta("old".into()), false),
            &["firstname", "lastname"],
        );
        assert_eq!(
            progress.reading,
            Reading::Rebase {
                superseded: "old".into(),
                known: 900
            }
        );
        assert_eq!(progress.link, None);
    }

    #[test]
    fn an_interrupted_rebase_keeps_the_link_it_supersedes() {
        let mut interrupted = checkpoint(Position::Next("new".into()), false);
        interrupted.superseded_link = Some("old".into());
        let same = after(interrupted.clone(), &["firstname"]);
        assert_eq!(
            same.reading,
            Reading::Rebase {
                superseded: "old".into(),
                known: 900
            }
        );
        assert_eq!(same.link, Some(PageLink::Next("new".into())));
        let other = after(interrupted, &["lastname"]);
        assert_eq!(
            other.reading,
            Reading::Rebase {
                superseded: "old".into(),
                known: 900
            }
        );
        assert_eq!(other.link, None);
    }

    #[test]
    fn other_columns_during_the_initial_read_begin_it_again() {
        let progress = after(checkpoint(Position::Next("n".into()), true), &["lastname"]);
        assert_eq!(progress, Progress::anew(Epoch(5)));
    }
}
