//! Conversions between messages of the API and domain types. Requests are checked by whoever serves them; here is only
//! how a thing looks on the wire.

mod catalog;
mod code;
mod dead_letter;
mod instance;
mod mapping;
mod methods;
mod workflow;

pub use catalog::{resource, table};
pub use code::code_name;
pub use dead_letter::dead_letter;
pub use instance::instance;
pub use mapping::{UnknownValues, definition, filter, mapping, options, pending_replay};
pub use methods::methods;
pub use workflow::{WorkflowView, difference, workflow};

use jiff::Timestamp;

/// A moment on the wire.
#[must_use]
pub fn timestamp(moment: Timestamp) -> pbjson_types::Timestamp {
    const NANOSECONDS: i128 = 1_000_000_000;
    let nanoseconds = moment.as_nanosecond();
    let seconds = i64::try_from(nanoseconds.div_euclid(NANOSECONDS));
    let rest = i32::try_from(nanoseconds.rem_euclid(NANOSECONDS));
    pbjson_types::Timestamp {
        seconds: seconds.expect("jiff's range of moments is far smaller than 64 bits of seconds"),
        nanos: rest.expect("less than a second of nanoseconds"),
    }
}

/// A count on the wire, where whole numbers are signed.
fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_before_1970_have_a_positive_part_of_a_second() {
        for (text, seconds, nanos) in [
            ("1970-01-01T00:00:01.5Z", 1, 500_000_000),
            ("1969-12-31T23:59:59.25Z", -1, 250_000_000),
            ("1970-01-01T00:00:00Z", 0, 0),
        ] {
            let moment = timestamp(text.parse().unwrap());
            assert_eq!((moment.seconds, moment.nanos), (seconds, nanos), "{text}");
        }
    }
}
