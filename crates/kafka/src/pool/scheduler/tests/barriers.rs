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
    let record = Record {
        assignment,
        offset,
        key: Bytes::from(offset.to_string()),
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
