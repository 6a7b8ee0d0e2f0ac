//! Waiting for a workflow after it was started or stopped.

mod goal;
mod progress;

use std::time::Duration;

use crosswalk_proto::v1::Workflow;
use tokio::time::{Instant, timeout_at};

pub(crate) use self::goal::Goal;
use self::{
    goal::{Judge, Verdict},
    progress::Progress,
};
use crate::{
    commands::workflow_view,
    connection::Connection,
    failure::Failure,
    names::id_of,
    watch::{Event, Watch},
};

/// How long [`Goal::Loaded`] must hold. Backlog and progress are not of one moment: when the reader tells that it is through,
/// the backlog of 0 may be from before its last page.
const SETTLING: Duration = Duration::from_millis(2_500);

/// Waits until the workflow, given as the start or stop returned it, has reached the goal; shows progress meanwhile.
///
/// # Errors
/// [`Failure::WorkflowFailed`], [`Failure::Overtaken`] if somebody else started or stopped it, [`Failure::TimedOut`]
/// after `limit`, and whatever the server answers.
pub(crate) async fn wait(
    connection: &Connection,
    returned: Workflow,
    goal: Goal,
    limit: Duration,
) -> Result<Workflow, Failure> {
    let mut wait = Wait {
        goal,
        judge: Judge::new(goal, &returned),
        progress: Progress::new(),
        latest: returned,
        settled: None,
    };
    let deadline = Instant::now() + limit;
    let mut watch = Watch::new(connection);
    wait.progress.show(&wait.latest);
    loop {
        let until = wait.settled.map_or(deadline, |settled| settled.min(deadline));
        match timeout_at(until, watch.next()).await {
            Ok(event) => {
                if wait.is_over(event?)? {
                    return Ok(wait.latest);
                }
            }
            Err(_) if wait.settled.is_some_and(|settled| settled <= Instant::now()) => return Ok(wait.latest),
            Err(_) => return Err(wait.timed_out(limit)),
        }
    }
}

/// The state of a wait.
struct Wait {
    goal: Goal,
    judge: Judge,
    progress: Progress,
    /// The workflow as last told.
    latest: Workflow,
    /// When the goal will have held long enough, if it holds.
    settled: Option<Instant>,
}

impl Wait {
    /// Takes in an event; returns whether the goal is reached.
    fn is_over(&mut self, event: Event) -> Result<bool, Failure> {
        match event {
            Event::Workflow(workflow) if workflow.name == self.latest.name => self.take_in(*workflow),
            Event::Disconnected { reason, pause } => {
                self.settled = None;
                let pause = humantime::format_duration(pause);
                self.progress
                    .tell(&format!("connection lost: {reason}; trying again in {pause}"));
                Ok(false)
            }
            Event::Workflow(_) | Event::Synchronized | Event::Alive => Ok(false),
        }
    }

    fn take_in(&mut self, workflow: Workflow) -> Result<bool, Failure> {
        self.progress.show(&workflow);
        let verdict = self.judge.judge(&workflow);
        self.latest = workflow;
        match verdict {
            Verdict::Pending => {
                self.settled = None;
                Ok(false)
            }
            Verdict::Reached if self.goal == Goal::Loaded => {
                self.settled.get_or_insert_with(|| Instant::now() + SETTLING);
                Ok(false)
            }
            Verdict::Reached => Ok(true),
            Verdict::Failed(failure) => Err(Failure::WorkflowFailed {
                workflow: self.id(),
                code: failure.code,
                message: failure.message,
            }),
            Verdict::Overtaken { action } => {
                let actor = if self.latest.last_actor.is_empty() {
                    "somebody"
                } else {
                    &self.latest.last_actor
                };
                Err(Failure::Overtaken {
                    workflow: self.id(),
                    action,
                    actor: actor.to_owned(),
                })
            }
        }
    }

    fn timed_out(&self, limit: Duration) -> Failure {
        let goal = match self.goal {
            Goal::Running => "running",
            Goal::Loaded => "through its initial load",
            Goal::Stopped => "stopped",
        };
        let status = workflow_view::status(&self.latest);
        Failure::TimedOut {
            what: format!("workflow {} is {status} and not {goal}", self.id()),
            limit,
        }
    }

    fn id(&self) -> String {
        id_of(&self.latest.name).to_owned()
    }
}
