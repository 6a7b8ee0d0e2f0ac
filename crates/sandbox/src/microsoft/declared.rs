//! Tables and columns as a customizer declares them (contracts/dataverse.md §4.2).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::errors::ApiError;
use super::schema::{
    Behavior, ColumnDefinition, ColumnKind, DateFormat, LookupKind, LookupTarget, OptionChoice, OptionSet,
    TableBuilder, TableDefinition, TextFormat,
};

/// Object type codes of custom tables begin here.
const FIRST_CUSTOM_TYPE_CODE: i32 = 10_000;

/// Most columns of a table; the product has about the same limit.
const MAX_COLUMNS: usize = 1_024;

/// A custom table. State, status reason, owner, dates and version come with every one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableDeclaration {
    /// Schema name with the publisher's prefix, e.g. `new_Order`. The logical name is the same in lower case, the primary
    /// key column is it followed by `id`.
    pub schema_name: String,
    /// The URL segment; the logical name followed by `s` if not given.
    #[serde(default)]
    pub entity_set: Option<String>,
    /// Label of one row; the schema name if not given.
    #[serde(default)]
    pub label: Option<String>,
    /// Whether changes are tracked.
    #[serde(default = "yes")]
    pub change_tracking: bool,
    /// The columns; the first one of type `string` is the primary name.
    pub columns: Vec<ColumnDeclaration>,
}

const fn yes() -> bool {
    true
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDeclaration {
    /// Schema name, e.g. `new_OrderNumber`.
    pub name: String,
    /// Label; the schema name if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it holds.
    #[serde(flatten)]
    pub kind: ColumnType,
}

/// What a declared column holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ColumnType {
    /// One line of text.
    String {
        /// Longest value, in UTF-16 code units.
        length: u32,
    },
    /// Several lines of text.
    Memo {
        /// Longest value, in UTF-16 code units.
        length: u32,
    },
    /// 32-bit whole number.
    Integer,
    /// 64-bit whole number.
    Bigint,
    /// Exact decimal.
    Decimal {
        /// Digits after the point.
        precision: u32,
    },
    /// Floating point.
    Double,
    /// An amount in the row's currency.
    Money,
    /// Yes or no.
    Boolean {
        /// Labels of no and yes.
        #[serde(default = "no_and_yes")]
        labels: (String, String),
    },
    /// One choice: values with their labels.
    Picklist {
        /// Value and label of each option.
        options: Vec<(i32, String)>,
    },
    /// Several choices.
    MultiSelect {
        /// Value and label of each option.
        options: Vec<(i32, String)>,
    },
    /// A moment.
    DateTime,
    /// A date without time.
    Date,
    /// A reference to a row of one of these tables.
    Lookup {
        /// Logical names of the tables.
        targets: Vec<String>,
    },
    /// GUID.
    UniqueIdentifier,
}

fn no_and_yes() -> (String, String) {
    ("No".to_owned(), "Yes".to_owned())
}

impl TableDeclaration {
    /// The table's logical name.
    #[must_use]
    pub fn logical_name(&self) -> String {
        self.schema_name.to_lowercase()
    }

    /// The definition. `number` tells custom tables apart.
    pub(super) fn build(&self, number: usize) -> Result<TableDefinition, ApiError> {
        check_name(&self.schema_name)?;
        check_count(self.columns.len())?;
        let logical_name = self.logical_name();
        let set = self.entity_set.clone().unwrap_or_else(|| format!("{logical_name}s"));
        let label = self.label.as_deref().unwrap_or(&self.schema_name);
        let type_code = i32::try_from(number).map_or(i32::MAX, |number| FIRST_CUSTOM_TYPE_CODE.saturating_add(number));
        let mut builder = TableBuilder::new(&self.schema_name, &set, (label, label), type_code);
        let mut is_named = false;
        for column in &self.columns {
            check_name(&column.name)?;
            builder = match &column.kind {
                ColumnType::Money => builder.money(&column.name, column.label()),
                kind => builder.add(
                    &column.name,
                    Some(column.label()),
                    kind.build(&logical_name, &column.name),
                ),
            };
            if !is_named && matches!(column.kind, ColumnType::String { .. }) {
                builder = builder.primary_name();
                is_named = true;
            }
        }
        if self.columns.iter().any(|column| column.kind == ColumnType::Money) {
            builder = builder.lookup(
                "TransactionCurrencyId",
                "Currency",
                LookupKind::Lookup,
                &[("transactioncurrency", "transactioncurrencyid")],
            );
        }
        let mut table = builder.active_inactive().user_owned_columns().build(&[]);
        table.is_custom = true;
        table.change_tracking_enabled = self.change_tracking;
        check_unique(&table.columns)?;
        Ok(table)
    }
}

