//! Conversion to numbers and booleans.

use std::fmt::Display;

use rust_decimal::prelude::ToPrimitive;

use super::{ConvertError, incompatible};
use crate::{Value, schema::FieldType};

/// 2⁶³: the least double above what 64 bits hold, and with a minus sign the least one within.
const TWO_TO_THE_63: f64 = 9_223_372_036_854_775_808.0;

/// A value, which is not empty, as a boolean: itself, or a number or text that is one of the two.
pub(super) fn boolean(value: &Value) -> Result<bool, ConvertError> {
    if let Value::Text(text) = value {
        return match text.as_ref() {
            "1" => Ok(true),
            "0" => Ok(false),
            word if word.eq_ignore_ascii_case("true") => Ok(true),
            word if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(ConvertError::NotABoolean),
        };
    }
    match whole(value, FieldType::Boolean) {
        Ok(1) => Ok(true),
        Ok(0) => Ok(false),
        Err(error @ ConvertError::Incompatible { .. }) => Err(error),
        Ok(_) | Err(_) => Err(ConvertError::NotABoolean),
    }
}

/// A value, which is not empty, as a whole number within the range of the field's type.
pub(super) fn integer(value: &Value, field_type: FieldType) -> Result<i64, ConvertError> {
    let number = whole(value, field_type)?;
    let (min, max) = range(field_type);
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(beyond(number, field_type))
    }
}

/// A value, which is not empty, as the nearest double.
pub(super) fn double(value: &Value) -> Result<f64, ConvertError> {
    let number = match value {
        Value::Boolean(value) => f64::from(u8::from(*value)),
        Value::Integer(value) => *value as f64,
        // By way of its text: `Decimal::to_f64` divides in floating point and is not always the nearest.
        Value::Decimal(value) => nearest(&value.to_string())?,
        Value::Double(value) if value.is_finite() => *value,
        Value::Double(_) => return Err(ConvertError::NotFinite),
        Value::Text(text) => nearest(number_text(text)?)?,
        Value::Choice(choice) => f64::from(choice.value),
        _ => return Err(incompatible(value, FieldType::Double)),
    };
    if number.is_finite() {
        // Turns the negative zero into zero.
        Ok(number + 0.0)
    } else {
        Err(out_of_range(
            shown(value),
            format!("{:e}", f64::MIN),
            format!("{:e}", f64::MAX),
        ))
    }
}

/// A value, which is not empty, as the nearest single precision number.
pub(super) fn float(value: &Value) -> Result<f32, ConvertError> {
    let number = match value {
        // Straight from the digits: rounding to a double in between could end at the neighbour of the nearest.
        Value::Integer(value) => *value as f32,
        Value::Decimal(value) => nearest(&value.to_string())?,
        Value::Text(text) => nearest(number_text(text)?)?,
        Value::Boolean(_) | Value::Double(_) | Value::Choice(_) => double(value)? as f32,
        _ => return Err(incompatible(value, FieldType::Float)),
    };
    if number.is_finite() {
        Ok(number + 0.0)
    } else {
        Err(out_of_range(
            shown(value),
            format!("{:e}", f32::MIN),
            format!("{:e}", f32::MAX),
        ))
    }
}

/// A value as a whole number of 64 bits.
fn whole(value: &Value, field_type: FieldType) -> Result<i64, ConvertError> {
    match value {
        Value::Boolean(value) => Ok(i64::from(*value)),
        Value::Integer(value) => Ok(*value),
        Value::Decimal(value) if !value.fract().is_zero() => Err(ConvertError::FractionLost),
        Value::Decimal(value) => value.to_i64().ok_or_else(|| beyond(value.normalize(), field_type)),
        Value::Double(value) => whole_double(*value, field_type),
        Value::Text(text) => whole_text(text, field_type),
        Value::Choice(choice) => Ok(i64::from(choice.value)),
        _ => Err(incompatible(value, field_type)),
    }
}

fn whole_double(value: f64, field_type: FieldType) -> Result<i64, ConvertError> {
    if !value.is_finite() {
        Err(ConvertError::NotFinite)
    } else if value.fract() != 0.0 {
        Err(ConvertError::FractionLost)
    } else if (-TWO_TO_THE_63..TWO_TO_THE_63).contains(&value) {
        Ok(value as i64)
    } else {
        Err(beyond(format!("{value:e}"), field_type))
    }
}

fn whole_text(text: &str, field_type: FieldType) -> Result<i64, ConvertError> {
    let (digits, fraction) = number_text(text)?.split_once('.').unwrap_or((text, ""));
    if fraction.bytes().any(|digit| digit != b'0') {
        return Err(ConvertError::FractionLost);
    }
    // The syntax is right by now, so only the size can be wrong.
    digits.parse().map_err(|_| beyond(shorten(digits), field_type))
}

/// The text, if it spells a number: an optional minus sign, digits, and optionally a point and digits.
fn number_text(text: &str) -> Result<&str, ConvertError> {
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_number = match unsigned.split_once('.') {
        Some((digits, fraction)) => are_digits(digits) && are_digits(fraction),
        None => are_digits(unsigned),
    };
    if is_number {
        Ok(text)
    } else {
        Err(ConvertError::NotANumber)
    }
}

fn nearest<T: std::str::FromStr>(digits: &str) -> Result<T, ConvertError> {
    digits.parse().map_err(|_| ConvertError::NotANumber)
}

/// The least and the greatest number of a field of whole numbers (contracts/campaign.md §5.1). A boolean has the
/// widest range here because what is not 0 or 1 has an error of its own.
const fn range(field_type: FieldType) -> (i64, i64) {
    match field_type {
        FieldType::Byte => (i8::MIN as i64, i8::MAX as i64),
        FieldType::Short => (i16::MIN as i64, i16::MAX as i64),
        FieldType::Integer => (i32::MIN as i64, i32::MAX as i64),
        _ => (i64::MIN, i64::MAX),
    }
}

fn beyond(value: impl Display, field_type: FieldType) -> ConvertError {
    let (min, max) = range(field_type);
    out_of_range(value.to_string(), min.to_string(), max.to_string())
}

const fn out_of_range(value: String, min: String, max: String) -> ConvertError {
    ConvertError::OutOfRange { value, min, max }
}

/// A number that is too large for a floating point field, for the error message.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => shorten(text),
        Value::Double(value) => format!("{value:e}"),
        _ => value.type_name().to_owned(),
    }
}

/// The first digits of a number that may have thousands of them.
fn shorten(digits: &str) -> String {
    const SHOWN: usize = 24;
    match digits.get(..SHOWN) {
        Some(start) if digits.len() > SHOWN => format!("{start}…"),
        _ => digits.to_owned(),
    }
}
