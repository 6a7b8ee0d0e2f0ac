//! A workflow as it is at a moment: status derived, backlog and progress beside it.

use crosswalk_core::{
    InstanceId, WorkflowId, WorkflowName,
    control::{Instance, State},
    mapping::guardrails::{Warning, workflow_warnings},
    status::{NO_WORKER, Status, WorkflowStatus, status},
    worker::{Role, WorkerReport},
};
use crosswalk_proto::{
    api::{self, WorkflowView},
    v1,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    error::ApiError,
    record_counts::RecordCounts,
    shared::{Connected, instance},
};

/// So long after reports have begun to be followed, nobody is missed: those that are there report every second, and the
/// earlier reports may not all have been read.
const SETTLING: SignedDuration = SignedDuration::from_secs(5);

/// Which workflows of an instance there are to show, in the order they are shown.
pub(crate) const WORKFLOWS: [WorkflowId; 3] = WorkflowId::ALL;

/// Whether a workflow can be started in this release.
pub(crate) const fn is_available(workflow: WorkflowId) -> bool {
    !Role::needed_by(workflow).is_empty()
}

/// One workflow of the state, with the backlog last measured.
pub(crate) fn workflow(connected: &Connected, state: &State, name: &WorkflowName) -> Result<v1::Workflow, ApiError> {
    let backlog = connected.backlogs.latest(&name.instance);
    Ok(message(connected, instance(state, &name.instance)?, name, backlog))
}

/// One workflow of the state, with a backlog measured now.
pub(crate) async fn fresh_workflow(
    connected: &Connected,
    state: &State,
    name: &WorkflowName,
) -> Result<v1::Workflow, ApiError> {
    let instance = instance(state, &name.instance)?;
    let backlog = if is_available(name.workflow) {
        connected.backlogs.fresh(&name.instance).await
    } else {
        None
    };
    Ok(message(connected, instance, name, backlog))
}

/// All workflows of an instance, with the backlogs last measured.
pub(crate) fn workflows(connected: &Connected, state: &State, id: &InstanceId) -> Result<[v1::Workflow; 3], ApiError> {
    let instance = instance(state, id)?;
    let backlog = connected.backlogs.latest(id);
    Ok(WORKFLOWS.map(|workflow| {
        let name = WorkflowName {
            instance: id.clone(),
            workflow,
        };
        message(connected, instance, &name, backlog)
    }))
}

/// The status of a workflow now.
pub(crate) fn status_now(connected: &Connected, instance: &Instance, name: &WorkflowName) -> WorkflowStatus {
    derive(
        connected.followed_since,
        instance,
        name,
        &connected.reports.of(name),
        Timestamp::now(),
    )
}

fn message(connected: &Connected, instance: &Instance, name: &WorkflowName, backlog: Option<u64>) -> v1::Workflow {
    let (reports, now) = (connected.reports.of(name), Timestamp::now());
    api::workflow(&WorkflowView {
        name,
        workflow: instance.workflow(name.workflow),
        status: &derive(connected.followed_since, instance, name, &reports, now),
        reports: &reports,
        // What does not run yet has no queues.
        backlog: if is_available(name.workflow) { backlog } else { Some(0) },
        pending_changes: instance.pending_changes(name.workflow),
        warnings: &warnings(instance, name, &connected.record_counts),
        now,
    })
}

/// Where the draft is larger than Adobe's documentation allows for.
fn warnings(instance: &Instance, name: &WorkflowName, counts: &RecordCounts) -> Vec<Warning> {
    match name.workflow {
        WorkflowId::Ingress => workflow_warnings(
            instance.mappings().map(|(_, mapping)| &*mapping.definition),
            counts.of_mapped(&name.instance, instance),
        ),
        WorkflowId::Egress | WorkflowId::OptInOut => Vec::new(),
    }
}

fn derive(
    followed_since: Timestamp,
    instance: &Instance,
    name: &WorkflowName,
    reports: &[WorkerReport],
    now: Timestamp,
) -> WorkflowStatus {
    let mut derived = status(name.workflow, instance.workflow(name.workflow), reports, now);
    let is_missed = derived
        .failure
        .as_ref()
        .is_some_and(|failure| failure.code == NO_WORKER);
    if is_missed && now.duration_since(followed_since) < SETTLING {
        derived.status = Status::Starting;
        derived.since = instance.workflow(name.workflow).run().map(|run| run.started);
        derived.failure = None;
    }
    derived
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ingress, started_state, stopped_state};

    #[test]
    fn more_records_than_adobe_allows_for_are_a_warning_once_they_are_known() {
        let (state, name) = (stopped_state(&["account", "contact"]), ingress());
        let instance = instance(&state, &name.instance).unwrap();
        let counts = RecordCounts::default();
        assert_eq!(warnings(instance, &name, &counts), []);
        counts.note(&name.instance, instance, "account", 15_000_000);
        assert_eq!(warnings(instance, &name, &counts), []);
        counts.note(&name.instance, instance, "contact", 1);
        let found = warnings(instance, &name, &counts);
        let found: Vec<(&str, u64, u64)> = found.iter().map(|one| (one.code, one.actual, one.limit)).collect();
        assert_eq!(found, [("GUARDRAIL_RECORDS", 15_000_001, 15_000_000)]);
    }

    #[test]
    fn a_missing_worker_is_not_missed_before_the_reports_have_been_read() {
        let state = started_state(&["contact"], &[]);
        let name = ingress();
        let instance = instance(&state, &name.instance).unwrap();
        let long_after_the_start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        for (followed_for, expected) in [(0, Status::Starting), (4, Status::Starting), (5, Status::Failed)] {
            let followed_since = long_after_the_start - SignedDuration::from_secs(followed_for);
            let derived = derive(followed_since, instance, &name, &[], long_after_the_start);
            assert_eq!(derived.status, expected, "{followed_for} s");
            assert_eq!(derived.failure.is_some(), expected == Status::Failed);
        }
    }
}
