//! Workflows: what is wanted, what the workers report, and what follows from both, as one message.

use crosswalk_core::{
    WorkflowName,
    control::{self, RunId, Workflow},
    mapping::guardrails::Warning,
    status::{LIVE_FOR, Status, WorkflowStatus},
    worker::{Failure, Hindrance, Phase, Role, WorkerReport},
};
use jiff::{SignedDuration, Timestamp};

use super::{count, timestamp};
use crate::v1;

/// Everything that a workflow's message is made of.
#[derive(Debug, Clone, Copy)]
pub struct WorkflowView<'a> {
    /// Which workflow.
    pub name: &'a WorkflowName,
    /// What is wanted of it.
    pub workflow: &'a Workflow,
    /// Its status, derived from the reports.
    pub status: &'a WorkflowStatus,
    /// The last report of each worker about it, of any run.
    pub reports: &'a [WorkerReport],
    /// Records that wait to be written; `None` while that is not known.
    pub backlog: Option<u64>,
    /// Whether draft and running configuration differ.
    pub pending_changes: bool,
    /// Where the draft is larger than Adobe's documentation allows for.
    pub warnings: &'a [Warning],
    /// When this is: decides which workers are live.
    pub now: Timestamp,
}

/// A workflow as the API shows it.
#[must_use]
pub fn workflow(view: &WorkflowView<'_>) -> v1::Workflow {
    let run = view.workflow.run();
    let live = || view.reports.iter().filter(|report| is_live(report, view.now));
    v1::Workflow {
        name: view.name.to_string(),
        display_name: view.name.workflow.display_name().to_owned(),
        status: status(view.status.status).into(),
        status_time: view.status.since.map(timestamp),
        failure: view.status.failure.as_ref().map(failure),
        stopping: view.status.stopping,
        hindrances: view.status.hindrances.iter().map(hindrance).collect(),
        backlog: view.backlog.map(count),
        pending_changes: view.pending_changes,
        progress: run.map(|run| progress(run.id, view)),
        run_id: run.map(|run| run.id.to_string()).unwrap_or_default(),
        revision: run.map(|run| count(run.revision.0)).unwrap_or_default(),
        last_actor: view
            .workflow
            .last_change
            .as_ref()
            .map(|change| change.actor.clone())
            .unwrap_or_default(),
        etag: view.workflow.etag.to_string(),
        workers: live().map(worker).collect(),
        warnings: view.warnings.iter().map(super::mapping::warning).collect(),
    }
}

fn is_live(report: &WorkerReport, now: Timestamp) -> bool {
    let live_for = SignedDuration::try_from(LIVE_FOR).unwrap_or(SignedDuration::MAX);
    now.duration_since(report.time) <= live_for
}

const fn status(status: Status) -> v1::workflow::Status {
    match status {
        Status::Stopped => v1::workflow::Status::Stopped,
        Status::Starting => v1::workflow::Status::Starting,
        Status::Running => v1::workflow::Status::Running,
        Status::Failed => v1::workflow::Status::Failed,
    }
}

fn failure(failure: &Failure) -> v1::Failure {
    v1::Failure {
        code: failure.code.clone(),
        message: failure.message.clone(),
        time: Some(timestamp(failure.since)),
    }
}

fn hindrance(hindrance: &Hindrance) -> v1::Hindrance {
    use v1::hindrance::{Kind, Retrying, Throttled, Waiting};
    let kind = match hindrance {
        Hindrance::Throttled { by, until } => Kind::Throttled(Throttled {
            by: by.clone(),
            until: Some(timestamp(*until)),
        }),
        Hindrance::Retrying { error, since } => Kind::Retrying(Retrying {
            error: error.clone(),
            since: Some(timestamp(*since)),
        }),
        Hindrance::Waiting { what, since } => Kind::Waiting(Waiting {
            what: what.clone(),
            since: Some(timestamp(*since)),
        }),
    };
    v1::Hindrance { kind: Some(kind) }
}

