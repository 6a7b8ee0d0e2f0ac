//! One mapped table of a run: how its rows are mapped, and what is known of its resource.

use std::sync::{Arc, atomic::AtomicBool};

use bytes::Bytes;
use crosswalk_campaign::Links;
use crosswalk_core::{
    Row,
    control::{Configuration, InstanceSettings, PinnedMapping},
    ledger::{self, PayloadHashes, Subject},
    mapping::{CompiledMapping, Part, RejectedRow, TableMapping},
    schema::Resource,
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
    /// Whether a record that this run inserted was found again by its key. Campaign tells of its keys in no other way
    /// (contracts/campaign.md §4).
    pub(crate) key_proved: AtomicBool,
}

/// A mapping made ready for a resource as it is.
pub(crate) struct Fitted {
    pub(crate) resource: Resource,
    pub(crate) compiled: CompiledMapping,
    /// Links that may hide a record.
    pub(crate) links: Links,
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
        Ok(Self {
            fitted: RwLock::new(Arc::new(Fitted::new(&mapping.definition, resource)?)),
            looked_at: AsyncMutex::new(looked_at),
            mapping: mapping.clone(),
            subject: subject(mapping, &configuration.settings),
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

    /// The column that a field is mapped from; empty if it is not mapped.
    pub(crate) fn source_of(&self, target: &str) -> &str {
        let mut fields = self.definition().fields.iter();
        let field = fields.find(|field| field.target == target);
        field.map_or("", |field| &field.source)
    }

    /// The first field that a column is mapped to; empty if there is none, as for a column that a filter needs.
    pub(crate) fn target_of(&self, source: &str) -> &str {
        let mut fields = self.definition().fields.iter();
        let field = fields.find(|field| field.source == source);
        field.map_or("", |field| &field.target)
    }

    pub(crate) fn fitted(&self) -> Arc<Fitted> {
        Arc::clone(&self.fitted.read())
    }

    /// From now on rows are mapped for the resource as it is now.
    pub(crate) fn fit(&self, resource: Resource) -> Result<(), RunError> {
        *self.fitted.write() = Arc::new(Fitted::new(&self.mapping.definition, resource)?);
        Ok(())
    }
}

/// What the ledger of a mapping is a ledger of.
pub(crate) fn subject(mapping: &PinnedMapping, settings: &InstanceSettings) -> Subject {
    Subject::new(mapping.uid, settings.dynamics_address(), &settings.campaign_address())
}

impl Fitted {
    fn new(definition: &TableMapping, resource: Resource) -> Result<Self, RunError> {
        let compiled = CompiledMapping::new(definition, &resource).map_err(|problems| RunError::Mapping {
            resource: definition.target_resource.clone(),
            problems,
        })?;
        let links = resource.fields.iter().filter(|field| field.link_target.is_some());
        Ok(Self {
            links: Links::new(links.map(|field| field.path.clone())),
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
