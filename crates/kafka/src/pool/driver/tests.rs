//! Pool and driver together. Time is paused and jumps to the next timer, but where threads matter.

use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;

use super::*;
use crate::pool::{
    Accepted, Assignment, Closed, Coalesce, ConcurrencySettings, NextOffset, PartitionId, Pool, PoolSettings, Rate,
    Record, Refused,
};

mod ending;

const P0: PartitionId = PartitionId { topic: 0, partition: 0 };
const P1: PartitionId = PartitionId { topic: 0, partition: 1 };
const SECOND: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Offsets(Vec<i64>);

impl Coalesce for Offsets {
    fn absorb(&mut self, newer: Self) {
        self.0.extend(newer.0);
    }

    fn bytes(&self) -> usize {
        self.0.len() * 8
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("wrong secret")]
struct WrongSecret;

type TestVerdict = Verdict<WrongSecret>;

/// One attempt as a test sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    key: String,
    offsets: Vec<i64>,
    attempt: u32,
}

/// A handler made of a closure.
struct Work<F>(F);

impl<F, R> Handler for Work<F>
where
    F: Fn(Seen) -> R + Send + Sync + 'static,
    R: Future<Output = TestVerdict> + Send,
{
    type Payload = Offsets;
    type Error = WrongSecret;

    async fn handle(&self, job: &Job<Offsets>) -> TestVerdict {
        let seen = Seen {
            key: String::from_utf8_lossy(job.key()).into_owned(),
            offsets: job.payload().0.clone(),
            attempt: job.attempt(),
        };
        (self.0)(seen).await
    }
}

fn settings() -> PoolSettings {
    PoolSettings {
        max_records: 1_000,
        max_bytes: 1_000_000,
        concurrency: ConcurrencySettings {
            min: 1,
            initial: 64,
            max: 64,
        },
        rate: None,
    }
}

/// Waits what was asked for, or as many seconds as there were attempts.
fn backoff() -> Backoff {
    Box::new(|attempt, after, jitter| {
        assert!((0.0..1.0).contains(&jitter));
        after.unwrap_or(SECOND * attempt)
    })
}

fn start<F, R>(settings: &PoolSettings, work: F) -> (Pool<Work<F>>, tokio::task::JoinHandle<DriverResult>)
where
    F: Fn(Seen) -> R + Send + Sync + 'static,
    R: Future<Output = TestVerdict> + Send,
{
    let (pool, driver) = Pool::new(settings, Work(work), backoff());
    (pool, tokio::spawn(driver.run()))
}

type DriverResult = Result<(), Arc<Failure<WrongSecret>>>;

fn record(assignment: Assignment, offset: i64, key: impl Into<String>) -> Record<Offsets> {
    Record {
        assignment,
        offset,
        key: Bytes::from(key.into()),
        payload: Offsets(vec![offset]),
    }
}

