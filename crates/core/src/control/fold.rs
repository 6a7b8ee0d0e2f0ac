//! The one function that every replica of every service folds the control log with.

use std::sync::Arc;

use super::{
    Change, Desired, Entry, Etag, Instance, InstanceSettings, LastChange, LogOffset, Mapping, Redrive,
    RedriveSelection, Replay, Run, RunId, State, Workflow, state::MAX_REDRIVES,
};
use crate::{InstanceId, MappingId, ResourceName, WorkflowId, WorkflowName, mapping::TableMapping};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect; its offset is the resource's etag now.
    TookEffect,
    /// The resource's etag was another one than expected: somebody else was first.
    Conflict {
        /// The etag the resource has; `None`: it does not exist.
        current: Option<Etag>,
    },
    /// The etag was right, but the change does not fit the rest of the state.
    Refused(Refusal),
}

/// Why a change with the right etag is refused.
///
/// An etag guards one resource; these rules guard what holds between resources, where two writers who each saw a
/// consistent state could break it together (docs/decisions/0006).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The change is not one for a resource of this kind.
    #[error("the change does not fit the kind of resource")]
    WrongResource,
    /// The instance it belongs to does not exist.
    #[error("the instance does not exist")]
    NoInstance,
    /// A workflow of the instance has not been stopped.
    #[error("a workflow of the instance has not been stopped")]
    WorkflowStarted,
    /// Another mapping of the workflow uses the same source table.
    #[error("another mapping uses the same Dynamics table")]
    SourceTableInUse,
    /// Another mapping of the workflow uses the same target resource.
    #[error("another mapping uses the same Campaign resource")]
    TargetResourceInUse,
    /// Tables and key of a mapping are fixed after creation.
    #[error("tables and key of a mapping cannot change; delete the mapping and add it again")]
    MappingTablesFixed,
    /// What is asked for is so already: the workflow is in that state, or the mapping to delete does not exist.
    #[error("it is in that state already")]
    AlreadyThere,
}

impl State {
    /// Folds in the entry at `offset`. It takes effect if and only if its expected etag is the resource's etag and the
    /// change fits the state; otherwise the state stays as it is, but for the offset.
    ///
    /// Entries must be applied in the order of the log, each once.
    pub fn apply(&mut self, offset: LogOffset, entry: &Entry) -> Outcome {
        debug_assert!(
            self.last_offset.is_none_or(|last| last < offset),
            "the log is folded in order"
        );
        self.last_offset = Some(offset);
        let current = self.etag(&entry.resource);
        if current != entry.expected_etag {
            return Outcome::Conflict { current };
        }
        match self.change(offset, entry) {
            Ok(()) => Outcome::TookEffect,
            Err(refusal) => Outcome::Refused(refusal),
        }
    }

    fn change(&mut self, offset: LogOffset, entry: &Entry) -> Result<(), Refusal> {
        match (&entry.resource, &entry.change) {
            (ResourceName::Instance(id), Change::PutInstance(settings)) => {
                self.put_instance(offset, entry, id, settings);
                Ok(())
            }
            (ResourceName::Instance(id), Change::DeleteInstance) => self.delete_instance(id),
            (ResourceName::Mapping { instance, mapping }, Change::PutMapping(definition)) => {
                self.put_mapping(offset, entry, instance, mapping, definition)
            }
            (ResourceName::Mapping { instance, mapping }, Change::DeleteMapping) => {
                self.delete_mapping(instance, mapping)
            }
            (ResourceName::Mapping { instance, mapping }, Change::RequestReplay { force }) => {
                self.request_replay(offset, entry, instance, mapping, *force)
            }
            (ResourceName::DeadLetters(name), Change::RequestRedrive(selection)) => {
                self.request_redrive(offset, entry, name, selection)
            }
            (ResourceName::Workflow(name), Change::StartWorkflow(run)) => self.start(offset, entry, name, *run),
            (ResourceName::Workflow(name), Change::StopWorkflow) => self.stop(offset, entry, name),
            _ => Err(Refusal::WrongResource),
        }
    }

    fn put_instance(&mut self, offset: LogOffset, entry: &Entry, id: &InstanceId, settings: &InstanceSettings) {
        let settings = Arc::new(settings.clone());
        let etag = Etag(offset);
        if let Some(instance) = self.instances.get_mut(id) {
            instance.settings = settings;
            instance.etag = etag;
            instance.updated = entry.time;
            return;
        }
        let workflow = Workflow::new(etag);
        let instance = Instance {
            settings,
            etag,
            created: entry.time,
            updated: entry.time,
            mappings: std::collections::BTreeMap::new(),
            workflows: [workflow.clone(), workflow.clone(), workflow],
        };
        self.instances.insert(id.clone(), instance);
    }

