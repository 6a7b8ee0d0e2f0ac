//! One organisation: its resources, their rows, and the secret of its PKeys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::RwLock;

use super::Shared;
use super::definition::{Definition, Endpoint, Family, FieldId, Join, Visibility};
use super::error::CampaignError;
use super::field::FieldKind;
use super::opaque::{Context, Sealer};
use super::render::View;
use super::row::{Cell, Row, Value};
use super::switches::Switches;
use super::table::{RowId, Table};
use super::workflow::Workflow;
use super::{profile, service, time};

/// Base of URLs in records nobody asked for over the Adobe listener: the product's own gateway.
const PRODUCT_URL: &str = "https://mc.adobe.io";

/// A resource and its rows.
pub(super) struct Resource {
    /// Position among the organisation's resources; part of every PKey.
    pub(super) number: u16,
    pub(super) definition: Definition,
    pub(super) table: RwLock<Table>,
    /// Number of the next generated name.
    names: AtomicU32,
}

impl Resource {
    pub(super) fn new(number: u16, definition: Definition) -> Self {
        let table = Table::new(&definition);
        Self::with_table(number, definition, table)
    }

    /// A resource with rows.
    pub(super) fn with_table(number: u16, definition: Definition, table: Table) -> Self {
        Self {
            number,
            definition,
            table: RwLock::new(table),
            names: AtomicU32::new(1),
        }
    }

    /// A name no row has, for resources that name rows themselves: the field, and the name.
    pub(super) fn generated_name(&self) -> Option<(FieldId, String)> {
        let (field, prefix) = self.definition.generated_name?;
        loop {
            let name = format!("{prefix}{}", self.names.fetch_add(1, Ordering::Relaxed));
            let taken = self.table.read().find(field, Cell::Text(&name));
            if taken.is_none_or(|rows| rows.is_empty()) {
                return Some((field, name));
            }
        }
    }
}

/// One tenant of the Adobe side, with data and PKey secrets of its own.
pub struct Organisation {
    pub(super) name: String,
    pub(super) sealer: Sealer,
    pub(super) shared: Arc<Shared>,
    pub(super) resources: RwLock<Vec<Arc<Resource>>>,
    /// Held for reading by every call of the product's API, for writing while a resource is changed: no write goes to a
    /// resource that has just been replaced.
    pub(super) schema: RwLock<()>,
    pub(super) workflow: Workflow,
}

impl Organisation {
    pub(super) fn new(name: &str, seed: u64, shared: Arc<Shared>) -> Self {
        let definitions = [
            profile::profile(),
            profile::org_unit(),
            profile::geo_unit(),
            service::service(),
            service::subscription(),
        ];
        let resources = (0..)
            .zip(definitions)
            .map(|(number, definition)| Arc::new(Resource::new(number, definition)))
            .collect();
        let organisation = Self {
            name: name.to_owned(),
            sealer: Sealer::new(seed, name),
            shared,
            resources: RwLock::new(resources),
            schema: RwLock::new(()),
            workflow: Workflow::default(),
        };
        organisation.add_unit("orgUnitBase", "all", "All");
        organisation.add_unit("geoUnitBase", "world", "World");
        organisation
    }

