//! Builds table definitions column by column.

use std::collections::HashMap;
use std::sync::Arc;

use super::{
    Behavior, Capabilities, ColumnDefinition, ColumnKind, DateFormat, Derivation, KeyDefinition, LookupKind,
    LookupTarget, OptionChoice, OptionSet, Ownership, RequiredLevel, TableDefinition, TextFormat,
};

/// Collects the columns of a table. Column methods add a column that can be read, created and updated; the methods
/// after them (`read_only`, `required`, ...) change the column added last.
pub struct TableBuilder {
    table: TableDefinition,
}

impl TableBuilder {
    /// A user-owned, change-tracked table whose primary id column is `<logical name>id`.
    pub fn new(schema_name: &str, entity_set_name: &str, labels: (&str, &str), object_type_code: i32) -> Self {
        let table = TableDefinition {
            logical_name: schema_name.to_lowercase(),
            schema_name: schema_name.to_owned(),
            entity_set_name: entity_set_name.to_owned(),
            display_name: Some(labels.0.to_owned()),
            display_collection_name: Some(labels.1.to_owned()),
            object_type_code,
            ownership: Ownership::UserOwned,
            is_custom: false,
            change_tracking_enabled: true,
            capabilities: Capabilities {
                create: true,
                update: true,
                delete: true,
            },
            columns: Vec::new(),
            keys: Vec::new(),
            primary_name: None,
            by_logical_name: HashMap::new(),
            by_property: HashMap::new(),
            by_navigation: HashMap::new(),
        };
        Self { table }
            .add(
                &format!("{schema_name}Id"),
                Some(labels.0),
                ColumnKind::UniqueIdentifier,
            )
            .not_updatable()
            .required(RequiredLevel::SystemRequired)
    }

    /// Ownership other than by users.
    pub fn owned_by(mut self, ownership: Ownership) -> Self {
        self.table.ownership = ownership;
        self
    }

    /// A table whose rows only the system makes: no create, no delete, and no change tracking.
    pub fn system_table(mut self) -> Self {
        self.table.capabilities = Capabilities {
            create: false,
            update: true,
            delete: false,
        };
        self.table.change_tracking_enabled = false;
        self
    }

    /// Adds a column of any kind. The logical name is the schema name in lower case.
    pub fn add(mut self, schema_name: &str, label: Option<&str>, kind: ColumnKind) -> Self {
        self.table.columns.push(ColumnDefinition::new(schema_name, label, kind));
        self
    }

    /// A line of text.
    pub fn text(self, schema_name: &str, max_length: u32, label: &str) -> Self {
        self.add(
            schema_name,
            Some(label),
            ColumnKind::Text {
                max_length,
                format: TextFormat::Text,
            },
        )
    }

    /// A line of text with a format.
    pub fn formatted(self, schema_name: &str, max_length: u32, format: TextFormat, label: &str) -> Self {
        self.add(schema_name, Some(label), ColumnKind::Text { max_length, format })
    }

    /// A yes/no column that is `false` on create.
    pub fn boolean(self, schema_name: &str, label: &str, false_label: &str, true_label: &str) -> Self {
        self.boolean_default(schema_name, label, (false_label, true_label), false)
    }

    /// A yes/no column with its default.
    pub fn boolean_default(self, schema_name: &str, label: &str, labels: (&str, &str), default: bool) -> Self {
        let kind = ColumnKind::Boolean {
            false_label: labels.0.to_owned(),
            true_label: labels.1.to_owned(),
            default,
        };
        self.add(schema_name, Some(label), kind)
    }

    /// A choice with values 1, 2, ... for the given labels.
    pub fn picklist(self, schema_name: &str, label: &str, labels: &[&str]) -> Self {
        let set = self.option_set(
            schema_name,
            (1..).zip(labels).map(|(value, label)| (value, *label, None)).collect(),
        );
        self.add(schema_name, Some(label), ColumnKind::Picklist(set))
    }

    /// `statecode` and `statuscode` with the two states Active and Inactive.
    pub fn active_inactive(self) -> Self {
        let states = self.option_set("StateCode", vec![(0, "Active", Some(1)), (1, "Inactive", Some(2))]);
        let reasons = self.option_set("StatusCode", vec![(1, "Active", Some(0)), (2, "Inactive", Some(1))]);
        self.add("StateCode", Some("Status"), ColumnKind::State(states))
            .not_creatable()
            .required(RequiredLevel::SystemRequired)
            .add("StatusCode", Some("Status Reason"), ColumnKind::Status(reasons))
    }

    /// A date without time.
    pub fn date(self, schema_name: &str, label: &str) -> Self {
        let kind = ColumnKind::DateTime {
            behavior: Behavior::DateOnly,
            format: DateFormat::DateOnly,
        };
        self.add(schema_name, Some(label), kind)
    }

    /// A moment.
    pub fn moment(self, schema_name: &str, label: &str, format: DateFormat) -> Self {
        self.add(
            schema_name,
            Some(label),
            ColumnKind::DateTime {
                behavior: Behavior::UserLocal,
                format,
            },
        )
    }

    /// A whole number.
    pub fn integer(self, schema_name: &str, label: &str, min: i32, max: i32) -> Self {
        self.add(schema_name, Some(label), ColumnKind::Integer { min, max })
    }

