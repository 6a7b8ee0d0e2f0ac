//! Values as users spell them in filters and replacements.

use std::cmp::Ordering;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::convert::moment;
use crate::{Choice, Value, schema::ColumnType};

/// Between the options of a multi-select literal, as Dataverse writes them (contracts/dataverse.md §4.5).
const OPTION_SEPARATOR: char = ',';

/// A value as a user spells it, read once for every type it may be compared with.
///
/// | column | spelling |
/// |---|---|
/// | yes/no | `true`, `false`, `1`, `0` |
/// | number | digits, with a minus sign in front and a point before decimals where needed |
/// | date and time | `2026-01-31T18:30:00Z`, or `2026-01-31` for any moment of that day in UTC |
/// | date | `2026-01-31` |
/// | id, lookup | a GUID |
/// | option set | the technical value, else the label in any case |
/// | multi-select option set | options separated by commas |
/// | text | as it is |
///
/// The empty text is the empty value of every type.
#[derive(Debug, Clone)]
pub struct Literal {
    text: Box<str>,
    folded: Box<str>,
    number: Option<Number>,
    boolean: Option<bool>,
    moment: Option<Moment>,
    guid: Option<Uuid>,
    /// The parts between commas.
    options: Vec<OptionLiteral>,
}

#[derive(Debug, Clone, Copy)]
struct Number {
    /// `None` where it has more digits than an exact decimal holds.
    exact: Option<Decimal>,
    nearest: f64,
}

/// A date stands for any moment of its day.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Day(Date),
    Instant(Timestamp),
}

#[derive(Debug, Clone)]
enum OptionLiteral {
    Value(i32),
    Label(Box<str>),
}

/// Whether texts are compared letter by letter or in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `a` is not `A`.
    Sensitive,
    /// `a` is `A`.
    Insensitive,
}

impl Literal {
    /// Reads a spelling.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let trimmed = text.trim();
        Self {
            text: text.into(),
            folded: text.to_lowercase().into(),
            number: number(trimmed),
            boolean: boolean(trimmed),
            moment: parse_moment(trimmed),
            guid: Uuid::try_parse(trimmed).ok(),
            options: text
                .split(OPTION_SEPARATOR)
                .map(str::trim)
                .filter(|option| !option.is_empty())
                .map(OptionLiteral::new)
                .collect(),
        }
    }

    /// Whether the spelling is one for columns of a type. Which options and labels a column has is another question.
    #[must_use]
    pub const fn spells(&self, column_type: ColumnType) -> bool {
        use ColumnType as Type;
        if self.text.is_empty() {
            return true;
        }
        match column_type {
            Type::Boolean => self.boolean.is_some(),
            Type::Integer | Type::BigInt | Type::Decimal | Type::Double | Type::Money => self.number.is_some(),
            Type::DateTime => self.moment.is_some(),
            Type::DateOnly => matches!(self.moment, Some(Moment::Day(_))),
            Type::Uniqueidentifier | Type::Lookup | Type::Customer | Type::Owner => self.guid.is_some(),
            Type::String | Type::Memo | Type::EntityName | Type::Picklist | Type::State | Type::Status => true,
            Type::MultiSelectPicklist => true,
            Type::Unsupported => false,
        }
    }

    /// Whether a value is the one that is spelled.
    #[must_use]
    pub fn equals(&self, value: &Value, case: Case) -> bool {
        if self.text.is_empty() {
            return value.is_empty();
        }
        match value {
            Value::Null => false,
            Value::Text(text) => match case {
                Case::Sensitive => *text == self.text,
                Case::Insensitive => text.to_lowercase() == *self.folded,
            },
            Value::Boolean(value) => self.boolean == Some(*value),
            Value::Guid(id) => self.guid == Some(*id),
            Value::Choice(choice) => self.is_choice(choice),
            Value::Choices(choices) => {
                choices.len() == self.options.len()
                    && choices
                        .iter()
                        .all(|choice| self.options.iter().any(|option| option.is(choice)))
            }
            Value::Integer(_) | Value::Decimal(_) | Value::Double(_) | Value::Timestamp(_) | Value::Date(_) => {
                self.compare(value) == Some(Ordering::Equal)
            }
        }
    }

    /// How a number, date or time stands to the one that is spelled; `None` for other values.
    #[must_use]
    pub fn compare(&self, value: &Value) -> Option<Ordering> {
        match value {
            Value::Integer(value) => self.compare_number(Decimal::from(*value), *value as f64),
            Value::Decimal(value) => self.compare_number(*value, f64::try_from(*value).ok()?),
            Value::Double(value) => value.partial_cmp(&self.number?.nearest),
            Value::Timestamp(moment) => match self.moment? {
                Moment::Day(day) => Some(moment::day_of(*moment).cmp(&day)),
                Moment::Instant(instant) => Some(moment.cmp(&instant)),
            },
            Value::Date(date) => match self.moment? {
                Moment::Day(day) => Some(date.cmp(&day)),
                Moment::Instant(instant) => Some(date.cmp(&moment::day_of(instant))),
            },
            _ => None,
        }
    }

    /// Whether a text holds the one that is spelled, in any case, or a list of options the option.
    #[must_use]
    pub fn is_contained_in(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) => text.to_lowercase().contains(&*self.folded),
            Value::Choices(choices) => choices.iter().any(|choice| self.is_choice(choice)),
            _ => false,
        }
    }

    /// Whether a text begins with the one that is spelled, in any case.
    #[must_use]
    pub fn begins(&self, value: &Value) -> bool {
        matches!(value, Value::Text(text) if text.to_lowercase().starts_with(&*self.folded))
    }

    /// Whether a text ends with the one that is spelled, in any case.
    #[must_use]
    pub fn ends(&self, value: &Value) -> bool {
        matches!(value, Value::Text(text) if text.to_lowercase().ends_with(&*self.folded))
    }

    /// Whether an option is the one that is spelled.
    #[must_use]
    pub fn is_choice(&self, choice: &Choice) -> bool {
        // The whole text as well: a label may hold a comma.
        matches!(&*self.options, [only] if only.is(choice)) || is_label(choice, &self.folded)
    }

    fn compare_number(&self, exact: Decimal, nearest: f64) -> Option<Ordering> {
        let number = self.number?;
        match number.exact {
            Some(other) => Some(exact.cmp(&other)),
            None => nearest.partial_cmp(&number.nearest),
        }
    }
}

impl OptionLiteral {
    fn new(text: &str) -> Self {
        match text.parse() {
            Ok(value) => Self::Value(value),
            Err(_) => Self::Label(text.to_lowercase().into()),
        }
    }

    fn is(&self, choice: &Choice) -> bool {
        match self {
            Self::Value(value) => choice.value == *value,
            Self::Label(folded) => is_label(choice, folded),
        }
    }
}

fn is_label(choice: &Choice, folded: &str) -> bool {
    choice
        .label
        .as_deref()
        .is_some_and(|label| label.to_lowercase() == *folded)
}

fn number(text: &str) -> Option<Number> {
    let is_plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if !text.bytes().all(is_plain) {
        return None;
    }
    Some(Number {
        nearest: text.parse().ok()?,
        exact: text.parse().ok(),
    })
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" => Some(true),
        "0" => Some(false),
        word if word.eq_ignore_ascii_case("true") => Some(true),
        word if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn parse_moment(text: &str) -> Option<Moment> {
    // Ten characters are a date without a time in every form that is read.
    if text.len() == 10 {
        return Some(Moment::Day(moment::parse(text).ok()?.date()));
    }
    moment::parse_timestamp(text).ok().map(Moment::Instant)
}
