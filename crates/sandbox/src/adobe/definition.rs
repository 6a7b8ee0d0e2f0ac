//! What a resource is: its fields, keys and filters. Everything else in this module works on any definition.

use std::collections::HashMap;

use super::field::{Field, FieldKind};
use super::filter::Filter;
use super::switches::Switches;

/// Position of a field in its resource; stable for the life of the resource, so that rows can be stored by it.
pub(super) type FieldId = u16;

/// The endpoints that serve resources (contracts/campaign.md §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `profileAndServices`: out-of-the-box fields only.
    Core,
    /// `profileAndServicesExt`: custom fields and keys as well, and the resources linked to profiles.
    Extended,
    /// `customResources`: the resources that are not linked to profiles.
    Unlinked,
}

impl Endpoint {
    /// The path segment.
    pub(super) fn segment(self) -> &'static str {
        match self {
            Self::Core => "profileAndServices",
            Self::Extended => "profileAndServicesExt",
            Self::Unlinked => "customResources",
        }
    }

    /// The endpoint of a path segment.
    pub(super) fn of(segment: &str) -> Option<Self> {
        [Self::Core, Self::Extended, Self::Unlinked]
            .into_iter()
            .find(|endpoint| endpoint.segment() == segment)
    }

    /// Whether it knows of what customers have added.
    pub(super) fn shows_extensions(self) -> bool {
        self != Self::Core
    }
}

/// Who made a resource, and where it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// The product; on both endpoints of profiles and services.
    OutOfTheBox,
    /// The product, as a part of other records: found below these only, and gone with them.
    Nested,
    /// The customer.
    Custom,
}

/// An identification key.
#[derive(Debug, Clone)]
pub(super) struct UniqueKey {
    pub(super) name: &'static str,
    /// Declared by the customer, hence unknown to the core endpoint.
    custom: bool,
    /// Name of the database index, as duplicate errors give it.
    pub(super) constraint: String,
    /// Names of the database columns, joined by `, `.
    pub(super) columns: String,
    pub(super) fields: Vec<FieldId>,
}

/// A resource as an administrator has defined it.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) help: &'static str,
    pub(super) schema: &'static str,
    pub(super) unique_keys: Vec<UniqueKey>,
    pub(super) filters: Vec<Filter>,
    pub(super) family: Family,
    /// The text field that new rows get a numbered name in, with the name's beginning.
    pub(super) generated_name: Option<(FieldId, &'static str)>,
    fields: Vec<Field>,
    by_name: HashMap<&'static str, FieldId>,
    stamps: Vec<Vec<FieldId>>,
    members: Vec<Vec<FieldId>>,
    /// Links without which a row is hidden.
    required_joins: Vec<Join>,
}

/// A link by an explicit join.
#[derive(Debug, Clone, Copy)]
pub(super) struct Join {
    /// The field that holds the key of the target.
    pub(super) field: FieldId,
    pub(super) target: &'static str,
    pub(super) target_field: &'static str,
}

