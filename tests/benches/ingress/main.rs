//! The benchmark of ingress: the services as processes, against the sandbox, beside a baseline of the bare sandbox in the
//! same run. It counts at the destination only: the records in Kafka where it is the destination, else Campaign's profiles, its
//! write journal, the calls it answered. What is measured and how is in docs/benchmarks.md.

mod agreement;
mod arguments;
mod arrivals;
mod baseline;
mod changes;
mod comparison;
mod contacts;
mod generator;
mod growth;
mod initial_load;
mod memory;
mod outage;
mod reading;
mod report;
mod sandbox;
mod starts;
mod stream;
mod system;
mod visible;
mod writing;

use std::{path::Path, time::Duration};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    arguments::{Arguments, Phase},
    contacts::Contacts,
    report::{Report, say},
};

/// Where the figures that stand beside a baseline are written.
const COMPARISONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench.json");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::checked()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let report = tokio::select! {
        report = measure(&arguments) => report?,
        // Leaving this way ends the processes that were started.
        _ = terminate.recv() => anyhow::bail!("told to end"),
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
    };
    report.print()?;
    report.write_comparisons(Path::new(COMPARISONS))?;
    if let Some(file) = &arguments.json {
        report.write_json(file)?;
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut report = Report::new(arguments);
    say(&format!("seed {}", arguments.seed));
    if arguments.only.contains(&Phase::Read) {
        reading::measure(arguments, &mut report).await?;
    }
    if arguments.only.contains(&Phase::Write) {
        writing::measure(arguments, &mut report).await?;
    }
    if arguments.only.contains(&Phase::Outage) {
        outage::measure(arguments, &mut report).await?;
    }
    if arguments.only.contains(&Phase::Whole) {
        measure_whole(arguments, &mut report).await?;
    }
    Ok(report)
}

/// What is measured with all services together.
async fn measure_whole(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let contacts = Contacts::of(arguments).await?;
    let mut system = initial_load::measure(arguments, &contacts, report).await?;
    system.sandbox.set_latency(Duration::ZERO).await?;
    changes::updates(&mut system, &contacts, report).await?;
    changes::unchanged(&mut system, &contacts, report).await?;
    changes::additions(&mut system, &contacts, report).await?;
    starts::measure(arguments, &mut system, report).await?;
    visible::measure(arguments, &mut system, &contacts, report).await?;
    changes::deletes(&mut system, report).await?;
    let equal = agreement::check_all(&system).await?;
    say(&format!(
        "both systems agree: {equal} contacts have an equal profile, and there is no other"
    ));
    system.stop().await
}
