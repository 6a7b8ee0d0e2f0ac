//! A complete service, small enough to read in one go. It is also what the tests of the process run.
//!
//! ```text
//! cargo run -p crosswalk-runtime --example service -- --set ticker.interval=2s
//! ```

use std::process::ExitCode;
use std::time::Duration;

use crosswalk_runtime::service::{self, Context, ServiceInfo, ServiceSettings};
use crosswalk_runtime::settings::{
    AdminSettings, CommonSections, Problem, SecretSource, ShutdownSettings, TelemetrySettings, Validate,
};
use crosswalk_runtime::supervise::Rule;
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    let service = ServiceInfo {
        name: "example",
        version: env!("CARGO_PKG_VERSION"),
        about: "Ticks.",
    };
    service::run(service, build)
}

/// Everything the service can be told.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    telemetry: TelemetrySettings,
    admin: AdminSettings,
    shutdown: ShutdownSettings,
    ticker: TickerSettings,
}

/// Section `ticker`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TickerSettings {
    /// Time between two ticks.
    #[serde(with = "humantime_serde")]
    interval: Duration,
    /// After so many ticks the service fails.
    fails_after: Option<u64>,
    /// Keeps ticking when told to stop.
    stubborn: bool,
    /// Not used for anything but to show that secrets are not shown.
    password: SecretSource,
}

impl Default for TickerSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(1),
            fails_after: None,
            stubborn: false,
            password: SecretSource::Unset,
        }
    }
}

impl Validate for Settings {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.common().problems();
        if self.ticker.interval.is_zero() {
            problems.push(Problem::new("ticker.interval", "must be longer than zero"));
        }
        problems
    }
}

impl ServiceSettings for Settings {
    fn common(&self) -> CommonSections<'_> {
        CommonSections {
            telemetry: &self.telemetry,
            admin: &self.admin,
            shutdown: &self.shutdown,
        }
    }
}

/// Opens what the service needs, spawns its tasks, and returns.
async fn build(context: Context, settings: Settings) -> anyhow::Result<()> {
    if settings.ticker.password.is_set() {
        settings.ticker.password.read("ticker.password")?;
    }
    let first_tick = context.readiness().latch("first tick");
    let heartbeat = context.liveness().heartbeat("ticker", 3 * settings.ticker.interval);
    let stop = context.token().clone();
    context.spawn("ticker", Rule::Critical, async move {
        let ticker = settings.ticker;
        let mut interval = tokio::time::interval(ticker.interval);
        let mut ticks: u64 = 0;
        while ticker.stubborn || !stop.is_cancelled() {
            tokio::select! {
                _ = interval.tick() => {}
                () = stop.cancelled(), if !ticker.stubborn => break,
            }
            ticks += 1;
            heartbeat.beat();
            first_tick.release();
            tracing::debug!(tick.number = ticks, "tick");
            anyhow::ensure!(ticker.fails_after.is_none_or(|limit| ticks < limit), "out of ticks");
        }
        Ok(())
    });
    Ok(())
}
