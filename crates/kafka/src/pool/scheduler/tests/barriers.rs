//! Records that wait for everything before them.

use super::*;

/// A change that waits for all, if it is told to.
#[derive(Debug)]
struct Marked {
    is_barrier: bool,
}

impl Coalesce for Marked {
    fn absorb(&mut self, newer: Self) {
        *self = newer;
    }

    fn bytes(&self) -> usize {
        1
    }

    fn waits_for_all(&self) -> bool {
        self.is_barrier
    }
}

fn offer(scheduler: &mut Scheduler<Marked>, assignment: Assignment, offset: i64, is_barrier: bool) {
    offer_of(scheduler, assignment, &offset.to_string(), offset, is_barrier);
}

fn offer_of(scheduler: &mut Scheduler<Marked>, assignment: Assignment, key: &str, offset: i64, is_barrier: bool) {
    let record = Record {
        assignment,
        offset,
        key: Bytes::copy_from_slice(key.as_bytes()),
        payload: Marked { is_barrier },
    };
    scheduler.offer(record, START).unwrap();
}

fn next_offset(scheduler: &mut Scheduler<Marked>) -> Option<(i64, Job<Marked>)> {
    match scheduler.next(START) {
        Next::Job(job) => Some((job.offset(), job)),
        _ => None,
    }
}

#[test]
fn a_barrier_waits_for_all_before_it_and_holds_nothing_up_behind_it() {
    let mut scheduler = Scheduler::new(&settings(64));
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    for (offset, is_barrier) in [(0, false), (1, false), (2, true), (3, false)] {
        offer(&mut scheduler, p0, offset, is_barrier);
    }
    let (first, first_job) = next_offset(&mut scheduler).unwrap();
    let (second, second_job) = next_offset(&mut scheduler).unwrap();
    let (behind, behind_job) = next_offset(&mut scheduler).unwrap();
    assert_eq!((first, second, behind), (0, 1, 3));
    assert!(next_offset(&mut scheduler).is_none(), "the barrier is not started");

    scheduler.finish(behind_job, Outcome::Done, START);
    scheduler.finish(second_job, Outcome::Done, START);
    assert!(next_offset(&mut scheduler).is_none(), "one before it is in flight");
    scheduler.finish(first_job, Outcome::Done, START);
    let (barrier, barrier_job) = next_offset(&mut scheduler).unwrap();
    assert_eq!(barrier, 2);
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(2)));
    scheduler.finish(barrier_job, Outcome::Skipped, START);
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(4)));
}

#[test]
fn a_barrier_with_nothing_before_it_is_started_at_once() {
    let mut scheduler = Scheduler::new(&settings(64));
    let p0 = scheduler.assign(P0, Some(NextOffset::at(5)));
    offer(&mut scheduler, p0, 5, true);
    offer(&mut scheduler, p0, 6, true);
    let (first, job) = next_offset(&mut scheduler).unwrap();
    assert_eq!(first, 5);
    assert!(next_offset(&mut scheduler).is_none(), "the second waits for the first");
    scheduler.finish(job, Outcome::Done, START);
    assert_eq!(next_offset(&mut scheduler).map(|(offset, _)| offset), Some(6));
}

#[test]
fn a_barrier_that_is_tried_again_keeps_its_place() {
    let mut scheduler = Scheduler::new(&settings(64));
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, true);
    let (_, job) = next_offset(&mut scheduler).unwrap();
    scheduler.finish(
        job,
        Outcome::Retry {
            not_before: MILLISECOND,
        },
        START,
    );
    assert!(next_offset(&mut scheduler).is_none());
    assert!(matches!(scheduler.next(MILLISECOND), Next::Job(job) if job.attempt() == 2));
}

#[test]
fn barriers_of_other_partitions_do_not_wait_for_each_other() {
    let mut scheduler = Scheduler::new(&settings(64));
    let (p0, p1) = (
        scheduler.assign(P0, Some(NextOffset::at(0))),
        scheduler.assign(P1, Some(NextOffset::at(0))),
    );
    offer(&mut scheduler, p0, 0, false);
    offer(&mut scheduler, p1, 0, true);
    let started = [next_offset(&mut scheduler), next_offset(&mut scheduler)];
    assert!(started.iter().all(Option::is_some));
}

