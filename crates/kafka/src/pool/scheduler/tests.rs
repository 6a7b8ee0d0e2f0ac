//! One behaviour of the scheduler at a time.

use super::*;
use crate::pool::job::{Job, Next, Outcome};
use crate::pool::settings::ConcurrencySettings;

mod barriers;
mod bounds;

const MILLISECOND: Duration = Duration::from_millis(1);
const START: Duration = Duration::ZERO;
const P0: PartitionId = PartitionId { topic: 0, partition: 0 };
const P1: PartitionId = PartitionId { topic: 0, partition: 1 };

/// A change that remembers all it has absorbed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) offsets: Vec<i64>,
    bytes: usize,
}

impl Change {
    pub(super) fn new(offset: i64, bytes: usize) -> Self {
        Self {
            offsets: vec![offset],
            bytes,
        }
    }
}

impl Coalesce for Change {
    fn absorb(&mut self, newer: Self) {
        self.offsets.extend(newer.offsets);
        self.bytes += newer.bytes;
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

fn settings(lanes: usize) -> PoolSettings {
    PoolSettings {
        max_records: 100,
        max_bytes: 10_000,
        concurrency: ConcurrencySettings {
            min: 1,
            initial: lanes,
            max: lanes,
        },
        rate: None,
    }
}

fn scheduler() -> Scheduler<Change> {
    Scheduler::new(&settings(64))
}

fn record(assignment: Assignment, offset: i64, key: &'static str) -> Record<Change> {
    sized(assignment, offset, key, 1)
}

fn sized(assignment: Assignment, offset: i64, key: &'static str, bytes: usize) -> Record<Change> {
    Record {
        assignment,
        offset,
        key: Bytes::from_static(key.as_bytes()),
        payload: Change::new(offset, bytes),
    }
}

fn offer(scheduler: &mut Scheduler<Change>, assignment: Assignment, offset: i64, key: &'static str) -> Accepted {
    scheduler.offer(record(assignment, offset, key), START).unwrap()
}

fn job(scheduler: &mut Scheduler<Change>, now: Duration) -> Job<Change> {
    match scheduler.next(now) {
        Next::Job(job) => job,
        other => panic!("expected a job, got {other:?}"),
    }
}

fn keys(scheduler: &mut Scheduler<Change>, now: Duration) -> Vec<String> {
    let mut keys = Vec::new();
    while let Next::Job(job) = scheduler.next(now) {
        keys.push(String::from_utf8(job.key().to_vec()).unwrap());
    }
    keys
}

fn at(next: &Next<Change>) -> Option<Duration> {
    match next {
        Next::At(at) => Some(*at),
        _ => None,
    }
}

#[test]
fn waiting_change_absorbs_newer_ones_and_all_finish_with_it() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(10)));
    assert_eq!(offer(&mut scheduler, p0, 10, "a"), Accepted::New);
    assert_eq!(offer(&mut scheduler, p0, 11, "b"), Accepted::New);
    assert_eq!(offer(&mut scheduler, p0, 12, "a"), Accepted::Coalesced);
    let a = job(&mut scheduler, START);
    assert_eq!(
        (a.payload().offsets.as_slice(), a.offset(), a.records()),
        (&[10, 12][..], 12, 2)
    );
    scheduler.finish(a, Outcome::Done, START);
    assert_eq!(
        scheduler.committable(P0),
        Some(NextOffset::at(11)),
        "b is the first unfinished"
    );
    let b = job(&mut scheduler, START);
    scheduler.finish(b, Outcome::Done, START);
    assert_eq!(scheduler.take_committable(), [(P0, NextOffset::at(13))]);
    assert_eq!(scheduler.take_committable(), []);
}

#[test]
fn job_in_flight_is_never_changed_and_its_successor_waits_for_it() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    let first = job(&mut scheduler, START);
    assert_eq!(offer(&mut scheduler, p0, 1, "a"), Accepted::New);
    assert_eq!(offer(&mut scheduler, p0, 2, "a"), Accepted::Coalesced);
    assert!(matches!(scheduler.next(START), Next::Idle));
    assert_eq!(first.payload().offsets, [0]);
    scheduler.finish(first, Outcome::Done, START);
    assert_eq!(job(&mut scheduler, START).payload().offsets, [1, 2]);
}

