//! What a resource is: its fields, keys and filters. Everything else in this module works on any definition.

use std::collections::HashMap;

use super::field::{Field, FieldKind};
use super::switches::Switches;

/// Position of a field in its resource; stable for the life of the resource, so that rows can be stored by it.
pub(super) type FieldId = u16;

/// The two families of endpoints (contracts/campaign.md §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `profileAndServices`: out-of-the-box fields only.
    Core,
    /// `profileAndServicesExt`: custom fields and keys as well.
    Extended,
}

impl Endpoint {
    /// The path segment.
    pub(super) fn segment(self) -> &'static str {
        match self {
            Self::Core => "profileAndServices",
            Self::Extended => "profileAndServicesExt",
        }
    }

    /// The endpoint of a path segment.
    pub(super) fn of(segment: &str) -> Option<Self> {
        [Self::Core, Self::Extended]
            .into_iter()
            .find(|endpoint| endpoint.segment() == segment)
    }
}

/// A declared identification key.
#[derive(Debug, Clone)]
pub(super) struct UniqueKey {
    pub(super) name: &'static str,
    /// Name of the database index, as duplicate errors give it.
    pub(super) constraint: String,
    /// Names of the database columns, joined by `, `.
    pub(super) columns: String,
    pub(super) fields: Vec<FieldId>,
}

/// What a filter compares.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// The field is exactly the parameter.
    Equals { field: FieldId },
    /// The field named by `filterType`, or else one of these, begins with the parameter; case counts.
    StartsWith { fields: Vec<FieldId> },
    /// The row was modified at or after the parameter.
    ModifiedSince,
}

/// A filter of a resource.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) parameter: &'static str,
    pub(super) condition: Condition,
    /// Declared by the customer, hence on the Ext endpoint only.
    pub(super) custom: bool,
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
    /// Made by the customer, hence on the Ext endpoint only.
    custom: bool,
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
        let stamps = fields
            .iter()
            .map(|field| {
                field
                    .stamp_names
                    .iter()
                    .filter_map(|name| by_name.get(name).copied())
                    .collect()
            })
            .collect();
        let members = fields
            .iter()
            .map(|item| {
                let is_member = |field: &Field| {
                    field
                        .name
                        .split_once('.')
                        .is_some_and(|(parent, _)| parent == item.name)
                };
                (0..)
                    .zip(&fields)
                    .filter(|(_, field)| is_member(field))
                    .map(|(id, _)| id)
                    .collect()
            })
            .collect();
        let required_joins = fields
            .iter()
            .filter_map(|field| match field.kind {
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
            })
            .collect();
        Self {
            name,
            label,
            help,
            schema,
            custom: false,
            unique_keys: Vec::new(),
            filters: Vec::new(),
            fields,
            by_name,
            stamps,
            members,
            required_joins,
        }
    }

    /// Says that the customer made it.
    pub(super) fn custom(mut self) -> Self {
        self.custom = true;
        self
    }

    /// The same resource with other fields. Keys and filters stay as far as their fields do.
    pub(super) fn with_fields(&self, fields: Vec<Field>) -> Self {
        let names = |ids: &[FieldId]| -> Vec<&'static str> { ids.iter().map(|&id| self.field(id).name).collect() };
        let mut definition = Self::new((self.name, self.label, self.schema), self.help, fields);
        definition.custom = self.custom;
        for key in &self.unique_keys {
            let names = names(&key.fields);
            if names.iter().all(|name| definition.id(name).is_some()) {
                definition = definition.with_unique_key(key.name, &names);
            }
        }
        for filter in &self.filters {
            let condition = match &filter.condition {
                Condition::Equals { field } => match definition.id(self.field(*field).name) {
                    Some(field) => Condition::Equals { field },
                    None => continue,
                },
                Condition::StartsWith { fields } => Condition::StartsWith {
                    fields: names(fields).iter().filter_map(|name| definition.id(name)).collect(),
                },
                Condition::ModifiedSince => Condition::ModifiedSince,
            };
            definition.filters.push(Filter {
                condition,
                ..filter.clone()
            });
        }
        definition
    }

    /// Whether an endpoint has the resource.
    pub(super) fn is_exposed_by(&self, endpoint: Endpoint) -> bool {
        !self.custom || endpoint == Endpoint::Extended
    }

    /// Links without which a row is hidden.
    pub(super) fn required_joins(&self) -> &[Join] {
        &self.required_joins
    }

    /// Declares an identification key over fields of the resource.
    pub(super) fn with_unique_key(mut self, name: &'static str, fields: &[&str]) -> Self {
        let fields: Vec<FieldId> = fields.iter().filter_map(|field| self.id(field)).collect();
        let columns: Vec<String> = fields
            .iter()
            .map(|&field| format!("s{}", self.field(field).name.to_ascii_lowercase()))
            .collect();
        self.unique_keys.push(UniqueKey {
            name,
            constraint: format!("{}_{}", self.schema.replace(':', ""), name.to_ascii_lowercase()),
            columns: columns.join(", "),
            fields,
        });
        self
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

    /// The single field that identifies rows in URIs, if a key on one is declared.
    pub(super) fn custom_key(&self, switches: &Switches) -> Option<FieldId> {
        let usable = |key: &&UniqueKey| key.fields.len() == 1 && self.is_declared(key, switches);
        self.unique_keys.iter().find(usable).map(|key| key.fields[0])
    }

    /// Whether a key is in force.
    pub(super) fn is_declared(&self, key: &UniqueKey, switches: &Switches) -> bool {
        let removed = |&field: &FieldId| switches.removed_fields.contains(self.field(field).name);
        let undeclared = switches.external_id_key_undeclared && self.name == "profile" && key.name == "externalId";
        !undeclared && !key.fields.iter().any(removed)
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
        (self.endpoint == Endpoint::Extended || !field.extension)
            && (self.switches.removed_fields.is_empty() || !self.switches.removed_fields.contains(field.name))
    }
}
