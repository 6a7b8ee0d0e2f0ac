//! The initial load: from Start to the last profile, beside the baseline of the same run.

use std::time::{Duration, Instant};

use crate::{
    agreement,
    arguments::Arguments,
    baseline,
    comparison::Comparison,
    contacts::Contacts,
    growth::Growth,
    memory::mebibytes,
    report::{Report, say},
    system::{Setup, System},
};

/// One initial load.
struct Load {
    /// When Start was called.
    begin: Instant,
    profiles: Growth,
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
        self.profiles.last as f64 / self.seconds(self.profiles.last_at)
    }

    /// From the call of Start.
    fn seconds(&self, at: Instant) -> f64 {
        (at - self.begin).as_secs_f64()
    }

    fn add_to(&self, report: &mut Report, at: &str) {
        // A load so small that its profiles are first seen all at once has no rate between first and last.
        let profiles = &self.profiles;
        if profiles.first < profiles.last {
            let figure = format!("initial load {at}, first to last profile");
            report.add(&figure, "records/s", [profiles.steady_rate()]);
        }
        let (first, last) = (self.seconds(profiles.first_at), self.seconds(profiles.last_at));
        report.add(&format!("Start to first profile {at}"), "s", [first]);
        report.add(&format!("Start to last profile {at}"), "s", [last]);
        let calls = self.calls as f64 / profiles.last as f64;
        report.add("calls per insert", "calls", [calls]);
    }
}

async fn load(system: &mut System, expected: usize) -> anyhow::Result<Load> {
    let expected = u64::try_from(expected)?;
    system.sandbox.reset_counters().await?;
    let begin = Instant::now();
    system.api.start().await?;
    let profiles = Growth::watch(system, expected, async |system| system.sandbox.profiles().await).await?;
    system.until_settled().await?;
    system.check_running().await?;
    Ok(Load {
        begin,
        profiles,
        calls: system.sandbox.record_calls().await?,
    })
}