    /// An amount and its read-only column in base currency.
    pub fn money(self, schema_name: &str, label: &str) -> Self {
        let base = format!("{schema_name}_Base");
        let logical_name = schema_name.to_lowercase();
        self.add(
            schema_name,
            Some(label),
            ColumnKind::Money {
                base: Some(base.to_lowercase()),
                base_of: None,
            },
        )
        .accompanied_by("transactioncurrencyid")
        .add(
            &base,
            Some(&format!("{label} (Base)")),
            ColumnKind::Money {
                base: None,
                base_of: Some(logical_name.clone()),
            },
        )
        .accompanied_by("transactioncurrencyid")
        .derived(Derivation::BaseAmount { of: logical_name })
    }

    /// A lookup; targets are pairs of table and navigation property.
    pub fn lookup(self, schema_name: &str, label: &str, kind: LookupKind, targets: &[(&str, &str)]) -> Self {
        let targets = targets
            .iter()
            .map(|(table, navigation)| LookupTarget {
                table: (*table).to_owned(),
                navigation: (*navigation).to_owned(),
            })
            .collect();
        self.add(schema_name, Some(label), ColumnKind::Lookup { kind, targets })
    }

    /// Owner, creator, dates and version: what every user-owned table has.
    pub fn user_owned_columns(self) -> Self {
        let user = |table: Self, schema_name: &str, label: &str, derivation| {
            table
                .lookup(
                    schema_name,
                    label,
                    LookupKind::Lookup,
                    &[("systemuser", &schema_name.to_lowercase())],
                )
                .derived(derivation)
        };
        let table = self
            .lookup(
                "OwnerId",
                "Owner",
                LookupKind::Owner,
                &[("systemuser", "ownerid"), ("team", "ownerid")],
            )
            .required(RequiredLevel::SystemRequired);
        let table = user(table, "OwningUser", "Owning User", Derivation::OwningUser);
        let table = user(table, "CreatedBy", "Created By", Derivation::CreatedBy);
        let table = user(table, "ModifiedBy", "Modified By", Derivation::ModifiedBy);
        table
            .lookup(
                "OwningBusinessUnit",
                "Owning Business Unit",
                LookupKind::Lookup,
                &[("businessunit", "owningbusinessunit")],
            )
            .derived(Derivation::OwningBusinessUnit)
            .dates_and_version()
    }

    /// `createdon`, `modifiedon` and `versionnumber`.
    pub fn dates_and_version(self) -> Self {
        self.moment("CreatedOn", "Created On", DateFormat::DateAndTime)
            .derived(Derivation::CreatedOn)
            .moment("ModifiedOn", "Modified On", DateFormat::DateAndTime)
            .derived(Derivation::ModifiedOn)
            .add("VersionNumber", Some("Version Number"), ColumnKind::BigInt)
            .derived(Derivation::Version)
    }

    /// Makes the last column server-computed, so read-only.
    pub fn derived(self, derivation: Derivation) -> Self {
        self.last(|column| column.derivation = Some(derivation)).read_only()
    }

    /// Neither valid for create nor for update.
    pub fn read_only(self) -> Self {
        self.not_creatable().not_updatable()
    }

    /// Not valid for create.
    pub fn not_creatable(self) -> Self {
        self.last(|column| column.creatable = false)
    }

    /// Not valid for update.
    pub fn not_updatable(self) -> Self {
        self.last(|column| column.updatable = false)
    }

    /// Sets the requirement level.
    pub fn required(self, required: RequiredLevel) -> Self {
        self.last(|column| column.required = required)
    }

    /// Selecting this column brings another along.
    pub fn accompanied_by(self, other: &str) -> Self {
        let other = other.to_owned();
        self.last(|column| column.accompanied_by = Some(other))
    }

    /// Makes the last column the primary name.
    pub fn primary_name(mut self) -> Self {
        self.table.primary_name = Some(self.table.columns.len() - 1);
        self
    }

    /// Removes the label of the last column, so that `UserLocalizedLabel` is null.
    pub fn without_label(self) -> Self {
        self.last(|column| column.display_name = None)
    }

    /// The finished definition. Alternate keys are pairs of schema name, display name and logical column names.
    pub fn build(mut self, keys: &[(&str, &str, &[&str])]) -> TableDefinition {
        self.table.index_names();
        for (schema_name, display_name, columns) in keys {
            let columns = columns.iter().filter_map(|name| self.table.column(name)).collect();
            self.table.keys.push(KeyDefinition {
                schema_name: (*schema_name).to_owned(),
                display_name: (*display_name).to_owned(),
                columns,
            });
        }
        self.table
    }

    fn last(mut self, change: impl FnOnce(&mut ColumnDefinition)) -> Self {
        if let Some(column) = self.table.columns.last_mut() {
            change(column);
        }
        self
    }

    fn option_set(&self, schema_name: &str, options: Vec<(i32, &str, Option<i32>)>) -> Arc<OptionSet> {
        let options = options
            .into_iter()
            .map(|(value, label, linked)| OptionChoice {
                value,
                label: Some(label.to_owned()),
                linked,
            })
            .collect();
        Arc::new(OptionSet {
            name: format!("{}_{}", self.table.logical_name, schema_name.to_lowercase()),
            is_global: false,
            options,
        })
    }
}
