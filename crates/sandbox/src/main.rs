//! A faithful local Dynamics 365 and Adobe Campaign Standard, with fault switches.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, ValueEnum};
use crosswalk_sandbox::adobe::RateLimit;
use crosswalk_sandbox::faults::Side;
use crosswalk_sandbox::microsoft::ServiceProtection;
use crosswalk_sandbox::{Activity, Sandbox, SandboxConfig};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A local Dynamics 365 and Adobe Campaign Standard that clients cannot tell from the products.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Address of the admin listener; Dynamics takes the next port, Campaign the one after.
    #[arg(long, default_value = "127.0.0.1:8090", env = "CROSSWALK_SANDBOX_LISTEN")]
    listen: SocketAddr,
    /// Number of contacts Dynamics starts with.
    #[arg(long, default_value_t = 10_000, env = "CROSSWALK_SANDBOX_CONTACTS")]
    contacts: u64,
    /// Number of orders of a shop: three custom tables, and the resources to keep them in. No shop if not given.
    #[arg(long)]
    orders: Option<u64>,
    /// Fixes the contacts, the live edits and the dice of fault rules.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Whether contacts keep changing by themselves.
    #[arg(long, value_enum, default_value_t = ActivityMode::Off, env = "CROSSWALK_SANDBOX_ACTIVITY")]
    activity: ActivityMode,
    /// Changes per second of live activity.
    #[arg(long, default_value_t = 5.0)]
    activity_rate: f64,
    /// Time every request waits, in milliseconds.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Requests per second Campaign allows; without it, it does not limit.
    #[arg(long)]
    campaign_rate_limit: Option<u32>,
    /// Lifetime of access tokens in seconds; without it, each product's own.
    #[arg(long)]
    token_lifetime_seconds: Option<u64>,
    /// Client id of a further application of Dynamics with an application user of its own; may be given several times.
    #[arg(long)]
    dynamics_further_client_id: Vec<String>,
    #[command(flatten)]
    service_protection: ServiceProtectionArguments,
}

/// Service protection of Dynamics; what is not given is as in the product.
#[derive(Debug, Args)]
struct ServiceProtectionArguments {
    /// Web servers Dynamics seems to have; every application user has the limits to itself on each.
    #[arg(long)]
    dynamics_servers: Option<usize>,
    /// Requests Dynamics allows in the window.
    #[arg(long)]
    dynamics_request_limit: Option<usize>,
    /// Combined execution time Dynamics allows in the window, in seconds.
    #[arg(long)]
    dynamics_execution_limit_seconds: Option<u64>,
    /// Requests Dynamics allows at one moment.
    #[arg(long)]
    dynamics_concurrency_limit: Option<usize>,
    /// Length of the sliding window of both windowed limits, in seconds.
    #[arg(long)]
    dynamics_limit_window_seconds: Option<u64>,
    /// Parallelism Dynamics recommends to its clients.
    #[arg(long)]
    dynamics_parallelism_hint: Option<u32>,
}

impl ServiceProtectionArguments {
    fn limits(&self) -> anyhow::Result<ServiceProtection> {
        let usual = ServiceProtection::default();
        let seconds = |given: Option<u64>, usual| given.map_or(usual, Duration::from_secs);
        let limits = ServiceProtection {
            servers: self.dynamics_servers.unwrap_or(usual.servers),
            requests: self.dynamics_request_limit.unwrap_or(usual.requests),
            execution: seconds(self.dynamics_execution_limit_seconds, usual.execution),
            window: seconds(self.dynamics_limit_window_seconds, usual.window),
            concurrent: self.dynamics_concurrency_limit.unwrap_or(usual.concurrent),
            parallelism_hint: self.dynamics_parallelism_hint.unwrap_or(usual.parallelism_hint),
        };
        match limits.problem() {
            Some(problem) => anyhow::bail!("service protection of Dynamics: {problem}"),
            None => Ok(limits),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ActivityMode {
    Off,
    Live,
}

impl Arguments {
    fn config(&self) -> anyhow::Result<SandboxConfig> {
        let activity = match self.activity {
            ActivityMode::Off => Activity::Off,
            ActivityMode::Live => Activity::Live {
                changes_per_second: self.activity_rate,
            },
        };
        if let Some(problem) = activity.problem() {
            anyhow::bail!("--activity-rate: {problem}");
        }
        let mut config = SandboxConfig {
            listen: self.listen,
            contacts: self.contacts,
            orders: self.orders,
            seed: self.seed,
            activity,
            ..SandboxConfig::default()
        };
        config.dynamics.service_protection = self.service_protection.limits()?;
        config
            .dynamics
            .further_client_ids
            .clone_from(&self.dynamics_further_client_id);
        config.campaign.seed = self.seed;
        config.campaign.rate_limit = self.campaign_rate_limit.map(rate_limit);
        if let Some(lifetime) = self.token_lifetime_seconds.map(Duration::from_secs) {
            config.dynamics.token_lifetime = Some(lifetime);
            config.campaign.token_lifetime = lifetime;
        }
        Ok(config)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    let sandbox = Sandbox::start(arguments.config()?).await?;
    for side in Side::ALL {
        sandbox
            .faults()
            .set_latency(side, Duration::from_millis(arguments.latency_ms));
    }
    writeln!(std::io::stdout(), "{}", sandbox.description()).context("could not print the addresses")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("could not listen for SIGINT")?,
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    sandbox.stop().await;
    Ok(())
}

/// Bursts of twice the rate, as contracts/campaign.md proposes.
fn rate_limit(per_second: u32) -> RateLimit {
    RateLimit {
        per_second: per_second.max(1),
        burst: per_second.max(1).saturating_mul(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(arguments: &[&str]) -> anyhow::Result<SandboxConfig> {
        Arguments::try_parse_from(std::iter::once("crosswalk-sandbox").chain(arguments.iter().copied()))?.config()
    }

    #[test]
    fn service_protection_is_as_in_the_product_unless_flags_say_otherwise() {
        let usual = config(&[]).unwrap().dynamics.service_protection;
        assert_eq!(usual, ServiceProtection::default());
        let changed = config(&[
            "--dynamics-servers=2",
            "--dynamics-request-limit=100",
            "--dynamics-execution-limit-seconds=7",
            "--dynamics-concurrency-limit=3",
            "--dynamics-limit-window-seconds=10",
            "--dynamics-parallelism-hint=4",
        ]);
        let expected = ServiceProtection {
            servers: 2,
            requests: 100,
            execution: Duration::from_secs(7),
            window: Duration::from_secs(10),
            concurrent: 3,
            parallelism_hint: 4,
        };
        assert_eq!(changed.unwrap().dynamics.service_protection, expected);
    }

    #[test]
    fn limits_that_make_no_sense_are_refused_by_name() {
        for (flag, name) in [
            ("--dynamics-servers=0", "servers"),
            ("--dynamics-limit-window-seconds=0", "window"),
        ] {
            let error = config(&[flag]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn further_applications_are_taken_over() {
        let config = config(&["--dynamics-further-client-id=a", "--dynamics-further-client-id=b"]).unwrap();
        assert_eq!(config.dynamics.further_client_ids, ["a", "b"]);
    }
}