impl Definition {
    /// A resource without keys and filters. Field names must be unique, stamps must name fields.
    pub(super) fn new(
        (name, label, schema): (&'static str, &'static str, &'static str),
        help: &'static str,
        mut fields: Vec<Field>,
    ) -> Self {
        fields.sort_by_key(|field| field.name);
        let by_name: HashMap<&'static str, FieldId> = (0..).zip(&fields).map(|(id, field)| (field.name, id)).collect();
        let stamps_of = |field: &Field| {
            let stamps = field.stamp_names.iter();
            stamps.filter_map(|name| by_name.get(name).copied()).collect()
        };
        let generated_name = |(id, field): (FieldId, &Field)| Some((id, field.generated_prefix?));
        Self {
            name,
            label,
            help,
            schema,
            family: Family::OutOfTheBox,
            generated_name: (0..).zip(&fields).find_map(generated_name),
            unique_keys: Vec::new(),
            filters: Vec::new(),
            stamps: fields.iter().map(stamps_of).collect(),
            members: fields.iter().map(|item| members_of(item.name, &fields)).collect(),
            required_joins: fields
                .iter()
                .filter_map(|field| required_join(field, &by_name))
                .collect(),
            fields,
            by_name,
        }
    }

    /// Says who made it.
    pub(super) fn family(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    /// The same resource with other fields. Keys and filters stay as far as their fields do.
    pub(super) fn with_fields(&self, fields: Vec<Field>) -> Self {
        let names = |ids: &[FieldId]| -> Vec<&'static str> { ids.iter().map(|&id| self.field(id).name).collect() };
        let mut definition = Self::new((self.name, self.label, self.schema), self.help, fields).family(self.family);
        for key in &self.unique_keys {
            let names = names(&key.fields);
            if names.iter().all(|name| definition.id(name).is_some()) {
                definition.push_key(key.name, &names, key.custom);
            }
        }
        let remapped = |filter: &Filter| filter.remapped(self, &definition);
        definition.filters = self.filters.iter().filter_map(remapped).collect();
        definition
    }

    /// Links without which a row is hidden.
    pub(super) fn required_joins(&self) -> &[Join] {
        &self.required_joins
    }

    /// An identification key of the product.
    pub(super) fn with_own_key(mut self, name: &'static str, fields: &[&str]) -> Self {
        self.push_key(name, fields, false);
        self
    }

    /// Declares an identification key over fields of the resource.
    pub(super) fn with_unique_key(mut self, name: &'static str, fields: &[&str]) -> Self {
        self.push_key(name, fields, true);
        self
    }

    fn push_key(&mut self, name: &'static str, fields: &[&str], custom: bool) {
        let fields: Vec<FieldId> = fields.iter().filter_map(|field| self.id(field)).collect();
        let column = |&field: &FieldId| {
            let field = self.field(field);
            let prefix = if field.kind.is_text() { 's' } else { 'i' };
            format!("{prefix}{}", field.name.to_ascii_lowercase())
        };
        let columns: Vec<String> = fields.iter().map(column).collect();
        self.unique_keys.push(UniqueKey {
            name,
            custom,
            constraint: format!("{}_{}", self.schema.replace(':', ""), name.to_ascii_lowercase()),
            columns: columns.join(", "),
            fields,
        });
    }

    /// Declares a filter.
    pub(super) fn with_filter(mut self, filter: impl FnOnce(&Self) -> Filter) -> Self {
        let filter = filter(&self);
        self.filters.push(filter);
        self
    }

    /// The fields, in the order of their names, which is the order of the members of a record.
    pub(super) fn fields(&self) -> impl Iterator<Item = (FieldId, &Field)> {
        (0..).zip(&self.fields)
    }

    pub(super) fn field_count(&self) -> usize {
        self.fields.len()
    }

    pub(super) fn field(&self, id: FieldId) -> &Field {
        &self.fields[usize::from(id)]
    }

    pub(super) fn id(&self, name: &str) -> Option<FieldId> {
        self.by_name.get(name).copied()
    }

    /// The number of a field the resource is made with.
    pub(super) fn known_id(&self, name: &str) -> FieldId {
        self.id(name)
            .expect("filters are declared on fields that stand beside them in the code")
    }

    /// Fields set to the present moment when `field` changes.
    pub(super) fn stamps(&self, field: FieldId) -> &[FieldId] {
        &self.stamps[usize::from(field)]
    }

    /// The members of a nested item.
    pub(super) fn members(&self, item: FieldId) -> &[FieldId] {
        &self.members[usize::from(item)]
    }

    /// Whether a field of this name can be seen and written where `view` looks from.
    pub(super) fn visible_id(&self, name: &str, view: Visibility<'_>) -> Option<FieldId> {
        self.id(name).filter(|&id| view.shows(self.field(id)))
    }

    /// The single field that identifies rows in URIs and links, if a key on one is declared. The product's own keys do
    /// so on every endpoint, as the errors about services show (contracts/campaign.md §6.3, cases 2 and 3).
    pub(super) fn custom_key(&self, visibility: Visibility<'_>) -> Option<FieldId> {
        let known = |key: &UniqueKey| !key.custom || visibility.endpoint.shows_extensions();
        let usable =
            |key: &&UniqueKey| key.fields.len() == 1 && known(key) && self.is_declared(key, visibility.switches);
        self.unique_keys.iter().find(usable).map(|key| key.fields[0])
    }

    /// Whether a key is in force.
    pub(super) fn is_declared(&self, key: &UniqueKey, switches: &Switches) -> bool {
        let removed = |&field: &FieldId| switches.removed_fields.contains(self.field(field).name);
        let undeclared = switches.external_id_key_undeclared && self.name == "profile" && key.name == "externalId";
        !undeclared && !key.fields.iter().any(removed)
    }
}

/// The fields that are members of a nested item.
fn members_of(item: &str, fields: &[Field]) -> Vec<FieldId> {
    let is_member = |field: &Field| field.name.split_once('.').is_some_and(|(parent, _)| parent == item);
    let numbered = (0..).zip(fields);
    numbered
        .filter(|(_, field)| is_member(field))
        .map(|(id, _)| id)
        .collect()
}

/// The join of a link that must have a target.
fn required_join(field: &Field, by_name: &HashMap<&'static str, FieldId>) -> Option<Join> {
    match field.kind {
        FieldKind::Join {
            target,
            field,
            target_field,
            required: true,
        } => Some(Join {
            field: *by_name.get(field)?,
            target,
            target_field,
        }),
        _ => None,
    }
}

/// Which fields a request can see.
#[derive(Clone, Copy)]
pub(super) struct Visibility<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) switches: &'a Switches,
    /// Whether rows are seen that Campaign hides: by whoever looks past the product.
    pub(super) hidden: bool,
}

impl Visibility<'_> {
    /// Whether the field exists for the request.
    pub(super) fn shows(self, field: &Field) -> bool {
        (!field.extension || self.endpoint.shows_extensions())
            && (self.switches.removed_fields.is_empty() || !self.switches.removed_fields.contains(field.name))
    }
}
