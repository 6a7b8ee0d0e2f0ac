//! One run of an ingress workflow on this replica: the units whose slots it holds, and one report about them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use crosswalk_core::{
    MappingId, WorkflowName,
    control::{EntryId, PinnedMapping, Run},
    mapping::parents,
    worker::{Counts, Hindrance, Phase, Role},
};
use crosswalk_kafka::{ControlLog, Held, Kafka, Producer, Reporter, RunReport, Slot, Slots};
use crosswalk_runtime::{error::chain, sealing::SealingKeys};
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{failure::UnitError, parents::Parent, read::Unit, settings::ReaderSettings};

/// What all runs of this process share.
pub(crate) struct Shared {
    pub(crate) control: ControlLog,
    pub(crate) reporter: Reporter,
    pub(crate) slots: Slots,
    pub(crate) kafka: Kafka,
    pub(crate) producer: Producer,
    pub(crate) keys: SealingKeys,
    pub(crate) settings: ReaderSettings,
    pub(crate) worker: String,
}

/// Runs the units of a run until it is not wanted any more.
pub(crate) async fn run(shared: Arc<Shared>, workflow: WorkflowName, run: Run, cancel: CancellationToken) {
    let report = RunReport::start(
        &shared.reporter,
        &shared.worker,
        Role::DynamicsReader,
        &workflow,
        run.id,
    );
    let reports = Arc::new(Reports {
        report,
        units: Mutex::default(),
    });
    reports.publish(&reports.units.lock());
    let mut units = JoinSet::new();
    let parents = parents_by_table(&run);
    for mapping in run.configuration.mappings.iter().cloned() {
        let parents = parents
            .get(&mapping.definition.source_table)
            .cloned()
            .unwrap_or_default();
        let kept = Kept {
            shared: Arc::clone(&shared),
            workflow: workflow.clone(),
            run: run.clone(),
            mapping,
            parents,
            reports: Arc::clone(&reports),
        };
        units.spawn(kept.keep(cancel.clone()));
    }
    while let Some(ended) = units.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            // Whoever keeps the runs ends the process with it: a unit that is gone must not look as if it ran.
            std::panic::resume_unwind(error.into_panic());
        }
    }
    reports.report.set_phase(Phase::Stopped);
}

/// For each mapped table, those whose records are loaded first.
fn parents_by_table(run: &Run) -> HashMap<String, Vec<Parent>> {
    let mappings = &run.configuration.mappings;
    let uids: HashMap<&str, EntryId> = mappings
        .iter()
        .map(|mapping| (mapping.definition.source_table.as_str(), mapping.uid))
        .collect();
    let tables = parents(mappings.iter().map(|mapping| &*mapping.definition));
    let parent = |table: &str| Parent {
        table: table.to_owned(),
        mapping: uids[table],
    };
    tables
        .into_iter()
        .map(|(table, parents)| (table.to_owned(), parents.into_iter().map(parent).collect()))
        .collect()
}

/// A unit of a run, whether this replica holds its slot or not.
struct Kept {
    shared: Arc<Shared>,
    workflow: WorkflowName,
    run: Run,
    mapping: PinnedMapping,
    parents: Vec<Parent>,
    reports: Arc<Reports>,
}

impl Kept {
    /// Reads the unit whenever its slot is held.
    async fn keep(self, cancel: CancellationToken) {
        let slot = Slot::of(&format!("{}/{}", self.workflow, self.mapping.definition.source_table));
        while let Some(held) = cancel.run_until_cancelled(self.shared.slots.hold(slot)).await {
            let unit = Unit {
                shared: Arc::clone(&self.shared),
                workflow: self.workflow.clone(),
                settings: Arc::clone(&self.run.configuration.settings),
                mapping: self.mapping.clone(),
                report: self.reports.enter(&self.mapping.id),
                parents: self.parents.clone(),
            };
            read_while_held(&unit, &held, &cancel).await;
        }
    }
}

