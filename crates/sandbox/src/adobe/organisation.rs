//! One organisation: its resources, their rows, and the secret of its PKeys.

use std::sync::Arc;

use parking_lot::RwLock;

use super::Shared;
use super::definition::{Definition, Endpoint, Join, Visibility};
use super::error::CampaignError;
use super::opaque::{Context, Sealer};
use super::profile;
use super::render::View;
use super::row::{Cell, Row, Value};
use super::switches::Switches;
use super::table::{RowId, Table};
use super::time;

/// Base of URLs in records nobody asked for over the Adobe listener: the product's own gateway.
const PRODUCT_URL: &str = "https://mc.adobe.io";

/// A resource and its rows.
pub(super) struct Resource {
    /// Position among the organisation's resources; part of every PKey.
    pub(super) number: u16,
    pub(super) definition: Definition,
    pub(super) table: RwLock<Table>,
}

impl Resource {
    pub(super) fn new(number: u16, definition: Definition) -> Self {
        Self {
            number,
            table: RwLock::new(Table::new(&definition)),
            definition,
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
}

impl Organisation {
    pub(super) fn new(name: &str, seed: u64, shared: Arc<Shared>) -> Self {
        let definitions = [profile::profile(), profile::org_unit(), profile::geo_unit()];
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

    /// The resource of this name on an endpoint.
    pub(super) fn exposed_resource(&self, name: &str, endpoint: Endpoint) -> Result<Arc<Resource>, CampaignError> {
        let resource = self.resource(name);
        let exposed = resource.filter(|resource| resource.definition.is_exposed_by(endpoint));
        exposed.ok_or_else(|| unknown(name))
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
        let rows = resource.table.read_recursive().find(field, text)?;
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

    /// The row a key in a URI stands for: a PKey, or on the Ext endpoint the resource's custom key.
    pub(super) fn locate(
        &self,
        resource: &Resource,
        table: &Table,
        visibility: Visibility<'_>,
        key: &str,
    ) -> Result<RowId, CampaignError> {
        let definition = &resource.definition;
        let not_found = || CampaignError::KeyOfUriNotFound {
            label: definition.label.to_owned(),
            resource: definition.name.to_owned(),
            key: key.to_owned(),
        };
        let custom_key = match visibility.endpoint {
            Endpoint::Extended if !key.starts_with('@') => definition.custom_key(visibility.switches),
            _ => None,
        };
        let id = match custom_key {
            Some(field) => {
                let rows = table.find(field, key).unwrap_or_default();
                rows.first().copied().ok_or_else(not_found)?
            }
            None => self.decode(resource, key)?,
        };
        let is_seen = |row: &&Row| visibility.hidden || !self.is_hidden(resource, row);
        table.row(id).filter(is_seen).map(|_| id).ok_or_else(not_found)
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
    pub(super) fn resolve_link(&self, target: &str, key: &str, switches: &Switches) -> Result<RowId, CampaignError> {
        let resource = self.known_resource(target)?;
        let definition = &resource.definition;
        let not_found = || CampaignError::KeyOfBodyNotFound {
            label: definition.label.to_owned(),
            resource: definition.name.to_owned(),
            key: key.to_owned(),
        };
        let table = resource.table.read();
        if key.starts_with('@') {
            let id = self.decode(&resource, key)?;
            return table.row(id).map(|_| id).ok_or_else(not_found);
        }
        let rows = definition
            .custom_key(switches)
            .and_then(|field| table.find(field, key))
            .unwrap_or_default();
        rows.first().copied().ok_or_else(not_found)
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
