//! Bounds, limits and pauses.

use super::*;

#[test]
fn full_pool_refuses_and_names_the_partition_once_half_has_drained() {
    let mut scheduler = Scheduler::new(&PoolSettings {
        max_records: 4,
        ..settings(64)
    });
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    for (offset, key) in [(0, "a"), (1, "b"), (2, "c"), (3, "d")] {
        offer(&mut scheduler, p0, offset, key);
    }
    assert!(matches!(scheduler.offer(record(p0, 4, "e"), START), Err(Refused::Full(back)) if back.offset == 4));
    let first = job(&mut scheduler, START);
    scheduler.finish(first, Outcome::Done, START);
    assert_eq!(scheduler.take_room(), []);
    let second = job(&mut scheduler, START);
    scheduler.finish(second, Outcome::Done, START);
    assert!(scheduler.has_room());
    assert_eq!(scheduler.take_room(), [P0]);
    assert_eq!(scheduler.take_room(), [], "named once");
    assert_eq!(
        offer(&mut scheduler, p0, 4, "e"),
        Accepted::New,
        "a refused offset was not received"
    );
}

#[test]
fn payload_larger_than_the_byte_bound_passes_alone() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    let oversized = || sized(p0, 1, "b", 50_000);
    assert!(matches!(scheduler.offer(oversized(), START), Err(Refused::Full(_))));
    let a = job(&mut scheduler, START);
    scheduler.finish(a, Outcome::Done, START);
    assert_eq!(scheduler.take_room(), [P0]);
    assert_eq!(scheduler.offer(oversized(), START), Ok(Accepted::New));
    assert!(matches!(
        scheduler.offer(record(p0, 2, "c"), START),
        Err(Refused::Full(_))
    ));
}

#[test]
fn busy_partition_does_not_starve_another() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    let p1 = scheduler.assign(P1, Some(NextOffset::at(0)));
    let busy = (0..)
        .take_while(|offset| scheduler.offer(record(p0, *offset, "a"), START).is_ok())
        .count();
    assert_eq!(busy, 75, "its own quarter and the common half");
    let other = (0..)
        .take_while(|offset| scheduler.offer(record(p1, *offset, "a"), START).is_ok())
        .count();
    assert_eq!(other, 25);
}

#[test]
fn nothing_starts_during_a_pause_and_less_at_once_after_it() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    let pause = Duration::from_secs(7);
    scheduler.pause_until(pause, "told to wait".into(), MILLISECOND);
    scheduler.pause_until(MILLISECOND * 5, "shorter".into(), MILLISECOND * 2);
    assert_eq!(at(&scheduler.next(MILLISECOND * 10)), Some(pause));
    assert!(!scheduler.can_dispatch(MILLISECOND * 10));
    let stats = scheduler.stats(MILLISECOND * 1_000);
    let expected = Pause {
        remaining: Duration::from_secs(6),
        reason: "told to wait".into(),
    };
    assert_eq!((stats.paused, stats.limit), (Some(expected), 32));
    assert_eq!(keys(&mut scheduler, pause), ["a"]);
    assert_eq!(scheduler.stats(pause).paused, None);
}

#[test]
fn paused_partition_is_settled_when_the_pause_outlasts_the_deadline() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    scheduler.pause_until(MILLISECOND * 100, "test".into(), START);
    assert!(scheduler.settled(P0, MILLISECOND * 100));
    assert!(!scheduler.settled(P0, MILLISECOND * 101));
    assert!(!scheduler.drained(P0));
}

#[test]
fn retries_due_after_the_deadline_do_not_hold_up_a_revocation() {
    let mut scheduler = scheduler();
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    offer(&mut scheduler, p0, 1, "b");
    let a = job(&mut scheduler, START);
    scheduler.finish(
        a,
        Outcome::Retry {
            not_before: MILLISECOND * 100,
        },
        START,
    );
    assert!(!scheduler.settled(P0, MILLISECOND * 100), "b is ready");
    let b = job(&mut scheduler, START);
    assert!(!scheduler.settled(P0, MILLISECOND * 100), "b is in flight");
    scheduler.finish(b, Outcome::Done, START);
    assert!(scheduler.settled(P0, MILLISECOND * 100));
    assert!(!scheduler.settled(P0, MILLISECOND * 101));
}

#[test]
fn rate_limits_starts_retries_included() {
    let rate = Rate::per_second(10.0);
    let mut scheduler = Scheduler::new(&PoolSettings { rate, ..settings(64) });
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    offer(&mut scheduler, p0, 0, "a");
    let mut now = START;
    let mut starts = 0;
    while now < Duration::from_secs(10) {
        match scheduler.next(now) {
            Next::Job(job) => {
                starts += 1;
                scheduler.finish(job, Outcome::Retry { not_before: now }, now);
            }
            Next::At(at) => now = at,
            Next::Idle => panic!("a retry is due"),
        }
    }
    assert!((100..=102).contains(&starts), "{starts} starts in ten seconds");
}

#[test]
fn limit_holds_jobs_back_until_one_finishes() {
    let mut scheduler = Scheduler::new(&settings(2));
    let p0 = scheduler.assign(P0, Some(NextOffset::at(0)));
    for (offset, key) in [(0, "a"), (1, "b"), (2, "c")] {
        offer(&mut scheduler, p0, offset, key);
    }
    let first = job(&mut scheduler, START);
    let _second = job(&mut scheduler, START);
    assert!(matches!(scheduler.next(START), Next::Idle));
    scheduler.finish(first, Outcome::Skipped, START);
    assert_eq!(keys(&mut scheduler, START), ["c"]);
    let stats = scheduler.stats(START);
    assert_eq!((stats.done, stats.skipped, stats.in_flight), (1, 1, 2));
}
