//! Conversion to text: the canonical form of every value, and what a text field can hold.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use super::{ConvertError, moment};
use crate::{
    Choice, Value,
    mapping::{
        ChoiceForm, MappingOptions, OverLong,
        target_value::{DateText, DateTimeText},
    },
    schema::{Field, FieldType},
};

/// Length of a string field whose metadata tells none, in characters (contracts/campaign.md §5.1).
pub const DEFAULT_STRING_LENGTH: u32 = 255;

/// Between technical values, as Dataverse writes them (contracts/dataverse.md §4.5).
const VALUE_SEPARATOR: &str = ",";
/// Between labels, as Dataverse writes them (contracts/dataverse.md §4.5).
const LABEL_SEPARATOR: &str = "; ";

/// A value, which is not empty, as the text of a field.
pub(super) fn from_value<'a>(
    value: &'a Value,
    field: &Field,
    options: MappingOptions,
) -> Result<Cow<'a, str>, ConvertError> {
    let text = canonical(value, options.choices)?;
    let fitted = fit(text, field, may_be_cut(value, options.choices), options.over_long)?;
    check_characters(&fitted)?;
    Ok(fitted)
}

/// The longest text a field can hold, in characters; `None` where there is no limit.
pub(in crate::mapping) fn longest(field: &Field) -> Option<u32> {
    match field.field_type {
        FieldType::String => Some(field.max_length.unwrap_or(DEFAULT_STRING_LENGTH)),
        _ => field.max_length,
    }
}

/// The one text form a value has.
fn canonical(value: &Value, form: ChoiceForm) -> Result<Cow<'_, str>, ConvertError> {
    let text = match value {
        Value::Null => return Ok(Cow::Borrowed("")),
        Value::Text(text) => return Ok(Cow::Borrowed(text)),
        Value::Boolean(true) => return Ok(Cow::Borrowed("true")),
        Value::Boolean(false) => return Ok(Cow::Borrowed("false")),
        Value::Integer(value) => value.to_string(),
        Value::Decimal(value) => value.normalize().to_string(),
        // Adding zero turns the negative zero into zero.
        Value::Double(value) if value.is_finite() => (value + 0.0).to_string(),
        Value::Double(_) => return Err(ConvertError::NotFinite),
        Value::Timestamp(timestamp) => DateTimeText(moment::utc(*timestamp)?).to_string(),
        Value::Date(date) => DateText(moment::writable_date(*date)?).to_string(),
        Value::Guid(id) => id.as_hyphenated().to_string(),
        Value::Choice(choice) => return option_text(choice, form),
        Value::Choices(choices) => choices
            .iter()
            .map(|choice| option_text(choice, form))
            .collect::<Result<Vec<_>, _>>()?
            .join(separator(form)),
    };
    Ok(Cow::Owned(text))
}

/// What stands between options.
pub(in crate::mapping) const fn separator(form: ChoiceForm) -> &'static str {
    match form {
        ChoiceForm::TechnicalValue => VALUE_SEPARATOR,
        ChoiceForm::Label => LABEL_SEPARATOR,
    }
}

/// One option as text.
pub(in crate::mapping) fn option_text(choice: &Choice, form: ChoiceForm) -> Result<Cow<'_, str>, ConvertError> {
    match form {
        ChoiceForm::TechnicalValue => Ok(Cow::Owned(choice.value.to_string())),
        ChoiceForm::Label => match choice.label.as_deref() {
            Some(label) if !label.is_empty() => Ok(Cow::Borrowed(label)),
            _ => Err(ConvertError::NoLabel { option: choice.value }),
        },
    }
}

/// Whether the start of the value's text still means what the whole means.
const fn may_be_cut(value: &Value, form: ChoiceForm) -> bool {
    match value {
        Value::Text(_) => true,
        Value::Choice(_) | Value::Choices(_) => matches!(form, ChoiceForm::Label),
        _ => false,
    }
}

/// The text, cut where it is too long and may be cut.
fn fit<'a>(
    text: Cow<'a, str>,
    field: &Field,
    may_be_cut: bool,
    over_long: OverLong,
) -> Result<Cow<'a, str>, ConvertError> {
    let Some(max) = longest(field).map(|max| max as usize) else {
        return Ok(text);
    };
    // No text has more characters than bytes.
    if text.len() <= max {
        return Ok(text);
    }
    // The character after the last that fits is where the text would have to end.
    let Some((end, _)) = text.char_indices().nth(max) else {
        return Ok(text);
    };
    let length = || text.chars().count();
    match (may_be_cut, over_long) {
        (false, _) => Err(ConvertError::TooLongToCut { length: length(), max }),
        (true, OverLong::Reject) => Err(ConvertError::TooLong { length: length(), max }),
        (true, OverLong::Truncate) => {
            let end = cluster_boundary(&text, end);
            Ok(match text {
                Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
                Cow::Owned(mut text) => {
                    text.truncate(end);
                    Cow::Owned(text)
                }
            })
        }
    }
}

/// The last boundary between user-perceived characters at or before `end`, in bytes; `end` itself where the text begins
/// with one that is longer.
fn cluster_boundary(text: &str, end: usize) -> usize {
    text.grapheme_indices(true)
        .map(|(start, cluster)| start + cluster.len())
        .take_while(|boundary| *boundary <= end)
        .last()
        .unwrap_or(end)
}

fn check_characters(text: &str) -> Result<(), ConvertError> {
    match text.chars().enumerate().find(|(_, character)| is_forbidden(*character)) {
        None => Ok(()),
        Some((before, character)) => Err(ConvertError::ForbiddenCharacter {
            code_point: format!("U+{:04X}", u32::from(character)),
            place: before + 1,
        }),
    }
}

/// Whether XML 1.0 has no way to carry the character; NUL, which PostgreSQL refuses, is one of them.
const fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}
