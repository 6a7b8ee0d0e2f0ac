//! Typed values of a source row, as they travel from the reader through Kafka to the writer.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use uuid::Uuid;

/// One typed value of a source column (contracts/dataverse.md §4.5).
///
/// The reader types every value by the column's metadata, so that nothing downstream guesses from JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The column is empty.
    Null,
    /// Yes/no.
    Boolean(bool),
    /// Whole number: Integer and BigInt columns.
    Integer(i64),
    /// Exact decimal number: Decimal and Money columns.
    Decimal(Decimal),
    /// Floating point number.
    Double(f64),
    /// Text: String and Memo columns, and every type passed through as is.
    Text(Box<str>),
    /// A moment in UTC: DateTime columns but those of behaviour DateOnly.
    Timestamp(Timestamp),
    /// A calendar date: DateTime columns of behaviour DateOnly.
    Date(Date),
    /// A record id or the id a lookup points to.
    Guid(Uuid),
    /// One option of a Picklist, State or Status column.
    Choice(Choice),
    /// The options of a MultiSelectPicklist column, in the order the source gave them.
    Choices(Vec<Choice>),
}

/// One option of an option set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The technical value.
    pub value: i32,
    /// The label in the environment's base language, where the metadata has one.
    pub label: Option<Arc<str>>,
}

impl Value {
    /// Whether the column is empty: null, or a text without a character.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Choices(choices) => choices.is_empty(),
            _ => false,
        }
    }

    /// The name of the value's type, for messages.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Double(_) => "double",
            Self::Text(_) => "text",
            Self::Timestamp(_) => "timestamp",
            Self::Date(_) => "date",
            Self::Guid(_) => "guid",
            Self::Choice(_) => "choice",
            Self::Choices(_) => "choices",
        }
    }
}
