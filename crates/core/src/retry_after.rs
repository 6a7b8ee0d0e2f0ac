//! The `Retry-After` header of HTTP: seconds or a date (RFC 9110 §10.2.3).

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

#[cfg(test)]
mod tests;

/// Longest delay believed. Longer ones are cut, so that a broken header cannot stop a workflow for years.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The three forms of an HTTP date: the preferred one, then the two that recipients must still accept (RFC 9110 §5.6.7).
const DATE_FORMS: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

/// The delay that an answer asks for with its `Retry-After` header, at most [`LONGEST_RETRY_AFTER`]; none where there is no
/// such header or it cannot be read. A date that has passed is no delay. `header` gives the text of a header by its name.
///
/// A date is compared with the answer's own `Date` where it has one, since the two clocks may differ, else with `now`.
#[must_use]
pub fn retry_after<'a>(header: impl Fn(&str) -> Option<&'a str>, now: Timestamp) -> Option<Duration> {
    let text = header("retry-after")?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a very long time all the same.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER));
    }
    let until = http_date(text)?;
    let sent = header("date").and_then(http_date).unwrap_or(now);
    let delay = Duration::try_from(until.duration_since(sent)).unwrap_or_default();
    Some(delay.min(LONGEST_RETRY_AFTER))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let datetime = DATE_FORMS
        .iter()
        .find_map(|form| DateTime::strptime(form, text.trim()).ok())?;
    TimeZone::UTC.to_timestamp(datetime).ok()
}
