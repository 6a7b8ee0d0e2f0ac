//! Writing: a queue full of changes, from Kafka into Campaign, beside a bare load of the same updates.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use crosswalk_core::Origin;
use crosswalk_tests::{PATIENCE, eventually, mapped_fields};
use jiff::Timestamp;

use crate::{
    arguments::Arguments,
    baseline,
    comparison::Comparison,
    memory::mebibytes,
    report::{Report, say},
    stream::Stream,
    system::{Broker, LONGEST_PHASE, Setup, System},
};

/// How long Campaign takes for a call.
const LATENCY: Duration = Duration::from_millis(20);

/// What a writer has in flight at most, by default.
const CALLS_IN_FLIGHT: u64 = 512;

/// The least that the writer may hold: with less it would stop and go on reading for every few records.
const LEAST_RECORDS: u64 = 4_000;

/// Writes of the journal that are asked for at once.
const PAGE: usize = 20_000;

/// One kind of stream, and what is asked of it.
struct Case {
    name: &'static str,
    keys: u64,
    bar: &'static str,
    is_met: fn(f64) -> bool,
}

const CASES: [Case; 2] = [
    Case {
        name: "write, 20 ms a call, 5,000 keys",
        keys: 5_000,
        bar: "ours ≥ 15,000",
        is_met: |ours| ours >= 15_000.0,
    },
    Case {
        name: "write, 20 ms a call, 200 keys",
        keys: 200,
        bar: "ours ≥ 9,000, 90 % of keys ÷ latency",
        is_met: |ours| ours >= 9_000.0,
    },
];

/// Writes a full queue several times, each time beside a bare load of the same updates just before.
pub(crate) async fn measure(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    for case in CASES {
        let stream = Arc::new(Stream {
            keys: case.keys,
            records: arguments.records,
        });
        let mut comparison =
            Comparison::new(case.name, "records/s").with_bar(case.bar, move |ours, _| (case.is_met)(ours));
        for run in 1..=arguments.runs {
            say(&format!("{}: {run} of {}", case.name, arguments.runs));
            let bare = baseline::updates(&stream, CALLS_IN_FLIGHT, LATENCY).await?;
            let mut system = System::start(setup(Some(case.keys))).await?;
            let (ours, costs) = write(&mut system, &stream).await?;
            for (process, microseconds) in costs {
                let figure = format!("{}: processor time of {process} for a record", case.name);
                report.add(&figure, "µs", [microseconds]);
            }
            let memory = system.memory_of("campaign-writer")?;
            say(&format!("  bare load {bare:.0}, writer {ours:.0} records/s"));
            comparison.add(ours, bare);
            comparison.hold(mebibytes(memory.peak));
            report.memory(&format!("after {}", case.name), &system)?;
            system.stop().await?;
        }
        report.compare(comparison);
    }
    Ok(())
}

/// A writer and no reader. It holds as many records as it may by default, or about as many as there are keys: with more,
/// changes of one contact would become one call, and fewer calls would be measured than records.
pub(crate) fn setup(keys: Option<u64>) -> Setup {
    let max_records = keys.map(|keys| {
        (
            "CROSSWALK__WRITING__MAX_RECORDS",
            (keys * 2).max(LEAST_RECORDS).to_string(),
        )
    });
    Setup {
        contacts: 0,
        seed: 0,
        fields: mapped_fields(),
        reader: None,
        writer: Some(max_records.into_iter().collect()),
        broker: Broker::InMemory,
    }
}

/// Starts the workflow, and makes a profile for each key. It waits for a reader that is not there, but the writer works.
pub(crate) async fn with_profiles(system: &mut System, stream: &Stream) -> anyhow::Result<()> {
    system.make_queue().await?;
    system.api.start().await?;
    stream.queue(&system.kafka(), Origin::Initial, 0..stream.keys).await?;
    eventually("a profile for each key", PATIENCE, || async {
        let profiles = system.sandbox.profiles().await?;
        anyhow::ensure!(profiles == stream.keys, "{profiles} profiles");
        Ok(())
    })
    .await
}

