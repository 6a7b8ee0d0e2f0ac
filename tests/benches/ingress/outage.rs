//! A Campaign that does not answer, behind a queue that is full: what the writer holds must not grow, and nothing may be lost.

use std::time::Instant;

use crate::{
    arguments::Arguments,
    memory::mebibytes,
    report::{Report, say},
    stream::Stream,
    system::System,
    writing::{Journal, fill, setup, until_written, with_profiles},
};

/// How many looks are taken at the memory, spread over the outage.
const LOOKS: u32 = 20;

/// The first part of the looks, during which the writer fills what it may hold.
const FILLING: u32 = LOOKS / 4;

/// Breaks Campaign for a while, and sees that the writer holds no more at the end than when it was full, and writes all then.
pub(crate) async fn measure(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    say(&format!("Campaign does not answer for {:?}", arguments.outage));
    let stream = Stream {
        keys: 5_000,
        records: arguments.records,
    };
    let mut system = System::start(setup(None)).await?;
    with_profiles(&mut system, &stream).await?;
    system.sandbox.keep_journal(Some(stream.records)).await?;
    system.sandbox.break_campaign().await?;
    fill(&system, &stream).await?;
    let mut full = 0.0;
    for look in 1..=LOOKS {
        tokio::time::sleep(arguments.outage / LOOKS).await;
        let holds = mebibytes(system.memory_of("campaign-writer")?.resident);
        if look == FILLING {
            full = holds;
        }
        if look > FILLING {
            report.add(
                "growth of the writer while Campaign does not answer",
                "MiB",
                [holds - full],
            );
        }
    }
    let mended = Instant::now();
    system.sandbox.mend_campaign().await?;
    until_written(&mut system, &stream).await?;
    report.add("written after the outage", "s", [mended.elapsed().as_secs_f64()]);
    report.memory("after the outage", &system)?;
    Journal::of(&system).await?.check(&stream.last())?;
    system.stop().await
}
