//! The benchmark of ingress: the services as processes, against the sandbox, beside a baseline of the bare sandbox in the
//! same run. It counts at the destination only: Campaign's profiles, its write journal, the calls it answered. What is
//! measured and how is in docs/benchmarks.md.

mod agreement;
mod arguments;
mod baseline;
mod changes;
mod contacts;
mod initial_load;
mod memory;
mod report;
mod sandbox;
mod starts;
mod system;
mod visible;

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    arguments::Arguments,
    contacts::Contacts,
    report::{Report, say},
};

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
    if let Some(file) = &arguments.json {
        report.write_json(file)?;
    }
    Ok(())
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut report = Report::new(arguments);
    say(&format!("seed {}", arguments.seed));
    let contacts = Contacts::of(arguments).await?;
    let mut system = initial_load::measure(arguments, &contacts, &mut report).await?;
    system.sandbox.set_latency(Duration::ZERO).await?;
    changes::updates(&mut system, &contacts, &mut report).await?;
    changes::unchanged(&mut system, &contacts, &mut report).await?;
    changes::additions(&mut system, &contacts, &mut report).await?;
    starts::measure(arguments, &mut system, &mut report).await?;
    visible::measure(arguments, &mut system, &contacts, &mut report).await?;
    changes::deletes(&mut system, &mut report).await?;
    let equal = agreement::check_all(&system).await?;
    say(&format!(
        "both systems agree: {equal} contacts have an equal profile, and there is no other"
    ));
    system.stop().await?;
    Ok(report)
}