#[test]
fn retry_absorbs_what_came_meanwhile_and_before_its_time() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    let first = job(&mut scheduler, START);
    offer(&mut scheduler, p0, 1, "a");
    scheduler.finish(
        first,
        Outcome::Retry {
            not_before: MILLISECOND * 50,
        },
        START,
    );
    offer(&mut scheduler, p0, 2, "a");
    assert_eq!(scheduler.stats(START).retrying, 1);
    assert_eq!(at(&scheduler.next(START)), Some(MILLISECOND * 50));
    let again = job(&mut scheduler, MILLISECOND * 50);
    assert_eq!(
        (again.payload().offsets.as_slice(), again.attempt()),
        (&[0, 1, 2][..], 2)
    );
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(0)));
    scheduler.finish(again, Outcome::Done, START);
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(3)));
    assert_eq!(scheduler.stats(START).retrying, 0);
}

#[test]
fn retrying_key_lets_others_go_and_returns_to_the_head_of_the_line() {
    let mut scheduler = Scheduler::new(&settings(1));
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    for (offset, key) in [(0, "a"), (1, "b"), (2, "c")] {
        offer(&mut scheduler, p0, offset, key);
    }
    let a = job(&mut scheduler, START);
    scheduler.finish(
        a,
        Outcome::Retry {
            not_before: MILLISECOND,
        },
        START,
    );
    let b = job(&mut scheduler, START);
    assert_eq!(b.key().as_ref(), b"b");
    scheduler.finish(b, Outcome::Done, START);
    assert_eq!(job(&mut scheduler, MILLISECOND).key().as_ref(), b"a");
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(0)));
}

#[test]
fn redelivered_offset_is_accepted_without_effect() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(5)));
    offer(&mut scheduler, p0, 7, "a");
    for offset in [4, 5, 7] {
        assert_eq!(offer(&mut scheduler, p0, offset, "a"), Accepted::Duplicate, "{offset}");
    }
    assert_eq!(scheduler.stats(START).records, 1);
}

#[test]
fn position_may_be_unknown_until_the_first_record() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, None);
    assert_eq!(scheduler.committable(P0), None);
    offer(&mut scheduler, p0, 42, "a");
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(42)));
}

#[test]
fn late_record_of_an_earlier_assignment_is_refused() {
    let mut scheduler = scheduler();
    let old = scheduler.assign(P0, Some(NextOffset::at(0)));
    let new = scheduler.assign(P0, Some(NextOffset::at(0)));
    assert_eq!(
        scheduler.offer(record(old, 9, "a"), START),
        Err(Refused::Closed(Closed::Revoked))
    );
    assert_eq!(offer(&mut scheduler, new, 0, "a"), Accepted::New);
}

#[test]
fn late_work_commits_nothing_but_keeps_its_key_until_it_ends() {
    let mut scheduler = scheduler();
    let old = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, old, 0, "a");
    let late = job(&mut scheduler, START);
    scheduler.forget(&[P0]);
    let new = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, new, 0, "a");
    assert!(matches!(scheduler.next(START), Next::Idle), "the old job still runs");
    assert!(!scheduler.finish(late, Outcome::Done, START));
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(0)));
    let again = job(&mut scheduler, START);
    assert!(scheduler.finish(again, Outcome::Done, START));
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(1)));
}

#[test]
fn late_retry_is_dropped() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    let late = job(&mut scheduler, START);
    scheduler.forget(&[P0]);
    scheduler.finish(late, Outcome::Retry { not_before: START }, START);
    assert!(matches!(scheduler.next(MILLISECOND), Next::Idle));
    let stats = scheduler.stats(MILLISECOND);
    assert_eq!(
        (stats.records, stats.bytes, stats.in_flight, stats.retrying),
        (0, 0, 0, 0)
    );
}

