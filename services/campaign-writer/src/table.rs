//! One mapped table of a run: how its rows are mapped, and what is known of its resource.

use std::sync::{Arc, atomic::AtomicBool};

use bytes::Bytes;
use crosswalk_core::{
    Row,
    control::{Configuration, InstanceSettings, PinnedMapping},
    ledger::{self, PayloadHashes, Subject},
    mapping::{CompiledMapping, Part, RejectedRow, TableMapping},
    schema::{Field, Resource},
};
use jiff::Timestamp;
use parking_lot::RwLock;
use tokio::sync::Mutex as AsyncMutex;

use crate::failure::RunError;

/// One mapped table of a run.
pub(crate) struct MappedTable {
    pub(crate) mapping: PinnedMapping,
    pub(crate) subject: Subject,
    /// Replaced when the resource changes in a way that does no harm, e.g. by a new value of an enumeration.
    fitted: RwLock<Arc<Fitted>>,
    /// When the resource was last read; held while it is read again.
    pub(crate) looked_at: AsyncMutex<Timestamp>,
    /// The resources that its records may have to be linked to.
    parents: Vec<String>,
    /// Whether a record that this run inserted was found again by its key. Campaign tells of its keys in no other way
    /// (contracts/campaign.md §4).
    pub(crate) key_proved: AtomicBool,
}

/// A mapping made ready for a resource as it is.
pub(crate) struct Fitted {
    pub(crate) resource: Resource,
    pub(crate) compiled: CompiledMapping,
    /// Names of the resource's links to records that we write too, and that may have to be there first.
    pub(crate) links: Vec<String>,
}

/// The bodies that a row comes to.
pub(crate) struct Bodies {
    /// What the record is made with.
    pub(crate) insert: Bytes,
    /// What it is changed with.
    pub(crate) update: Bytes,
    pub(crate) hashes: PayloadHashes,
}

impl MappedTable {
    /// The resource is as it was at `looked_at`.
    pub(crate) fn new(
        mapping: &PinnedMapping,
        configuration: &Configuration,
        resource: Resource,
        looked_at: Timestamp,
    ) -> Result<Self, RunError> {
        let settings = &configuration.settings;
        let parents = parent_resources(mapping, configuration);
        Ok(Self {
            fitted: RwLock::new(Arc::new(Fitted::new(&mapping.definition, resource, &parents)?)),
            looked_at: AsyncMutex::new(looked_at),
            parents,
            mapping: mapping.clone(),
            subject: subject(mapping, settings),
            key_proved: AtomicBool::new(false),
        })
    }

    pub(crate) fn definition(&self) -> &TableMapping {
        &self.mapping.definition
    }

    /// The source table's name.
    pub(crate) fn source(&self) -> &str {
        &self.mapping.definition.source_table
    }

    pub(crate) fn fitted(&self) -> Arc<Fitted> {
        Arc::clone(&self.fitted.read())
    }

    /// From now on rows are mapped for the resource as it is now.
    pub(crate) fn fit(&self, resource: Resource) -> Result<(), RunError> {
        *self.fitted.write() = Arc::new(Fitted::new(&self.mapping.definition, resource, &self.parents)?);
        Ok(())
    }
}

/// What the ledger of a mapping is a ledger of.
pub(crate) fn subject(mapping: &PinnedMapping, settings: &InstanceSettings) -> Subject {
    Subject::new(mapping.uid, settings.dynamics_address(), &settings.campaign_address())
}

/// The resources to which the tables are mapped that a mapping's lookups point to.
fn parent_resources(mapping: &PinnedMapping, configuration: &Configuration) -> Vec<String> {
    let is_parent = |other: &&PinnedMapping| {
        let links = &mapping.definition.links;
        links.iter().any(|link| link.table == other.definition.source_table)
    };
    let parents = configuration.mappings.iter().filter(is_parent);
    parents
        .map(|parent| parent.definition.target_resource.clone())
        .collect()
}

impl Fitted {
    fn new(definition: &TableMapping, resource: Resource, parents: &[String]) -> Result<Self, RunError> {
        let compiled = CompiledMapping::new(definition, &resource).map_err(|problems| RunError::Mapping {
            resource: definition.target_resource.clone(),
            problems,
        })?;
        let is_parent = |field: &&Field| {
            field
                .link_target
                .as_ref()
                .is_some_and(|target| parents.contains(target))
        };
        let links = resource.fields.iter().filter(is_parent);
        Ok(Self {
            links: links.map(|field| field.path.clone()).collect(),
            resource,
            compiled,
        })
    }

    /// Maps a row. `part` is what a change of an existing record writes.
    pub(crate) fn bodies(&self, id: &str, row: &Row, part: Part) -> Result<Bodies, RejectedRow> {
        let payload = self.compiled.apply(id, row)?;
        let bodies = ledger::Bodies::of(&self.compiled, &payload);
        let insert = Bytes::from(bodies.all);
        let update = match bodies.updates {
            Some(updates) if part != Part::All => Bytes::from(updates),
            _ => insert.clone(),
        };
        Ok(Bodies {
            insert,
            update,
            hashes: bodies.hashes,
        })
    }
}
