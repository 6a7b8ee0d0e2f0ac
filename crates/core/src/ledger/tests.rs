//! What a change comes to, and what is known afterwards.

use std::collections::HashMap;

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{ChangeKind, Row, Value, mapping::MappingOptions};

const MAPPING: EntryId = EntryId(Uuid::from_u128(1));

fn change(origin: Origin, version: Option<u64>, epoch: u64, kind: ChangeKind) -> Change {
    Change {
        origin,
        version,
        epoch: Epoch(epoch),
        force: false,
        read_at: Timestamp::UNIX_EPOCH,
        mapping: MAPPING,
        kind,
    }
}

fn upsert(origin: Origin, version: u64, epoch: u64) -> Change {
    change(origin, Some(version), epoch, ChangeKind::Upsert(Row::default()))
}

fn known(standing: Standing, version: u64, epoch: u64) -> Known {
    Known {
        standing,
        hashes: hashes(1, 2),
        version,
        epoch: Epoch(epoch),
    }
}

const fn hashes(updates: u64, insert_only: u64) -> PayloadHashes {
    PayloadHashes {
        updates: PayloadHash(updates),
        insert_only: PayloadHash(insert_only),
    }
}

const DELETES: MappingOptions = MappingOptions {
    apply_deletes: true,
    over_long: crate::mapping::OverLong::Reject,
    choices: crate::mapping::ChoiceForm::TechnicalValue,
    empty: crate::mapping::EmptyValue::Clear,
};

fn judged<'a>(change: &'a Change, known: Option<&Known>) -> Judgement<'a> {
    judge(change, known, DELETES, true, |_| true)
}

#[test]
fn a_change_older_than_what_was_settled_is_stale() {
    let settled = known(Standing::Written, 10, 2);
    for (version, epoch, stale) in [
        (9, 2, true),
        (10, 2, false),
        (11, 2, false),
        (9, 1, true),
        (9, 3, false),
    ] {
        let older = upsert(Origin::Change, version, epoch);
        let skipped = judged(&older, Some(&settled)) == Judgement::Skip(Skip::Stale);
        assert_eq!(skipped, stale, "version {version}, epoch {epoch}");
    }
    let unversioned = change(Origin::Change, None, 2, ChangeKind::Upsert(Row::default()));
    assert!(matches!(judged(&unversioned, Some(&settled)), Judgement::Map(_)));
}

#[test]
fn a_hidden_record_is_written_again_whatever_its_version() {
    let hidden = known(Standing::Hidden, 10, 1);
    assert!(matches!(
        judged(&upsert(Origin::Change, 9, 1), Some(&hidden)),
        Judgement::Map(_)
    ));
    assert!(!hidden.is_unchanged_by(&upsert(Origin::Change, 10, 1), hidden.hashes));
}

#[test]
fn what_is_filtered_out_is_deleted_only_if_we_wrote_it() {
    let row = upsert(Origin::Change, 11, 1);
    for (standing, delete_filtered, expected) in [
        (Some(Standing::Written), true, Judgement::Delete),
        (Some(Standing::Hidden), true, Judgement::Delete),
        (Some(Standing::Outdated), true, Judgement::Delete),
        (Some(Standing::Rejected), true, Judgement::Skip(Skip::Filtered)),
        (None, true, Judgement::Skip(Skip::Filtered)),
        (Some(Standing::Written), false, Judgement::Skip(Skip::Filtered)),
    ] {
        let settled = standing.map(|standing| known(standing, 10, 1));
        let judgement = judge(&row, settled.as_ref(), DELETES, delete_filtered, |_| false);
        assert_eq!(judgement, expected, "{standing:?} {delete_filtered}");
    }
}

#[test]
fn a_record_that_a_read_missed_is_deleted_unless_it_has_come_since() {
    let absent = change(Origin::Change, None, 3, ChangeKind::Absent);
    for (settled, expected) in [
        (Some(known(Standing::Written, 10, 2)), Judgement::Delete),
        (Some(known(Standing::Outdated, 10, 2)), Judgement::Delete),
        (Some(known(Standing::Written, 10, 3)), Judgement::Skip(Skip::NotMissing)),
        (
            Some(known(Standing::Rejected, 10, 2)),
            Judgement::Skip(Skip::NotMissing),
        ),
        (None, Judgement::Skip(Skip::NotMissing)),
    ] {
        assert_eq!(judged(&absent, settled.as_ref()), expected, "{settled:?}");
    }
}