/// Counts of workers that are gone stay in: what they did is done. What is still expected only a live one knows.
fn progress(run: RunId, view: &WorkflowView<'_>) -> v1::Progress {
    let of_run = || view.reports.iter().filter(|report| report.run == run);
    let done = |role: Role| {
        of_run()
            .filter(|report| report.role == role)
            .map(|report| report.counts.done)
            .sum()
    };
    let expected = of_run()
        .filter(|report| is_live(report, view.now))
        .filter_map(|report| report.counts.expected);
    let live_waiting = of_run()
        .filter(|report| is_live(report, view.now))
        .map(|report| report.counts.waiting)
        .sum();
    v1::Progress {
        records_read: count(done(Role::DynamicsReader)),
        records_written: count(done(Role::CampaignWriter)),
        records_rejected: count(of_run().map(|report| report.counts.rejected).sum()),
        records_skipped: count(of_run().map(|report| report.counts.skipped).sum()),
        records_waiting: count(live_waiting),
        initial_read: of_run().any(|report| report.counts.initial_read && is_live(report, view.now)),
        records_expected: expected.reduce(u64::saturating_add).map(count),
        last_progress_time: of_run()
            .filter_map(|report| report.counts.last_progress)
            .max()
            .map(timestamp),
    }
}

fn worker(report: &WorkerReport) -> v1::Worker {
    let phase = match report.phase {
        Phase::Starting => "STARTING",
        Phase::Standby => "STANDBY",
        Phase::Running => "RUNNING",
        Phase::Failed(_) => "FAILED",
        Phase::Stopping => "STOPPING",
        Phase::Stopped => "STOPPED",
    };
    v1::Worker {
        worker_id: report.worker.clone(),
        role: report.role.to_string(),
        phase: phase.to_owned(),
        in_flight: count(report.counts.in_flight),
    }
}

/// A difference between draft and running configuration as the API shows it.
#[must_use]
pub fn difference(difference: control::Difference) -> v1::Difference {
    v1::Difference {
        path: difference.path,
        draft: difference.draft,
        running: difference.running,
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::{
        control::{Etag, LogOffset},
        worker::Counts,
    };

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn report(role: Role, seconds_ago: i64, counts: Counts) -> WorkerReport {
        WorkerReport {
            worker: format!("{role}-{seconds_ago}"),
            role,
            workflow: WorkflowName {
                instance: "demo".parse().unwrap(),
                workflow: crosswalk_core::WorkflowId::Ingress,
            },
            run: RunId(uuid::Uuid::nil()),
            time: NOW - SignedDuration::from_secs(seconds_ago),
            phase: Phase::Running,
            phase_since: NOW,
            hindrance: None,
            counts,
            passed: Vec::new(),
        }
    }

    #[test]
    fn progress_keeps_what_workers_that_are_gone_have_done() {
        let counts = |done, expected| Counts {
            done,
            rejected: 1,
            expected,
            ..Counts::default()
        };
        let reports = [
            report(Role::DynamicsReader, 60, counts(10, Some(100))),
            report(Role::DynamicsReader, 1, counts(20, Some(90))),
            report(Role::CampaignWriter, 1, counts(5, None)),
        ];
        let stopped = Workflow::new(Etag(LogOffset(3)));
        let status = WorkflowStatus {
            status: Status::Stopped,
            since: None,
            failure: None,
            stopping: true,
            hindrances: Vec::new(),
        };
        let name = reports[0].workflow.clone();
        let view = WorkflowView {
            name: &name,
            workflow: &stopped,
            status: &status,
            reports: &reports,
            backlog: Some(15),
            pending_changes: false,
            warnings: &[],
            now: NOW,
        };
        let progress = progress(RunId(uuid::Uuid::nil()), &view);
        assert_eq!(
            (
                progress.records_read,
                progress.records_written,
                progress.records_rejected
            ),
            (30, 5, 3)
        );
        assert_eq!(progress.records_expected, Some(90));

        let message = workflow(&view);
        assert_eq!(message.workers.len(), 2, "the worker of a minute ago is not live");
        assert_eq!(
            (message.backlog, message.progress, message.run_id.as_str()),
            (Some(15), None, "")
        );
    }
}