    fn delete_instance(&mut self, id: &InstanceId) -> Result<(), Refusal> {
        let instance = self.instances.get(id).ok_or(Refusal::NoInstance)?;
        if instance.workflows.iter().any(|workflow| workflow.run().is_some()) {
            return Err(Refusal::WorkflowStarted);
        }
        self.instances.remove(id);
        Ok(())
    }

    fn put_mapping(
        &mut self,
        offset: LogOffset,
        entry: &Entry,
        instance: &InstanceId,
        id: &MappingId,
        definition: &TableMapping,
    ) -> Result<(), Refusal> {
        let instance = self.instances.get_mut(instance).ok_or(Refusal::NoInstance)?;
        for (other_id, other) in &instance.mappings {
            if other_id != id && other.definition.source_table == definition.source_table {
                return Err(Refusal::SourceTableInUse);
            }
            if other_id != id && other.definition.target_resource == definition.target_resource {
                return Err(Refusal::TargetResourceInUse);
            }
        }
        let etag = Etag(offset);
        if let Some(mapping) = instance.mappings.get_mut(id) {
            let old = &mapping.definition;
            if old.source_table != definition.source_table
                || old.target_resource != definition.target_resource
                || old.key != definition.key
            {
                return Err(Refusal::MappingTablesFixed);
            }
            mapping.definition = Arc::new(definition.clone());
            mapping.etag = etag;
            mapping.updated = entry.time;
            return Ok(());
        }
        let mapping = Mapping {
            definition: Arc::new(definition.clone()),
            uid: entry.id,
            etag,
            created: entry.time,
            updated: entry.time,
            replay: None,
        };
        instance.mappings.insert(id.clone(), mapping);
        Ok(())
    }

    fn delete_mapping(&mut self, instance: &InstanceId, id: &MappingId) -> Result<(), Refusal> {
        let instance = self.instances.get_mut(instance).ok_or(Refusal::NoInstance)?;
        instance.mappings.remove(id).map(drop).ok_or(Refusal::AlreadyThere)
    }

    fn request_replay(
        &mut self,
        offset: LogOffset,
        entry: &Entry,
        instance: &InstanceId,
        id: &MappingId,
        force: bool,
    ) -> Result<(), Refusal> {
        let instance = self.instances.get_mut(instance).ok_or(Refusal::NoInstance)?;
        let mapping = instance.mappings.get_mut(id).ok_or(Refusal::AlreadyThere)?;
        mapping.etag = Etag(offset);
        mapping.replay = Some(Replay {
            id: entry.id,
            requested: entry.time,
            force,
            begun: false,
        });
        Ok(())
    }

    fn request_redrive(
        &mut self,
        offset: LogOffset,
        entry: &Entry,
        name: &WorkflowName,
        selection: &RedriveSelection,
    ) -> Result<(), Refusal> {
        let instance = self.instances.get_mut(&name.instance).ok_or(Refusal::NoInstance)?;
        let redrives = &mut instance.workflow_mut(name.workflow).redrives;
        if redrives.len() == MAX_REDRIVES {
            redrives.remove(0);
        }
        redrives.push(Redrive {
            revision: offset,
            requested: entry.time,
            selection: selection.clone(),
        });
        Ok(())
    }

    fn start(&mut self, offset: LogOffset, entry: &Entry, name: &WorkflowName, run: RunId) -> Result<(), Refusal> {
        let instance = self.instances.get_mut(&name.instance).ok_or(Refusal::NoInstance)?;
        let workflow = instance.workflow_mut(name.workflow);
        // A start on a started workflow is a new run: that is how an operator starts again after FAILED. The etag
        // says that whoever asks has seen the run that is being replaced.
        if workflow.run().is_some_and(|present| present.id == run) {
            return Err(Refusal::AlreadyThere);
        }
        if name.workflow == WorkflowId::Ingress {
            let replays = instance
                .mappings
                .values_mut()
                .filter_map(|mapping| mapping.replay.as_mut());
            replays.for_each(|replay| replay.begun = true);
        }
        let configuration = Arc::new(instance.draft(name.workflow));
        let workflow = instance.workflow_mut(name.workflow);
        workflow.etag = Etag(offset);
        workflow.desired = Desired::Started(Run {
            id: run,
            revision: offset,
            started: entry.time,
            configuration,
        });
        workflow.last_change = Some(LastChange {
            actor: entry.actor.clone(),
            time: entry.time,
        });
        Ok(())
    }

    fn stop(&mut self, offset: LogOffset, entry: &Entry, name: &WorkflowName) -> Result<(), Refusal> {
        let instance = self.instances.get_mut(&name.instance).ok_or(Refusal::NoInstance)?;
        let workflow = instance.workflow_mut(name.workflow);
        if workflow.run().is_none() {
            return Err(Refusal::AlreadyThere);
        }
        workflow.etag = Etag(offset);
        workflow.desired = Desired::Stopped;
        workflow.last_change = Some(LastChange {
            actor: entry.actor.clone(),
            time: entry.time,
        });
        Ok(())
    }
}
