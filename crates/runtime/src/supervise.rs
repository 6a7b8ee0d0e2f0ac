//! Tasks with an owner that notices when they end.
//!
//! Every long-running task of a service is spawned here under a name and a [`Rule`]. A task that fails, panics, or ends
//! although its rule says that it must not, stops the service: the supervisor's token is cancelled and the failure kept.
//! [`Supervisor::drain`] then waits for all tasks to leave, under a deadline, and names those that did not.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::error::{Cancelled, chain};

/// How long aborted tasks get to be dropped; a task that blocks its thread cannot be.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// What the end of a task means before it was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The task runs until it is told to stop. Any earlier end, a success too, is a failure that stops the service.
    Critical,
    /// The task has an end of its own. An error or a panic is a failure that stops the service.
    Finite,
    /// The service can do without. An error or a panic is logged.
    Optional,
}

/// Why a task counts as failed.
#[derive(Debug, thiserror::Error)]
pub enum TaskFailure {
    /// It returned an error.
    #[error("task `{task}` failed")]
    Failed {
        /// Name of the task.
        task: String,
        /// What it returned.
        #[source]
        error: anyhow::Error,
    },
    /// It panicked.
    #[error("task `{task}` panicked: {message}")]
    Panicked {
        /// Name of the task.
        task: String,
        /// The panic's message.
        message: String,
    },
    /// It ended although it was not told to.
    #[error("task `{task}` ended although nobody told it to")]
    EndedEarly {
        /// Name of the task.
        task: String,
    },
}

/// Tasks that had not left when the drain deadline passed, or when the drain was aborted; their work was dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} did not leave in time", .tasks.join(", "))]
pub struct Stragglers {
    /// Their names, in the order in which they were spawned.
    pub tasks: Vec<String>,
}

/// Owns the tasks of one service. Clones own the same tasks; when the last one is dropped the tasks are told to stop.
#[derive(Clone)]
pub struct Supervisor {
    // Tasks hold the state, not this guard, so that dropping the last clone is noticed.
    guard: Arc<StopOnDrop>,
}

struct StopOnDrop(Arc<State>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop.cancel();
    }
}

struct State {
    stop: CancellationToken,
    tracker: TaskTracker,
    tasks: Mutex<Tasks>,
    failures: Mutex<Vec<TaskFailure>>,
}

#[derive(Default)]
struct Tasks {
    next: u64,
    running: BTreeMap<u64, Running>,
}

struct Running {
    name: Cow<'static, str>,
    abort: AbortHandle,
}

impl Supervisor {
    /// A failure cancels `stop`; a cancelled `stop` tells all tasks to leave.
    #[must_use]
    pub fn new(stop: CancellationToken) -> Self {
        let state = State {
            stop,
            tracker: TaskTracker::new(),
            tasks: Mutex::default(),
            failures: Mutex::default(),
        };
        Self {
            guard: Arc::new(StopOnDrop(Arc::new(state))),
        }
    }

    fn state(&self) -> &Arc<State> {
        &self.guard.0
    }

