//! A workflow's status: a pure function of what is wanted and what the workers report (design §5).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{
    WorkflowId,
    control::{Desired, Run, Workflow},
    worker::{Failure, Hindrance, Phase, Role, WorkerReport},
};

#[cfg(test)]
mod tests;

/// How long a worker counts as live after its last report. Workers report every second.
pub const LIVE_FOR: Duration = Duration::from_secs(5);

/// How long a started workflow may be without a live worker in a role before it counts as failed.
pub const NO_WORKER_AFTER: Duration = Duration::from_secs(30);

/// The code of the failure of a workflow that nobody works for.
pub const NO_WORKER: &str = "NO_WORKER";

/// The status of a workflow; there is no fifth value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is not wanted to run.
    Stopped,
    /// It is wanted to run and has not proved that it does.
    Starting,
    /// Every role has proved that it runs.
    Running,
    /// It cannot run.
    Failed,
}

/// A workflow's status and the detail beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowStatus {
    /// The status.
    pub status: Status,
    /// Since when, as far as is known.
    pub since: Option<Timestamp>,
    /// Why it is `Failed`; `None` for any other status.
    pub failure: Option<Failure>,
    /// Whether workers are still ending a run that is not wanted any more.
    pub stopping: bool,
    /// What holds workers up.
    pub hindrances: Vec<Hindrance>,
}

/// Derives the status of a workflow from its desired state and the last report of each worker about it.
///
/// `reports` may hold reports of older runs and of workers long gone.
#[must_use]
pub fn status(id: WorkflowId, workflow: &Workflow, reports: &[WorkerReport], now: Timestamp) -> WorkflowStatus {
    match &workflow.desired {
        Desired::Stopped => stopped(workflow, reports, now),
        Desired::Started(run) => started(id, run, reports, now),
    }
}

fn stopped(workflow: &Workflow, reports: &[WorkerReport], now: Timestamp) -> WorkflowStatus {
    let stopping = reports
        .iter()
        .any(|report| is_live(report, now) && !has_left(&report.phase));
    WorkflowStatus {
        status: Status::Stopped,
        since: workflow.last_change.as_ref().map(|change| change.time),
        failure: None,
        stopping,
        hindrances: Vec::new(),
    }
}

fn started(id: WorkflowId, run: &Run, reports: &[WorkerReport], now: Timestamp) -> WorkflowStatus {
    let live: Vec<&WorkerReport> = reports
        .iter()
        .filter(|report| report.run == run.id && is_live(report, now))
        .collect();
    let mut answer = WorkflowStatus {
        status: Status::Starting,
        since: Some(run.started),
        failure: None,
        stopping: false,
        hindrances: hindrances(&live),
    };
    if let Some(failure) = reported_failure(&live).or_else(|| no_worker(id, run, reports, now)) {
        answer.status = Status::Failed;
        answer.since = Some(failure.since);
        answer.failure = Some(failure);
    } else if let Some(since) = running_since(id, &live) {
        answer.status = Status::Running;
        answer.since = Some(since);
    }
    answer
}

/// A report may lie ahead a little, by a clock that is ahead. One that lies ahead by more says nothing about now: else a
/// worker long gone would count as live until its time has come.
fn is_live(report: &WorkerReport, now: Timestamp) -> bool {
    now.duration_since(report.time) <= signed(LIVE_FOR) && !lies_ahead(report, now)
}

fn lies_ahead(report: &WorkerReport, now: Timestamp) -> bool {
    report.time.duration_since(now) > signed(LIVE_FOR)
}

const fn has_left(phase: &Phase) -> bool {
    matches!(phase, Phase::Standby | Phase::Stopped | Phase::Failed(_))
}

/// The failure that was there first.
fn reported_failure(live: &[&WorkerReport]) -> Option<Failure> {
    live.iter()
        .filter_map(|report| match &report.phase {
            Phase::Failed(failure) => Some(failure),
            _ => None,
        })
        .min_by_key(|failure| failure.since)
        .cloned()
}

fn no_worker(id: WorkflowId, run: &Run, reports: &[WorkerReport], now: Timestamp) -> Option<Failure> {
    Role::needed_by(id).iter().find_map(|role| {
        let reported = reports
            .iter()
            .filter(|report| report.role == *role && !lies_ahead(report, now))
            .map(|report| report.time);
        let last_seen = reported.max().map_or(run.started, |time| time.max(run.started));
        (now.duration_since(last_seen) > signed(NO_WORKER_AFTER)).then(|| Failure {
            code: NO_WORKER.into(),
            message: format!(
                "no {role} has been there for {} s; start one, and the workflow goes on by itself",
                NO_WORKER_AFTER.as_secs()
            ),
            since: last_seen,
        })
    })
}

/// Since when every needed role has had a running worker, if every one has.
fn running_since(id: WorkflowId, live: &[&WorkerReport]) -> Option<Timestamp> {
    let role_since = |role: &Role| {
        live.iter()
            .filter(|report| report.role == *role && report.phase == Phase::Running)
            .map(|report| report.phase_since)
            .min()
    };
    let roles = Role::needed_by(id);
    let since: Option<Vec<Timestamp>> = roles.iter().map(role_since).collect();
    since.and_then(|since| since.into_iter().max())
}

fn hindrances(live: &[&WorkerReport]) -> Vec<Hindrance> {
    let mut found: Vec<Hindrance> = Vec::new();
    for hindrance in live.iter().filter_map(|report| report.hindrance.as_ref()) {
        if !found.contains(hindrance) {
            found.push(hindrance.clone());
        }
    }
    found
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}
