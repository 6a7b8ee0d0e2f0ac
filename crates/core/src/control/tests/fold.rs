//! Entries that take effect, and those that meet another etag than they expect.

use super::fixtures::{
    Log, ingress, instance, mapping, put_instance, put_mapping, run, settings, table, time_at, workflow,
};
use crate::{
    ResourceName, WorkflowId,
    control::{Change, Desired, EntryId, Etag, LogOffset, Outcome, State},
};

#[test]
fn a_created_instance_has_its_settings_and_three_stopped_workflows() {
    let mut log = Log::new();
    let created = log.take(&instance("prod"), put_instance("Production"));
    let present = log.instance("prod");
    assert_eq!(*present.settings, settings("Production"));
    assert_eq!(present.etag, Etag(created));
    assert_eq!((present.created, present.updated), (time_at(created), time_at(created)));
    assert_eq!(present.mappings().count(), 0);
    for id in WorkflowId::ALL {
        assert_eq!(present.workflow(id).desired, Desired::Stopped, "{id}");
        assert_eq!(present.workflow(id).last_change, None, "{id}");
    }
}

#[test]
fn workflows_begin_with_the_etag_of_the_entry_that_created_their_instance() {
    let mut log = Log::new();
    let created = log.take(&instance("prod"), put_instance("Production"));
    for id in WorkflowId::ALL {
        assert_eq!(log.state.etag(&workflow("prod", id)), Some(Etag(created)), "{id}");
    }
    log.take(&instance("prod"), put_instance("Production, renamed"));
    assert_eq!(
        log.state.etag(&ingress("prod")),
        Some(Etag(created)),
        "an update is none of the workflow"
    );
}

#[test]
fn an_updated_instance_keeps_its_creation_time_its_mappings_and_its_runs() {
    let mut log = Log::with_contact();
    log.take(&ingress("prod"), Change::StartWorkflow(run(1)));
    let before = log.instance("prod").clone();
    let updated = log.take(&instance("prod"), put_instance("Renamed"));
    let after = log.instance("prod");
    assert_eq!(after.settings.display_name, "Renamed");
    assert_eq!((after.etag, after.updated), (Etag(updated), time_at(updated)));
    assert_eq!(after.created, before.created);
    assert!(after.mappings().eq(before.mappings()), "mappings should stay");
    assert_eq!(
        after.workflow(WorkflowId::Ingress),
        before.workflow(WorkflowId::Ingress)
    );
}

#[test]
fn a_deleted_instance_takes_its_mappings_and_workflows_along() {
    let mut log = Log::with_contact();
    log.take(&instance("prod"), Change::DeleteInstance);
    assert_eq!(log.state.instances().count(), 0);
    for gone in [instance("prod"), mapping("prod", "contact"), ingress("prod")] {
        assert_eq!(log.state.etag(&gone), None, "{gone}");
    }
    log.take(&instance("prod"), put_instance("Made again"));
    assert_eq!(log.instance("prod").mappings().count(), 0, "mappings do not come back");
}

#[test]
fn an_updated_mapping_keeps_its_uid_and_its_creation_time() {
    let mut log = Log::with_contact();
    let contact = "contact".parse().unwrap();
    let before = log.instance("prod").mapping(&contact).unwrap().clone();
    let mut edited = table("contact", "profile");
    edited.options.apply_deletes = true;
    let updated = log.take(
        &mapping("prod", "contact"),
        Change::PutMapping(Box::new(edited.clone())),
    );
    let after = log.instance("prod").mapping(&contact).unwrap();
    assert_eq!(*after.definition, edited);
    assert_eq!((after.uid, after.created), (before.uid, before.created));
    assert_eq!((after.etag, after.updated), (Etag(updated), time_at(updated)));
}

#[test]
fn a_mapping_made_again_under_the_same_id_has_another_uid() {
    let mut log = Log::with_contact();
    let uid = |log: &Log| -> EntryId { log.instance("prod").mapping(&"contact".parse().unwrap()).unwrap().uid };
    let first = uid(&log);
    log.take(&mapping("prod", "contact"), Change::DeleteMapping);
    assert_eq!(log.state.etag(&mapping("prod", "contact")), None);
    log.take(&mapping("prod", "contact"), put_mapping("contact", "profile"));
    assert_ne!(uid(&log), first);
}

