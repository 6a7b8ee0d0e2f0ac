//! Definitions of tables and columns. Everything the Web API does with a row follows from these; no other module knows
//! a table by name.

mod account;
mod builder;
mod column;
mod contact;
mod contact_columns;
mod system;

use std::collections::HashMap;

pub use self::builder::TableBuilder;
pub use self::column::{
    Behavior, ColumnDefinition, ColumnKind, DateFormat, Derivation, LookupKind, LookupTarget, OptionChoice, OptionSet,
    RequiredLevel, TextFormat,
};

/// Who owns the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// A user or a team.
    UserOwned,
    /// A business unit.
    BusinessOwned,
    /// The organization.
    OrganizationOwned,
    /// Nobody.
    None,
}

impl Ownership {
    /// The name in `OwnershipType`.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserOwned => "UserOwned",
            Self::BusinessOwned => "BusinessOwned",
            Self::OrganizationOwned => "OrganizationOwned",
            Self::None => "None",
        }
    }
}

/// An alternate key of a table (contracts/dataverse.md §5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDefinition {
    /// Schema name; the logical name is the same in lower case.
    pub schema_name: String,
    /// Display name, used in the text of a violation.
    pub display_name: String,
    /// Indices of the key's columns, in declaration order.
    pub columns: Vec<usize>,
}

/// What may be done with the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Rows can be created.
    pub create: bool,
    /// Rows can be changed.
    pub update: bool,
    /// Rows can be deleted.
    pub delete: bool,
}

/// A table: names, capabilities, columns and keys. Column indices are stable for the life of a store.
#[derive(Debug, Clone)]
pub struct TableDefinition {
    /// Logical name, e.g. `contact`.
    pub logical_name: String,
    /// Schema name, e.g. `Contact`.
    pub schema_name: String,
    /// Entity set name, the URL segment, e.g. `contacts`.
    pub entity_set_name: String,
    /// Label of one row; `None` gives `UserLocalizedLabel: null`.
    pub display_name: Option<String>,
    /// Label of many rows.
    pub display_collection_name: Option<String>,
    /// `ObjectTypeCode`.
    pub object_type_code: i32,
    /// `OwnershipType`.
    pub ownership: Ownership,
    /// `IsCustomEntity`.
    pub is_custom: bool,
    /// `ChangeTrackingEnabled`.
    pub change_tracking_enabled: bool,
    /// What may be done with rows.
    pub capabilities: Capabilities,
    /// Columns, the primary id first.
    pub columns: Vec<ColumnDefinition>,
    /// Alternate keys, all active.
    pub keys: Vec<KeyDefinition>,
    /// Index of the primary name column.
    pub primary_name: Option<usize>,
    by_logical_name: HashMap<String, usize>,
    by_property: HashMap<String, usize>,
    by_navigation: HashMap<String, (usize, usize)>,
}

impl TableDefinition {
    /// Index of the primary id column: always the first.
    pub const PRIMARY_ID: usize = 0;

    /// The primary id column.
    pub fn primary_id(&self) -> &ColumnDefinition {
        &self.columns[Self::PRIMARY_ID]
    }

    /// The column of a logical name, unless it has been removed.
    pub fn column(&self, logical_name: &str) -> Option<usize> {
        self.by_logical_name
            .get(logical_name)
            .copied()
            .filter(|index| !self.columns[*index].removed)
    }

    /// The column behind a property of a row in JSON: the logical name, or `_name_value` for a lookup.
    pub fn property(&self, property: &str) -> Option<usize> {
        self.by_property
            .get(property)
            .copied()
            .filter(|index| !self.columns[*index].removed)
    }

    /// The lookup column and the index of its target behind a single-valued navigation property (case matters).
    pub fn navigation(&self, name: &str) -> Option<(usize, &LookupTarget)> {
        let (column, target) = self.by_navigation.get(name).copied()?;
        let definition = &self.columns[column];
        match &definition.kind {
            ColumnKind::Lookup { targets, .. } if !definition.removed => Some((column, &targets[target])),
            _ => None,
        }
    }

    /// The columns that have not been removed, with their indices.
    pub fn live_columns(&self) -> impl Iterator<Item = (usize, &ColumnDefinition)> {
        self.columns.iter().enumerate().filter(|(_, column)| !column.removed)
    }

    /// The key made of exactly these columns, in any order.
    pub fn key_of(&self, columns: &[usize]) -> Option<usize> {
        self.keys.iter().position(|key| {
            key.columns.len() == columns.len() && key.columns.iter().all(|column| columns.contains(column))
        })
    }

    /// Adds a column behind the others; it takes over the name of one that has been removed.
    pub(crate) fn push_column(&mut self, schema_name: &str, label: &str, kind: ColumnKind) {
        self.columns.push(ColumnDefinition::new(schema_name, Some(label), kind));
        self.index_names();
    }

    pub(crate) fn index_names(&mut self) {
        for (index, column) in self.columns.iter().enumerate() {
            self.by_logical_name.insert(column.logical_name.clone(), index);
            self.by_property.insert(column.property.clone(), index);
            if let ColumnKind::Lookup { targets, .. } = &column.kind {
                for (position, target) in targets.iter().enumerate() {
                    self.by_navigation.insert(target.navigation.clone(), (index, position));
                }
            }
        }
    }
}

/// The tables a sandbox has from the start.
pub fn standard_tables() -> Vec<TableDefinition> {
    vec![
        contact::contact(),
        account::account(),
        system::system_user(),
        system::team(),
        system::business_unit(),
        system::transaction_currency(),
        system::organization(),
    ]
}