impl ColumnDeclaration {
    fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }

    /// Adds the column to a table, or puts it in the place of the one of its name: rows keep their values if the type is
    /// the same, and have none otherwise.
    pub(super) fn put(&self, table: &mut TableDefinition) -> Result<(), ApiError> {
        check_name(&self.name)?;
        if self.kind == ColumnType::Money {
            return Err(ApiError::bad_request(format!(
                "{}: amounts can only be declared with their table",
                self.name
            )));
        }
        let kind = self.kind.build(&table.logical_name, &self.name);
        if let Some(present) = table.column(&self.name.to_lowercase()) {
            let column = &mut table.columns[present];
            if !column.updatable {
                return Err(ApiError::bad_request(format!(
                    "{}: the system owns this column",
                    self.name
                )));
            }
            if column.kind.type_names() == kind.type_names() && column.kind.edm_type() == kind.edm_type() {
                column.kind = kind;
                column.display_name = Some(self.label().to_owned());
                table.index_names();
                return Ok(());
            }
            column.removed = true;
        }
        check_count(table.live_columns().count() + 1)?;
        table.push_column(&self.name, self.label(), kind);
        Ok(())
    }
}

impl ColumnType {
    fn build(&self, table: &str, name: &str) -> ColumnKind {
        let set = |options: &[(i32, String)]| {
            let choice = |(value, label): &(i32, String)| OptionChoice {
                value: *value,
                label: Some(label.clone()),
                linked: None,
            };
            Arc::new(OptionSet {
                name: format!("{table}_{}", name.to_lowercase()),
                is_global: false,
                options: options.iter().map(choice).collect(),
            })
        };
        let date = |behavior, format| ColumnKind::DateTime { behavior, format };
        match self {
            Self::String { length } => ColumnKind::Text {
                max_length: *length,
                format: TextFormat::Text,
            },
            Self::Memo { length } => ColumnKind::Memo { max_length: *length },
            Self::Integer => ColumnKind::Integer {
                min: i32::MIN,
                max: i32::MAX,
            },
            Self::Bigint => ColumnKind::BigInt,
            Self::Decimal { precision } => ColumnKind::Decimal {
                min: -100_000_000_000,
                max: 100_000_000_000,
                precision: *precision,
            },
            Self::Double => ColumnKind::Double {
                min: -100_000_000_000.0,
                max: 100_000_000_000.0,
                precision: 5,
            },
            Self::Money => ColumnKind::Money {
                base: None,
                base_of: None,
            },
            Self::Boolean { labels } => ColumnKind::Boolean {
                false_label: labels.0.clone(),
                true_label: labels.1.clone(),
                default: false,
            },
            Self::Picklist { options } => ColumnKind::Picklist(set(options)),
            Self::MultiSelect { options } => ColumnKind::MultiSelect(set(options)),
            Self::DateTime => date(Behavior::UserLocal, DateFormat::DateAndTime),
            Self::Date => date(Behavior::DateOnly, DateFormat::DateOnly),
            Self::Lookup { targets } => ColumnKind::Lookup {
                kind: LookupKind::Lookup,
                targets: lookup_targets(name, targets),
            },
            Self::UniqueIdentifier => ColumnKind::UniqueIdentifier,
        }
    }
}

/// Navigation properties: the schema name where there is one target, else with the target behind it.
fn lookup_targets(name: &str, targets: &[String]) -> Vec<LookupTarget> {
    let navigation = |target: &String| match targets {
        [_] => name.to_owned(),
        _ => format!("{}_{target}", name.to_lowercase()),
    };
    targets
        .iter()
        .map(|target| LookupTarget {
            table: target.clone(),
            navigation: navigation(target),
        })
        .collect()
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if begins && name.len() <= 100 && name.chars().all(is_word) {
        Ok(())
    } else {
        Err(ApiError::bad_request(format!(
            "'{name}' is no schema name: letters, digits and underscores, a letter first"
        )))
    }
}

fn check_count(columns: usize) -> Result<(), ApiError> {
    if columns > MAX_COLUMNS {
        return Err(ApiError::bad_request(format!(
            "{columns} columns, at most {MAX_COLUMNS} are possible"
        )));
    }
    Ok(())
}

fn check_unique(columns: &[ColumnDefinition]) -> Result<(), ApiError> {
    let mut names: Vec<&str> = columns.iter().map(|column| column.logical_name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(ApiError::bad_request(format!("there are two columns {}", pair[0]))),
        None => Ok(()),
    }
}