#[test]
fn a_parked_record_holds_back_the_commit_and_no_barrier() {
    let mut scheduler = Scheduler::new(&settings(64));
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    for (offset, is_barrier) in [(0, false), (1, false), (2, true)] {
        offer(&mut scheduler, p0, offset, is_barrier);
    }
    let (_, orphan) = next_offset(&mut scheduler).unwrap();
    let (_, other) = next_offset(&mut scheduler).unwrap();
    scheduler.finish(other, Outcome::Done, START);
    assert!(next_offset(&mut scheduler).is_none(), "one before it is in flight");
    let parked = Outcome::Parked {
        not_before: MILLISECOND,
    };
    scheduler.finish(orphan, parked, START);
    let (barrier, barrier_job) = next_offset(&mut scheduler).unwrap();
    assert_eq!(barrier, 2);
    scheduler.finish(barrier_job, Outcome::Done, START);
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(0)));
    assert_eq!(scheduler.passed(), [(P0, NextOffset::at(3))]);
    assert!(scheduler.settled(P0, MILLISECOND * 100), "nothing is worth waiting for");

    let Next::Job(orphan) = scheduler.next(MILLISECOND) else {
        panic!("the parked record is tried again")
    };
    scheduler.finish(orphan, Outcome::Done, MILLISECOND);
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(3)));
    assert_eq!(scheduler.passed(), []);
}

/// What was parked in one epoch comes again in the next: until it has been tried once more, the end of that epoch waits.
#[test]
fn a_newer_change_of_a_parked_record_is_tried_at_once_and_holds_a_barrier_until_then() {
    let parked = Outcome::Parked {
        not_before: MILLISECOND * 1_000,
    };
    for comes_while_in_flight in [false, true] {
        let mut scheduler = Scheduler::new(&settings(64));
        let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
        offer_of(&mut scheduler, p0, "orphan", 0, false);
        let (_, first) = next_offset(&mut scheduler).unwrap();
        let mut first = Some(first);
        if !comes_while_in_flight {
            scheduler.finish(first.take().unwrap(), parked, START);
        }
        offer_of(&mut scheduler, p0, "orphan", 1, false);
        offer(&mut scheduler, p0, 2, true);
        if let Some(first) = first {
            scheduler.finish(first, parked, START);
        }

        let (newest, again) = next_offset(&mut scheduler).unwrap();
        assert_eq!((newest, again.records(), again.attempt()), (1, 2, 2));
        assert!(next_offset(&mut scheduler).is_none(), "the barrier waits");
        scheduler.finish(again, parked, START);
        assert_eq!(next_offset(&mut scheduler).map(|(offset, _)| offset), Some(2));
    }
}

#[test]
fn a_newer_change_of_a_parked_record_that_fails_is_not_parked() {
    let mut scheduler = Scheduler::new(&settings(64));
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer_of(&mut scheduler, p0, "orphan", 0, false);
    let (_, job) = next_offset(&mut scheduler).unwrap();
    let not_before = MILLISECOND;
    scheduler.finish(job, Outcome::Parked { not_before }, START);
    offer_of(&mut scheduler, p0, "orphan", 1, false);
    offer(&mut scheduler, p0, 2, true);
    let (_, job) = next_offset(&mut scheduler).unwrap();
    scheduler.finish(job, Outcome::Retry { not_before }, START);
    assert!(
        next_offset(&mut scheduler).is_none(),
        "neither the barrier nor, too early, the record"
    );
    let Next::Job(job) = scheduler.next(MILLISECOND) else {
        panic!("the record is tried again")
    };
    scheduler.finish(
        job,
        Outcome::Parked {
            not_before: MILLISECOND * 9,
        },
        MILLISECOND,
    );
    assert!(matches!(scheduler.next(MILLISECOND), Next::Job(job) if job.offset() == 2));
}

#[test]
fn parked_records_leave_room_for_others() {
    let mut few = settings(64);
    few.max_records = 2;
    let mut scheduler = Scheduler::new(&few);
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    for offset in 0..10 {
        offer(&mut scheduler, p0, offset, false);
        let (_, job) = next_offset(&mut scheduler).unwrap();
        let parked = Outcome::Parked {
            not_before: MILLISECOND,
        };
        scheduler.finish(job, parked, START);
    }
    assert_eq!(scheduler.committable(P0), Some(NextOffset::at(0)));
}