    /// The organisation's name: the first segment of its URLs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of all resources.
    pub fn resource_names(&self) -> Vec<&'static str> {
        let resources = self.resources();
        resources.iter().map(|resource| resource.definition.name).collect()
    }

    pub(super) fn resource(&self, name: &str) -> Option<Arc<Resource>> {
        let resources = self.resources.read_recursive();
        resources
            .iter()
            .find(|resource| resource.definition.name == name)
            .cloned()
    }

    /// The resource of this name, or the error the product gives for an unknown one.
    pub(super) fn known_resource(&self, name: &str) -> Result<Arc<Resource>, CampaignError> {
        self.resource(name).ok_or_else(|| unknown(name))
    }

    /// The resource of this name on the endpoint looked at.
    pub(super) fn exposed_resource(
        &self,
        name: &str,
        visibility: Visibility<'_>,
    ) -> Result<Arc<Resource>, CampaignError> {
        let resource = self.resource(name);
        let exposed = resource.filter(|resource| self.is_exposed(&resource.definition, visibility));
        exposed.ok_or_else(|| unknown(name))
    }

    /// The resource of this name, if the endpoint looked at describes it: those that are met below others as well.
    pub(super) fn described_resource(
        &self,
        name: &str,
        visibility: Visibility<'_>,
    ) -> Result<Arc<Resource>, CampaignError> {
        let nested = self
            .resource(name)
            .filter(|resource| resource.definition.family == Family::Nested);
        match nested {
            Some(resource) if visibility.endpoint != Endpoint::Unlinked => Ok(resource),
            _ => self.exposed_resource(name, visibility),
        }
    }

    /// Whether the endpoint looked at has the resource. That custom resources are apart from profiles unless linked to
    /// them is a switch (contracts/campaign.md §2.1).
    pub(super) fn is_exposed(&self, definition: &Definition, visibility: Visibility<'_>) -> bool {
        let is_apart =
            || visibility.switches.unlinked_resources_apart && !self.is_linked_to("profile", definition.name);
        match (definition.family, visibility.endpoint) {
            (Family::OutOfTheBox, endpoint) => endpoint != Endpoint::Unlinked,
            (Family::Nested, _) | (Family::Custom, Endpoint::Core) => false,
            (Family::Custom, Endpoint::Extended) => !is_apart(),
            (Family::Custom, Endpoint::Unlinked) => is_apart(),
        }
    }

    /// Whether links lead from one resource to the other, in whatever direction and over however many others.
    fn is_linked_to(&self, first: &'static str, wanted: &'static str) -> bool {
        let mut links: Vec<(&'static str, &'static str)> = Vec::new();
        for resource in self.resources() {
            let definition = &resource.definition;
            let targets = definition.fields().filter_map(|(_, field)| match field.kind {
                FieldKind::Join { target, .. } => Some((definition.name, target)),
                _ => None,
            });
            links.extend(targets);
        }
        let mut reached = vec![first];
        let mut next = 0;
        while let Some(&from) = reached.get(next) {
            next += 1;
            for &(source, target) in &links {
                for (near, far) in [(source, target), (target, source)] {
                    if near == from && !reached.contains(&far) {
                        reached.push(far);
                    }
                }
            }
        }
        reached.contains(&wanted)
    }

    pub(super) fn resources(&self) -> Vec<Arc<Resource>> {
        self.resources.read_recursive().clone()
    }

    /// The row of a resource whose key field is exactly this text; none for the empty text.
    pub(super) fn joined_row(&self, resource: &str, field: &str, text: &str) -> Option<RowId> {
        if text.is_empty() {
            return None;
        }
        let resource = self.resource(resource)?;
        let field = resource.definition.id(field)?;
        let rows = resource.table.read_recursive().find(field, Cell::Text(text))?;
        rows.first().copied()
    }

    /// Whether Campaign hides a row because a link that must have a target has none (contracts/campaign.md §4.4).
    pub(super) fn is_hidden(&self, resource: &Resource, row: &Row) -> bool {
        let unresolved = |join: &Join| {
            let key = row.get(join.field).map_or("", Cell::text);
            self.joined_row(join.target, join.target_field, key).is_none()
        };
        resource.definition.required_joins().iter().any(unresolved)
    }

    /// The absolute URL of a resource, with what follows its name.
    pub(super) fn url(&self, view: &View<'_>, resource: &str, rest: &str) -> String {
        let (base, endpoint) = (view.base_url, view.visibility.endpoint.segment());
        format!("{base}/{}/campaign/{endpoint}/{resource}/{rest}", self.name)
    }

    /// The absolute URL of a row a link points to: on the endpoint looked at, if that has it.
    pub(super) fn link_url(&self, view: &View<'_>, target: &Resource, primary_key: &str) -> String {
        let mut view = *view;
        if !self.is_exposed(&target.definition, view.visibility) {
            view.visibility.endpoint = Endpoint::Extended;
        }
        self.url(&view, target.definition.name, primary_key)
    }

    /// The view of somebody who works in Campaign itself: everything is visible.
    pub(super) fn own_view<'a>(&self, switches: &'a Switches) -> View<'a> {
        View {
            visibility: Visibility {
                endpoint: Endpoint::Extended,
                switches,
                hidden: true,
            },
            base_url: PRODUCT_URL,
            context: Context::Record,
            collection: None,
        }
    }

    /// Which unique keys of a resource are in force, in the order of its definition.
    pub(super) fn enforced_keys(resource: &Resource, switches: &Switches) -> Vec<bool> {
        let definition = &resource.definition;
        definition
            .unique_keys
            .iter()
            .map(|key| definition.is_declared(key, switches))
            .collect()
    }

    /// The row a key in a URI stands for: a PKey, or the resource's custom key where the endpoint knows it.
    pub(super) fn locate(
        &self,
        resource: &Resource,
        table: &Table,
        view: &View<'_>,
        key: &str,
    ) -> Result<RowId, CampaignError> {
        let is_seen = |row: &Row| (view.visibility.hidden || !self.is_hidden(resource, row)) && view.holds(row);
        let id = self.find_row(resource, table, view.visibility, key)?;
        id.filter(|&id| table.row(id).is_some_and(is_seen))
            .ok_or_else(|| CampaignError::KeyOfUriNotFound {
                label: resource.definition.label.to_owned(),
                resource: resource.definition.name.to_owned(),
                key: key.to_owned(),
            })
    }

    /// The row that has a PKey or custom key, hidden ones as well.
    pub(super) fn find_row(
        &self,
        resource: &Resource,
        table: &Table,
        visibility: Visibility<'_>,
        key: &str,
    ) -> Result<Option<RowId>, CampaignError> {
        let custom_key = if key.starts_with('@') {
            None
        } else {
            resource.definition.custom_key(visibility)
        };
        let id = match custom_key {
            Some(field) => table.find(field, Cell::Text(key)).unwrap_or_default().first().copied(),
            None => Some(self.decode(resource, key)?),
        };
        Ok(id.filter(|&id| table.row(id).is_some()))
    }

    /// The row number in a PKey of a resource.
    pub(super) fn decode(&self, resource: &Resource, primary_key: &str) -> Result<RowId, CampaignError> {
        self.sealer
            .row(resource.number, primary_key)
            .ok_or_else(|| CampaignError::UndecodablePrimaryKey {
                name: primary_key.strip_prefix('@').unwrap_or(primary_key).to_owned(),
                label: resource.definition.label.to_owned(),
                schema: resource.definition.schema.to_owned(),
            })
    }

    /// The row a link in a body names by PKey or by the target's custom key (contracts/campaign.md §6.3, cases 1 and
    /// 4).
    pub(super) fn resolve_link(
        &self,
        target: &str,
        key: &str,
        visibility: Visibility<'_>,
    ) -> Result<RowId, CampaignError> {
        let resource = self.known_resource(target)?;
        let row = self.find_row(&resource, &resource.table.read(), visibility, key)?;
        row.ok_or_else(|| CampaignError::KeyOfBodyNotFound {
            label: resource.definition.label.to_owned(),
            resource: resource.definition.name.to_owned(),
            key: key.to_owned(),
        })
    }

    fn add_unit(&self, resource: &str, name: &str, label: &str) {
        let Some(resource) = self.resource(resource) else {
            return;
        };
        let value = |field: &str, text: &str| Some((resource.definition.id(field)?, Some(Value::Text(text.into()))));
        let mut changes: Vec<_> = [value("name", name), value("label", label)]
            .into_iter()
            .flatten()
            .collect();
        changes.sort_by_key(|(field, _)| *field);
        resource
            .table
            .write()
            .insert(Row::new(&changes, time::now()), &[])
            .expect("no key is enforced, so nothing forbids the row");
    }
}

fn unknown(resource: &str) -> CampaignError {
    CampaignError::UnknownResource {
        resource: resource.to_owned(),
    }
}
