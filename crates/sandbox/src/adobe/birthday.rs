//! The `birthday` filter. Only the names of its parameters are public (contracts/campaign.md §3.4); what they mean here
//! is a convention of ours:
//!
//! * `type=absolute` (if not given): `operator=equal` (if not given) takes `day` and `month`, `operator=between` goes on
//!   to `endDay` and `endMonth`, over the turn of the year if need be; `includeStart` and `includeEnd` are `true` unless
//!   they say `false`.
//! * `type=relative`: `relativeValue` is `current` (if not given), `next` or `previous`, the latter two with that many
//!   units in `nextUnitsValue` or `previousUnitsValue`, the present one not among them.
//! * `precision=day` (if not given) or `precision=month`, in which days do not count.

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan};

use super::error::CampaignError;
use super::query::{Parameters, invalid};

/// More units would pass over the whole year anyway.
const MOST_UNITS: i64 = 366;
/// A year with all days a birthday can fall on.
const LEAP_YEAR: i16 = 2024;

/// Days of the year as `month * 100 + day`, in ascending order.
pub(super) type Days = Vec<i64>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Precision {
    Day,
    Month,
}

/// The days the parameters describe, seen from `today`; `None` if they describe none, which sets no condition.
pub(super) fn days(parameters: &Parameters, today: Date) -> Result<Option<Days>, CampaignError> {
    let precision = match choice(parameters, "precision", &["day", "month"])? {
        None | Some("day") => Precision::Day,
        Some(_) => Precision::Month,
    };
    let days = match choice(parameters, "type", &["absolute", "relative"])? {
        Some("relative") => relative(parameters, precision, today)?,
        _ => match choice(parameters, "operator", &["equal", "between"])? {
            Some("between") => between(parameters, precision)?,
            _ => equal(parameters, precision)?,
        },
    };
    Ok(days.map(|mut days| {
        days.sort_unstable();
        days.dedup();
        days
    }))
}

fn equal(parameters: &Parameters, precision: Precision) -> Result<Option<Days>, CampaignError> {
    let Some(first) = day_of(parameters, precision, ("day", "month"))? else {
        return Ok(None);
    };
    Ok(Some(unit(first, precision)))
}

fn between(parameters: &Parameters, precision: Precision) -> Result<Option<Days>, CampaignError> {
    let first = day_of(parameters, precision, ("day", "month"))?;
    let last = day_of(parameters, precision, ("endDay", "endMonth"))?;
    let Some((first, last)) = first.zip(last) else {
        return Ok(None);
    };
    let included = |name: &str| parameters.get(name) != Some("false");
    let (with_first, with_last) = (included("includeStart"), included("includeEnd"));
    let step = step(precision);
    let mut days = Days::new();
    let mut next = first;
    for _ in 0..MOST_UNITS {
        if (next != first || with_first) && (next != last || with_last) {
            days.extend(unit(next, precision));
        }
        if next == last {
            break;
        }
        next = in_leap_year(next.saturating_add(step));
    }
    Ok(Some(days))
}

fn relative(parameters: &Parameters, precision: Precision, today: Date) -> Result<Option<Days>, CampaignError> {
    let (name, sign) = match choice(parameters, "relativeValue", &["current", "next", "previous"])? {
        Some("next") => ("nextUnitsValue", 1),
        Some("previous") => ("previousUnitsValue", -1),
        _ => return Ok(Some(unit(today, precision))),
    };
    let units = number(parameters, name, 0..=i64::MAX)?.unwrap_or(1).min(MOST_UNITS);
    let step = step(precision);
    // Months are counted from their first day: the 31st has no counterpart in most of them.
    let from = match precision {
        Precision::Day => today,
        Precision::Month => today.first_of_month(),
    };
    let days = (1..=units).flat_map(|count| unit(from.saturating_add(step * (sign * count)), precision));
    Ok(Some(days.collect()))
}

fn step(precision: Precision) -> Span {
    match precision {
        Precision::Day => 1.day(),
        Precision::Month => 1.month(),
    }
}

/// The days of a unit.
fn unit(day: Date, precision: Precision) -> Days {
    let of_month = i64::from(day.month()) * 100;
    match precision {
        Precision::Day => vec![of_month + i64::from(day.day())],
        Precision::Month => (1..=31).map(|day| of_month + day).collect(),
    }
}

fn in_leap_year(day: Date) -> Date {
    Date::new(LEAP_YEAR, day.month(), day.day()).unwrap_or(day)
}

/// The day two parameters name; without a month there is none.
fn day_of(
    parameters: &Parameters,
    precision: Precision,
    (day, month): (&str, &str),
) -> Result<Option<Date>, CampaignError> {
    let Some(month_number) = number(parameters, month, 1..=12)? else {
        return Ok(None);
    };
    let month_number = i8::try_from(month_number).unwrap_or(1);
    let first = date(LEAP_YEAR, month_number, 1);
    if precision == Precision::Month {
        return Ok(Some(first));
    }
    let Some(day_number) = number(parameters, day, 1..=i64::from(first.days_in_month()))? else {
        return Ok(None);
    };
    Ok(Some(first.saturating_add((day_number - 1).days())))
}

/// The value of a parameter that takes these words.
fn choice<'a>(parameters: &'a Parameters, name: &str, words: &[&str]) -> Result<Option<&'a str>, CampaignError> {
    match parameters.get(name).filter(|value| !value.is_empty()) {
        Some(value) if !words.contains(&value) => Err(invalid(name, value)),
        value => Ok(value),
    }
}

fn number(
    parameters: &Parameters,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, CampaignError> {
    let Some(text) = parameters.get(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.map(Some).ok_or_else(|| invalid(name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(today: Date, query: &str) -> Option<Days> {
        days(&Parameters::parse(query), today).unwrap()
    }

    fn absolute(query: &str) -> Option<Days> {
        on(date(2026, 3, 1), query)
    }

    #[test]
    fn absolute_days_and_months() {
        assert_eq!(absolute("day=29&month=2"), Some(vec![229]));
        assert_eq!(absolute("type=absolute&precision=month&month=2").unwrap().len(), 31);
        assert_eq!(absolute("day=29"), None, "no month, no condition");
        assert_eq!(absolute(""), None);
    }

    #[test]
    fn period_runs_over_the_turn_of_the_year_and_leaves_out_its_ends_when_asked() {
        let period = "operator=between&day=30&month=12&endDay=2&endMonth=1";
        assert_eq!(absolute(period), Some(vec![101, 102, 1230, 1231]));
        assert_eq!(
            absolute(&format!("{period}&includeStart=false&includeEnd=false")),
            Some(vec![101, 1231])
        );
        let february = absolute("operator=between&day=28&month=2&endDay=1&endMonth=3");
        assert_eq!(february, Some(vec![228, 229, 301]));
    }

    #[test]
    fn relative_units_are_counted_from_the_present_one() {
        let today = date(2026, 12, 31);
        assert_eq!(on(today, "type=relative"), Some(vec![1231]));
        let next = "type=relative&relativeValue=next&nextUnitsValue=2";
        assert_eq!(on(today, next), Some(vec![101, 102]));
        let previous = "type=relative&relativeValue=previous&previousUnitsValue=1&precision=month";
        assert_eq!(on(today, previous).unwrap().first(), Some(&1101));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for query in [
            "day=30&month=2",
            "day=x&month=2",
            "month=13&precision=month",
            "type=lunar",
            "operator=like",
        ] {
            assert!(days(&Parameters::parse(query), date(2026, 3, 1)).is_err(), "{query}");
        }
    }
}
