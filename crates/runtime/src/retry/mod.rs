//! The one retry helper of the workspace.
//!
//! It repeats an operation as long as its error says [`Class::Retry`], waits in between as [`Backoff`] says, stops waiting
//! when told to stop, and warns only once failing has lasted. Only one layer may retry an operation: a client whose calls
//! pass through here has no retry of its own.
//!
//! The keyed work pool does not sleep inside a job; it schedules the next attempt itself and uses only
//! [`Backoff::delay`].

mod backoff;
mod hindrance;
mod policy;

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backon::Retryable as _;
use crosswalk_core::{Class, Classify};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use self::backoff::Backoff;
pub use self::hindrance::HindranceTracker;
pub use self::policy::RetryPolicy;
use crate::error::{Cancelled, chain};
use crate::metrics;

/// Why [`retry`] gave up.
#[derive(Debug, thiserror::Error)]
pub enum RetryError<E: Error + 'static> {
    /// The operation failed in a way that another attempt cannot mend.
    #[error(transparent)]
    Failed(E),
    /// The last attempt that the policy allows failed as well.
    #[error("gave up after {attempts} attempts")]
    Exhausted {
        /// How many attempts were made.
        attempts: u32,
        /// The error of the last one.
        #[source]
        error: E,
    },
    /// We were told to stop before an attempt succeeded.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl<E: Error + Classify + 'static> Classify for RetryError<E> {
    fn class(&self) -> Class {
        match self {
            Self::Failed(error) | Self::Exhausted { error, .. } => error.class(),
            Self::Cancelled(cancelled) => cancelled.class(),
        }
    }
}

impl<E: Error + From<Cancelled> + 'static> RetryError<E> {
    /// The operation's own error, for callers to whom it is all the same how often it was tried.
    #[must_use]
    pub fn into_inner(self) -> E {
        match self {
            Self::Failed(error) | Self::Exhausted { error, .. } => error,
            Self::Cancelled(cancelled) => cancelled.into(),
        }
    }
}

/// What an observer of a retried operation is told, so that a status can say `retrying` or `throttled until`.
#[derive(Debug, Clone, Copy)]
pub enum RetryEvent<'a> {
    /// An attempt failed; the next one starts after `delay`.
    Waiting {
        /// Number of the failed attempt, from 1.
        attempt: u32,
        /// How long until the next attempt.
        delay: Duration,
        /// True when the other side asked for the delay: it throttles us.
        throttled: bool,
        /// What went wrong.
        error: &'a dyn Error,
    },
    /// The operation succeeded after having failed before.
    Recovered {
        /// Number of the attempt that succeeded, from 2.
        attempt: u32,
    },
}

/// Runs `operation` until it succeeds, fails for good, or the policy or `cancel` ends it.
///
/// Shorthand for [`Retry::run`] without an observer.
///
/// # Errors
/// See [`RetryError`].
pub async fn retry<T, E, Operation, Attempt>(
    policy: &RetryPolicy,
    cancel: &CancellationToken,
    name: &'static str,
    operation: Operation,
) -> Result<T, RetryError<E>>
where
    E: Error + Classify + 'static,
    Operation: FnMut() -> Attempt,
    Attempt: Future<Output = Result<T, E>>,
{
    Retry::new(policy, cancel, name).run(operation).await
}

/// A retried operation in preparation: policy, name and observer.
pub struct Retry<'a> {
    policy: &'a RetryPolicy,
    cancel: &'a CancellationToken,
    name: &'static str,
    observer: Box<dyn FnMut(RetryEvent<'_>) + Send + 'a>,
}

impl<'a> Retry<'a> {
    /// `name` says in logs and metrics what is retried; it comes from a closed set, like `produce page`.
    #[must_use]
    pub fn new(policy: &'a RetryPolicy, cancel: &'a CancellationToken, name: &'static str) -> Self {
        Self {
            policy,
            cancel,
            name,
            observer: Box::new(|_| {}),
        }
    }

