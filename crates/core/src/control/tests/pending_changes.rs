//! Whether a running workflow runs something else than the draft.

use super::fixtures::{Log, field, ingress, instance, mapping, put_instance, put_mapping, run, table, workflow};
use crate::{
    WorkflowId,
    control::{Change, differences},
};

fn started() -> Log {
    let mut log = Log::with_contact();
    log.take(&ingress("prod"), Change::StartWorkflow(run(1)));
    log
}

/// What `pending_changes` says, checked against the list of differences.
fn pending(log: &Log) -> bool {
    let instance = log.instance("prod");
    let pending = instance.pending_changes(WorkflowId::Ingress);
    let run = instance.workflow(WorkflowId::Ingress).run().unwrap();
    let listed = differences(&instance.draft(WorkflowId::Ingress), &run.configuration);
    assert_eq!(pending, !listed.is_empty(), "{listed:?}");
    pending
}

#[test]
fn nothing_is_pending_right_after_a_start() {
    assert!(!pending(&started()));
}

#[test]
fn nothing_is_pending_while_a_workflow_is_stopped() {
    let mut log = started();
    log.take(&mapping("prod", "account"), put_mapping("account", "cusAccount"));
    assert!(pending(&log));
    log.take(&ingress("prod"), Change::StopWorkflow);
    assert!(!log.instance("prod").pending_changes(WorkflowId::Ingress));
}

#[test]
fn an_edited_mapping_is_pending_until_the_edit_is_undone() {
    let mut log = started();
    let mut edited = table("contact", "profile");
    edited.fields.push(field("emailaddress1", "email"));
    log.take(&mapping("prod", "contact"), Change::PutMapping(Box::new(edited)));
    assert!(pending(&log));
    log.take(&mapping("prod", "contact"), put_mapping("contact", "profile"));
    assert!(!pending(&log));
}

#[test]
fn edited_settings_are_pending_until_the_edit_is_undone() {
    let mut log = started();
    log.take(&instance("prod"), put_instance("Renamed"));
    assert!(pending(&log));
    log.take(&instance("prod"), put_instance("Production"));
    assert!(!pending(&log));
}

#[test]
fn an_added_mapping_is_pending_until_it_is_deleted() {
    let mut log = started();
    log.take(&mapping("prod", "account"), put_mapping("account", "cusAccount"));
    assert!(pending(&log));
    log.take(&mapping("prod", "account"), Change::DeleteMapping);
    assert!(!pending(&log));
}

#[test]
fn a_mapping_deleted_and_made_again_is_another_one_and_pending() {
    let mut log = started();
    log.take(&mapping("prod", "contact"), Change::DeleteMapping);
    log.take(&mapping("prod", "contact"), put_mapping("contact", "profile"));
    assert!(pending(&log));
}

#[test]
fn a_new_start_takes_over_what_is_pending() {
    let mut log = started();
    log.take(&instance("prod"), put_instance("Renamed"));
    assert!(pending(&log));
    log.take(&ingress("prod"), Change::StartWorkflow(run(2)));
    assert!(!pending(&log));
}

#[test]
fn an_edited_mapping_is_not_pending_for_a_workflow_without_mappings() {
    let mut log = Log::with_contact();
    log.take(&workflow("prod", WorkflowId::Egress), Change::StartWorkflow(run(1)));
    log.take(&mapping("prod", "contact"), Change::DeleteMapping);
    assert!(!log.instance("prod").pending_changes(WorkflowId::Egress));
}
