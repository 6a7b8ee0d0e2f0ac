//! Build, run, drain.

use tracing::Instrument as _;

use super::Context;
use crate::health::Latch;
use crate::metrics;
use crate::supervise::{Stragglers, TaskFailure, was_cancelled};

/// Why a service ended other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServiceFailure {
    /// It did not come up.
    #[error("the service could not be started")]
    Build(#[source] anyhow::Error),
    /// One of its tasks failed.
    #[error(transparent)]
    Task(#[from] TaskFailure),
    /// It was told to stop, but work was still under way at the deadline and was dropped.
    #[error("work was dropped when the service stopped")]
    Stragglers(#[from] Stragglers),
}

/// Runs a service inside this process: builds it, waits until it is told to stop or fails, and drains it.
///
/// `build` opens ports and spawns tasks on the [`Context`], then returns; the service counts as started from then on. If it
/// is told to stop earlier, `build` is dropped.
///
/// # Errors
/// When the service did not come up, a task failed, or the drain deadline passed. Being told to stop is no error.
pub fn serve<Build, Built>(context: Context, build: Build) -> impl Future<Output = Result<(), ServiceFailure>>
where
    Build: FnOnce(Context) -> Built,
    Built: Future<Output = anyhow::Result<()>>,
{
    let service = context.service();
    metrics::record_build(service.name, service.version);
    // Asked for before the first poll, so that whoever hosts the service is not ready before it.
    let started = context.readiness().latch("service started");
    let span = tracing::info_span!("service", service.name = service.name);
    build_run_drain(context, started, build).instrument(span)
}

async fn build_run_drain<Build, Built>(context: Context, started: Latch, build: Build) -> Result<(), ServiceFailure>
where
    Build: FnOnce(Context) -> Built,
    Built: Future<Output = anyhow::Result<()>>,
{
    let (shutdown, supervisor) = (context.shutdown().clone(), context.supervisor().clone());
    let readiness = context.readiness().clone();
    let built = shutdown.token().run_until_cancelled(build(context)).await;
    let failure = match built {
        None => None,
        Some(Ok(())) => {
            started.release();
            tracing::info!("service started");
            shutdown.stopping().await;
            None
        }
        Some(Err(error)) if shutdown.is_stopping() && was_cancelled(&error) => None,
        Some(Err(error)) => Some(error),
    };
    readiness.drain();
    let drained = supervisor
        .drain(shutdown.drain_deadline(), shutdown.abort_token())
        .await;
    // A failed task cuts the build short, so what the build has to say then is only a consequence.
    if let Some(failure) = supervisor.take_failure() {
        return Err(failure.into());
    }
    if let Some(error) = failure {
        return Err(ServiceFailure::Build(error));
    }
    drained?;
    tracing::info!("service stopped");
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use anyhow::{anyhow, bail};

    use super::*;
    use crate::error::{Cancelled, chain};
    use crate::service::ServiceInfo;
    use crate::shutdown::Shutdown;
    use crate::supervise::Rule;

    const SERVICE: ServiceInfo = ServiceInfo {
        name: "example",
        version: "1.0.0",
        about: "",
    };

    fn context() -> Context {
        Context::new(SERVICE, Shutdown::new(Duration::from_secs(10)))
    }

    /// A service of one task that leaves when told to.
    async fn obedient(context: Context) -> anyhow::Result<()> {
        let stop = context.token().clone();
        context.spawn("loop", Rule::Critical, async move {
            stop.cancelled().await;
            Ok(())
        });
        Ok(())
    }

    fn shown(result: Result<(), ServiceFailure>) -> String {
        chain(&result.expect_err("the service failed")).to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn service_is_ready_once_built_and_not_while_draining() {
        let context = context();
        let (shutdown, readiness) = (context.shutdown().clone(), context.readiness().clone());
        let (served, ()) = tokio::join!(serve(context, obedient), async {
            readiness.ready().await;
            shutdown.stop();
        });
        served.expect("being told to stop is no failure");
        assert_eq!(readiness.missing(), ["draining"]);
    }

    #[tokio::test(start_paused = true)]
    async fn failing_build_stops_the_tasks_it_has_spawned() {
        let context = context();
        let supervisor = context.supervisor().clone();
        let result = serve(context, async |context| {
            obedient(context).await?;
            Err(anyhow!("connection refused").context("no Kafka"))
        })
        .await;
        assert_eq!(
            shown(result),
            "the service could not be started: no Kafka: connection refused"
        );
        assert!(supervisor.running().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn failing_task_ends_the_service() {
        let result = serve(context(), async |context| {
            obedient(context.clone()).await?;
            context.spawn("reader", Rule::Critical, async { bail!("token refused") });
            Ok(())
        })
        .await;
        assert_eq!(shown(result), "task `reader` failed: token refused");
    }

    #[tokio::test(start_paused = true)]
    async fn task_that_fails_during_the_build_is_the_failure_that_is_told() {
        let result = serve(context(), async |context| {
            context.spawn("follower", Rule::Critical, async { bail!("no control log") });
            pending().await
        })
        .await;
        assert_eq!(shown(result), "task `follower` failed: no control log");
    }

    #[tokio::test(start_paused = true)]
    async fn told_to_stop_while_building_is_no_failure() {
        let context = context();
        let shutdown = context.shutdown().clone();
        let (served, ()) = tokio::join!(serve(context, async |_| pending().await), async { shutdown.stop() });
        served.expect("it was told to stop");

        let stopped = self::context();
        let shutdown = stopped.shutdown().clone();
        let served = serve(stopped, async |_| {
            shutdown.stop();
            Err(Cancelled.into())
        });
        served.await.expect("it was told to stop");
    }

    #[tokio::test(start_paused = true)]
    async fn work_dropped_at_the_deadline_is_named() {
        let context = context();
        let shutdown = context.shutdown().clone();
        let (served, ()) = tokio::join!(
            serve(context, async |context| {
                context.spawn("writer", Rule::Critical, pending());
                Ok(())
            }),
            async { shutdown.stop() }
        );
        assert_eq!(
            shown(served),
            "work was dropped when the service stopped: writer did not leave in time"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn hosted_services_start_and_stop_with_their_host() {
        const OTHER: ServiceInfo = ServiceInfo {
            name: "other",
            version: "1.0.0",
            about: "",
        };
        let context = context();
        let (shutdown, readiness) = (context.shutdown().clone(), context.readiness().clone());
        let (served, ()) = tokio::join!(
            serve(context, async |context| {
                context.host(OTHER, obedient);
                assert_eq!(
                    context.readiness().missing(),
                    ["service started", "other: service started"]
                );
                Ok(())
            }),
            async {
                readiness.ready().await;
                shutdown.stop();
            }
        );
        served.expect("both were told to stop");
    }

    #[tokio::test(start_paused = true)]
    async fn failure_of_a_hosted_service_is_the_hosts_and_says_whose() {
        const OTHER: ServiceInfo = ServiceInfo {
            name: "other",
            version: "1.0.0",
            about: "",
        };
        let result = serve(context(), async |context| {
            context.host(OTHER, async |context| {
                context.spawn("reader", Rule::Critical, async { bail!("token refused") });
                Ok(())
            });
            Ok(())
        })
        .await;
        assert_eq!(
            shown(result),
            "task `other` failed: task `reader` failed: token refused"
        );
    }
}