#[test]
fn deletes_are_skipped_where_the_mapping_does_not_apply_them() {
    let settled = known(Standing::Written, 10, 1);
    for kind in [ChangeKind::Delete, ChangeKind::Absent] {
        let deleted = change(Origin::Change, None, 9, kind);
        let judgement = judge(&deleted, Some(&settled), MappingOptions::default(), true, |_| true);
        assert_eq!(judgement, Judgement::Skip(Skip::DeletesOff));
    }
    let unknown = change(Origin::Change, None, 1, ChangeKind::Delete);
    assert_eq!(
        judged(&unknown, None),
        Judgement::Delete,
        "nothing says that we did not write it"
    );
}

#[test]
fn only_fields_that_the_change_writes_make_a_difference() {
    let settled = known(Standing::Written, 10, 1);
    for (origin, hashes, unchanged) in [
        (Origin::Change, hashes(1, 2), true),
        (Origin::Change, hashes(1, 9), true),
        (Origin::Redrive, hashes(1, 9), true),
        (Origin::Change, hashes(9, 2), false),
        (Origin::Initial, hashes(1, 2), true),
        (Origin::Initial, hashes(1, 9), false),
        (Origin::Replay, hashes(1, 9), false),
    ] {
        let row = upsert(origin, 10, 1);
        assert_eq!(
            settled.is_unchanged_by(&row, hashes),
            unchanged,
            "{origin:?} {hashes:?}"
        );
        let forced = Change { force: true, ..row };
        assert!(
            !settled.is_unchanged_by(&forced, hashes),
            "what is forced is always written"
        );
    }
}

#[test]
fn insert_only_fields_not_written_are_not_known_afterwards() {
    let row = upsert(Origin::Change, 11, 1);
    let after = Known::written(None, &row, hashes(5, 6), Part::Updates, false);
    assert_eq!(after.hashes, hashes(5, 0));
    let before = known(Standing::Written, 10, 1);
    assert_eq!(
        Known::written(Some(before), &row, hashes(5, 6), Part::Updates, false).hashes,
        hashes(5, 2)
    );
    assert_eq!(
        Known::written(Some(before), &row, hashes(5, 6), Part::All, false).hashes,
        hashes(5, 6)
    );
}

#[test]
fn a_rejected_change_leaves_what_the_destination_holds() {
    let row = upsert(Origin::Change, 11, 2);
    let before = known(Standing::Written, 10, 1);
    let after = Known::rejected(Some(before), &row);
    assert_eq!((after.standing, after.hashes), (Standing::Outdated, before.hashes));
    assert_eq!((after.version, after.epoch), (11, Epoch(2)));
    assert!(
        after.is_unchanged_by(&upsert(Origin::Change, 12, 2), before.hashes),
        "the source was put back"
    );
    assert_eq!(Known::rejected(None, &row).standing, Standing::Rejected);
}

#[test]
fn subjects_differ_in_every_part() {
    let subject =
        |mapping: u128, source: &str, target: &str| Subject::new(EntryId(Uuid::from_u128(mapping)), source, target);
    let one = subject(1, "https://a", "https://b");
    assert_eq!(one, subject(1, "https://a", "https://b"));
    for other in [
        subject(2, "https://a", "https://b"),
        subject(1, "https://c", "https://b"),
        subject(1, "https://a", "https://c"),
        subject(1, "https://ahttps://b", ""),
    ] {
        assert_ne!(one, other);
    }
}

/// A destination that holds what was written, by hash, and a writer with a ledger in front of it.
#[derive(Default)]
struct World {
    ledger: HashMap<u8, Known>,
    destination: HashMap<u8, u64>,
    calls: u32,
}

