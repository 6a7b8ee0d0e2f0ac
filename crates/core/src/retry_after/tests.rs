use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-11-22T06:00:00Z";

/// What an answer with these headers asks for, in seconds.
fn delay(text: &str, date: Option<&str>) -> Option<u64> {
    let header = |name: &str| match name {
        "retry-after" => Some(text),
        "date" => date,
        _ => None,
    };
    retry_after(header, NOW.parse().unwrap()).map(|delay| delay.as_secs())
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
        ("+5", None),
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
    assert_eq!(delay("Sun, 22 Nov 2026 06:00:05 GMT", Some("today")), Some(5));
}

#[test]
fn no_header_is_no_delay() {
    assert_eq!(retry_after(|_| None, NOW.parse().unwrap()), None);
}

proptest! {
    #[test]
    fn any_headers_give_at_most_a_day(text in "\\PC{0,60}", date in proptest::option::of("\\PC{0,60}")) {
        prop_assert!(delay(&text, date.as_deref()).is_none_or(|delay| delay <= 86_400));
    }
}
