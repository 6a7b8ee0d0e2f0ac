//! The initial load: from Start to the last profile, beside the baseline of the same run.

use std::time::{Duration, Instant};

use crate::{
    agreement,
    arguments::Arguments,
    baseline,
    comparison::Comparison,
    contacts::Contacts,
    memory::mebibytes,
    report::{Report, say},
    system::{Setup, System},
};

/// How often Campaign is asked for the number of its profiles.
const INTERVAL: Duration = Duration::from_millis(20);

/// A load without a new profile for this long is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// One initial load.
struct Load {
    /// From the call of Start to the first profile.
    first_seconds: f64,
    /// How many there were when the first was seen.
    first_profiles: u64,
    /// How many there were to come.
    profiles: u64,
    /// From the call of Start to the last profile.
    seconds: f64,
    /// Calls for records that Campaign answered.
    calls: u64,
}

/// Runs baselines and loads in turn, at every latency, and returns the system of the last load, still running.
pub(crate) async fn measure(arguments: &Arguments, contacts: &Contacts, report: &mut Report) -> anyhow::Result<System> {
    let mut last: Option<System> = None;
    for run in 1..=arguments.runs {
        for milliseconds in &arguments.latency {
            // Even an idle system would take from the next baseline.
            if let Some(system) = last.take() {
                system.stop().await?;
            }
            say(&format!("run {run} of {}, {milliseconds} ms a call", arguments.runs));
            last = Some(measure_once(arguments, contacts, *milliseconds, report).await?);
        }
    }
    last.ok_or_else(|| anyhow::anyhow!("--latency names no latency"))
}

async fn measure_once(
    arguments: &Arguments,
    contacts: &Contacts,
    milliseconds: u64,
    report: &mut Report,
) -> anyhow::Result<System> {
    let latency = Duration::from_millis(milliseconds);
    let baseline = baseline::inserts(arguments, contacts, latency).await?;
    let mut system = System::start(Setup::whole(arguments)).await?;
    system.sandbox.set_latency(latency).await?;
    let load = load(&mut system, contacts.ids.len()).await?;
    report.memory(&format!("after the load at {milliseconds} ms a call"), &system)?;
    agreement::spot_check(arguments, contacts, &system).await?;

    let at = format!("at {milliseconds} ms a call");
    let mut comparison = Comparison::new(format!("initial load {at}"), "records/s");
    comparison.add(load.rate(), baseline);
    comparison.hold(mebibytes(system.memory_of("campaign-writer")?.peak));
    report.compare(comparison);
    load.add_to(report, &at);
    let rate = load.rate();
    say(&format!("  baseline {baseline:.0}, load {rate:.0} records/s"));
    Ok(system)
}

impl Load {
    /// Records per second, from the call of Start.
    fn rate(&self) -> f64 {
        self.profiles as f64 / self.seconds
    }

    fn add_to(&self, report: &mut Report, at: &str) {
        // A load so small that its profiles are first seen all at once has no rate between first and last.
        if self.first_profiles < self.profiles {
            let steady = (self.profiles - self.first_profiles) as f64 / (self.seconds - self.first_seconds);
            report.add(
                &format!("initial load {at}, first to last profile"),
                "records/s",
                [steady],
            );
        }
        report.add(&format!("Start to first profile {at}"), "s", [self.first_seconds]);
        report.add(&format!("Start to last profile {at}"), "s", [self.seconds]);
        let calls = self.calls as f64 / self.profiles as f64;
        report.add("calls per insert", "calls", [calls]);
    }
}

async fn load(system: &mut System, expected: usize) -> anyhow::Result<Load> {
    let expected = u64::try_from(expected)?;
    system.sandbox.reset_counters().await?;
    let begin = Instant::now();
    system.api.start().await?;
    let mut first = None;
    let mut profiles = 0;
    let mut progressed = begin;
    while profiles < expected {
        tokio::time::sleep(INTERVAL).await;
        let present = system.sandbox.profiles().await?;
        if present > profiles {
            (profiles, progressed) = (present, Instant::now());
            first.get_or_insert((progressed, profiles));
        }
        system.check()?;
        anyhow::ensure!(
            progressed.elapsed() < STUCK_AFTER,
            "the load is stuck at {profiles} of {expected} profiles: {:?}",
            system.api.ingress().await?
        );
    }
    let seconds = (progressed - begin).as_secs_f64();
    system.until_settled().await?;
    system.check_running().await?;
    let (first, first_profiles) = first.unwrap_or((progressed, profiles));
    Ok(Load {
        first_seconds: (first - begin).as_secs_f64(),
        first_profiles,
        profiles,
        seconds,
        calls: system.sandbox.record_calls().await?,
    })
}
