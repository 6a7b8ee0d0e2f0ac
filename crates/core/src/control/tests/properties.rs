//! What holds for any log, whoever wrote to it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, sample};

use super::fixtures::{entry, field, ingress, instance, mapping, run, settings, table, workflow};
use crate::{
    ResourceName, WorkflowId, WorkflowName,
    control::{Change, Entry, Etag, LogOffset, Outcome, RedriveSelection, State},
};

const WRITERS: usize = 3;

/// What one of several writers does: a writer acts on the state it saw last, unless it looks again first.
#[derive(Debug, Clone)]
struct Step {
    writer: usize,
    looks_first: bool,
    /// An etag of its own invention in place of the one it saw.
    invented: Option<Option<u64>>,
    resource: ResourceName,
    change: Change,
}

fn resources() -> impl Strategy<Value = ResourceName> {
    let instances = || sample::select(vec!["prod", "stage"]);
    prop_oneof![
        2 => instances().prop_map(instance),
        3 => (instances(), sample::select(vec!["a", "b", "c"])).prop_map(|(of, id)| mapping(of, id)),
        2 => instances().prop_map(ingress),
        1 => instances().prop_map(|of| workflow(of, WorkflowId::Egress)),
        1 => instances().prop_map(|of| dead_letters(of, WorkflowId::Ingress)),
    ]
}

fn dead_letters(of: &str, workflow: WorkflowId) -> ResourceName {
    ResourceName::DeadLetters(WorkflowName {
        instance: of.parse().unwrap(),
        workflow,
    })
}

fn changes() -> impl Strategy<Value = Change> {
    let definition = (
        sample::select(vec!["contact", "account"]),
        sample::select(vec!["profile", "cusAccount"]),
        any::<bool>(),
    );
    prop_oneof![
        sample::select(vec!["One", "Two"]).prop_map(|name| Change::PutInstance(Box::new(settings(name)))),
        Just(Change::DeleteInstance),
        definition.prop_map(|(source, target, longer)| {
            let mut definition = table(source, target);
            if longer {
                definition.fields.push(field("emailaddress1", "email"));
            }
            Change::PutMapping(Box::new(definition))
        }),
        Just(Change::DeleteMapping),
        (0..3_u128).prop_map(|number| Change::StartWorkflow(run(number))),
        Just(Change::StopWorkflow),
        proptest::bool::ANY.prop_map(|force| Change::RequestReplay { force }),
        Just(Change::RequestRedrive(RedriveSelection::default())),
    ]
}

