//! Conversion to dates and moments in UTC.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::Offset,
};

use super::{ConvertError, incompatible};
use crate::{Value, schema::FieldType};

/// A value, which is not empty, as a date.
pub(super) fn date(value: &Value) -> Result<Date, ConvertError> {
    match value {
        Value::Date(date) => writable_date(*date),
        Value::Timestamp(timestamp) => Ok(utc(*timestamp)?.date()),
        Value::Text(text) => Ok(parse(text)?.date()),
        _ => Err(incompatible(value, FieldType::Date)),
    }
}

/// A value, which is not empty, as a moment in UTC.
pub(super) fn date_time(value: &Value) -> Result<DateTime, ConvertError> {
    match value {
        Value::Date(date) => Ok(midnight(writable_date(*date)?)),
        Value::Timestamp(timestamp) => utc(*timestamp),
        Value::Text(text) => parse(text),
        _ => Err(incompatible(value, FieldType::DateTime)),
    }
}

/// A moment's date and time in UTC.
pub(super) fn utc(timestamp: Timestamp) -> Result<DateTime, ConvertError> {
    let moment = Offset::UTC.to_datetime(timestamp);
    writable_date(moment.date()).map(|_| moment)
}

/// The date, if its year can be written with four digits.
pub(super) fn writable_date(date: Date) -> Result<Date, ConvertError> {
    if (1..=9999).contains(&date.year()) {
        Ok(date)
    } else {
        Err(ConvertError::DateOutOfRange)
    }
}

const fn midnight(date: Date) -> DateTime {
    date.at(0, 0, 0, 0)
}

/// The day of a moment in UTC.
pub(in crate::mapping) fn day_of(timestamp: Timestamp) -> Date {
    Offset::UTC.to_datetime(timestamp).date()
}

/// Reads `YYYY-MM-DD` as midnight UTC and RFC 3339, with `T` or a blank, as the moment it names.
pub(in crate::mapping) fn parse(text: &str) -> Result<DateTime, ConvertError> {
    // jiff accepts more of ISO 8601 than is unambiguous to people, so the shape is checked first.
    if has_shape(text, "0000-00-00") && text.len() == 10 {
        let date: Date = text.parse().map_err(|_| ConvertError::NotADate)?;
        Ok(midnight(writable_date(date)?))
    } else {
        utc(parse_timestamp(text)?)
    }
}

/// Reads RFC 3339, with `T` or a blank.
pub(in crate::mapping) fn parse_timestamp(text: &str) -> Result<Timestamp, ConvertError> {
    if has_shape(text, "0000-00-00T00:00") && !text.contains('[') {
        text.parse().map_err(|_| ConvertError::NotADate)
    } else {
        Err(ConvertError::NotADate)
    }
}

/// Whether a text starts like the shape, in which `0` stands for any digit and `T` for itself or a blank.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() >= shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b' '),
            _ => byte == expected,
        })
}