/// Waits until the pool holds nothing; with paused time this takes no time.
async fn drained<H: Handler>(pool: &Pool<H>) {
    let empty = async {
        while pool.stats().records > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(SECOND * 3_600, empty)
        .await
        .expect("the pool drains");
}

/// A log of what happened, with the time since the test began.
#[derive(Clone)]
struct Journal<T> {
    start: Instant,
    entries: Arc<Mutex<Vec<(Duration, T)>>>,
}

impl<T: Clone> Journal<T> {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            entries: Arc::default(),
        }
    }

    fn note(&self, entry: T) {
        self.entries.lock().push((self.start.elapsed(), entry));
    }

    /// Entries with the second they were made in.
    fn seconds(&self) -> Vec<(u64, T)> {
        self.entries
            .lock()
            .iter()
            .map(|(at, entry)| (at.as_secs(), entry.clone()))
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn failed_attempts_are_repeated_after_the_backoff_of_their_number() {
    let journal = Journal::new();
    let attempts = journal.clone();
    let (pool, _driver) = start(&settings(), move |seen: Seen| {
        attempts.note(seen.attempt);
        let verdict = if seen.attempt < 4 {
            Verdict::Retry {
                after: None,
                throttled: false,
            }
        } else {
            Verdict::Done
        };
        async move { verdict }
    });
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.try_offer(record(p0, 0, "a")).unwrap();
    drained(&pool).await;
    assert_eq!(journal.seconds(), [(0, 1), (1, 2), (3, 3), (6, 4)]);
    assert_eq!(pool.take_committable(), [(P0, NextOffset::at(1))]);
    assert_eq!(pool.stats().retries, 3);
}

#[tokio::test(start_paused = true)]
async fn retry_after_pauses_every_key_to_the_second() {
    let journal = Journal::new();
    let attempts = journal.clone();
    let (pool, _driver) = start(&settings(), move |seen: Seen| {
        attempts.note(seen.key.clone());
        let throttled = seen.key == "a" && seen.attempt == 1;
        async move {
            if throttled {
                Verdict::Retry {
                    after: Some(SECOND * 7),
                    throttled: true,
                }
            } else {
                Verdict::Done
            }
        }
    });
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.try_offer(record(p0, 0, "a")).unwrap();
    tokio::time::sleep(SECOND * 2).await;
    pool.try_offer(record(p0, 1, "b")).unwrap();
    let stats = pool.stats();
    assert_eq!(stats.paused.map(|pause| pause.remaining), Some(SECOND * 5));
    assert_eq!(
        (stats.retrying, stats.waiting, stats.limit, stats.throttled),
        (1, 2, 32, 1)
    );
    drained(&pool).await;
    assert_eq!(
        journal.seconds(),
        [(0, "a".to_owned()), (7, "a".to_owned()), (7, "b".to_owned())]
    );
}

#[tokio::test(start_paused = true)]
async fn pause_from_outside_holds_everything_back() {
    let journal = Journal::new();
    let attempts = journal.clone();
    let (pool, _driver) = start(&settings(), move |seen: Seen| {
        attempts.note(seen.key);
        async { Verdict::Done }
    });
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.pause_until(Instant::now() + SECOND * 3, "maintenance");
    pool.try_offer(record(p0, 0, "a")).unwrap();
    assert_eq!(
        pool.stats().paused.map(|pause| pause.reason),
        Some("maintenance".into())
    );
    drained(&pool).await;
    assert_eq!(journal.seconds(), [(3, "a".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn rate_can_be_lowered_and_lifted_while_running() {
    let journal = Journal::new();
    let attempts = journal.clone();
    let (pool, _driver) = start(&settings(), move |_| {
        attempts.note(());
        async { Verdict::Done }
    });
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.set_rate(Rate::per_second(2.0));
    for offset in 0..100 {
        pool.try_offer(record(p0, offset, offset.to_string())).unwrap();
    }
    tokio::time::sleep(SECOND * 10).await;
    let started = pool.stats().started;
    assert!((20..=22).contains(&started), "{started} in ten seconds");
    pool.set_rate(None);
    drained(&pool).await;
    assert_eq!(journal.seconds().last(), Some(&(10, ())));
}

#[tokio::test(start_paused = true)]
async fn offer_waits_while_full_and_goes_on_when_there_is_room() {
    let (pool, _driver) = start(
        &PoolSettings {
            max_records: 10,
            ..settings()
        },
        |_| async {
            tokio::time::sleep(SECOND).await;
            Verdict::Done
        },
    );
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    let began = Instant::now();
    for offset in 0..100 {
        assert_eq!(
            pool.offer(record(p0, offset, offset.to_string())).await,
            Ok(Accepted::New)
        );
        assert!(pool.stats().records <= 10);
    }
    drained(&pool).await;
    assert_eq!(pool.committable(P0), Some(NextOffset::at(100)));
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn feeder_that_was_refused_learns_of_room() {
    let (pool, _driver) = start(
        &PoolSettings {
            max_records: 4,
            ..settings()
        },
        |_| async {
            tokio::time::sleep(SECOND).await;
            Verdict::Done
        },
    );
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    let mut refused = None;
    for offset in 0..5 {
        if let Err(Refused::Full(record)) = pool.try_offer(record(p0, offset, offset.to_string())) {
            refused = Some(record);
        }
    }
    assert_eq!(pool.take_room(), []);
    let room = tokio::time::timeout(SECOND * 2, pool.room())
        .await
        .expect("room is reported");
    assert_eq!(room, [P0]);
    assert_eq!(
        pool.try_offer(refused.expect("the fifth was refused")),
        Ok(Accepted::New)
    );
}

#[tokio::test(start_paused = true)]
async fn offer_that_is_dropped_while_it_waits_has_not_taken_the_record() {
    let (pool, _driver) = start(
        &PoolSettings {
            max_records: 1,
            ..settings()
        },
        |_| async {
            tokio::time::sleep(SECOND).await;
            Verdict::Done
        },
    );
    let p0 = pool.assign(P0, Some(NextOffset::at(0)));
    pool.try_offer(record(p0, 0, "a")).unwrap();
    let offered = tokio::time::timeout(SECOND / 2, pool.offer(record(p0, 1, "b"))).await;
    assert!(offered.is_err());
    drained(&pool).await;
    assert_eq!(pool.committable(P0), Some(NextOffset::at(1)));
    assert_eq!(pool.try_offer(record(p0, 1, "b")), Ok(Accepted::New));
}

/// Real threads and real time: a consumer thread feeds two partitions as fast as it can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_consumer_thread_and_many_workers_keep_order_and_lose_nothing() {
    const RECORDS: i64 = 20_000;
    type Newest = HashMap<String, (i64, bool)>;
    let effects: Arc<Mutex<Newest>> = Arc::default();
    let applied = effects.clone();
    let (pool, _driver) = start(&settings(), move |seen: Seen| {
        let applied = applied.clone();
        async move {
            {
                let mut applied = applied.lock();
                let (newest, running) = applied.entry(seen.key.clone()).or_insert((-1, false));
                assert!(!std::mem::replace(running, true), "two in flight for {}", seen.key);
                assert!(seen.offsets[0] > *newest, "{} went back", seen.key);
                *newest = *seen.offsets.last().expect("a job has an offset");
            }
            tokio::task::yield_now().await;
            applied
                .lock()
                .entry(seen.key)
                .and_modify(|(_, running)| *running = false);
            Verdict::Done
        }
    });
    let consumer = std::thread::spawn({
        let (pool, runtime) = (pool.clone(), tokio::runtime::Handle::current());
        move || {
            let assignments = [P0, P1].map(|id| pool.assign(id, Some(NextOffset::at(0))));
            let mut next = [0; 2];
            let mut blocked = [false; 2];
            while next != [RECORDS; 2] {
                for partition in 0..2 {
                    let offset = next[partition];
                    if blocked[partition] || offset == RECORDS {
                        continue;
                    }
                    let key = format!("{partition}/{}", offset * 7_919 % 300);
                    match pool.try_offer(record(assignments[partition], offset, key)) {
                        Ok(_) => next[partition] += 1,
                        Err(Refused::Full(_)) => blocked[partition] = true,
                        Err(Refused::Closed(closed)) => panic!("{closed}"),
                    }
                }
                let must_wait = (0..2).all(|partition| blocked[partition] || next[partition] == RECORDS);
                let room = if must_wait && blocked != [false; 2] {
                    runtime.block_on(pool.room())
                } else {
                    pool.take_room()
                };
                for id in room {
                    blocked[id.partition as usize] = false;
                }
            }
        }
    });
    let finished = async {
        while pool.stats().done < 2 * RECORDS as u64 {
            assert!(pool.failure().is_none(), "{:?}", pool.failure());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(SECOND * 60, finished)
        .await
        .expect("everything finishes");
    consumer.join().unwrap();
    let mut offsets = pool.stop(Instant::now() + SECOND).await;
    offsets.sort_unstable();
    assert_eq!(offsets, [(P0, NextOffset::at(RECORDS)), (P1, NextOffset::at(RECORDS))]);
    assert_eq!(effects.lock().len(), 600);
}
