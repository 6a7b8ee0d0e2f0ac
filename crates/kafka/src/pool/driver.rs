//! The task that starts jobs and takes their verdicts.

use std::any::Any;
use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::handle::Shared;
use super::handler::{Cause, Failure, Handler, Verdict};
use super::job::{Job, Next, Outcome};

/// How long to wait before an attempt is repeated: given the number of the attempt that failed, from 1, the delay that
/// the destination asked for, and a random number in `0.0..1.0` for jitter. Pure.
pub type Backoff = Box<dyn Fn(u32, Option<Duration>, f64) -> Duration + Send + Sync>;

/// Why the destination is left alone when a handler's verdict says so.
const THROTTLED: Cow<'static, str> = Cow::Borrowed("the destination asked to wait");

/// Runs the jobs of a [`Pool`](super::Pool). Spawn [`run`](Self::run); without it nothing is worked on.
pub struct Driver<H: Handler> {
    pub(super) shared: Arc<Shared<H>>,
    pub(super) handler: Arc<H>,
    pub(super) backoff: Backoff,
    /// Cancelled when the pool is stopped or its last handle is dropped.
    pub(super) closed: CancellationToken,
    pub(super) jobs: JoinSet<Attempt<H>>,
}

/// A finished attempt. A panic is kept as its message.
pub(super) struct Attempt<H: Handler> {
    job: Job<H::Payload>,
    verdict: Result<Verdict<H::Error>, String>,
}

impl<H: Handler> Driver<H> {
    /// Works until the pool is stopped or its last handle is dropped; what is in flight then is aborted, and gone when
    /// this returns.
    ///
    /// # Errors
    /// The failure that stopped the pool, if one did. It is known through [`failed`](super::Pool::failed) as soon as
    /// it happens; this returns only when the pool has been drained and stopped.
    pub async fn run(mut self) -> Result<(), Arc<Failure<H::Error>>> {
        let mut finished = Vec::new();
        let mut started = Vec::new();
        let closed = self.closed.clone();
        let closed = closed.cancelled();
        tokio::pin!(closed);
        loop {
            let wake_at = self.turn(&mut finished, &mut started);
            for job in started.drain(..) {
                self.jobs.spawn(attempt(self.handler.clone(), job));
            }
            let timer = async { tokio::time::sleep_until(wake_at.unwrap_or_else(Instant::now)).await };
            tokio::select! {
                biased;
                () = &mut closed => break,
                Some(attempt) = self.jobs.join_next() => collect(attempt, &mut finished),
                () = self.shared.wake.notified() => {}
                () = timer, if wake_at.is_some() => {}
            }
            while let Some(attempt) = self.jobs.try_join_next() {
                collect(attempt, &mut finished);
            }
        }
        self.jobs.shutdown().await;
        self.shared.failure().map_or(Ok(()), Err)
    }

    /// Gives finished jobs back and takes new ones, all under one lock. Returns when to come again at the latest.
    fn turn(&self, finished: &mut Vec<Attempt<H>>, started: &mut Vec<Job<H::Payload>>) -> Option<Instant> {
        let mut scheduler = self.shared.scheduler.lock();
        let now = self.shared.now();
        for Attempt { job, verdict } in finished.drain(..) {
            // Within the same bounds as the wait of the job itself.
            let pause = match verdict {
                Ok(Verdict::Retry {
                    after: Some(after),
                    throttled: true,
                }) => Some((self.backoff)(job.attempt(), Some(after), 0.0)),
                _ => None,
            };
            let (outcome, cause) = self.outcome(&job, verdict, now);
            let (partition, offset) = (job.partition(), job.offset());
            let counts = scheduler.finish(job, outcome, now);
            if let Some(pause) = pause {
                scheduler.pause_until(now + pause, THROTTLED, now);
            }
            if let Some(cause) = cause.filter(|_| counts) {
                self.shared.fail(Failure {
                    partition,
                    offset,
                    cause,
                });
            }
        }
        let wake_at = loop {
            match scheduler.next(now) {
                Next::Job(job) => started.push(job),
                Next::At(at) => break Some(self.shared.start + at),
                Next::Idle => break None,
            }
        };
        let has_room = scheduler.has_room();
        drop(scheduler);
        self.shared.progress.notify_waiters();
        if has_room {
            self.shared.room.notify_waiters();
        }
        wake_at
    }

    fn outcome(
        &self,
        job: &Job<H::Payload>,
        verdict: Result<Verdict<H::Error>, String>,
        now: Duration,
    ) -> (Outcome, Option<Cause<H::Error>>) {
        let not_before = |after| now + (self.backoff)(job.attempt(), after, rand::random());
        match verdict {
            Ok(Verdict::Done) => (Outcome::Done, None),
            Ok(Verdict::Skipped) => (Outcome::Skipped, None),
            Ok(Verdict::Retry {
                after,
                throttled: false,
            }) => (
                Outcome::Retry {
                    not_before: not_before(after),
                },
                None,
            ),
            Ok(Verdict::Retry { after, throttled: true }) => (
                Outcome::Throttled {
                    not_before: not_before(after),
                },
                None,
            ),
            Ok(Verdict::Wait { after }) => (
                Outcome::Parked {
                    not_before: now + after,
                },
                None,
            ),
            Ok(Verdict::Cancelled) => (
                Outcome::Cancelled {
                    not_before: not_before(None),
                },
                None,
            ),
            Ok(Verdict::Fatal(error)) => (Outcome::Fatal, Some(Cause::Fatal(error))),
            Err(message) => (Outcome::Fatal, Some(Cause::Panicked { message })),
        }
    }
}

/// One attempt at a job, as a task of its own. A panic must not take the job with it: its slot would never be freed.
async fn attempt<H: Handler>(handler: Arc<H>, job: Job<H::Payload>) -> Attempt<H> {
    let handled = AssertUnwindSafe(async { handler.handle(&job).await })
        .catch_unwind()
        .await;
    let verdict = handled.map_err(|panic| panic_message(&*panic));
    Attempt { job, verdict }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let message = panic.downcast_ref::<&str>().map(ToString::to_string);
    message
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// A task without a result was aborted with the runtime that it ran on.
fn collect<H: Handler>(attempt: Result<Attempt<H>, JoinError>, finished: &mut Vec<Attempt<H>>) {
    match attempt {
        Ok(attempt) => finished.push(attempt),
        Err(error) => tracing::debug!(%error, "job task ended without a verdict"),
    }
}

#[cfg(test)]
mod tests;
