//! How many records a second the work pool moves, counted in the handler.
//!
//! `cargo run --release -p crosswalk-kafka --example pool_throughput`
//!
//! A plain thread feeds ten partitions as a consumer would, with payloads of 400 bytes that replace each other. Handlers
//! do nothing, at once or after 20 ms. Each case runs several times, alternating with the others; the first two seconds
//! of a run are not counted. `records/s` are records finished, `calls/s` are handler calls: changes that wait are
//! absorbed, so a call may finish several records. `out of order` must be 0.

#![expect(clippy::print_stdout, reason = "a program that prints its result")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crosswalk_kafka::pool::{
    Coalesce, Handler, Job, NextOffset, PartitionId, Pool, PoolSettings, Record, Refused, Verdict,
};

const PARTITIONS: usize = 10;
const PAYLOAD_BYTES: usize = 400;
const RUNS: usize = 3;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(3);

#[derive(Clone, Copy)]
struct Case {
    /// A multiple of the partitions.
    keys: usize,
    /// How long a call takes.
    latency: Duration,
    /// Records offered per second; as many as are taken if there is no such rate.
    offered: Option<u32>,
}

const fn case(keys: usize, milliseconds: u64, offered: Option<u32>) -> Case {
    Case {
        keys,
        latency: Duration::from_millis(milliseconds),
        offered,
    }
}

const CASES: [Case; 6] = [
    case(5_000, 0, None),
    case(200, 0, None),
    case(5_000, 20, None),
    case(200, 20, None),
    case(5_000, 20, Some(40_000)),
    case(200, 20, Some(40_000)),
];

struct Row {
    key: usize,
    version: i64,
    data: Bytes,
}

impl Coalesce for Row {
    fn absorb(&mut self, newer: Self) {
        *self = newer;
    }

    fn bytes(&self) -> usize {
        self.data.len()
    }
}

/// The destination: remembers the version of each key.
struct Destination {
    latency: Duration,
    versions: Vec<AtomicI64>,
    calls: AtomicU64,
    out_of_order: AtomicU64,
}

#[derive(Clone)]
struct Writer(Arc<Destination>);

impl Handler for Writer {
    type Payload = Row;
    type Error = std::convert::Infallible;

    async fn handle(&self, job: &Job<Row>) -> Verdict<Self::Error> {
        if !self.0.latency.is_zero() {
            tokio::time::sleep(self.0.latency).await;
        }
        let Row { key, version, .. } = *job.payload();
        let before = self.0.versions[key].swap(version, Ordering::Relaxed);
        self.0
            .out_of_order
            .fetch_add(u64::from(before >= version), Ordering::Relaxed);
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        Verdict::Done
    }
}

/// What one run measured, per second.
struct Rates {
    records: f64,
    calls: f64,
    out_of_order: u64,
    limit: usize,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let mut rates: [Vec<Rates>; CASES.len()] = Default::default();
    for _ in 0..RUNS {
        for (case, rates) in CASES.into_iter().zip(&mut rates) {
            rates.push(run(case).await);
        }
    }
    println!(
        "{RUNS} runs of {} s each, one worker thread, median (lowest to highest)",
        MEASURED.as_secs()
    );
    for (case, rates) in CASES.into_iter().zip(rates) {
        println!(
            "{:>5} keys, {:>2} ms, {:>6} offered/s: records/s {}, calls/s {}, limit {}, out of order {}",
            case.keys,
            case.latency.as_millis(),
            case.offered
                .map_or_else(|| "any".to_owned(), |offered| offered.to_string()),
            spread(rates.iter().map(|rates| rates.records)),
            spread(rates.iter().map(|rates| rates.calls)),
            rates.iter().map(|rates| rates.limit).max().unwrap_or_default(),
            rates.iter().map(|rates| rates.out_of_order).sum::<u64>(),
        );
    }
}

fn spread(values: impl Iterator<Item = f64>) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match (values.first(), values.get(values.len() / 2), values.last()) {
        (Some(lowest), Some(median), Some(highest)) => format!("{median:.0} ({lowest:.0} to {highest:.0})"),
        _ => "none".to_owned(),
    }
}

async fn run(case: Case) -> Rates {
    let destination = Arc::new(Destination {
        latency: case.latency,
        versions: (0..case.keys).map(|_| AtomicI64::new(-1)).collect(),
        calls: AtomicU64::new(0),
        out_of_order: AtomicU64::new(0),
    });
    let backoff = Box::new(|_, _, _| Duration::from_millis(100));
    let (pool, driver) = Pool::new(&PoolSettings::default(), Writer(destination.clone()), backoff);
    let driver = tokio::spawn(driver.run());
    let feeder = std::thread::spawn({
        let (pool, runtime) = (pool.clone(), tokio::runtime::Handle::current());
        move || feed(&pool, &runtime, case)
    });
    tokio::time::sleep(WARM_UP).await;
    let counts = || (pool.stats().done, destination.calls.load(Ordering::Relaxed));
    let began = tokio::time::Instant::now();
    let before = counts();
    tokio::time::sleep(MEASURED).await;
    let after = counts();
    let seconds = began.elapsed().as_secs_f64();
    let limit = pool.stats().limit;
    pool.stop(tokio::time::Instant::now()).await;
    driver.await.expect("the driver does not panic").expect("no job fails");
    feeder.join().expect("the feeder does not panic");
    Rates {
        records: (after.0 - before.0) as f64 / seconds,
        calls: (after.1 - before.1) as f64 / seconds,
        out_of_order: destination.out_of_order.load(Ordering::Relaxed),
        limit,
    }
}

/// Offers records until the pool stops. A key belongs to one partition; a partition that is refused waits for room.
fn feed(pool: &Pool<Writer>, runtime: &tokio::runtime::Handle, case: Case) {
    let ids: Vec<_> = (0..PARTITIONS as i32)
        .map(|partition| PartitionId { topic: 0, partition })
        .collect();
    let assignments: Vec<_> = ids.iter().map(|id| pool.assign(*id, Some(NextOffset::at(0)))).collect();
    let names: Vec<_> = (0..case.keys)
        .map(|key| Bytes::from(format!("00000000-0000-4000-8000-{key:012}")))
        .collect();
    let data = Bytes::from(vec![b'x'; PAYLOAD_BYTES]);
    let mut offsets = [0; PARTITIONS];
    let mut blocked = [false; PARTITIONS];
    let began = Instant::now();
    loop {
        let offered: i64 = offsets.iter().sum();
        if case
            .offered
            .is_some_and(|rate| offered as f64 > f64::from(rate) * began.elapsed().as_secs_f64())
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        for partition in 0..PARTITIONS {
            if blocked[partition] {
                continue;
            }
            let offset = offsets[partition];
            let key = (partition + PARTITIONS * (offset as usize)) % case.keys;
            let record = Record {
                assignment: assignments[partition],
                offset,
                key: names[key].clone(),
                payload: Row {
                    key,
                    version: offset,
                    data: data.clone(),
                },
            };
            match pool.try_offer(record) {
                Ok(_) => offsets[partition] += 1,
                Err(Refused::Full(_)) => blocked[partition] = true,
                Err(Refused::Closed(_)) => return,
            }
        }
        let room = if blocked == [true; PARTITIONS] {
            runtime.block_on(pool.room())
        } else {
            pool.take_room()
        };
        for id in room {
            blocked[id.partition as usize] = false;
        }
    }
}
