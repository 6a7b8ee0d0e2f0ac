//! Values as Campaign takes them, and their form in JSON.

use std::{borrow::Cow, fmt, io::Write};

use jiff::civil::{Date, DateTime};
use serde::Serialize;

/// A value converted for a Campaign field (contracts/campaign.md §2.5). It borrows from the source row and the field
/// where it can.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetValue<'a> {
    /// Text, the name of an enumeration's member, or `""`, which clears a text, date or datetime.
    Text(Cow<'a, str>),
    /// True or false.
    Boolean(bool),
    /// Whole number, checked against the range of its field.
    Integer(i64),
    /// Single precision number, finite.
    Float(f32),
    /// Double precision number, finite.
    Double(f64),
    /// Calendar date of the years 1 to 9999.
    Date(Date),
    /// Moment in UTC of the years 1 to 9999.
    DateTime(DateTime),
}

impl TargetValue<'_> {
    /// The text that clears a field which has no empty value of its own (contracts/campaign.md §2.5).
    pub(super) const EMPTY_TEXT: Self = Self::Text(Cow::Borrowed(""));

    /// The same value, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> TargetValue<'static> {
        match self {
            Self::Text(text) => TargetValue::Text(Cow::Owned(text.into_owned())),
            Self::Boolean(value) => TargetValue::Boolean(value),
            Self::Integer(value) => TargetValue::Integer(value),
            Self::Float(value) => TargetValue::Float(value),
            Self::Double(value) => TargetValue::Double(value),
            Self::Date(date) => TargetValue::Date(date),
            Self::DateTime(moment) => TargetValue::DateTime(moment),
        }
    }

    /// Appends the value as JSON.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => write_serialised(text, out),
            Self::Boolean(value) => write_serialised(value, out),
            Self::Integer(value) => write_serialised(value, out),
            Self::Float(value) => write_serialised(value, out),
            Self::Double(value) => write_serialised(value, out),
            Self::Date(date) => write_quoted(DateText(*date), out),
            Self::DateTime(moment) => write_quoted(DateTimeText(*moment), out),
        }
    }
}

/// Appends a scalar as JSON.
pub(super) fn write_serialised<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("scalars serialise, and writing to memory cannot fail");
}

/// Appends a text that needs no escaping as a JSON string.
pub(super) fn write_quoted(text: impl fmt::Display, out: &mut Vec<u8>) {
    write!(out, "\"{text}\"").expect("writing to memory cannot fail");
}

/// A date in its canonical form, `YYYY-MM-DD`.
pub(super) struct DateText(pub(super) Date);

impl fmt::Display for DateText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}-{:02}",
            self.0.year(),
            self.0.month(),
            self.0.day()
        )
    }
}

/// A moment in UTC in its canonical form, `YYYY-MM-DD HH:MM:SS.mmmZ`; what is finer than a millisecond is cut off.
pub(super) struct DateTimeText(pub(super) DateTime);

impl fmt::Display for DateTimeText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = self.0;
        write!(
            formatter,
            "{} {:02}:{:02}:{:02}.{:03}Z",
            DateText(moment.date()),
            moment.hour(),
            moment.minute(),
            moment.second(),
            moment.millisecond()
        )
    }
}
