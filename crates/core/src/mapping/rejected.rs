//! Rows that cannot be written, and why.

use std::fmt;

use super::ConvertError;
use crate::{Class, Classify, Value};

/// How much of a value is shown, in characters.
const VALUE_SHOWN: usize = 60;

/// Code of the error for a record id that is no GUID.
const NOT_A_GUID: &str = "NOT_A_GUID";

/// A row that cannot be written, with everything that is wrong with it; at least one error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// The errors: that of the key first, then those of the fields in the order of the mapping.
    pub errors: Vec<FieldError>,
}

/// Why one field of a row cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the Campaign field.
    pub field: String,
    /// Logical name of the Dynamics column.
    pub source: String,
    /// Stable code, e.g. `TOO_LONG`; see [`ConvertError::code`].
    pub code: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
    /// The value as people read it, shortened to 60 characters, control characters made visible.
    pub value: String,
}

impl FieldError {
    pub(super) fn new(field: &str, source: &str, error: &ConvertError, value: &Value) -> Self {
        Self {
            field: field.to_owned(),
            source: source.to_owned(),
            code: error.code(),
            message: error.to_string(),
            value: shown_value(value),
        }
    }

    pub(super) fn not_a_guid(field: &str, source: &str, key: &str) -> Self {
        Self {
            field: field.to_owned(),
            source: source.to_owned(),
            code: NOT_A_GUID,
            message: "The record's id is not a GUID, so it cannot come from Dynamics. Discard this entry.".to_owned(),
            value: shorten(key),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} -> {}: {} ({})",
            self.source, self.field, self.message, self.code
        )
    }
}

impl fmt::Display for RejectedRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.errors.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RejectedRow {}

impl Classify for RejectedRow {
    fn class(&self) -> Class {
        Class::Rejected
    }
}

/// A value as people read it, shortened to 60 characters, control characters made visible.
#[must_use]
pub fn shown_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Double(value) => format!("{value:?}"),
        Value::Text(text) => shorten(text),
        Value::Timestamp(timestamp) => timestamp.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Guid(id) => id.to_string(),
        Value::Choice(choice) => shorten(&shown_choice(choice)),
        Value::Choices(choices) => shorten(&choices.iter().map(shown_choice).collect::<Vec<_>>().join("; ")),
    }
}

fn shown_choice(choice: &crate::Choice) -> String {
    match &choice.label {
        Some(label) => format!("{} ({label})", choice.value),
        None => choice.value.to_string(),
    }
}

fn shorten(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown = String::new();
    for character in characters.by_ref().take(VALUE_SHOWN) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}