async fn read_while_held(unit: &Unit, held: &Held, cancel: &CancellationToken) {
    let stop = cancel.child_token();
    let reading = unit.read(&stop);
    tokio::pin!(reading);
    let result = tokio::select! {
        result = &mut reading => result,
        () = held.lost() => {
            stop.cancel();
            reading.await
        }
    };
    match result {
        Ok(()) | Err(UnitError::Cancelled(_)) => {}
        Err(error) => {
            tracing::error!(workflow = %unit.workflow, mapping = %unit.mapping.id, error = %chain(&error), "a unit has failed");
            unit.report.set_phase(Phase::Failed(error.failure()));
            // Said until somebody starts the workflow again or another replica takes the slot.
            cancel.run_until_cancelled(held.lost()).await;
        }
    }
}

/// One report for all units of a run that this replica has. While it has none it stands by.
struct Reports {
    report: RunReport,
    units: Mutex<BTreeMap<MappingId, UnitState>>,
}

struct UnitState {
    phase: Phase,
    /// Whether the table is being read from its beginning, and how many rows it is said to have.
    initial_read: bool,
    expected: Option<u64>,
    hindrance: Option<Hindrance>,
}

/// What a unit says about itself. When it is dropped the unit has ended.
pub(crate) struct UnitReport {
    reports: Arc<Reports>,
    mapping: MappingId,
}

impl Reports {
    fn enter(self: &Arc<Self>, mapping: &MappingId) -> UnitReport {
        let unit = UnitState {
            phase: Phase::Starting,
            initial_read: false,
            expected: None,
            hindrance: None,
        };
        let mut units = self.units.lock();
        units.insert(mapping.clone(), unit);
        self.publish(&units);
        UnitReport {
            reports: Arc::clone(self),
            mapping: mapping.clone(),
        }
    }

    /// Puts what the units say, taken together, into the report.
    fn publish(&self, units: &BTreeMap<MappingId, UnitState>) {
        let phases = || units.values().map(|unit| &unit.phase);
        let failed = phases().find(|phase| matches!(phase, Phase::Failed(_)));
        let phase = match failed {
            Some(failed) => failed.clone(),
            None if units.is_empty() => Phase::Standby,
            None if phases().all(|phase| *phase == Phase::Running) => Phase::Running,
            None => Phase::Starting,
        };
        self.report.set_phase(phase);
        self.report.count(|counts| {
            counts.initial_read = units.values().any(|unit| unit.initial_read);
            counts.expected = units
                .values()
                .filter_map(|unit| unit.expected)
                .reduce(u64::saturating_add);
        });
        let hindrances = || units.values().filter_map(|unit| unit.hindrance.as_ref());
        let throttled = hindrances().find(|hindrance| matches!(hindrance, Hindrance::Throttled { .. }));
        self.report
            .set_hindrance(throttled.or_else(|| hindrances().next()).cloned());
    }
}

impl UnitReport {
    /// Sets the unit's phase; the run's is that of the unit that is worst off.
    pub(crate) fn set_phase(&self, phase: Phase) {
        self.change(|unit| unit.phase = phase);
    }

    /// Says what holds the unit up; a throttled unit is what the run shows first.
    pub(crate) fn set_hindrance(&self, hindrance: Option<Hindrance>) {
        self.change(|unit| unit.hindrance = hindrance);
    }

    /// Says whether the table is being read from its beginning, and how many rows it is said to have.
    pub(crate) fn show_read(&self, initial_read: bool, expected: Option<u64>) {
        self.change(|unit| (unit.initial_read, unit.expected) = (initial_read, expected));
    }

    fn change(&self, change: impl FnOnce(&mut UnitState)) {
        let mut units = self.reports.units.lock();
        if let Some(unit) = units.get_mut(&self.mapping) {
            change(unit);
        }
        self.reports.publish(&units);
    }

    /// Changes what the run counted.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.reports.report.count(change);
    }
}

impl Drop for UnitReport {
    fn drop(&mut self) {
        let mut units = self.reports.units.lock();
        units.remove(&self.mapping);
        self.reports.publish(&units);
    }
}
