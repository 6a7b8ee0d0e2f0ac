//! How it ends: revocation, stop, failure, the last handle dropped.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test(start_paused = true)]
async fn feeder_that_was_refused_learns_of_a_stop() {
    let (pool, _driver) = start(
        &PoolSettings {
            max_records: 1,
            ..settings()
        },
        |_| std::future::pending(),
    );
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.try_offer(record(p0, 0, "a")).unwrap();
    assert!(matches!(pool.try_offer(record(p0, 1, "b")), Err(Refused::Full(_))));
    let feeder = tokio::spawn({
        let pool = pool.clone();
        async move { pool.room().await }
    });
    tokio::time::sleep(SECOND).await;
    pool.stop(Instant::now() + SECOND).await;
    assert_eq!(feeder.await.unwrap(), [P0]);
    assert_eq!(pool.room().await, []);
}

#[tokio::test(start_paused = true)]
async fn revoke_drains_and_leaves_other_partitions_alone() {
    let (pool, _driver) = start(&settings(), |_| async {
        tokio::time::sleep(SECOND).await;
        Verdict::Done
    });
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    let p1 = pool.assign(P1, Some(NextOffset::at(50)));
    for offset in 0..100 {
        pool.try_offer(record(p0, offset, offset.to_string())).unwrap();
    }
    pool.try_offer(record(p1, 50, "x")).unwrap();
    let began = Instant::now();
    let offsets = pool.revoke(&[P0], began + SECOND * 10).await;
    assert_eq!(offsets, [(P0, NextOffset::at(100))]);
    assert_eq!(began.elapsed().as_secs(), 2, "two rounds of 64");
    assert_eq!(
        pool.try_offer(record(p0, 100, "a")),
        Err(Refused::Closed(Closed::Revoked))
    );
    assert_eq!(pool.try_offer(record(p1, 51, "y")), Ok(Accepted::New));
    drained(&pool).await;
    assert_eq!(pool.take_committable(), [(P1, NextOffset::at(52))]);
}

#[tokio::test(start_paused = true)]
async fn work_that_outlasts_the_revocation_commits_nothing() {
    let (pool, _driver) = start(&settings(), |seen: Seen| async move {
        let time = if seen.key == "slow" { SECOND * 60 } else { SECOND };
        tokio::time::sleep(time).await;
        Verdict::Done
    });
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    for (offset, key) in [(0, "a"), (1, "slow"), (2, "b")] {
        pool.try_offer(record(p0, offset, key)).unwrap();
    }
    let offsets = pool.revoke(&[P0], Instant::now() + SECOND * 5).await;
    assert_eq!(offsets, [(P0, NextOffset::at(1))]);
    let again = pool.assign(P0, Some(NextOffset::at(1)));
    pool.try_offer(record(again, 1, "slow")).unwrap();
    tokio::time::sleep(SECOND * 58).await;
    assert_eq!(
        pool.committable(P0),
        Some(NextOffset::at(1)),
        "the late job has finished"
    );
    assert_eq!(pool.stats().in_flight, 1, "and the new one of its key runs");
    drained(&pool).await;
    assert_eq!(pool.take_committable(), [(P0, NextOffset::at(2))]);
}

#[tokio::test(start_paused = true)]
async fn revoke_does_not_wait_for_what_a_pause_holds_back() {
    let (pool, _driver) = start(&settings(), |_| async { Verdict::Done });
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.pause_until(Instant::now() + SECOND * 60, "throttled");
    pool.try_offer(record(p0, 0, "a")).unwrap();
    let began = Instant::now();
    assert_eq!(pool.revoke(&[P0], began + SECOND * 20).await, [(P0, NextOffset::at(0))]);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn revocation_releases_an_offer_that_waits() {
    let (pool, _driver) = start(
        &PoolSettings {
            max_records: 1,
            ..settings()
        },
        |_| async {
            tokio::time::sleep(SECOND * 100).await;
            Verdict::Done
        },
    );
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.try_offer(record(p0, 0, "a")).unwrap();
    let feeder = tokio::spawn({
        let pool = pool.clone();
        async move { pool.offer(record(p0, 1, "b")).await }
    });
    tokio::time::sleep(SECOND).await;
    pool.revoke(&[P0], Instant::now() + SECOND).await;
    assert_eq!(feeder.await.unwrap(), Err(Closed::Revoked));
}

#[tokio::test(start_paused = true)]
async fn fatal_verdict_is_reported_and_releases_everybody() {
    let (pool, driver) = start(
        &PoolSettings {
            max_records: 3,
            ..settings()
        },
        |seen: Seen| async move {
            tokio::time::sleep(SECOND).await;
            if seen.key == "b" {
                Verdict::Fatal(WrongSecret)
            } else {
                Verdict::Done
            }
        },
    );
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    for (offset, key) in [(0, "a"), (1, "b"), (2, "a")] {
        pool.try_offer(record(p0, offset, key)).unwrap();
    }
    assert_eq!(pool.offer(record(p0, 3, "c")).await, Err(Closed::Stopped));
    let failure = pool.failed().await;
    assert_eq!((failure.partition, failure.offset), (P0, 1));
    assert!(matches!(failure.cause, Cause::Fatal(WrongSecret)));
    let began = Instant::now();
    let offsets = pool.stop(began + SECOND * 30).await;
    assert_eq!(offsets, [(P0, NextOffset::at(1))]);
    assert!(began.elapsed() < SECOND * 2, "nothing more can finish");
    assert!(driver.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn panic_of_a_handler_is_a_failure_not_a_lost_slot() {
    let (pool, _driver) = start(
        &settings(),
        |seen: Seen| async move { panic!("no such key: {}", seen.key) },
    );
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.try_offer(record(p0, 0, "a")).unwrap();
    let failure = pool.failed().await;
    assert!(
        matches!(&failure.cause, Cause::Panicked { message } if message == "no such key: a"),
        "{failure:?}"
    );
    assert_eq!(pool.stats().in_flight, 0);
}

/// Counts the futures of handlers that exist.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn stop_drains_then_aborts_at_its_deadline() {
    let alive = Arc::new(AtomicUsize::new(0));
    let count = alive.clone();
    let (pool, driver) = start(&settings(), move |seen: Seen| {
        let alive = Alive::new(&count);
        async move {
            let _alive = alive;
            tokio::time::sleep(if seen.key == "stuck" { SECOND * 3_600 } else { SECOND }).await;
            Verdict::Done
        }
    });
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    for (offset, key) in [(0, "a"), (1, "b"), (2, "stuck")] {
        pool.try_offer(record(p0, offset, key)).unwrap();
    }
    let offsets = pool.stop(Instant::now() + SECOND * 5).await;
    assert_eq!(offsets, [(P0, NextOffset::at(2))]);
    driver.await.unwrap().unwrap();
    assert_eq!(alive.load(Ordering::SeqCst), 0, "no future of a handler is left");
    assert_eq!(
        pool.try_offer(record(p0, 3, "c")),
        Err(Refused::Closed(Closed::Stopped))
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_the_driver_and_its_jobs() {
    let alive = Arc::new(AtomicUsize::new(0));
    let count = alive.clone();
    let (pool, driver) = start(&settings(), move |_| {
        let alive = Alive::new(&count);
        async move {
            let _alive = alive;
            std::future::pending().await
        }
    });
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.try_offer(record(p0, 0, "a")).unwrap();
    let other = pool.clone();
    drop(pool);
    tokio::time::sleep(SECOND).await;
    assert_eq!((alive.load(Ordering::SeqCst), driver.is_finished()), (1, false));
    drop(other);
    driver.await.unwrap().unwrap();
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}
