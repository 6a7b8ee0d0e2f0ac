//! Dates and times as Campaign writes them (contracts/campaign.md §2.5).

use jiff::{Span, Timestamp, civil, tz};

/// Milliseconds since 1970 in UTC.
pub(super) type Milliseconds = i64;

/// The present moment.
pub(super) fn now() -> Milliseconds {
    Timestamp::now().as_millisecond()
}

/// The present day in UTC.
pub(super) fn today() -> civil::Date {
    tz::Offset::UTC.to_datetime(Timestamp::now()).date()
}

/// Whether a text is an ISO 8601 duration such as `P10D` (contracts/campaign.md §2.5).
pub(super) fn is_duration(text: &str) -> bool {
    // The parser also knows a friendlier format, which does not begin with a P.
    text.starts_with('P') && text.parse::<Span>().is_ok()
}

/// Appends `2019-09-26 11:49:48.817Z`.
pub(super) fn write_datetime(out: &mut Vec<u8>, moment: Milliseconds) {
    let timestamp = Timestamp::from_millisecond(moment).unwrap_or(Timestamp::UNIX_EPOCH);
    let datetime = tz::Offset::UTC.to_datetime(timestamp);
    write_ymd(
        out,
        i64::from(datetime.year()),
        i64::from(datetime.month()),
        i64::from(datetime.day()),
    );
    out.push(b' ');
    write_digits(out, i64::from(datetime.hour()), 2);
    out.push(b':');
    write_digits(out, i64::from(datetime.minute()), 2);
    out.push(b':');
    write_digits(out, i64::from(datetime.second()), 2);
    out.push(b'.');
    write_digits(out, i64::from(datetime.millisecond()), 3);
    out.push(b'Z');
}

/// The same as text.
pub(super) fn datetime_text(moment: Milliseconds) -> String {
    let mut out = Vec::with_capacity(24);
    write_datetime(&mut out, moment);
    String::from_utf8(out).expect("only digits and punctuation were written")
}

/// A moment written as `2019-09-26 11:49:48.817Z`, or with `T` and any offset, which is accepted by convention (§2.5).
pub(super) fn parse_datetime(text: &str) -> Option<Milliseconds> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// A calendar day as the number `yyyymmdd`: it sorts as days do and is never 0.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i16> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(i64::from(year) * 10_000 + i64::from(month) * 100 + i64::from(day))
}

/// Appends `1984-02-29` for the number `19840229`.
pub(super) fn write_date(out: &mut Vec<u8>, date: i64) {
    write_ymd(out, date / 10_000, date / 100 % 100, date % 100);
}

/// Full years between a `yyyymmdd` day and a moment; 0 for days to come.
pub(super) fn age(birth_date: i64, moment: Milliseconds) -> i64 {
    let timestamp = Timestamp::from_millisecond(moment).unwrap_or(Timestamp::UNIX_EPOCH);
    let today = tz::Offset::UTC.to_datetime(timestamp).date();
    let today = i64::from(today.year()) * 10_000 + i64::from(today.month()) * 100 + i64::from(today.day());
    // The difference of two yyyymmdd numbers holds the full years in its upper digits.
    ((today - birth_date) / 10_000).max(0)
}

fn write_ymd(out: &mut Vec<u8>, year: i64, month: i64, day: i64) {
    write_digits(out, year, 4);
    out.push(b'-');
    write_digits(out, month, 2);
    out.push(b'-');
    write_digits(out, day, 2);
}

fn write_digits(out: &mut Vec<u8>, number: i64, width: u32) {
    for position in (0..width).rev() {
        let digit = number / 10_i64.pow(position) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetime_reads_both_separators_and_writes_the_space() {
        for text in [
            "2019-09-26 11:49:48.817Z",
            "2019-09-26T11:49:48.817Z",
            "2019-09-26T13:49:48.817+02:00",
        ] {
            assert_eq!(datetime_text(parse_datetime(text).unwrap()), "2019-09-26 11:49:48.817Z");
        }
        assert_eq!(parse_datetime("2019-09-26"), None);
        assert_eq!(parse_datetime("tomorrow"), None);
        assert_eq!(datetime_text(-1), "1969-12-31 23:59:59.999Z");
    }

    #[test]
    fn date_takes_real_days_only() {
        let mut out = Vec::new();
        write_date(&mut out, parse_date("1984-02-29").unwrap());
        assert_eq!(out, b"1984-02-29");
        for text in [
            "1985-02-29",
            "1984-2-29",
            "1984-13-01",
            "84-02-29",
            "1984-02-29T",
            "+984-02-29",
            "",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn duration_takes_iso_8601_only() {
        for text in ["P10D", "P1Y2M", "PT12H"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["10 days", "P", "P10", "-P10D", "10"] {
            assert!(!is_duration(text), "{text}");
        }
    }

    #[test]
    fn age_counts_full_years() {
        let moment = parse_datetime("2026-02-28 12:00:00Z").unwrap();
        assert_eq!(age(19_840_228, moment), 42);
        assert_eq!(age(19_840_229, moment), 41);
        assert_eq!(age(20_270_101, moment), 0);
    }
}