#[test]
fn a_deleted_mapping_frees_its_table_and_its_resource() {
    let mut log = Log::with_contact();
    log.take(&mapping("prod", "contact"), Change::DeleteMapping);
    log.take(&mapping("prod", "people"), put_mapping("contact", "profile"));
}

#[test]
fn two_instances_may_map_the_same_table() {
    let mut log = Log::with_contact();
    log.take(&instance("stage"), put_instance("Stage"));
    log.take(&mapping("stage", "contact"), put_mapping("contact", "profile"));
}

/// Every change of a resource that is there, with the etag of somebody who has not seen its last change, with none, and
/// with one that was never given out.
#[test]
fn an_entry_with_another_etag_than_the_present_one_is_a_conflict() {
    let mut log = Log::with_contact();
    log.take(&instance("prod"), put_instance("Production, renamed"));
    log.take(&mapping("prod", "contact"), put_mapping("contact", "profile"));
    log.take(&ingress("prod"), Change::StartWorkflow(run(1)));
    let stale = Etag(LogOffset(10));
    let changes: [(ResourceName, Change); 6] = [
        (instance("prod"), put_instance("Mine")),
        (instance("prod"), Change::DeleteInstance),
        (mapping("prod", "contact"), put_mapping("contact", "profile")),
        (mapping("prod", "contact"), Change::DeleteMapping),
        (ingress("prod"), Change::StartWorkflow(run(2))),
        (ingress("prod"), Change::StopWorkflow),
    ];
    for (resource, change) in changes {
        for expected in [None, Some(stale), Some(Etag(LogOffset(999)))] {
            let current = log.state.etag(&resource);
            assert_left_alone(&mut log, &resource, expected, &change, Outcome::Conflict { current });
        }
    }
}

#[test]
fn an_entry_that_expects_a_resource_that_is_gone_is_a_conflict() {
    let mut log = Log::with_contact();
    let resources = [instance("prod"), mapping("prod", "contact"), ingress("prod")];
    let seen = resources.clone().map(|resource| log.state.etag(&resource));
    log.take(&instance("prod"), Change::DeleteInstance);
    let changes = [
        put_instance("Mine"),
        put_mapping("contact", "profile"),
        Change::StartWorkflow(run(1)),
    ];
    for ((resource, expected), change) in resources.iter().zip(seen).zip(&changes) {
        assert_left_alone(
            &mut log,
            resource,
            expected,
            change,
            Outcome::Conflict { current: None },
        );
    }
}

#[test]
fn the_second_of_two_writers_who_saw_the_same_state_meets_the_first_ones_etag() {
    let mut log = Log::with_contact();
    let seen = log.state.etag(&instance("prod"));
    let first = log.take(&instance("prod"), put_instance("First"));
    assert_left_alone(
        &mut log,
        &instance("prod"),
        seen,
        &put_instance("Second"),
        Outcome::Conflict {
            current: Some(Etag(first)),
        },
    );
    assert_eq!(log.instance("prod").settings.display_name, "First");
}

#[test]
fn an_etag_reads_back_as_written_and_nothing_else_is_one() {
    for offset in [0, 1, 42, u64::MAX] {
        let etag = Etag(LogOffset(offset));
        assert_eq!(etag.to_string().parse(), Ok(etag));
    }
    for text in ["", "-1", "+1", "007", " 1", "1 ", "0x1", "18446744073709551616", "etag"] {
        assert!(text.parse::<Etag>().is_err(), "{text:?} was never given out");
    }
}

/// The entry has the outcome and changes nothing but the offset up to which the state speaks.
fn assert_left_alone(
    log: &mut Log,
    resource: &ResourceName,
    expected: Option<Etag>,
    change: &Change,
    outcome: Outcome,
) {
    let before = log.state.clone();
    assert_eq!(
        log.write(resource, expected, change.clone()),
        outcome,
        "{resource} {expected:?} {change:?}"
    );
    assert!(log.state.last_offset() > before.last_offset(), "the entry was folded");
    let after = State {
        last_offset: before.last_offset(),
        ..log.state.clone()
    };
    assert_eq!(after, before, "{resource} {expected:?} {change:?}");
}
