use std::future::pending;

use anyhow::{anyhow, bail};

use super::*;

const DEADLINE: Duration = Duration::from_secs(5);

fn supervisor() -> Supervisor {
    Supervisor::new(CancellationToken::new())
}

/// Waits until told to stop, as a well-behaved task does.
fn obedient(supervisor: &Supervisor) -> impl Future<Output = anyhow::Result<()>> + use<> {
    let stop = supervisor.token().clone();
    async move {
        stop.cancelled().await;
        Ok(())
    }
}

async fn first_failure(supervisor: &Supervisor) -> String {
    supervisor.token().cancelled().await;
    supervisor
        .drain(DEADLINE, &CancellationToken::new())
        .await
        .expect("all tasks leave");
    let failure = supervisor.take_failure().expect("a task failed");
    chain(&failure).to_string()
}

#[tokio::test(start_paused = true)]
async fn tasks_that_leave_when_told_are_no_failure() {
    let supervisor = supervisor();
    for name in ["reader", "reporter"] {
        supervisor.spawn(name, Rule::Critical, obedient(&supervisor));
    }
    assert_eq!(supervisor.running(), ["reader", "reporter"]);
    supervisor
        .drain(DEADLINE, &CancellationToken::new())
        .await
        .expect("both leave");
    assert!(supervisor.running().is_empty() && supervisor.take_failure().is_none());
}

#[tokio::test(start_paused = true)]
async fn critical_task_that_ends_early_stops_the_others() {
    let supervisor = supervisor();
    supervisor.spawn("reporter", Rule::Critical, obedient(&supervisor));
    supervisor.spawn("reader", Rule::Critical, async { Ok(()) });
    assert_eq!(
        first_failure(&supervisor).await,
        "task `reader` ended although nobody told it to"
    );
}

#[tokio::test(start_paused = true)]
async fn errors_and_panics_of_critical_and_finite_tasks_stop_the_others() {
    for rule in [Rule::Critical, Rule::Finite] {
        let failed = supervisor();
        failed.spawn("reporter", Rule::Critical, obedient(&failed));
        failed.spawn("reader", rule, async {
            Err(anyhow!("broken pipe").context("the page is lost"))
        });
        assert_eq!(
            first_failure(&failed).await,
            "task `reader` failed: the page is lost: broken pipe"
        );

        let panicked = supervisor();
        panicked.spawn("reader", rule, async { panic!("index {} is out of range", 7) });
        assert_eq!(
            first_failure(&panicked).await,
            "task `reader` panicked: index 7 is out of range"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn finite_task_may_end_and_optional_task_may_fail() {
    let supervisor = supervisor();
    supervisor.spawn("migration", Rule::Finite, async { Ok(()) });
    supervisor.spawn("hints", Rule::Optional, async { bail!("no hints today") });
    supervisor.spawn("tips", Rule::Optional, async { panic!("no tips either") });
    supervisor.state().tracker.close();
    supervisor.state().tracker.wait().await;
    assert!(!supervisor.token().is_cancelled() && supervisor.take_failure().is_none());
}

#[tokio::test(start_paused = true)]
async fn leaving_with_the_error_of_being_told_to_stop_is_no_failure() {
    let supervisor = supervisor();
    let stop = supervisor.token().clone();
    supervisor.spawn("reader", Rule::Critical, async move {
        stop.cancelled().await;
        Err(anyhow::Error::new(Cancelled).context("the page was not written"))
    });
    supervisor
        .drain(DEADLINE, &CancellationToken::new())
        .await
        .expect("the reader leaves");
    assert!(supervisor.take_failure().is_none());
}

#[tokio::test(start_paused = true)]
async fn failing_while_draining_is_a_failure() {
    let supervisor = supervisor();
    let stop = supervisor.token().clone();
    supervisor.spawn("writer", Rule::Critical, async move {
        stop.cancelled().await;
        bail!("the last commit was refused")
    });
    supervisor
        .drain(DEADLINE, &CancellationToken::new())
        .await
        .expect("the writer leaves");
    assert!(supervisor.take_failure().is_some());
}

#[tokio::test(start_paused = true)]
async fn drain_names_and_aborts_the_tasks_that_did_not_leave() {
    let supervisor = supervisor();
    supervisor.spawn("obedient", Rule::Critical, obedient(&supervisor));
    supervisor.spawn("deaf", Rule::Critical, pending());
    supervisor.spawn("deafer", Rule::Optional, pending());
    let started = tokio::time::Instant::now();
    let stragglers = supervisor
        .drain(DEADLINE, &CancellationToken::new())
        .await
        .expect_err("two stay");
    assert_eq!(stragglers.to_string(), "deaf, deafer did not leave in time");
    assert!(started.elapsed() >= DEADLINE && started.elapsed() < DEADLINE + ABORT_GRACE);
    assert!(supervisor.running().is_empty(), "they were aborted");
}

#[tokio::test(start_paused = true)]
async fn abort_cuts_the_drain_short() {
    let supervisor = supervisor();
    supervisor.spawn("deaf", Rule::Critical, pending());
    let abort = CancellationToken::new();
    let started = tokio::time::Instant::now();
    let (result, ()) = tokio::join!(supervisor.drain(DEADLINE, &abort), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        abort.cancel();
    });
    result.expect_err("the deaf task was aborted");
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn task_without_an_ear_for_stop_can_be_dropped_on_stop() {
    let supervisor = supervisor();
    supervisor.spawn_until_stopped("upkeep", Rule::Critical, pending());
    supervisor
        .drain(DEADLINE, &CancellationToken::new())
        .await
        .expect("it is dropped at once");
    assert!(supervisor.take_failure().is_none());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_owner_tells_the_tasks_to_leave() {
    let supervisor = supervisor();
    let stop = supervisor.token().clone();
    let other = supervisor.clone();
    supervisor.spawn("reader", Rule::Critical, obedient(&supervisor));
    drop(supervisor);
    assert!(!stop.is_cancelled());
    drop(other);
    stop.cancelled().await;
}
