//! Moments as people read them.

use jiff::{SignedDuration, Timestamp};

use super::DASH;

/// How long ago a moment was, e.g. `3 min ago`, or in what time it will be, e.g. `in 30 s`.
pub(crate) fn ago(moment: &pbjson_types::Timestamp, now: Timestamp) -> String {
    let Ok(moment) = Timestamp::new(moment.seconds, moment.nanos) else {
        return DASH.to_owned();
    };
    let passed = now.duration_since(moment);
    let span = span(passed);
    if span.starts_with('0') {
        "just now".to_owned()
    } else if passed.is_negative() {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

/// As [`ago`], with a dash for a moment that is not known.
pub(crate) fn ago_or_dash(moment: Option<&pbjson_types::Timestamp>, now: Timestamp) -> String {
    moment.map_or_else(|| DASH.to_owned(), |moment| ago(moment, now))
}

/// A length of time in the largest unit that fits, rounded down.
fn span(duration: SignedDuration) -> String {
    let seconds = duration.unsigned_abs().as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_the_largest_unit_that_fits() {
        let now = Timestamp::from_second(1_790_000_000).expect("is a moment");
        let told = |seconds_ago: i64| {
            ago(
                &pbjson_types::Timestamp {
                    seconds: now.as_second() - seconds_ago,
                    nanos: 0,
                },
                now,
            )
        };
        for (seconds_ago, expected) in [
            (0, "just now"),
            (1, "1 s ago"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (3_600, "1 h ago"),
            (86_400, "24 h ago"),
            (172_800, "2 days ago"),
            (40_000_000, "462 days ago"),
            (-30, "in 30 s"),
        ] {
            assert_eq!(told(seconds_ago), expected);
        }
    }

    #[test]
    fn a_moment_out_of_range_is_a_dash() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(
            ago(
                &pbjson_types::Timestamp {
                    seconds: i64::MAX,
                    nanos: 0
                },
                now
            ),
            DASH
        );
        assert_eq!(ago_or_dash(None, now), DASH);
    }
}