#[test]
fn revoked_partition_drains_before_the_others() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    let p1 = scheduler.assign(P1, Some(NextOffset::at(0)));
    for (offset, (a, b)) in [("a", "d"), ("b", "e"), ("c", "f")].into_iter().enumerate() {
        offer(&mut scheduler, p0, offset as i64, a);
        offer(&mut scheduler, p1, offset as i64, b);
    }
    scheduler.begin_revoke(&[P1]);
    assert!(!scheduler.drained(P1));
    assert_eq!(
        scheduler.offer(record(p1, 3, "g"), START),
        Err(Refused::Closed(Closed::Revoked))
    );
    assert_eq!(keys(&mut scheduler, START), ["d", "e", "f", "a", "b", "c"]);
}

#[test]
fn partitions_take_turns() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    let p1 = scheduler.assign(P1, Some(NextOffset::at(0)));
    for (offset, key) in [(0, "a"), (1, "b"), (2, "c")] {
        offer(&mut scheduler, p0, offset, key);
    }
    offer(&mut scheduler, p1, 0, "z");
    assert_eq!(keys(&mut scheduler, START), ["a", "z", "b", "c"]);
}

#[test]
fn cancelled_work_is_repeated_while_open_and_given_up_when_revoked() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    let first = job(&mut scheduler, START);
    scheduler.finish(
        first,
        Outcome::Cancelled {
            not_before: MILLISECOND,
        },
        START,
    );
    let second = job(&mut scheduler, MILLISECOND);
    scheduler.begin_revoke(&[P0]);
    scheduler.finish(
        second,
        Outcome::Cancelled {
            not_before: MILLISECOND,
        },
        START,
    );
    assert!(scheduler.drained(P0));
    assert_eq!(
        scheduler.committable(P0),
        Some(NextOffset::at(0)),
        "unfinished: the next owner reads it again"
    );
}

#[test]
fn fatal_outcome_stops_dispatch_and_nothing_is_committed_past_it() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    for (offset, key) in [(0, "a"), (1, "b"), (2, "c")] {
        offer(&mut scheduler, p0, offset, key);
    }
    let a = job(&mut scheduler, START);
    let b = job(&mut scheduler, START);
    scheduler.finish(b, Outcome::Fatal, START);
    assert!(scheduler.halted());
    assert!(matches!(scheduler.next(START), Next::Idle));
    assert!(!scheduler.settled(P0, MILLISECOND), "a is in flight");
    scheduler.finish(a, Outcome::Done, START);
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(1)));
    assert!(scheduler.settled(P0, MILLISECOND), "c can no longer be dispatched");
    assert_eq!(
        scheduler.offer(record(p0, 3, "d"), START),
        Err(Refused::Closed(Closed::Stopped))
    );
}

#[test]
fn stopped_intake_refuses_every_assignment() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    scheduler.stop_intake();
    let p1 = scheduler.assign(P1, Some(NextOffset::at(0)));
    for assignment in [p0, p1] {
        assert_eq!(
            scheduler.offer(record(assignment, 5, "b"), START),
            Err(Refused::Closed(Closed::Stopped))
        );
    }
    assert_eq!(keys(&mut scheduler, START), ["a"], "what it holds is still worked on");
}

#[test]
fn stats_tell_the_age_of_the_oldest_unfinished_record() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    scheduler.offer(record(p0, 0, "a"), MILLISECOND * 10).unwrap();
    scheduler.offer(record(p0, 1, "b"), MILLISECOND * 30).unwrap();
    let a = job(&mut scheduler, MILLISECOND * 30);
    assert_eq!(
        scheduler.stats(MILLISECOND * 40).oldest_unfinished,
        Some(MILLISECOND * 30)
    );
    scheduler.finish(a, Outcome::Done, MILLISECOND * 40);
    let stats = scheduler.stats(MILLISECOND * 50);
    assert_eq!(
        (stats.oldest_unfinished, stats.last_progress),
        (Some(MILLISECOND * 20), Some(MILLISECOND * 10))
    );
}
