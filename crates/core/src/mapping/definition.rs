//! A table mapping as a user edits it.

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
