//! What is wrong with a mapping.

use std::fmt;

/// One thing that is wrong with a mapping, so worded that it can stand beside the field in an editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the faulty part in the definition, e.g. `key.target` or `fields[3].source`.
    pub field: String,
    /// What kind of problem it is.
    pub code: ProblemCode,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.message)
    }
}

/// All problems on one line.
#[must_use]
pub fn list_problems(problems: &[Problem]) -> String {
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    shown.join("; ")
}

/// The kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// The mapping has more fields than [`MAX_FIELDS`](super::MAX_FIELDS).
    TooManyFields,
    /// A name is missing.
    NameEmpty,
    /// A name is longer than [`MAX_NAME_LENGTH`](super::MAX_NAME_LENGTH).
    NameTooLong,
    /// The mapping is not of this table.
    SourceTableMismatch,
    /// The mapping is not of this resource.
    TargetResourceMismatch,
    /// The key's source is not the table's primary key column.
    KeySourceNotPrimaryId,
    /// The table has no such column.
    SourceNotFound,
    /// The column cannot be read through the Web API.
    SourceNotReadable,
    /// The column is of a type that no row carries.
    SourceTypeUnsupported,
    /// The resource has no such field.
    TargetNotFound,
    /// The field cannot be written.
    TargetNotWritable,
    /// The field is a link, a collection or a group of fields.
    TargetTypeUnsupported,
    /// The key field is not a string field of the resource itself.
    KeyTargetNotText,
    /// The key field is too short for a record id.
    KeyTargetTooShort,
    /// The key field is the target of another field, too.
    TargetIsKey,
    /// Two sources have the same target.
    TargetTwice,
    /// A group of fields and one of its members are both targets.
    TargetsOverlap,
    /// No value of the column's type can go into the field.
    IncompatibleTypes,
    /// The filter has more conditions than [`MAX_CONDITIONS`](super::MAX_CONDITIONS).
    TooManyConditions,
    /// Values of the column's type cannot be compared so.
    OperatorUnsuited,
    /// The operator takes another number of values.
    ValueCount,
    /// The value does not spell one of the column's type.
    ValueUnreadable,
    /// The value is longer than [`MAX_VALUE_LENGTH`](super::MAX_VALUE_LENGTH).
    ValueTooLong,
    /// The column has no such option.
    OptionNotFound,
    /// The mapping has more replacements than [`MAX_REPLACEMENTS`](super::MAX_REPLACEMENTS).
    TooManyReplacements,
    /// No field is filled from the column.
    ReplacementNotMapped,
    /// The same value is replaced twice.
    ReplacementTwice,
    /// The new value does not fit a field that is filled from the column.
    ReplacementUnfit,
    /// The column is of another type than it was.
    SourceRetyped,
    /// The field is of another type than it was.
    TargetRetyped,
}

impl ProblemCode {
    /// The stable name of the code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooManyFields => "TOO_MANY_FIELDS",
            Self::NameEmpty => "NAME_EMPTY",
            Self::NameTooLong => "NAME_TOO_LONG",
            Self::SourceTableMismatch => "SOURCE_TABLE_MISMATCH",
            Self::TargetResourceMismatch => "TARGET_RESOURCE_MISMATCH",
            Self::KeySourceNotPrimaryId => "KEY_SOURCE_NOT_PRIMARY_ID",
            Self::SourceNotFound => "SOURCE_NOT_FOUND",
            Self::SourceNotReadable => "SOURCE_NOT_READABLE",
            Self::SourceTypeUnsupported => "SOURCE_TYPE_UNSUPPORTED",
            Self::TargetNotFound => "TARGET_NOT_FOUND",
            Self::TargetNotWritable => "TARGET_NOT_WRITABLE",
            Self::TargetTypeUnsupported => "TARGET_TYPE_UNSUPPORTED",
            Self::KeyTargetNotText => "KEY_TARGET_NOT_TEXT",
            Self::KeyTargetTooShort => "KEY_TARGET_TOO_SHORT",
            Self::TargetIsKey => "TARGET_IS_KEY",
            Self::TargetTwice => "TARGET_TWICE",
            Self::TargetsOverlap => "TARGETS_OVERLAP",
            Self::IncompatibleTypes => "INCOMPATIBLE_TYPES",
            Self::TooManyConditions => "TOO_MANY_CONDITIONS",
            Self::OperatorUnsuited => "OPERATOR_UNSUITED",
            Self::ValueCount => "VALUE_COUNT",
            Self::ValueUnreadable => "VALUE_UNREADABLE",
            Self::ValueTooLong => "VALUE_TOO_LONG",
            Self::OptionNotFound => "OPTION_NOT_FOUND",
            Self::TooManyReplacements => "TOO_MANY_REPLACEMENTS",
            Self::ReplacementNotMapped => "REPLACEMENT_NOT_MAPPED",
            Self::ReplacementTwice => "REPLACEMENT_TWICE",
            Self::ReplacementUnfit => "REPLACEMENT_UNFIT",
            Self::SourceRetyped => "SOURCE_RETYPED",
            Self::TargetRetyped => "TARGET_RETYPED",
        }
    }
}
