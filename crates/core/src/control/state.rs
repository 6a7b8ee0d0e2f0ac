//! The state that a control log folds to.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{EntryId, Etag, InstanceSettings, LogOffset, RedriveSelection, RunId};
use crate::{InstanceId, MappingId, ResourceName, WorkflowId, WorkflowName, mapping::TableMapping};

/// Everything the control log says, up to an offset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    pub(super) instances: BTreeMap<InstanceId, Instance>,
    pub(super) last_offset: Option<LogOffset>,
}

impl State {
    /// All instances, by id.
    pub fn instances(&self) -> impl Iterator<Item = (&InstanceId, &Instance)> {
        self.instances.iter()
    }

    /// One instance.
    #[must_use]
    pub fn instance(&self, id: &InstanceId) -> Option<&Instance> {
        self.instances.get(id)
    }

    /// One workflow.
    #[must_use]
    pub fn workflow(&self, name: &WorkflowName) -> Option<&Workflow> {
        self.instance(&name.instance)
            .map(|instance| instance.workflow(name.workflow))
    }

    /// The offset of the last entry folded in, whether it took effect or not.
    #[must_use]
    pub const fn last_offset(&self) -> Option<LogOffset> {
        self.last_offset
    }

    /// The present etag of a resource, or `None` if it does not exist.
    #[must_use]
    pub fn etag(&self, resource: &ResourceName) -> Option<Etag> {
        let instance = self.instance(resource.instance())?;
        match resource {
            ResourceName::Instance(_) => Some(instance.etag),
            ResourceName::Workflow(name) => Some(instance.workflow(name.workflow).etag),
            ResourceName::Mapping { mapping, .. } => instance.mappings.get(mapping).map(|mapping| mapping.etag),
            ResourceName::DeadLetters(name) => Some(instance.workflow(name.workflow).redrives_etag()),
        }
    }
}

/// An instance and what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its settings; the draft, as far as running workflows go.
    pub settings: Arc<InstanceSettings>,
    /// Its version.
    pub etag: Etag,
    /// When it was created.
    pub created: Timestamp,
    /// When its settings last changed.
    pub updated: Timestamp,
    pub(super) mappings: BTreeMap<MappingId, Mapping>,
    pub(super) workflows: [Workflow; 3],
}

impl Instance {
    /// One of its workflows.
    #[must_use]
    pub fn workflow(&self, id: WorkflowId) -> &Workflow {
        &self.workflows[id as usize]
    }

    pub(super) fn workflow_mut(&mut self, id: WorkflowId) -> &mut Workflow {
        &mut self.workflows[id as usize]
    }

    /// The draft table mappings of its ingress workflow, by id.
    pub fn mappings(&self) -> impl Iterator<Item = (&MappingId, &Mapping)> {
        self.mappings.iter()
    }

    /// One draft mapping.
    #[must_use]
    pub fn mapping(&self, id: &MappingId) -> Option<&Mapping> {
        self.mappings.get(id)
    }

    /// The draft configuration of a workflow, as a start would pin it.
    #[must_use]
    pub fn draft(&self, workflow: WorkflowId) -> Configuration {
        let mappings = match workflow {
            WorkflowId::Ingress => {
                let pin = |(id, mapping): (&MappingId, &Mapping)| PinnedMapping {
                    id: id.clone(),
                    uid: mapping.uid,
                    definition: Arc::clone(&mapping.definition),
                    replay: mapping.replay,
                };
                self.mappings.iter().map(pin).collect()
            }
            WorkflowId::Egress | WorkflowId::OptInOut => Vec::new(),
        };
        Configuration {
            settings: Arc::clone(&self.settings),
            mappings,
        }
    }

    /// Whether a running workflow's configuration differs from the draft, compared as values: undoing an edit clears it.
    #[must_use]
    pub fn pending_changes(&self, workflow: WorkflowId) -> bool {
        self.workflow(workflow)
            .run()
            .is_some_and(|run| *run.configuration != self.draft(workflow))
    }
}

/// A draft table mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// What the user edits.
    pub definition: Arc<TableMapping>,
    /// Tells a mapping from another one of the same id that was deleted before: the id of the entry that created it.
    pub uid: EntryId,
    /// Its version.
    pub etag: Etag,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// The last replay that was asked for. It stays here when it has begun: a start pins it, and the reader that finds it in
    /// its configuration and not in its checkpoint begins it, however often it is started.
    pub replay: Option<Replay>,
}

/// A request to read a mapping's table anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replay {
    /// The entry that asked for it.
    pub id: EntryId,
    /// When.
    pub requested: Timestamp,
    /// Whether what does not differ is written as well.
    pub force: bool,
    /// Whether a start has pinned it.
    pub begun: bool,
}

/// A request to read records that were set aside again from their source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// Its place in the log.
    pub revision: LogOffset,
    /// When it was asked for.
    pub requested: Timestamp,
    /// Which ones.
    pub selection: RedriveSelection,
}

/// What is wanted of a workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// Its version: changes with each start and stop.
    pub etag: Etag,
    /// Whether it should run, and as what.
    pub desired: Desired,
    /// Who last started or stopped it; `None` if nobody ever did.
    pub last_change: Option<LastChange>,
    /// Requests to redrive its dead letters, in the order of the log; the last [`MAX_REDRIVES`].
    pub redrives: Vec<Redrive>,
    /// The etag of its dead letters while nobody has asked for a redrive.
    pub(super) created: Etag,
}

/// How many requests for a redrive are kept of a workflow. A reader that has been away for longer misses older ones; the
/// dead letters are still there to be asked for again.
pub const MAX_REDRIVES: usize = 10_000;

impl Workflow {
    /// A stopped workflow, made by the entry with this etag.
    #[must_use]
    pub const fn new(etag: Etag) -> Self {
        Self {
            etag,
            desired: Desired::Stopped,
            last_change: None,
            redrives: Vec::new(),
            created: etag,
        }
    }

    /// The version of its dead letters, as far as the log knows of them.
    #[must_use]
    pub fn redrives_etag(&self) -> Etag {
        self.redrives.last().map_or(self.created, |last| Etag(last.revision))
    }

    /// The run that is wanted, if one is.
    #[must_use]
    pub const fn run(&self) -> Option<&Run> {
        match &self.desired {
            Desired::Started(run) => Some(run),
            Desired::Stopped => None,
        }
    }
}

/// Who last started or stopped a workflow, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastChange {
    /// The actor of the entry.
    pub actor: String,
    /// The time of the entry.
    pub time: Timestamp,
}

/// Whether a workflow should run.
#[derive(Debug, Clone, PartialEq)]
pub enum Desired {
    /// It should not.
    Stopped,
    /// It should, as this run.
    Started(Run),
}

/// A run: a pinned configuration under an id of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The offset of the entry that started it.
    pub revision: LogOffset,
    /// When it was started.
    pub started: Timestamp,
    /// The configuration all services use in this run, and nothing newer.
    pub configuration: Arc<Configuration>,
}

/// What a workflow runs with.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// The instance's settings.
    pub settings: Arc<InstanceSettings>,
    /// The table mappings, by id; empty for workflows without.
    pub mappings: Vec<PinnedMapping>,
}

/// A mapping as pinned by a start.
#[derive(Debug, Clone, PartialEq)]
pub struct PinnedMapping {
    /// Its id.
    pub id: MappingId,
    /// Its uid.
    pub uid: EntryId,
    /// Its definition.
    pub definition: Arc<TableMapping>,
    /// The last replay that was asked for.
    pub replay: Option<Replay>,
}
