//! A faithful local Dynamics 365 and Adobe Campaign Standard, with fault switches.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use crosswalk_sandbox::adobe::RateLimit;
use crosswalk_sandbox::faults::Side;
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
