//! The `Retry-After` header: seconds or an HTTP date (RFC 9110 §10.2.3).

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Longest delay believed. Longer ones are cut, so that a broken header cannot stop a workflow for years.
const MAX_DELAY: Duration = Duration::from_secs(24 * 3600);

/// The three forms of an HTTP date: the preferred one, then the two that recipients must still accept (RFC 9110 §5.6.7).
const DATE_FORMS: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

/// The delay asked for, at most a day; none where the header is absent or cannot be read.
///
/// A date is compared with the answer's own `Date` where it has one, since the two clocks may differ, else with `now`.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a very long time all the same.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(MAX_DELAY));
    }
    let until = http_date(text)?;
    let server_time = headers
        .get(DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(http_date);
    let delay = until.duration_since(server_time.unwrap_or(now));
    Some(Duration::try_from(delay).unwrap_or_default().min(MAX_DELAY))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let datetime = DATE_FORMS
        .iter()
        .find_map(|form| DateTime::strptime(form, text.trim()).ok())?;
    TimeZone::UTC.to_timestamp(datetime).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2026-11-22T06:00:00Z";

    fn delay(retry_after_header: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_header.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers, NOW.parse().unwrap()).map(|delay| delay.as_secs())
    }

    #[test]
    fn seconds_and_all_forms_of_dates_are_read() {
        for (header, seconds) in [
            ("0", Some(0)),
            ("17", Some(17)),
            (" 3 ", Some(3)),
            ("99999999999999999999999", Some(86_400)),
            ("Sun, 22 Nov 2026 06:00:30 GMT", Some(30)),
            ("Sunday, 22-Nov-26 06:01:00 GMT", Some(60)),
            ("Sun Nov 22 06:02:00 2026", Some(120)),
            ("Sun, 22 Nov 2026 05:00:00 GMT", Some(0)),
            ("Tue, 22 Nov 2033 05:00:00 GMT", Some(86_400)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(delay(header, None), seconds, "{header}");
        }
    }

    #[test]
    fn a_date_is_measured_by_the_clock_that_wrote_it() {
        let ten_minutes_slow = Some("Sun, 22 Nov 2026 05:50:00 GMT");
        assert_eq!(delay("Sun, 22 Nov 2026 05:50:05 GMT", ten_minutes_slow), Some(5));
    }

    #[test]
    fn no_header_is_no_delay() {
        assert_eq!(retry_after(&HeaderMap::new(), NOW.parse().unwrap()), None);
    }

    proptest! {
        #[test]
        fn any_header_gives_at_most_a_day(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(value) = http::HeaderValue::from_bytes(&bytes) {
                let mut headers = HeaderMap::new();
                headers.insert(RETRY_AFTER, value.clone());
                headers.insert(DATE, value);
                let delay = retry_after(&headers, NOW.parse().unwrap());
                prop_assert!(delay.is_none_or(|delay| delay <= MAX_DELAY));
            }
        }
    }
}
