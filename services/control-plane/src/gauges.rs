//! Status and backlog of every workflow as metrics, so that an alarm can be set on them.

use std::{collections::BTreeSet, convert::Infallible, time::Duration};

use crosswalk_core::{WorkflowId, WorkflowName, control::State, status::Status};
use metrics::{Unit, describe_gauge, gauge};

use crate::{
    shared::Connected,
    view::{is_available, status_now},
};

/// Gauge, by `instance`, `workflow` and `status`: 1 for the status that the workflow has, 0 for the others.
const STATUS: &str = "crosswalk_workflow_status";

/// Gauge, by `instance` and `workflow`: records that wait to be written; not a number while it is not known.
const BACKLOG_RECORDS: &str = "crosswalk_workflow_backlog_records";

/// How often they are set.
const INTERVAL: Duration = Duration::from_secs(2);

/// The values of the label `status`.
const STATUSES: [(Status, &str); 4] = [
    (Status::Stopped, "stopped"),
    (Status::Starting, "starting"),
    (Status::Running, "running"),
    (Status::Failed, "failed"),
];

/// Gives every metric its help text.
pub(crate) fn describe() {
    describe_gauge!(
        STATUS,
        Unit::Count,
        "1 for the status that a workflow has, by instance, workflow and status."
    );
    describe_gauge!(
        BACKLOG_RECORDS,
        Unit::Count,
        "Records that wait to be written, by instance and workflow; NaN while it is not known."
    );
}

/// Sets the gauges again and again.
pub(crate) async fn run(connected: &Connected) -> Infallible {
    let mut shown = Gauges::default();
    loop {
        let state = connected.control.watch().borrow().clone();
        if let Some(state) = state {
            shown.show(&standings(connected, &state));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// How a workflow stands.
struct Standing {
    workflow: WorkflowName,
    status: Status,
    /// `None`: it is not known.
    backlog: Option<u64>,
}

fn standings(connected: &Connected, state: &State) -> Vec<Standing> {
    let mut standings = Vec::new();
    for (id, instance) in state.instances() {
        for workflow in WorkflowId::ALL.into_iter().filter(|workflow| is_available(*workflow)) {
            let workflow = WorkflowName {
                instance: id.clone(),
                workflow,
            };
            standings.push(Standing {
                status: status_now(connected, instance, &workflow).status,
                backlog: connected.backlogs.latest(id),
                workflow,
            });
        }
    }
    standings
}

/// The workflows that are shown.
#[derive(Default)]
struct Gauges {
    shown: BTreeSet<WorkflowName>,
}

impl Gauges {
    fn show(&mut self, standings: &[Standing]) {
        let present: BTreeSet<WorkflowName> = standings.iter().map(|one| one.workflow.clone()).collect();
        // A gauge cannot be taken back, and an alarm on what is deleted would never end.
        for gone in self.shown.difference(&present) {
            set(&Standing {
                workflow: gone.clone(),
                status: Status::Stopped,
                backlog: Some(0),
            });
        }
        standings.iter().for_each(set);
        self.shown = present;
    }
}

fn set(standing: &Standing) {
    let instance = standing.workflow.instance.to_string();
    let workflow = standing.workflow.workflow.to_string();
    for (status, name) in STATUSES {
        let value = if standing.status == status { 1.0 } else { 0.0 };
        gauge!(STATUS, "instance" => instance.clone(), "workflow" => workflow.clone(), "status" => name).set(value);
    }
    let backlog = standing.backlog.map_or(f64::NAN, |backlog| backlog as f64);
    gauge!(BACKLOG_RECORDS, "instance" => instance, "workflow" => workflow).set(backlog);
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::testing::ingress;

    fn standing(status: Status, backlog: Option<u64>) -> Standing {
        Standing {
            workflow: ingress(),
            status,
            backlog,
        }
    }

    fn rendered(shows: &[&[Standing]]) -> Vec<String> {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let mut gauges = Gauges::default();
            shows.iter().for_each(|standings| gauges.show(standings));
        });
        let rendered = recorder.handle().render();
        let values = rendered
            .lines()
            .filter(|line| line.starts_with("crosswalk_") && !line.ends_with(" 0"));
        let mut values: Vec<String> = values.map(str::to_owned).collect();
        values.sort();
        values
    }

    #[test]
    fn a_workflow_has_one_status_and_its_backlog() {
        assert_eq!(
            rendered(&[&[standing(Status::Failed, Some(12))]]),
            [
                r#"crosswalk_workflow_backlog_records{instance="demo",workflow="ingress"} 12"#,
                r#"crosswalk_workflow_status{instance="demo",workflow="ingress",status="failed"} 1"#,
            ]
        );
    }

    #[test]
    fn a_backlog_that_is_not_known_is_no_number() {
        let shown = rendered(&[
            &[standing(Status::Running, Some(12))],
            &[standing(Status::Running, None)],
        ]);
        assert_eq!(
            shown[0],
            r#"crosswalk_workflow_backlog_records{instance="demo",workflow="ingress"} NaN"#
        );
    }

    #[test]
    fn a_deleted_instance_is_stopped_and_has_no_backlog() {
        assert_eq!(
            rendered(&[&[standing(Status::Failed, Some(12))], &[]]),
            [r#"crosswalk_workflow_status{instance="demo",workflow="ingress",status="stopped"} 1"#]
        );
    }
}
