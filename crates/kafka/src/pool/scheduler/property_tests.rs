//! Whatever happens in whatever order, the pool's invariants hold.
//!
//! A model world holds a log for each partition, feeds it to a scheduler, takes jobs and gives them back with any
//! outcome, revokes, forgets, assigns anew and redelivers. It checks each step, and at the end lets everything finish.

use proptest::prelude::*;

use super::tests::Change;
use super::*;
use crate::pool::job::{Job, Next, Outcome};
use crate::pool::settings::ConcurrencySettings;
use world::World;

mod world;

const PARTITIONS: usize = 3;
const KEYS: u8 = 4;
const LARGEST: usize = 60;

#[derive(Debug, Clone, Copy)]
struct LogRecord {
    offset: i64,
    key: u8,
    bytes: usize,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Done,
    Skipped,
    /// The effect may be applied although the answer was lost.
    Retry {
        after: u64,
        applied: bool,
    },
    /// As `Retry`, by something outside the pool.
    Parked {
        after: u64,
        applied: bool,
    },
    Throttled {
        after: u64,
    },
    Cancelled {
        after: u64,
    },
}

#[derive(Debug, Clone)]
enum Step {
    Feed {
        partition: usize,
        records: usize,
    },
    /// Offers again what the present assignment has been offered.
    Redeliver {
        partition: usize,
        back: usize,
    },
    Dispatch,
    Finish {
        pick: prop::sample::Index,
        ending: Ending,
    },
    Advance {
        milliseconds: u64,
    },
    Revoke {
        partition: usize,
    },
    Forget {
        partition: usize,
    },
    Assign {
        partition: usize,
    },
    Pause {
        milliseconds: u64,
    },
    Rate {
        per_second: Option<u32>,
    },
    Commit,
}

fn log() -> impl Strategy<Value = Vec<LogRecord>> {
    let record = (1..4i64, 0..KEYS, 1..=LARGEST);
    prop::collection::vec(record, 0..40).prop_map(|records| {
        let mut offset = 100;
        let place = |(gap, key, bytes)| {
            offset += gap;
            LogRecord { offset, key, bytes }
        };
        records.into_iter().map(place).collect()
    })
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        6 => Just(Ending::Done),
        1 => Just(Ending::Skipped),
        3 => (0..200u64, any::<bool>()).prop_map(|(after, applied)| Ending::Retry { after, applied }),
        2 => (0..200u64, any::<bool>()).prop_map(|(after, applied)| Ending::Parked { after, applied }),
        1 => (0..200u64).prop_map(|after| Ending::Throttled { after }),
        1 => (0..200u64).prop_map(|after| Ending::Cancelled { after }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let partition = 0..PARTITIONS;
    prop_oneof![
        6 => (partition.clone(), 1..8usize).prop_map(|(partition, records)| Step::Feed { partition, records }),
        1 => (partition.clone(), 1..8usize).prop_map(|(partition, back)| Step::Redeliver { partition, back }),
        8 => Just(Step::Dispatch),
        8 => (any::<prop::sample::Index>(), ending()).prop_map(|(pick, ending)| Step::Finish { pick, ending }),
        2 => (0..150u64).prop_map(|milliseconds| Step::Advance { milliseconds }),
        1 => partition.clone().prop_map(|partition| Step::Revoke { partition }),
        1 => partition.clone().prop_map(|partition| Step::Forget { partition }),
        2 => partition.prop_map(|partition| Step::Assign { partition }),
        1 => (0..100u64).prop_map(|milliseconds| Step::Pause { milliseconds }),
        1 => prop::option::of(1..50u32).prop_map(|per_second| Step::Rate { per_second }),
        1 => Just(Step::Commit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_keeps_order_loses_nothing_and_comes_to_an_end(
        logs in prop::array::uniform3(log()),
        max_records in 1..30usize,
        max_bytes in 1..600usize,
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut world = World::new(logs, max_records, max_bytes);
        for partition in 0..PARTITIONS {
            world.assign(partition);
        }
        for step in steps {
            world.step(&step);
            world.check();
        }
        world.finish_everything();
        world.check_final_state();
    }
}