impl World {
    /// Settles a change as a writer does; `row` is what the source's row maps to.
    fn settle(&mut self, key: u8, change: &Change, row: u64) {
        let known = self.ledger.get(&key).copied();
        match judged(change, known.as_ref()) {
            Judgement::Delete => {
                self.calls += 1;
                self.destination.remove(&key);
                self.ledger.remove(&key);
            }
            Judgement::Map(_) => {
                let hashes = hashes(row + 1, 1);
                if !known.is_some_and(|known| known.is_unchanged_by(change, hashes)) {
                    self.calls += 1;
                    self.destination.insert(key, row);
                }
                let part = written_part(change.origin, known.as_ref());
                self.ledger
                    .insert(key, Known::written(known, change, hashes, part, false));
            }
            Judgement::Skip(_) | Judgement::SetAside(_) | Judgement::EpochEnd => {}
        }
    }
}

fn row_of(change: &Change) -> u64 {
    match &change.kind {
        ChangeKind::Upsert(row) => match row.get("value") {
            Some(Value::Integer(value)) => u64::try_from(*value).unwrap(),
            _ => 0,
        },
        _ => 0,
    }
}

proptest! {
    /// A source of a few records is edited; its changes are delivered in order, each page perhaps twice. Whatever the ledger
    /// forgets, and whatever is delivered again, the destination ends as the source is.
    #[test]
    fn the_destination_ends_as_the_source_whatever_is_repeated_or_forgotten(
        edits in prop::collection::vec((0..4_u8, prop::option::of(0..5_u64)), 1..40),
        repeats in prop::collection::vec(1..3_usize, 40),
        forget in prop::collection::vec((0..40_usize, 0..4_u8), 0..6),
        page in 1..5_usize,
    ) {
        let mut source: HashMap<u8, u64> = HashMap::new();
        let mut changes = Vec::new();
        for (version, (key, value)) in (1..).zip(&edits) {
            let kind = match value {
                Some(value) => {
                    source.insert(*key, *value);
                    let value = Value::Integer(i64::try_from(*value).unwrap());
                    ChangeKind::Upsert(Row { columns: vec![("value".into(), value)] })
                }
                None => {
                    source.remove(key);
                    ChangeKind::Delete
                }
            };
            let is_delete = matches!(kind, ChangeKind::Delete);
            let version = if is_delete { None } else { Some(version) };
            changes.push((*key, change(Origin::Change, version, 1, kind)));
        }
        let mut world = World::default();
        for (place, page) in changes.chunks(page).enumerate() {
            for _ in 0..repeats[place] {
                for (key, change) in page {
                    world.settle(*key, change, row_of(change));
                }
                for (_, key) in forget.iter().filter(|(when, _)| *when == place) {
                    world.ledger.remove(key);
                }
            }
        }
        prop_assert_eq!(world.destination, source);
    }

    /// Reading everything once more under a new epoch costs nothing where nothing changed, and finds what was deleted.
    #[test]
    fn a_recovery_costs_a_call_for_each_difference_and_no_more(
        before in prop::collection::hash_map(0..20_u8, 0..3_u64, 0..20),
        after in prop::collection::hash_map(0..20_u8, 0..3_u64, 0..20),
    ) {
        let row = |value: u64| Row { columns: vec![("value".into(), Value::Integer(i64::try_from(value).unwrap()))] };
        let mut world = World::default();
        for (key, value) in &before {
            world.settle(*key, &change(Origin::Initial, Some(1), 1, ChangeKind::Upsert(row(*value))), *value);
        }
        world.calls = 0;
        for (key, value) in &after {
            world.settle(*key, &change(Origin::Change, Some(2), 2, ChangeKind::Upsert(row(*value))), *value);
        }
        for key in before.keys() {
            world.settle(*key, &change(Origin::Change, None, 2, ChangeKind::Absent), 0);
        }
        let written = after.iter().filter(|(key, value)| before.get(*key) != Some(value)).count();
        let deleted = before.keys().filter(|key| !after.contains_key(*key)).count();
        prop_assert_eq!(world.destination, after);
        prop_assert_eq!(world.calls as usize, written + deleted);
    }
}
