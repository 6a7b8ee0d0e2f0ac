//! Entries with the right etag that do not fit the rest of the state (docs/decisions/0006).

use super::fixtures::{Log, ingress, instance, mapping, put_instance, put_mapping, run, table, workflow};
use crate::{
    ResourceName, WorkflowId,
    control::{Change, Outcome, Refusal, State},
    mapping::TableMapping,
};

/// Whoever writes has seen the present state; the entry is refused and leaves the state as it was.
fn assert_refused(log: &mut Log, resource: &ResourceName, change: Change, refusal: Refusal) {
    let before = log.state.clone();
    let case = format!("{resource} {change:?}");
    assert_eq!(log.write_fresh(resource, change), Outcome::Refused(refusal), "{case}");
    assert!(log.state.last_offset() > before.last_offset(), "{case} was folded");
    let after = State {
        last_offset: before.last_offset(),
        ..log.state.clone()
    };
    assert_eq!(after, before, "{case}");
}

#[test]
fn nothing_is_changed_in_an_instance_that_does_not_exist() {
    for (resource, change) in [
        (instance("nowhere"), Change::DeleteInstance),
        (mapping("nowhere", "contact"), put_mapping("contact", "profile")),
        (mapping("nowhere", "contact"), Change::DeleteMapping),
        (ingress("nowhere"), Change::StartWorkflow(run(1))),
        (ingress("nowhere"), Change::StopWorkflow),
    ] {
        assert_refused(&mut Log::with_contact(), &resource, change, Refusal::NoInstance);
    }
}

#[test]
fn a_mapping_that_does_not_exist_is_not_deleted() {
    let mut log = Log::with_contact();
    assert_refused(
        &mut log,
        &mapping("prod", "account"),
        Change::DeleteMapping,
        Refusal::AlreadyThere,
    );
}

#[test]
fn a_change_of_another_kind_of_resource_is_refused() {
    let resources = [instance("prod"), mapping("prod", "contact"), ingress("prod")];
    let changes = [
        [put_instance("Production"), Change::DeleteInstance],
        [put_mapping("contact", "profile"), Change::DeleteMapping],
        [Change::StartWorkflow(run(1)), Change::StopWorkflow],
    ];
    for (kind, resource) in resources.iter().enumerate() {
        for (of_kind, changes) in changes.iter().enumerate() {
            for change in changes.iter().filter(|_| kind != of_kind) {
                assert_refused(
                    &mut Log::with_contact(),
                    resource,
                    change.clone(),
                    Refusal::WrongResource,
                );
            }
        }
    }
}

#[test]
fn a_table_is_mapped_once_in_an_instance() {
    for (source, target, refusal) in [
        ("contact", "cusContact", Refusal::SourceTableInUse),
        ("account", "profile", Refusal::TargetResourceInUse),
        ("contact", "profile", Refusal::SourceTableInUse),
    ] {
        let change = put_mapping(source, target);
        assert_refused(&mut Log::with_contact(), &mapping("prod", "second"), change, refusal);
    }
}

#[test]
fn tables_and_key_of_a_mapping_are_fixed_after_creation() {
    let edits: [fn(&mut TableMapping); 4] = [
        |definition| definition.source_table = "account".into(),
        |definition| definition.target_resource = "cusContact".into(),
        |definition| definition.key.source = "emailaddress1".into(),
        |definition| definition.key.target = "email".into(),
    ];
    for edit in edits {
        let mut definition = table("contact", "profile");
        edit(&mut definition);
        let change = Change::PutMapping(Box::new(definition));
        assert_refused(
            &mut Log::with_contact(),
            &mapping("prod", "contact"),
            change,
            Refusal::MappingTablesFixed,
        );
    }
}

#[test]
fn an_instance_with_any_workflow_started_is_not_deleted() {
    for id in WorkflowId::ALL {
        let mut log = Log::with_contact();
        log.take(&workflow("prod", id), Change::StartWorkflow(run(1)));
        assert_refused(
            &mut log,
            &instance("prod"),
            Change::DeleteInstance,
            Refusal::WorkflowStarted,
        );
        log.take(&workflow("prod", id), Change::StopWorkflow);
        log.take(&instance("prod"), Change::DeleteInstance);
    }
}

#[test]
fn a_stopped_workflow_is_not_stopped_again() {
    let mut log = Log::with_contact();
    assert_refused(&mut log, &ingress("prod"), Change::StopWorkflow, Refusal::AlreadyThere);
    log.take(&ingress("prod"), Change::StartWorkflow(run(1)));
    log.take(&ingress("prod"), Change::StopWorkflow);
    assert_refused(&mut log, &ingress("prod"), Change::StopWorkflow, Refusal::AlreadyThere);
}

#[test]
fn a_start_with_the_run_that_is_started_already_is_refused() {
    let mut log = Log::with_contact();
    log.take(&ingress("prod"), Change::StartWorkflow(run(1)));
    assert_refused(
        &mut log,
        &ingress("prod"),
        Change::StartWorkflow(run(1)),
        Refusal::AlreadyThere,
    );
}
