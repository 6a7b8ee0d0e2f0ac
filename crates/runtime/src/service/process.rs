//! The main of a service process.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use super::arguments::{Arguments, Command};
use super::{Context, ServiceFailure, ServiceInfo, ServiceSettings, exit, probe, serve};
use crate::admin::{AdminServer, AdminState};
use crate::error::chain;
use crate::settings::{load, redacted_json, redacted_toml};
use crate::shutdown::Shutdown;
use crate::supervise::{Rule, Supervisor};
use crate::{metrics, telemetry};

/// How long `healthcheck` waits: less than the timeout that probes and compose files give it.
const HEALTHCHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the admin port and other helpers of the process get to leave, after the service has.
const PLATFORM_DEADLINE: Duration = Duration::from_secs(1);

/// The whole main of a service.
///
/// ```no_run
/// # use crosswalk_runtime::service::{Context, ServiceInfo, ServiceSettings};
/// # async fn build<S>(_: Context, _: S) -> anyhow::Result<()> { Ok(()) }
/// # fn main_of<Settings: ServiceSettings>() -> std::process::ExitCode {
/// crosswalk_runtime::service::run::<Settings, _, _>(
///     ServiceInfo { name: "campaign-writer", version: env!("CARGO_PKG_VERSION"), about: "Writes to Campaign." },
///     build,
/// )
/// # }
/// ```
///
/// Returns one of the codes in [`exit`].
pub fn run<Settings, Build, Built>(service: ServiceInfo, build: Build) -> ExitCode
where
    Settings: ServiceSettings,
    Build: FnOnce(Context, Settings) -> Built,
    Built: Future<Output = anyhow::Result<()>>,
{
    ExitCode::from(run_to_code(service, build))
}

/// As [`run`], for a process with a command line of its own, which has made the settings from it.
pub fn run_with<Settings, Build, Built>(service: ServiceInfo, settings: Settings, build: Build) -> ExitCode
where
    Settings: ServiceSettings,
    Build: FnOnce(Context, Settings) -> Built,
    Built: Future<Output = anyhow::Result<()>>,
{
    ExitCode::from(run_service(service, settings, build))
}

fn run_to_code<Settings, Build, Built>(service: ServiceInfo, build: Build) -> u8
where
    Settings: ServiceSettings,
    Build: FnOnce(Context, Settings) -> Built,
    Built: Future<Output = anyhow::Result<()>>,
{
    let arguments = match Arguments::parse(service) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let settings = match load::<Settings>(&arguments.sources()) {
        Ok(settings) => settings,
        Err(error) => return complain(&error),
    };
    match arguments.chosen() {
        Command::Serve => run_service(service, settings, build),
        Command::CheckConfig => check_config(&settings),
        Command::Healthcheck => healthcheck(&settings),
    }
}

/// Prints help and version to standard output, and errors to standard error.
fn usage(error: &clap::Error) -> u8 {
    // There is nobody left to tell when printing fails.
    let _ = error.print();
    if error.use_stderr() { exit::USAGE } else { exit::SUCCESS }
}

/// Tells of an error on standard error, before there is a log.
fn complain(error: &(dyn std::error::Error + 'static)) -> u8 {
    let _ = writeln!(io::stderr(), "error: {}", chain(error));
    exit::code(error)
}

fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn check_config(settings: &impl ServiceSettings) -> u8 {
    print("# The configuration is valid. All settings, without secrets:\n");
    print(&redacted_toml(settings));
    exit::SUCCESS
}

fn healthcheck(settings: &impl ServiceSettings) -> u8 {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
    };
    match runtime.block_on(probe(settings.common().admin.listen, "/readyz", HEALTHCHECK_TIMEOUT)) {
        Ok(answer) => {
            print(&format!("{}\n", answer.body));
            if answer.status.is_success() {
                exit::SUCCESS
            } else {
                exit::NOT_READY
            }
        }
        Err(error) => {
            complain(&error);
            exit::NOT_READY
        }
    }
}

fn run_service<Settings, Build, Built>(service: ServiceInfo, settings: Settings, build: Build) -> u8
where
    Settings: ServiceSettings,
    Build: FnOnce(Context, Settings) -> Built,
    Built: Future<Output = anyhow::Result<()>>,
{
    if let Err(error) = telemetry::init(settings.common().telemetry) {
        return complain(&error);
    }
    tracing::info!(
        service.name = service.name,
        service.version = service.version,
        configuration = %redacted_json(&settings),
        "starting"
    );
    let result = Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no threads")
        .and_then(|runtime| {
            let result = runtime.block_on(host(service, settings, build));
            leave(runtime);
            result
        });
    match result {
        Ok(()) => exit::SUCCESS,
        Err(error) => exit::report(error.as_ref()),
    }
}

/// Leaves threads behind that block, rather than wait for them for ever.
fn leave(runtime: Runtime) {
    runtime.shutdown_timeout(PLATFORM_DEADLINE);
}

/// Runs the service with signals, metrics and an admin port around it. The admin port stays until the service has drained.
async fn host<Settings, Build, Built>(service: ServiceInfo, settings: Settings, build: Build) -> anyhow::Result<()>
where
    Settings: ServiceSettings,
    Build: FnOnce(Context, Settings) -> Built,
    Built: Future<Output = anyhow::Result<()>>,
{
    let shutdown = Shutdown::new(settings.common().shutdown.drain_deadline);
    let signals = shutdown.on_signals().context("signals cannot be handled")?;
    let context = Context::new(service, shutdown.clone());
    let platform = Supervisor::new(CancellationToken::new());
    start_platform(&platform, &context, &settings).await?;

    let stop_with_platform = async {
        platform.token().cancelled().await;
        shutdown.stop();
        std::future::pending::<Result<(), ServiceFailure>>().await
    };
    let result = tokio::select! {
        result = serve(context, |context| build(context, settings)) => result,
        never = stop_with_platform => never,
    };

    let left = platform.drain(PLATFORM_DEADLINE, &CancellationToken::new()).await;
    signals.abort();
    result?;
    if let Some(failure) = platform.take_failure() {
        return Err(failure.into());
    }
    if let Err(stragglers) = left {
        tracing::warn!(error = %stragglers, "helpers of the process were dropped");
    }
    Ok(())
}

async fn start_platform(
    platform: &Supervisor,
    context: &Context,
    settings: &impl ServiceSettings,
) -> anyhow::Result<()> {
    let metrics = metrics::install()?;
    let state = AdminState {
        service: context.service(),
        readiness: context.readiness().clone(),
        liveness: context.liveness().clone(),
        metrics: metrics.clone(),
    };
    let admin = AdminServer::bind(settings.common().admin, state).await?;
    tracing::info!(admin.address = %admin.address(), "admin port is open");
    let stop = platform.token().clone();
    platform.spawn(
        "admin port",
        Rule::Critical,
        async move { Ok(admin.serve(stop).await?) },
    );
    platform.spawn_until_stopped("metrics upkeep", Rule::Critical, async move {
        metrics.upkeep().await;
        Ok(())
    });
    Ok(())
}