    /// The token that tells the tasks to leave.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.state().stop
    }

    /// Spawns a task that watches [`token`](Self::token) itself and finishes its work when told to stop.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn(
        &self,
        name: impl Into<Cow<'static, str>>,
        rule: Rule,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let name = name.into();
        let state = Arc::clone(self.state());
        let span = tracing::info_span!("task", task.name = %name);
        // Held until the entry exists, so that a task that ends at once finds it.
        let mut tasks = self.state().tasks.lock();
        let id = tasks.next;
        tasks.next += 1;
        let leave = Leave {
            id,
            state: Arc::clone(&state),
        };
        let handle = self.state().tracker.spawn(
            async move {
                let leave = leave;
                let result = AssertUnwindSafe(task).catch_unwind().await;
                leave.state.ended(leave.id, rule, result);
            }
            .instrument(span),
        );
        tasks.running.insert(
            id,
            Running {
                name,
                abort: handle.abort_handle(),
            },
        );
    }

    /// Spawns a task that is simply dropped when told to stop, at its next await point: for work without an effect that
    /// could be left half done.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn_until_stopped(
        &self,
        name: impl Into<Cow<'static, str>>,
        rule: Rule,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let stop = self.token().clone();
        self.spawn(name, rule, async move {
            stop.run_until_cancelled_owned(task).await.unwrap_or(Ok(()))
        });
    }

    /// Names of the tasks that have not left, in the order in which they were spawned.
    #[must_use]
    pub fn running(&self) -> Vec<String> {
        self.state()
            .tasks
            .lock()
            .running
            .values()
            .map(|task| task.name.to_string())
            .collect()
    }

    /// The first failure of a task, if there was one; it is handed out once. Failures after the first were logged.
    #[must_use]
    pub fn take_failure(&self) -> Option<TaskFailure> {
        let mut failures = self.state().failures.lock();
        if failures.is_empty() {
            None
        } else {
            Some(failures.remove(0))
        }
    }

    /// Tells all tasks to leave and waits until they have, for at most `deadline` or until `abort` is cancelled. Then the
    /// remaining ones are aborted.
    ///
    /// # Errors
    /// [`Stragglers`] names the tasks that were aborted.
    pub async fn drain(&self, deadline: Duration, abort: &CancellationToken) -> Result<(), Stragglers> {
        let state = self.state();
        state.stop.cancel();
        state.tracker.close();
        tokio::select! {
            () = state.tracker.wait() => return Ok(()),
            () = tokio::time::sleep(deadline) => {}
            () = abort.cancelled() => {}
        }
        let tasks = self.running();
        if tasks.is_empty() {
            return Ok(());
        }
        // Collected first: a task that is dropped takes the lock to leave the list.
        let remaining: Vec<_> = state
            .tasks
            .lock()
            .running
            .values()
            .map(|task| task.abort.clone())
            .collect();
        remaining.iter().for_each(AbortHandle::abort);
        if tokio::time::timeout(ABORT_GRACE, state.tracker.wait()).await.is_err() {
            tracing::error!(tasks = %self.running().join(", "), "tasks block their thread and could not be aborted");
        }
        Err(Stragglers { tasks })
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Supervisor")
            .field("running", &self.running())
            .finish_non_exhaustive()
    }
}

/// Takes a task off the list however it leaves: by returning, by panicking, or by being aborted.
struct Leave {
    id: u64,
    state: Arc<State>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.state.tasks.lock().running.remove(&self.id);
    }
}

type TaskResult = Result<anyhow::Result<()>, Box<dyn std::any::Any + Send>>;

impl State {
    fn ended(&self, id: u64, rule: Rule, result: TaskResult) {
        let task = self
            .tasks
            .lock()
            .running
            .get(&id)
            .map(|task| task.name.to_string())
            .unwrap_or_default();
        let Some(failure) = self.judge(task, rule, result) else {
            return;
        };
        if rule == Rule::Optional {
            tracing::warn!(error = %chain(&failure), "task is gone; the service goes on without it");
            return;
        }
        let mut failures = self.failures.lock();
        if failures.is_empty() {
            // The error itself is logged once, by whoever takes it when the service has drained.
            tracing::info!("task failed, the service is stopping");
        } else {
            tracing::error!(error = %chain(&failure), "another task failed");
        }
        failures.push(failure);
        self.stop.cancel();
    }

    fn judge(&self, task: String, rule: Rule, result: TaskResult) -> Option<TaskFailure> {
        let told_to_stop = self.stop.is_cancelled();
        match result {
            Err(payload) => Some(TaskFailure::Panicked {
                task,
                message: panic_message(payload.as_ref()),
            }),
            Ok(Err(error)) if told_to_stop && was_cancelled(&error) => None,
            Ok(Err(error)) => Some(TaskFailure::Failed { task, error }),
            Ok(Ok(())) if rule == Rule::Critical && !told_to_stop => Some(TaskFailure::EndedEarly { task }),
            Ok(Ok(())) => None,
        }
    }
}

/// Whether the error only says that somebody told us to stop.
pub(crate) fn was_cancelled(error: &anyhow::Error) -> bool {
    error.chain().any(<dyn std::error::Error>::is::<Cancelled>)
}

/// The text of a panic, which is a string unless somebody used `panic_any`.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests;
