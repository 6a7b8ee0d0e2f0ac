//! A table mapping as a user edits it.

use super::{MappedTypes, Operator};

/// One Dynamics table mapped to one Campaign resource (contracts/campaign.md §10.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMapping {
    /// Logical name of the Dynamics table; fixed after creation.
    pub source_table: String,
    /// API name of the Campaign resource; fixed after creation.
    pub target_resource: String,
    /// The key, always the first row of the mapping; fixed after creation.
    pub key: KeyMapping,
    /// The other fields, in the user's order.
    pub fields: Vec<FieldMapping>,
    /// Values that go to Campaign as other values, in the user's order.
    pub replacements: Vec<Replacement>,
    /// Which records go to Campaign.
    pub filter: Filter,
    /// Columns through which a record points to a record of another table, as the metadata told them when the mapping was
    /// last accepted: lookups among the mapped columns, sorted by column, then table.
    pub links: Vec<Link>,
    /// The types of what it reads and writes, as the metadata told them at the same time.
    pub types: MappedTypes,
    /// Settings that hold for the whole mapping.
    pub options: MappingOptions,
}

/// Which column identifies a record, and which declared key of the resource holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMapping {
    /// Logical name of the table's primary key column, e.g. `contactid`.
    pub source: String,
    /// API name of a unique key field of the resource, e.g. `externalId`.
    pub target: String,
}

/// One field mapped to one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMapping {
    /// Logical name of the source column.
    pub source: String,
    /// Path of the target field, e.g. `email` or `location.city`.
    pub target: String,
    /// Whether later changes are written. Otherwise the field is written when the record is inserted, by the initial load
    /// and by a replay, and left alone from then on (contracts/campaign.md §10.2).
    pub apply_updates: bool,
}

impl FieldMapping {
    /// A field that follows its column, which is what most do.
    #[must_use]
    pub fn new(source: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            target: target.into(),
            apply_updates: true,
        }
    }
}

/// A value of a mapped column that goes to Campaign as another value (contracts/campaign.md §10.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Logical name of the column; it is the source of at least one field.
    pub source: String,
    /// The value to replace as a user spells it; see [`Literal`](super::Literal). The empty text is the empty value.
    pub existing: String,
    /// What is written instead; it must fit every field that is filled from the column.
    pub new: String,
}

/// Which records go to Campaign. Without conditions all do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// How the conditions are combined.
    pub combination: Combination,
    /// The conditions, in the user's order.
    pub conditions: Vec<Condition>,
    /// Whether a record that does not pass any more is deleted from Campaign, if we had written it.
    pub delete_filtered: bool,
}

/// How the conditions of a filter are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Combination {
    /// All must hold.
    #[default]
    And,
    /// One must hold.
    Or,
}

/// A condition on one column, which need not be mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Logical name of the column.
    pub source: String,
    /// How its value is compared.
    pub operator: Operator,
    /// What it is compared with, as a user spells it; see [`Literal`](super::Literal). None for the operators on empty
    /// values, at least one for [`Operator::In`], one for all others.
    pub values: Vec<String>,
}

/// A link to a parent record, found in the metadata of both sides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Logical name of the lookup column.
    pub source: String,
    /// Logical name of the table it points to.
    pub table: String,
}

/// Settings of one mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MappingOptions {
    /// Whether records deleted in the source are deleted in the target.
    pub apply_deletes: bool,
    /// What becomes of a text that is longer than its target field.
    pub over_long: OverLong,
    /// Which form of an option goes into text fields.
    pub choices: ChoiceForm,
    /// What an empty source value does to the target.
    pub empty: EmptyValue,
}

/// What becomes of a text that is longer than its target field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverLong {
    /// The record is rejected.
    #[default]
    Reject,
    /// The text is cut at the last whole character that fits.
    Truncate,
}

/// Which form of an option goes into text fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChoiceForm {
    /// The number.
    #[default]
    TechnicalValue,
    /// The label.
    Label,
}

/// What an empty source value does to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmptyValue {
    /// It clears the target field.
    #[default]
    Clear,
    /// It leaves the target field as it is.
    Leave,
}
