//! The command line of the benchmark.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Phase {
    /// Rows from Dynamics into Kafka.
    Read,
    /// Changes from Kafka into Campaign.
    Write,
    /// A Campaign that does not answer.
    Outage,
    /// Initial loads, and then, with the system of the last: calls per record, starts, changes one by one.
    Whole,
}

/// Measures ingress with the services as processes, against the sandbox, counting at the destination only.
///
/// CROSSWALK_TEST_KAFKA names a Kafka to use; without it the embedded broker is started. See docs/benchmarks.md.
#[derive(Debug, Clone, Parser)]
#[command(name = "ingress")]
pub(crate) struct Arguments {
    /// What to measure.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Phase::Read, Phase::Write, Phase::Outage, Phase::Whole])]
    pub(crate) only: Vec<Phase>,

    /// Rows of each read, and changes of each full queue.
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(10_000..), value_name = "N")]
    pub(crate) records: u64,

    /// How long Campaign does not answer.
    #[arg(long, default_value = "1m", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) outage: Duration,

    /// Contacts of each initial load.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(100..), value_name = "N")]
    pub(crate) contacts: u64,

    /// Reads, full queues of each kind, and initial loads at each latency, each beside a baseline of its own.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub(crate) runs: u32,

    /// How long Campaign takes for a call, in milliseconds; several are measured in turn.
    #[arg(long, default_values_t = [20, 0], value_delimiter = ',', value_name = "MS")]
    pub(crate) latency: Vec<u64>,

    /// Keep-alive connections of the baseline's load generator; the default is how many calls a writer has in flight at
    /// most.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub(crate) connections: u32,

    /// How often the workflow is stopped and started.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub(crate) starts: u32,

    /// Contacts edited, and as many added and deleted, to see how long each change takes to show. At most a fifth of the
    /// contacts.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..), value_name = "N")]
    pub(crate) samples: u32,

    /// How often the reader asks Dynamics for changes.
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub(crate) poll_interval: Duration,

    /// Fixes the contacts and the dice.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Where to write all figures with their samples.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// What `cargo bench` adds for every benchmark.
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

impl Arguments {
    /// The command line, checked.
    pub(crate) fn checked() -> anyhow::Result<Self> {
        let arguments = Self::parse();
        anyhow::ensure!(
            u64::from(arguments.samples) * 5 <= arguments.contacts,
            "--samples may be at most a fifth of --contacts"
        );
        Ok(arguments)
    }
}
