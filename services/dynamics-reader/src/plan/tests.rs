//! Where a unit begins.

use jiff::Timestamp;
use uuid::Uuid;

use std::sync::Arc;

use crosswalk_core::{control::Replay, mapping::default_contact_mapping};

use super::*;

const MAPPING: EntryId = EntryId(Uuid::from_u128(1));

fn checkpoint(position: Position, read: Read) -> Checkpoint {
    Checkpoint {
        unit: "ingress/contact".into(),
        mapping_uid: MAPPING,
        columns: columns(&["firstname"]),
        epoch: Epoch(4),
        position,
        read,
        records: 10,
        expected: Some(20),
        time: Timestamp::UNIX_EPOCH,
        version: Some(900),
        superseded_link: None,
        source: subject().source,
        target: subject().target,
        replay: None,
        redriven: Some(LogOffset(3)),
    }
}

fn pinned(replay: Option<Replay>) -> PinnedMapping {
    PinnedMapping {
        id: "contact".parse().unwrap(),
        uid: MAPPING,
        definition: Arc::new(default_contact_mapping()),
        replay,
    }
}

const fn replay(id: u128, force: bool) -> Replay {
    Replay {
        id: EntryId(Uuid::from_u128(id)),
        requested: Timestamp::UNIX_EPOCH,
        force,
        begun: true,
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
    Progress::after(Some(checkpoint), &subject(), &pinned(None), &columns(names))
}

#[test]
fn a_unit_without_checkpoint_reads_the_table() {
    assert_eq!(
        Progress::after(None, &subject(), &pinned(None), &columns(&["firstname"])),
        Progress::anew(Epoch(1), Reading::Initial)
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
    let mut progress = after(checkpoint(Position::Delta("old".into()), Read::Changes), &["lastname"]);
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
        let checkpoint = checkpoint(Position::Delta("d".into()), Read::Changes);
        let progress = Progress::after(Some(checkpoint), &other, &pinned(None), &columns(&["firstname"]));
        assert_eq!(progress, beginning(Epoch(5), Reading::Initial), "{other:?}");
    }
}

#[test]
fn an_interrupted_initial_read_goes_on_at_its_page() {
    let progress = after(checkpoint(Position::Next("n".into()), Read::Initial), &["firstname"]);
    assert_eq!(progress.reading, Reading::Initial);
    assert_eq!(progress.link, Some(PageLink::Next("n".into())));
    assert_eq!(
        (progress.epoch, progress.records, progress.expected),
        (Epoch(4), 10, Some(20))
    );
}

#[test]
fn changes_go_on_from_the_delta_link() {
    let progress = after(checkpoint(Position::Delta("d".into()), Read::Changes), &["firstname"]);
    assert_eq!(
        (progress.reading, progress.link),
        (Reading::Changes, Some(PageLink::Delta("d".into())))
    );
}

#[test]
fn other_columns_rebase_without_queuing_known_rows_again() {
    let progress = after(
        checkpoint(Position::Delta("old".into()), Read::Changes),
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
    let mut interrupted = checkpoint(Position::Next("new".into()), Read::Changes);
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
    let progress = after(checkpoint(Position::Next("n".into()), Read::Initial), &["lastname"]);
    assert_eq!(progress, beginning(Epoch(5), Reading::Initial));
}

/// A read of the whole table that remembers what has been redriven.
fn beginning(epoch: Epoch, reading: Reading) -> Progress {
    Progress {
        redriven: Some(LogOffset(3)),
        ..Progress::anew(epoch, reading)
    }
}

#[test]
fn a_replay_begins_once_however_often_the_workflow_is_started() {
    let asked = pinned(Some(replay(8, true)));
    let first = Progress::after(
        Some(checkpoint(Position::Delta("d".into()), Read::Changes)),
        &subject(),
        &asked,
        &columns(&["firstname"]),
    );
    assert_eq!(
        (first.epoch, &first.reading, &first.link),
        (Epoch(5), &Reading::Replay { force: true }, &None)
    );
    let mut under_way = checkpoint(Position::Next("n".into()), Read::Replay);
    under_way.replay = first.replay;
    let second = Progress::after(Some(under_way), &subject(), &asked, &columns(&["firstname"]));
    assert_eq!(
        (second.epoch, second.reading),
        (Epoch(4), Reading::Replay { force: true })
    );
    assert_eq!(second.link, Some(PageLink::Next("n".into())));
}

#[test]
fn a_replay_asked_for_before_the_first_read_is_done_by_it() {
    let progress = Progress::after(
        None,
        &subject(),
        &pinned(Some(replay(8, true))),
        &columns(&["firstname"]),
    );
    assert_eq!(progress.reading, Reading::Initial);
    assert_eq!(
        progress.replay.map(|replay| replay.id),
        Some(EntryId(Uuid::from_u128(8)))
    );
}

#[test]
fn an_expired_position_reads_the_table_for_what_was_missed() {
    for (read, position, expected) in [
        (Read::Changes, Position::Delta("d".into()), Reading::Recovery),
        (Read::Initial, Position::Next("n".into()), Reading::Initial),
    ] {
        let progress = after(checkpoint(position, read), &["firstname"]).next_epoch();
        assert_eq!((progress.epoch, progress.link), (Epoch(5), None));
        assert_eq!(progress.reading, expected);
    }
    assert_eq!(
        Reading::Recovery.origin(),
        Origin::Change,
        "what was missed are changes"
    );
}
