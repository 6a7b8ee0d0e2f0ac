use std::num::NonZeroU32;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::*;

#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq)]
#[error("call failed")]
struct CallError(Class);

impl Classify for CallError {
    fn class(&self) -> Class {
        self.0
    }
}

impl From<Cancelled> for CallError {
    fn from(_: Cancelled) -> Self {
        Self(Class::Cancelled)
    }
}

const TRANSIENT: CallError = CallError(Class::RETRY);

fn policy() -> RetryPolicy {
    RetryPolicy::forever(Backoff {
        minimum: Duration::from_secs(1),
        maximum: Duration::from_secs(8),
        factor: 2.0,
        maximum_asked: Duration::from_secs(60),
    })
}

fn attempts(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("tests ask for at least one attempt")
}

/// Answers each call with the next of the given results, then succeeds; remembers when each call came.
#[derive(Clone)]
struct Server {
    failures: Arc<Mutex<Vec<CallError>>>,
    calls: Arc<Mutex<Vec<Instant>>>,
}

impl Server {
    fn failing(failures: impl IntoIterator<Item = CallError>) -> Self {
        let mut failures: Vec<_> = failures.into_iter().collect();
        failures.reverse();
        Self {
            failures: Arc::new(Mutex::new(failures)),
            calls: Arc::default(),
        }
    }