    /// Calls `observer` before every wait, and once more when the operation succeeds after that.
    #[must_use]
    pub fn observe(mut self, observer: impl FnMut(RetryEvent<'_>) + Send + 'a) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Runs the operation until it succeeds, fails for good, or the policy or the token ends it.
    ///
    /// The token cuts a wait short and keeps the next attempt from starting. An attempt under way is let finish, since
    /// cutting it would leave its effect unknown; its own timeout bounds it. A caller that wants it dropped wraps the
    /// whole call in [`CancellationToken::run_until_cancelled`].
    ///
    /// # Errors
    /// See [`RetryError`].
    pub async fn run<T, E, Operation, Attempt>(mut self, mut operation: Operation) -> Result<T, RetryError<E>>
    where
        E: Error + Classify + 'static,
        Operation: FnMut() -> Attempt,
        Attempt: Future<Output = Result<T, E>>,
    {
        let (policy, cancel) = (self.policy, self.cancel);
        let attempts = AtomicU32::new(0);
        let attempt = || {
            let attempt = (!cancel.is_cancelled()).then(|| {
                attempts.fetch_add(1, Ordering::Relaxed);
                operation()
            });
            async move {
                match attempt {
                    Some(attempt) => attempt.await.map_err(Stop::Failed),
                    None => Err(Stop::Cancelled),
                }
            }
        };
        let result = attempt
            .retry(policy.delays())
            .sleep(wait_unless_stopped(cancel.clone()))
            .when(Stop::is_worth_another_attempt)
            .adjust(|stop, delay| delay.map(|delay| stop.asked(policy).unwrap_or(delay)))
            .notify(|stop, delay| {
                if let Stop::Failed(error) = stop {
                    self.waiting(attempts.load(Ordering::Relaxed), delay, error);
                }
            })
            .await;
        let attempts = attempts.into_inner();
        match result {
            Ok(value) => {
                self.succeeded(attempts);
                Ok(value)
            }
            Err(Stop::Cancelled) => Err(RetryError::Cancelled(Cancelled)),
            Err(Stop::Failed(error)) if is_retryable(&error) => Err(RetryError::Exhausted { attempts, error }),
            Err(Stop::Failed(error)) => Err(RetryError::Failed(error)),
        }
    }

    fn waiting<E: Error + Classify>(&mut self, attempt: u32, delay: Duration, error: &E) {
        ::metrics::counter!(metrics::RETRIES_TOTAL, "operation" => self.name).increment(1);
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let (operation, cause) = (self.name, chain(&error));
        if attempt > self.policy.quiet_attempts {
            tracing::warn!(retry.operation = operation, retry.attempt = attempt, retry.delay_ms = delay_ms,
                error = %cause, "operation keeps failing, trying again");
        } else {
            tracing::debug!(retry.operation = operation, retry.attempt = attempt, retry.delay_ms = delay_ms,
                error = %cause, "operation failed, trying again");
        }
        let throttled = matches!(error.class(), Class::Retry { after: Some(_) });
        (self.observer)(RetryEvent::Waiting {
            attempt,
            delay,
            throttled,
            error,
        });
    }

    fn succeeded(&mut self, attempt: u32) {
        if attempt <= 1 {
            return;
        }
        if attempt > self.policy.quiet_attempts.saturating_add(1) {
            tracing::info!(
                retry.operation = self.name,
                retry.attempt = attempt,
                "operation succeeded again"
            );
        }
        (self.observer)(RetryEvent::Recovered { attempt });
    }
}

/// Why one turn of the loop did not succeed.
enum Stop<E> {
    Failed(E),
    Cancelled,
}

impl<E: Classify> Stop<E> {
    fn is_worth_another_attempt(&self) -> bool {
        matches!(self, Self::Failed(error) if is_retryable(error))
    }

    /// The wait that the other side asked for, within the policy's bounds.
    fn asked(&self, policy: &RetryPolicy) -> Option<Duration> {
        match self {
            Self::Failed(error) => match error.class() {
                Class::Retry { after: Some(after) } => Some(policy.backoff.delay(1, Some(after), rand::random())),
                _ => None,
            },
            Self::Cancelled => None,
        }
    }
}

fn is_retryable(error: &impl Classify) -> bool {
    matches!(error.class(), Class::Retry { .. })
}

/// Either end of the wait leads to the next turn of the loop, which looks at the token itself.
fn wait_unless_stopped(cancel: CancellationToken) -> impl Fn(Duration) -> BoxFuture<'static, Option<()>> {
    move |delay| {
        cancel
            .clone()
            .run_until_cancelled_owned(tokio::time::sleep(delay))
            .boxed()
    }
}

#[cfg(test)]
mod tests;
