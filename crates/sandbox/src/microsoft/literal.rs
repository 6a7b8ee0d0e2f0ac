//! Values as text: literals in URLs, moments and dates in JSON (contracts/dataverse.md §2.5, §4.5).

use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use uuid::Uuid;

use super::schema::{Behavior, ColumnKind};
use super::store::{Cell, MONEY_SCALE};

/// The earliest moment a column can hold, 1753-01-01T00:00:00Z, in seconds since 1970.
pub(crate) const EARLIEST_MOMENT: i64 = -6_847_804_800;

/// The first day of [`parse_date`]'s count.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// The value of a URL literal for a column; `quoted` says whether it stood in quotes. `None` if the types do not fit.
pub(crate) fn cell_of_literal(kind: &ColumnKind, text: &str, quoted: bool) -> Option<Cell> {
    match kind {
        ColumnKind::Text { .. } | ColumnKind::Memo { .. } | ColumnKind::MultiSelect(_) | ColumnKind::Image => {
            quoted.then(|| Cell::text(text))
        }
        ColumnKind::Integer { .. }
        | ColumnKind::BigInt
        | ColumnKind::Picklist(_)
        | ColumnKind::State(_)
        | ColumnKind::Status(_) => text.parse().ok().map(Cell::Integer),
        ColumnKind::Money { .. } => money_of_decimal(Decimal::from_str(text).ok()?).map(Cell::Integer),
        ColumnKind::Decimal { .. } => Decimal::from_str(text).ok().map(Cell::Decimal),
        ColumnKind::Double { .. } => text.parse().ok().map(Cell::Double),
        ColumnKind::Boolean { .. } => text.parse().ok().map(Cell::Boolean),
        ColumnKind::DateTime {
            behavior: Behavior::DateOnly,
            ..
        } => parse_date(text).map(Cell::Integer),
        ColumnKind::DateTime { .. } => parse_moment(text).map(Cell::Integer),
        ColumnKind::UniqueIdentifier | ColumnKind::Lookup { .. } => parse_guid(text).map(Cell::Guid),
    }
}

/// A GUID, hyphenated, with or without braces.
pub(crate) fn parse_guid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text.trim_matches(['{', '}'])).ok()
}

/// An amount in units of 10^-[`MONEY_SCALE`]; digits beyond are rounded away.
pub(crate) fn money_of_decimal(amount: Decimal) -> Option<i64> {
    (amount * Decimal::from(10_i64.pow(MONEY_SCALE))).round().to_i64()
}

/// A moment in seconds since 1970 UTC. Without an offset it is taken as UTC; fractions of seconds are dropped.
pub(crate) fn parse_moment(text: &str) -> Option<i64> {
    let moment = Timestamp::from_str(text).ok().or_else(|| {
        DateTime::from_str(text)
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })?;
    Some(moment.as_second())
}

/// A date without time part, in days since 1970-01-01.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    if text.len() != "1970-01-01".len() {
        return None;
    }
    Date::from_str(text)
        .ok()
        .map(|date| i64::from(EPOCH.until(date).map_or(0, |span| span.get_days())))
}

/// The date of a number of days since 1970-01-01.
pub fn date_of_days(days: i64) -> Date {
    EPOCH.saturating_add(days.days())
}

/// The moment of a number of seconds since 1970 UTC.
pub fn timestamp_of_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_without_offset_are_utc() {
        assert_eq!(
            parse_moment("2026-01-31T21:59:01Z"),
            parse_moment("2026-01-31T21:59:01")
        );
        assert_eq!(
            parse_moment("2026-01-31T23:59:01+02:00"),
            parse_moment("2026-01-31T21:59:01.999Z")
        );
        assert_eq!(parse_moment("1753-01-01T00:00:00Z"), Some(EARLIEST_MOMENT));
        assert_eq!(parse_moment("soon"), None);
    }

    #[test]
    fn dates_have_no_time_part() {
        assert_eq!(parse_date("1970-01-02"), Some(1));
        assert_eq!(parse_date("1970-01-02T00:00:00Z"), None);
        assert_eq!(parse_date("1970-02-30"), None);
        assert_eq!(
            date_of_days(parse_date("1900-03-01").unwrap()).to_string(),
            "1900-03-01"
        );
    }

    #[test]
    fn money_keeps_four_decimals() {
        assert_eq!(money_of_decimal(Decimal::from_str("12.34567").unwrap()), Some(123_457));
    }
}
