//! Typing one value by its column (contracts/dataverse.md §4.5).

use crosswalk_core::{Choice, Value};
use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::de::{Deserialize, DeserializeSeed, Deserializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::json::{Look, Shape};
use crate::answer::shorten;
use crate::selection::{Kind, Labels};

/// Why a value does not fit: what was expected and what was found.
pub(super) type Misfit = String;

/// Longest part of a value quoted in a [`Misfit`], in characters.
const QUOTED_LENGTH: usize = 60;

/// Types the next value by its column's kind.
pub(super) struct TypedSeed<'a>(pub(super) &'a Kind);

impl<'de> DeserializeSeed<'de> for TypedSeed<'_> {
    type Value = Result<Value, Misfit>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_numeric() {
            let raw = <&RawValue>::deserialize(deserializer)?;
            Ok(from_number(self.0, raw.get()))
        } else {
            Look(|shape: Shape<'_>| from_shape(self.0, shape)).deserialize(deserializer)
        }
    }
}

/// Types the text of a JSON number; other JSON does not fit.
fn from_number(kind: &Kind, json: &str) -> Result<Value, Misfit> {
    if json == "null" {
        return Ok(Value::Null);
    }
    let value = match kind {
        Kind::Integer => json.parse().ok().map(Value::Integer),
        Kind::Decimal => decimal(json).map(Value::Decimal),
        Kind::Double => json
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .map(Value::Double),
        Kind::Choice(labels) => json.parse().ok().map(|value| Value::Choice(choice(labels, value))),
        _ => None,
    };
    value.ok_or_else(|| misfit(kind, json))
}

/// Without rounding: a number with more digits than a decimal holds does not fit.
fn decimal(json: &str) -> Option<Decimal> {
    if json.contains(['e', 'E']) {
        Decimal::from_scientific(json).ok()
    } else {
        Decimal::from_str_exact(json).ok()
    }
}

fn from_shape(kind: &Kind, shape: Shape<'_>) -> Result<Value, Misfit> {
    match shape {
        Shape::Null => Ok(Value::Null),
        Shape::Text(text) => from_text(kind, text).ok_or_else(|| misfit(kind, &format!("\"{text}\""))),
        Shape::Boolean(value) if matches!(kind, Kind::Boolean) => Ok(Value::Boolean(value)),
        Shape::Boolean(value) => Err(misfit(kind, if value { "true" } else { "false" })),
        Shape::Number => Err(misfit(kind, "a number")),
        Shape::Array => Err(misfit(kind, "an array")),
        Shape::Object => Err(misfit(kind, "an object")),
    }
}

fn from_text(kind: &Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Text => Some(Value::Text(text.into())),
        Kind::Timestamp => text.parse::<Timestamp>().ok().map(Value::Timestamp),
        Kind::Date => date(text).map(Value::Date),
        Kind::Guid => Uuid::try_parse(text).ok().map(Value::Guid),
        Kind::Choices(labels) => choices(labels, text).map(Value::Choices),
        _ => None,
    }
}

/// The parser would take the date of a date and time as well; a column whose behaviour was changed must not pass.
fn date(text: &str) -> Option<Date> {
    const LENGTH: usize = "1990-01-31".len();
    if text.len() == LENGTH { text.parse().ok() } else { None }
}

/// `"2,3,8"`; the empty text stands for no option.
fn choices(labels: &Labels, text: &str) -> Option<Vec<Choice>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    text.split(',')
        .map(|value| value.trim().parse().ok().map(|value| choice(labels, value)))
        .collect()
}

fn choice(labels: &Labels, value: i32) -> Choice {
    Choice {
        value,
        label: labels.of(value),
    }
}

#[cold]
fn misfit(kind: &Kind, found: &str) -> Misfit {
    let mut found = shorten(found);
    if let Some((end, _)) = found.char_indices().nth(QUOTED_LENGTH) {
        found.truncate(end);
        found.push('…');
    }
    format!("expected {}, found {found}", kind.description())
}