/// Whether the change is one for this kind of resource.
fn fits(resource: &ResourceName, change: &Change) -> bool {
    match resource {
        ResourceName::Instance(_) => matches!(change, Change::PutInstance(_) | Change::DeleteInstance),
        ResourceName::Mapping { .. } => {
            matches!(
                change,
                Change::PutMapping(_) | Change::DeleteMapping | Change::RequestReplay { .. }
            )
        }
        ResourceName::Workflow(_) => matches!(change, Change::StartWorkflow(_) | Change::StopWorkflow),
        ResourceName::DeadLetters(_) => matches!(change, Change::RequestRedrive(_)),
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let target = prop_oneof![
        9 => (resources(), proptest::collection::vec(changes(), 12)).prop_map(|(resource, changes)| {
            let fitting = changes.iter().find(|change| fits(&resource, change));
            let change = fitting.or(changes.first()).cloned().unwrap();
            (resource, change)
        }),
        1 => (resources(), changes()),
    ];
    let invented = proptest::option::weighted(0.05, proptest::option::of(0..200_u64));
    let step = (0..WRITERS, proptest::bool::weighted(0.8), invented, target).prop_map(
        |(writer, looks_first, invented, (resource, change))| Step {
            writer,
            looks_first,
            invented,
            resource,
            change,
        },
    );
    proptest::collection::vec(step, 1..60)
}

/// Writes the steps to a log, as writers that fold it themselves would; returns the entries and what became of each.
fn play(steps: Vec<Step>) -> Vec<(LogOffset, Entry, Outcome, State)> {
    let mut present = State::default();
    let mut seen: [State; WRITERS] = Default::default();
    let mut log = Vec::new();
    for (offset, step) in (0..).step_by(2).map(LogOffset).zip(steps) {
        if step.looks_first {
            seen[step.writer] = present.clone();
        }
        let expected = match step.invented {
            Some(etag) => etag.map(|offset| Etag(LogOffset(offset))),
            None => seen[step.writer].etag(&step.resource),
        };
        let entry = entry(offset, &step.resource, expected, step.change);
        let outcome = present.apply(offset, &entry);
        log.push((offset, entry, outcome, present.clone()));
    }
    log
}

fn without_offset(state: &State) -> State {
    State {
        last_offset: None,
        ..state.clone()
    }
}

/// What etags should be, kept by hand: the offset of the last entry that took effect for a resource.
#[derive(Default)]
struct Etags(BTreeMap<ResourceName, Etag>);

impl Etags {
    fn took_effect(&mut self, offset: LogOffset, entry: &Entry) {
        let etag = Etag(offset);
        match (&entry.resource, &entry.change) {
            (ResourceName::Instance(id), Change::DeleteInstance) => {
                self.0.retain(|resource, _| resource.instance() != id);
            }
            (resource, Change::DeleteMapping) => {
                self.0.remove(resource);
            }
            (resource @ ResourceName::Instance(id), _) => {
                // Workflows come into being with their instance, by the same entry.
                if self.0.insert(resource.clone(), etag).is_none() {
                    for workflow_id in WorkflowId::ALL {
                        self.0.insert(workflow(id.as_str(), workflow_id), etag);
                        self.0.insert(dead_letters(id.as_str(), workflow_id), etag);
                    }
                }
            }
            (resource, _) => {
                self.0.insert(resource.clone(), etag);
            }
        }
    }
}

/// Every resource of a state with its etag.
fn etags_of(state: &State) -> BTreeMap<ResourceName, Etag> {
    let mut etags = BTreeMap::new();
    for (id, present) in state.instances() {
        etags.insert(ResourceName::Instance(id.clone()), present.etag);
        for workflow_id in WorkflowId::ALL {
            let present = present.workflow(workflow_id);
            etags.insert(workflow(id.as_str(), workflow_id), present.etag);
            etags.insert(dead_letters(id.as_str(), workflow_id), present.redrives_etag());
        }
        for (mapping_id, draft) in present.mappings() {
            etags.insert(mapping(id.as_str(), mapping_id.as_str()), draft.etag);
        }
    }
    etags
}

fn assert_sound(state: &State) -> Result<(), TestCaseError> {
    let mut uids = BTreeSet::new();
    for (id, instance) in state.instances() {
        let (mut tables, mut resources) = (BTreeSet::new(), BTreeSet::new());
        for (mapping, draft) in instance.mappings() {
            let definition = &draft.definition;
            prop_assert!(
                tables.insert(&definition.source_table),
                "{id} maps {mapping}'s table twice"
            );
            prop_assert!(
                resources.insert(&definition.target_resource),
                "{id} maps {mapping}'s resource twice"
            );
            prop_assert!(uids.insert(draft.uid), "{mapping} of {id} shares its uid");
        }
        for workflow in WorkflowId::ALL {
            if let Some(run) = instance.workflow(workflow).run() {
                prop_assert_eq!(Etag(run.revision), instance.workflow(workflow).etag);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn replicas_that_fold_the_same_log_reach_the_same_state(steps in steps()) {
        let log = play(steps);
        let mut replica = State::default();
        for (offset, entry, outcome, state) in &log {
            prop_assert_eq!(replica.apply(*offset, entry), *outcome);
            prop_assert_eq!(&replica, state);
        }
    }

    #[test]
    fn an_entry_takes_effect_if_and_only_if_its_etag_is_the_present_one_and_it_fits(steps in steps()) {
        let mut before = State::default();
        for (_, entry, outcome, after) in play(steps) {
            let current = before.etag(&entry.resource);
            match outcome {
                Outcome::Conflict { current: told } => {
                    prop_assert_ne!(current, entry.expected_etag);
                    prop_assert_eq!(told, current);
                }
                Outcome::TookEffect | Outcome::Refused(_) => prop_assert_eq!(current, entry.expected_etag),
            }
            // No two effective entries leave the same state: at least an etag changes.
            let changed = without_offset(&before) != without_offset(&after);
            prop_assert_eq!(changed, outcome == Outcome::TookEffect, "{:?} {:?}", entry, outcome);
            before = after;
        }
    }

    #[test]
    fn an_etag_is_the_offset_of_the_last_entry_that_took_effect(steps in steps()) {
        let mut etags = Etags::default();
        for (offset, entry, outcome, state) in play(steps) {
            if outcome == Outcome::TookEffect {
                etags.took_effect(offset, &entry);
            }
            let present = etags_of(&state);
            prop_assert_eq!(&present, &etags.0);
            for (resource, etag) in present {
                prop_assert_eq!(state.etag(&resource), Some(etag));
            }
            prop_assert_eq!(state.last_offset(), Some(offset));
        }
    }

    #[test]
    fn the_state_is_sound_after_every_entry(steps in steps()) {
        for (.., state) in play(steps) {
            assert_sound(&state)?;
        }
    }
}

/// Guards the properties above: generated logs must hold enough of everything to prove something.
#[test]
fn generated_logs_have_every_outcome() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..300 {
        let steps = steps().new_tree(&mut runner).unwrap().current();
        for (_, _, outcome, _) in play(steps) {
            let kind = match outcome {
                Outcome::Conflict { .. } => "Conflict".to_owned(),
                other => format!("{other:?}"),
            };
            *outcomes.entry(kind).or_default() += 1;
        }
    }
    for kind in [
        "TookEffect",
        "Conflict",
        "Refused(WrongResource)",
        "Refused(NoInstance)",
        "Refused(WorkflowStarted)",
        "Refused(SourceTableInUse)",
        "Refused(TargetResourceInUse)",
        "Refused(MappingTablesFixed)",
        "Refused(AlreadyThere)",
    ] {
        assert!(
            outcomes.get(kind).is_some_and(|count| *count >= 10),
            "{kind}: {outcomes:?}"
        );
    }
}
