//! When a wait is over: pure, told one state of the workflow after the other.

use crosswalk_proto::v1::{Failure, Workflow, workflow::Status};

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The run is RUNNING.
    Running,
    /// The run is RUNNING, its initial read is through, and nothing waits to be written.
    Loaded,
    /// No worker runs the workflow any more.
    Stopped,
}

/// What one state of the workflow means for the wait.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// Not there yet.
    Pending,
    /// There.
    Reached,
    /// It cannot get there.
    Failed(Failure),
    /// Somebody else started or stopped the workflow since.
    Overtaken {
        /// What they did.
        action: &'static str,
    },
}

/// Judges the states of one workflow after a start or a stop.
///
/// Any replica of the control plane may answer, and one that lags behind still shows the workflow as it was before our
/// own start or stop. Such a state is only a reason to go on waiting.
#[derive(Debug)]
pub(crate) struct Judge {
    goal: Goal,
    /// The run that our start made; empty after a stop.
    run_id: String,
    /// The revision of that run; 0 after a stop.
    revision: i64,
    /// Whether a state that shows the effect of our own call has come.
    seen: bool,
}

impl Judge {
    /// A judge for the workflow as the start or stop returned it.
    pub(crate) fn new(goal: Goal, returned: &Workflow) -> Self {
        Self {
            goal,
            run_id: returned.run_id.clone(),
            revision: returned.revision,
            seen: false,
        }
    }

    /// What `workflow` means for the wait.
    pub(crate) fn judge(&mut self, workflow: &Workflow) -> Verdict {
        match self.goal {
            Goal::Stopped => self.judge_stop(workflow),
            Goal::Running | Goal::Loaded => self.judge_start(workflow),
        }
    }

    fn judge_stop(&mut self, workflow: &Workflow) -> Verdict {
        if workflow.status() == Status::Stopped {
            self.seen = true;
            return if workflow.stopping {
                Verdict::Pending
            } else {
                Verdict::Reached
            };
        }
        if self.seen {
            Verdict::Overtaken { action: "started" }
        } else {
            Verdict::Pending
        }
    }

    fn judge_start(&mut self, workflow: &Workflow) -> Verdict {
        if workflow.run_id == self.run_id {
            self.seen = true;
            return self.judge_run(workflow);
        }
        if workflow.revision > self.revision {
            Verdict::Overtaken { action: "started" }
        } else if self.seen && workflow.status() == Status::Stopped {
            Verdict::Overtaken { action: "stopped" }
        } else {
            Verdict::Pending
        }
    }

    fn judge_run(&self, workflow: &Workflow) -> Verdict {
        match workflow.status() {
            Status::Failed => Verdict::Failed(workflow.failure.clone().unwrap_or_default()),
            Status::Running if self.goal == Goal::Running || is_loaded(workflow) => Verdict::Reached,
            _ => Verdict::Pending,
        }
    }
}

/// Whether no initial read is going on any more and all that was read has been written.
fn is_loaded(workflow: &Workflow) -> bool {
    let is_read = workflow.progress.is_some_and(|progress| !progress.initial_read);
    is_read && workflow.backlog == Some(0)
}

#[cfg(test)]
mod tests {
    use crosswalk_proto::v1::Progress;

    use super::*;

    fn run(status: Status, run_id: &str, revision: i64) -> Workflow {
        Workflow {
            run_id: run_id.to_owned(),
            revision,
            ..state(status)
        }
    }

    fn state(status: Status) -> Workflow {
        Workflow {
            status: status.into(),
            backlog: Some(0),
            ..Workflow::default()
        }
    }

    fn started(goal: Goal) -> Judge {
        Judge::new(goal, &run(Status::Starting, "new", 12))
    }

    fn loading(initial_read: bool, backlog: Option<i64>) -> Workflow {
        let progress = Progress {
            initial_read,
            ..Progress::default()
        };
        Workflow {
            progress: Some(progress),
            backlog,
            ..run(Status::Running, "new", 12)
        }
    }

    #[test]
    fn running_is_reached_when_our_run_is_running() {
        let mut judge = started(Goal::Running);
        assert_eq!(judge.judge(&run(Status::Starting, "new", 12)), Verdict::Pending);
        assert_eq!(judge.judge(&loading(true, Some(3))), Verdict::Reached);
    }

    #[test]
    fn loaded_needs_everything_read_and_written() {
        let mut judge = started(Goal::Loaded);
        assert_eq!(judge.judge(&loading(true, Some(0))), Verdict::Pending);
        assert_eq!(judge.judge(&loading(false, Some(80))), Verdict::Pending);
        assert_eq!(judge.judge(&loading(false, None)), Verdict::Pending);
        assert_eq!(judge.judge(&run(Status::Running, "new", 12)), Verdict::Pending);
        assert_eq!(judge.judge(&loading(false, Some(0))), Verdict::Reached);
    }

    #[test]
    fn states_from_before_the_start_are_waited_out() {
        let mut judge = started(Goal::Running);
        assert_eq!(judge.judge(&state(Status::Stopped)), Verdict::Pending);
        assert_eq!(judge.judge(&run(Status::Failed, "old", 7)), Verdict::Pending);
        assert_eq!(judge.judge(&run(Status::Running, "old", 7)), Verdict::Pending);
    }

    #[test]
    fn failure_of_our_run_ends_the_wait() {
        let failure = Failure {
            code: "DYNAMICS_AUTHENTICATION_FAILED".to_owned(),
            ..Failure::default()
        };
        let failed = Workflow {
            failure: Some(failure.clone()),
            ..run(Status::Failed, "new", 12)
        };
        assert_eq!(started(Goal::Loaded).judge(&failed), Verdict::Failed(failure));
    }

    #[test]
    fn a_later_start_or_stop_by_somebody_ends_the_wait() {
        let mut judge = started(Goal::Loaded);
        assert_eq!(judge.judge(&run(Status::Starting, "new", 12)), Verdict::Pending);
        assert_eq!(
            judge.judge(&state(Status::Stopped)),
            Verdict::Overtaken { action: "stopped" }
        );
        assert_eq!(
            judge.judge(&run(Status::Starting, "other", 15)),
            Verdict::Overtaken { action: "started" }
        );
    }

    #[test]
    fn stopped_is_reached_when_the_last_worker_has_left() {
        let mut judge = Judge::new(Goal::Stopped, &state(Status::Stopped));
        assert_eq!(judge.judge(&run(Status::Running, "old", 7)), Verdict::Pending);
        assert_eq!(
            judge.judge(&Workflow {
                stopping: true,
                ..state(Status::Stopped)
            }),
            Verdict::Pending
        );
        assert_eq!(
            judge.judge(&run(Status::Starting, "other", 15)),
            Verdict::Overtaken { action: "started" }
        );
        assert_eq!(judge.judge(&state(Status::Stopped)), Verdict::Reached);
    }
}
