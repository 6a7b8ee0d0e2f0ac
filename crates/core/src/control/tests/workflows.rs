//! Starting and stopping.

use super::fixtures::{
    ACTOR, Log, ingress, instance, mapping, put_instance, put_mapping, run, settings, time_at, workflow,
};
use crate::{
    WorkflowId,
    control::{Change, Desired, Etag, LastChange},
};

#[test]
fn a_start_pins_the_draft_of_its_moment() {
    let mut log = Log::with_contact();
    let draft = log.instance("prod").draft(WorkflowId::Ingress);
    let started = log.take(&ingress("prod"), Change::StartWorkflow(run(1)));
    log.take(&instance("prod"), put_instance("Renamed"));
    log.take(&mapping("prod", "account"), put_mapping("account", "cusAccount"));
    log.take(&mapping("prod", "contact"), Change::DeleteMapping);

    let present = log.workflow("prod", WorkflowId::Ingress).run().unwrap();
    assert_eq!(*present.configuration, draft);
    assert_eq!(*present.configuration.settings, settings("Production"));
    let pinned: Vec<&str> = present
        .configuration
        .mappings
        .iter()
        .map(|pin| pin.id.as_str())
        .collect();
    assert_eq!(pinned, ["contact"]);
    assert_eq!(
        (present.id, present.revision, present.started),
        (run(1), started, time_at(started))
    );
}

#[test]
fn only_the_ingress_workflow_pins_mappings() {
    for (id, mappings) in [
        (WorkflowId::Ingress, 1),
        (WorkflowId::Egress, 0),
        (WorkflowId::OptInOut, 0),
    ] {
        let mut log = Log::with_contact();
        log.take(&workflow("prod", id), Change::StartWorkflow(run(1)));
        let present = log.workflow("prod", id).run().unwrap();
        assert_eq!(present.configuration.mappings.len(), mappings, "{id}");
    }
}

#[test]
fn a_start_over_a_started_run_is_a_new_run_with_the_newer_draft() {
    let mut log = Log::with_contact();
    log.take(&ingress("prod"), Change::StartWorkflow(run(1)));
    log.take(&instance("prod"), put_instance("Renamed"));
    let again = log.take(&ingress("prod"), Change::StartWorkflow(run(2)));
    let present = log.workflow("prod", WorkflowId::Ingress).run().unwrap();
    assert_eq!((present.id, present.revision), (run(2), again));
    assert_eq!(present.configuration.settings.display_name, "Renamed");
}

#[test]
fn a_stop_ends_the_run_and_says_who_did_it() {
    let mut log = Log::with_contact();
    log.take(&ingress("prod"), Change::StartWorkflow(run(1)));
    let stopped = log.take(&ingress("prod"), Change::StopWorkflow);
    let present = log.workflow("prod", WorkflowId::Ingress);
    assert_eq!(present.desired, Desired::Stopped);
    assert_eq!(present.etag, Etag(stopped));
    let change = LastChange {
        actor: ACTOR.into(),
        time: time_at(stopped),
    };
    assert_eq!(present.last_change, Some(change));
}

#[test]
fn workflows_of_an_instance_start_and_stop_apart() {
    let mut log = Log::with_contact();
    for (number, id) in (1..).zip(WorkflowId::ALL) {
        log.take(&workflow("prod", id), Change::StartWorkflow(run(number)));
    }
    log.take(&workflow("prod", WorkflowId::Egress), Change::StopWorkflow);
    let runs = WorkflowId::ALL.map(|id| log.workflow("prod", id).run().map(|run| run.id));
    assert_eq!(runs, [Some(run(1)), None, Some(run(3))]);
}
