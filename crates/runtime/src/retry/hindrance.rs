//! What a status says while an operation is retried.

use crosswalk_core::worker::Hindrance;
use jiff::Timestamp;

use super::RetryEvent;
use crate::error::chain;

/// Turns what happens to a retried operation into what a status says of it: `throttled until`, `retrying since`, or nothing.
#[derive(Debug, Clone)]
pub struct HindranceTracker {
    system: &'static str,
    since: Option<Timestamp>,
}

impl HindranceTracker {
    /// `system` is who may throttle the operation, e.g. `Adobe Campaign`.
    #[must_use]
    pub const fn new(system: &'static str) -> Self {
        Self { system, since: None }
    }

    /// What holds the operation up after this event; `None` once it has succeeded.
    pub fn after(&mut self, event: RetryEvent<'_>) -> Option<Hindrance> {
        let RetryEvent::Waiting {
            delay,
            throttled,
            error,
            ..
        } = event
        else {
            self.since = None;
            return None;
        };
        let now = Timestamp::now();
        let since = *self.since.get_or_insert(now);
        Some(if throttled {
            Hindrance::Throttled {
                by: self.system.to_owned(),
                until: now + delay,
            }
        } else {
            Hindrance::Retrying {
                error: chain(error).to_string(),
                since,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn waiting(error: &std::io::Error, throttled: bool) -> RetryEvent<'_> {
        RetryEvent::Waiting {
            attempt: 1,
            delay: Duration::from_secs(3),
            throttled,
            error,
        }
    }

    #[test]
    fn an_operation_that_keeps_failing_is_retrying_since_it_first_failed() {
        let error = std::io::Error::other("connection reset");
        let mut tracker = HindranceTracker::new("Adobe Campaign");
        let first = tracker.after(waiting(&error, false));
        let second = tracker.after(waiting(&error, false));
        assert_eq!(first, second);
        assert!(matches!(first, Some(Hindrance::Retrying { error, .. }) if error == "connection reset"));
        assert_eq!(tracker.after(RetryEvent::Recovered { attempt: 3 }), None);
    }

    #[test]
    fn an_operation_that_is_asked_to_wait_is_throttled_by_the_system_until_then() {
        let error = std::io::Error::other("too many requests");
        let before = Timestamp::now();
        let hindrance = HindranceTracker::new("Adobe Campaign").after(waiting(&error, true));
        let Some(Hindrance::Throttled { by, until }) = hindrance else {
            panic!("it is throttled: {hindrance:?}")
        };
        assert_eq!(by, "Adobe Campaign");
        assert!(until >= before + Duration::from_secs(3));
    }
}