    fn call(&self) -> impl Future<Output = Result<&'static str, CallError>> + use<> {
        self.calls.lock().push(Instant::now());
        let result = self.failures.lock().pop().map_or(Ok("done"), Err);
        std::future::ready(result)
    }

    fn pauses(&self) -> Vec<Duration> {
        let calls = self.calls.lock();
        calls
            .iter()
            .zip(calls.iter().skip(1))
            .map(|(earlier, later)| *later - *earlier)
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn success_at_once_makes_one_call() {
    let server = Server::failing([]);
    let result = retry(&policy(), &CancellationToken::new(), "call", || server.call()).await;
    assert_eq!(result.expect("the call succeeds"), "done");
    assert_eq!(server.calls.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn retried_operation_may_run_in_a_task_of_its_own() {
    let server = Server::failing([TRANSIENT]);
    let task = tokio::spawn(async move {
        let (policy, cancel) = (policy(), CancellationToken::new());
        Retry::new(&policy, &cancel, "call")
            .observe(|_| {})
            .run(|| server.call())
            .await
    });
    assert_eq!(
        task.await
            .expect("it does not panic")
            .expect("the second call succeeds"),
        "done"
    );
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_and_stay_between_the_bounds() {
    let server = Server::failing([TRANSIENT; 12]);
    retry(&policy(), &CancellationToken::new(), "call", || server.call())
        .await
        .expect("the 13th call succeeds");
    let pauses = server.pauses();
    assert_eq!(pauses.len(), 12);
    for (failed, pause) in pauses.iter().enumerate() {
        let ceiling = Duration::from_secs(1 << (failed + 1).min(3));
        let rounding = Duration::from_millis(2);
        assert!(
            *pause + rounding >= ceiling / 2 && *pause <= ceiling + rounding,
            "pause {failed} was {pause:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn next_call_comes_no_earlier_than_the_server_asked() {
    let throttle = CallError(Class::Retry {
        after: Some(Duration::from_secs(20)),
    });
    let server = Server::failing([throttle, throttle]);
    retry(&policy(), &CancellationToken::new(), "call", || server.call())
        .await
        .expect("the third call succeeds");
    for pause in server.pauses() {
        assert!(
            pause >= Duration::from_secs(20) && pause < Duration::from_millis(21_010),
            "paused {pause:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn errors_that_another_try_cannot_mend_return_at_once() {
    for class in [Class::Rejected, Class::Fatal, Class::Cancelled] {
        let server = Server::failing([CallError(class)]);
        let result = retry(&policy(), &CancellationToken::new(), "call", || server.call()).await;
        let error = result.expect_err("the first call fails for good");
        assert!(matches!(error, RetryError::Failed(CallError(found)) if found == class));
        assert_eq!(error.class(), class);
        assert_eq!(server.calls.lock().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn limited_policy_gives_up_with_the_last_error() {
    let server = Server::failing([TRANSIENT; 5]);
    let policy = RetryPolicy::limited(policy().backoff, attempts(3));
    let started = Instant::now();
    let error = retry(&policy, &CancellationToken::new(), "call", || server.call())
        .await
        .expect_err("three calls fail");
    assert!(matches!(
        error,
        RetryError::Exhausted {
            attempts: 3,
            error: TRANSIENT
        }
    ));
    assert_eq!(chain(&error).to_string(), "gave up after 3 attempts: call failed");
    assert_eq!(server.calls.lock().len(), 3);
    assert!(
        started.elapsed() <= Duration::from_millis(6_010),
        "does not wait after the last failure"
    );
}

#[tokio::test(start_paused = true)]
async fn one_attempt_means_no_retry() {
    let server = Server::failing([TRANSIENT]);
    let policy = RetryPolicy::limited(policy().backoff, attempts(1));
    let error = retry(&policy, &CancellationToken::new(), "call", || server.call())
        .await
        .expect_err("the call fails");
    assert!(matches!(error, RetryError::Exhausted { attempts: 1, .. }));
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_while_waiting_leaves_without_another_call() {
    let server = Server::failing([TRANSIENT; 100]);
    let cancel = CancellationToken::new();
    let started = Instant::now();
    let policy = policy();
    let (result, ()) = tokio::join!(retry(&policy, &cancel, "call", || server.call()), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        cancel.cancel();
    });
    let error = result.expect_err("it was told to stop");
    assert!(matches!(error, RetryError::Cancelled(_)));
    assert_eq!(error.class(), Class::Cancelled);
    assert_eq!(server.calls.lock().len(), 1);
    assert!(started.elapsed() < Duration::from_millis(510));
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_beforehand_makes_no_call() {
    let server = Server::failing([]);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let result = retry(&policy(), &cancel, "call", || server.call()).await;
    assert!(matches!(result, Err(RetryError::Cancelled(_))));
    assert!(server.calls.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn attempt_under_way_is_let_finish_when_told_to_stop() {
    let cancel = CancellationToken::new();
    let result = retry(&policy(), &cancel, "call", || async {
        cancel.cancel();
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, CallError>("written")
    })
    .await;
    assert_eq!(result.expect("the attempt was not cut"), "written");
}

#[tokio::test(start_paused = true)]
async fn observer_learns_of_retrying_throttling_and_recovery() {
    let throttle = CallError(Class::Retry {
        after: Some(Duration::from_secs(5)),
    });
    let server = Server::failing([TRANSIENT, throttle]);
    let cancel = CancellationToken::new();
    let mut events = Vec::new();
    Retry::new(&policy(), &cancel, "call")
        .observe(|event| {
            events.push(match event {
                RetryEvent::Waiting {
                    attempt,
                    throttled,
                    delay,
                    error,
                } => {
                    assert!(delay >= Duration::from_secs(1));
                    format!("{attempt} {error} {throttled}")
                }
                RetryEvent::Recovered { attempt } => format!("{attempt} recovered"),
            });
        })
        .run(|| server.call())
        .await
        .expect("the third call succeeds");
    assert_eq!(events, ["1 call failed false", "2 call failed true", "3 recovered"]);
}

#[test]
fn inner_error_is_the_operations_own_whatever_ended_it() {
    let exhausted = RetryError::Exhausted {
        attempts: 3,
        error: TRANSIENT,
    };
    let cancelled: RetryError<CallError> = RetryError::Cancelled(Cancelled);
    assert_eq!(exhausted.into_inner(), TRANSIENT);
    assert_eq!(
        RetryError::Failed(CallError(Class::Fatal)).into_inner(),
        CallError(Class::Fatal)
    );
    assert_eq!(cancelled.into_inner(), CallError(Class::Cancelled));
}