/// Queues all changes of a stream, far faster than they can be written.
pub(crate) async fn fill(system: &System, stream: &Stream) -> anyhow::Result<()> {
    let changes = stream.keys..stream.keys + stream.records;
    stream.queue(&system.kafka(), Origin::Change, changes).await
}

/// Waits until the last change of each contact has been written.
pub(crate) async fn until_written(system: &mut System, stream: &Stream) -> anyhow::Result<()> {
    for (id, nickname) in stream.last() {
        eventually("the last change of a contact", LONGEST_PHASE, || async {
            let profile = system.sandbox.profile(&id).await?;
            anyhow::ensure!(profile["cusNickname"] == nickname.as_str(), "{profile}");
            Ok(())
        })
        .await?;
        system.check()?;
    }
    system.until_settled().await
}

/// Calls per second that reached Campaign, from the first to the last, and the microseconds that each process spent on one.
async fn write(system: &mut System, stream: &Stream) -> anyhow::Result<(f64, Vec<(&'static str, f64)>)> {
    system.sandbox.set_latency(LATENCY).await?;
    with_profiles(system, stream).await?;
    system.sandbox.keep_journal(Some(stream.records)).await?;
    let before = system.processor_times()?;
    fill(system, stream).await?;
    until_written(system, stream).await?;
    let after = system.processor_times()?;
    let journal = Journal::of(system).await?;
    journal.check(&stream.last())?;
    say(&format!("  {} records in {} calls", stream.records, journal.calls));
    let costs = before.iter().zip(after).map(|((process, before), (_, after))| {
        let spent = (after - *before).as_secs_f64() * 1e6;
        (*process, spent / journal.calls as f64)
    });
    Ok((journal.rate()?, costs.collect()))
}

/// What Campaign was sent.
pub(crate) struct Journal {
    calls: u64,
    first: Timestamp,
    last: Timestamp,
    /// The last change that each contact was given.
    newest: HashMap<String, u64>,
}

impl Journal {
    /// Reads it, and checks that no contact ever went back behind a newer change.
    pub(crate) async fn of(system: &System) -> anyhow::Result<Self> {
        let (mut calls, mut position) = (0, 0);
        let (mut first, mut last): (Option<Timestamp>, Option<Timestamp>) = (None, None);
        let mut newest = HashMap::new();
        loop {
            let writes = system.sandbox.journal(position, Some(PAGE)).await?;
            let Some(end) = writes.last() else { break };
            position = end.sequence;
            for write in writes {
                anyhow::ensure!(write.status == 200, "Campaign answers {write:?}: the figures are void");
                let sequence = write.body["cusNickname"].as_str().and_then(|text| text.parse().ok());
                let sequence: u64 = sequence.with_context(|| format!("a write of somebody else: {write:?}"))?;
                let before = newest.insert(write.key, sequence);
                anyhow::ensure!(
                    before.is_none_or(|before| before < sequence),
                    "change {sequence} came behind {before:?} of the same contact: the figures are void"
                );
                let at: Timestamp = write.time.parse()?;
                first = Some(first.map_or(at, |first| first.min(at)));
                last = Some(last.map_or(at, |last| last.max(at)));
                calls += 1;
            }
        }
        Ok(Self {
            calls,
            first: first.context("nothing was written")?,
            last: last.context("nothing was written")?,
            newest,
        })
    }

    /// Checks that each contact holds its last change.
    pub(crate) fn check(&self, wanted: &[(String, String)]) -> anyhow::Result<()> {
        for (id, nickname) in wanted {
            let newest = self.newest.get(id).map(u64::to_string);
            anyhow::ensure!(
                newest.as_deref() == Some(nickname),
                "{id} holds {newest:?}, not {nickname}: the figures are void"
            );
        }
        Ok(())
    }

    fn rate(&self) -> anyhow::Result<f64> {
        let took = Duration::try_from(self.last - self.first)?;
        Ok(self.calls as f64 / took.as_secs_f64())
    }
}
