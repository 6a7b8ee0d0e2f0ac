//! How long to wait before the next attempt: a pure function of the attempt, what the other side asked for, and chance.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings::{Problem, Validate};

/// Exponential delays between two bounds.
///
/// A delay the other side asks for (`Retry-After`) replaces the exponential one: it is never cut short, save by
/// [`maximum_asked`](Self::maximum_asked), which guards against an absurd answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// The shortest delay.
    #[serde(with = "humantime_serde")]
    pub minimum: Duration,
    /// The longest delay of our own choosing.
    #[serde(with = "humantime_serde")]
    pub maximum: Duration,
    /// What each further failure multiplies the delay by; at least 1.
    pub factor: f64,
    /// The longest delay that is granted when the other side asks for one.
    #[serde(with = "humantime_serde")]
    pub maximum_asked: Duration,
}

impl Default for Backoff {
    /// 200 ms to 30 s, doubling. Asked delays up to 15 minutes: three times the longest window of the Dataverse service
    /// protection limits (5 minutes, contracts/dataverse.md §7).
    fn default() -> Self {
        Self {
            minimum: Duration::from_millis(200),
            maximum: Duration::from_secs(30),
            factor: 2.0,
            maximum_asked: Duration::from_secs(15 * 60),
        }
    }
}

impl Backoff {
    /// The delay before the attempt that follows the failed attempt number `attempt` (the first is 1).
    ///
    /// `after` is the delay the other side asked for, if it did. `jitter` is a random number from 0 to 1 which spreads
    /// many waiters: over the upper half of the exponential delay, or over one [`minimum`](Self::minimum) *after* the
    /// asked one, so that it is never earlier than asked. A number outside 0 to 1 counts as the nearest bound.
    #[must_use]
    pub fn delay(&self, attempt: u32, after: Option<Duration>, jitter: f64) -> Duration {
        let jitter = if jitter.is_nan() { 0.0 } else { jitter.clamp(0.0, 1.0) };
        match after {
            Some(asked) => self.asked(asked, jitter),
            None => self.exponential(attempt, jitter),
        }
    }

    fn asked(&self, asked: Duration, jitter: f64) -> Duration {
        asked
            .max(self.minimum)
            .min(self.maximum_asked)
            .saturating_add(self.minimum.mul_f64(jitter))
    }

    fn exponential(&self, attempt: u32, jitter: f64) -> Duration {
        let (minimum, maximum) = (self.minimum.as_secs_f64(), self.maximum.as_secs_f64());
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
        // `f64::min` and `max` also tame the infinity of a large exponent.
        let ceiling = (minimum * self.factor.powi(exponent)).min(maximum).max(minimum);
        let floor = (ceiling / 2.0).max(minimum);
        Duration::try_from_secs_f64(floor + (ceiling - floor) * jitter).unwrap_or(self.maximum)
    }
}

impl Validate for Backoff {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.minimum.is_zero() {
            problems.push(Problem::new(
                "minimum",
                "must be longer than zero, or failing calls repeat without a pause",
            ));
        }
        if self.maximum < self.minimum {
            problems.push(Problem::new("maximum", "must not be shorter than `minimum`"));
        }
        if self.maximum_asked < self.minimum {
            problems.push(Problem::new("maximum_asked", "must not be shorter than `minimum`"));
        }
        if !self.factor.is_finite() || self.factor < 1.0 {
            problems.push(Problem::new("factor", "must be a number of at least 1"));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: Backoff = Backoff {
        minimum: Duration::from_millis(100),
        maximum: Duration::from_secs(10),
        factor: 2.0,
        maximum_asked: Duration::from_secs(60),
    };

    fn milliseconds(attempt: u32, jitter: f64) -> u128 {
        BACKOFF.delay(attempt, None, jitter).as_millis()
    }

    #[test]
    fn delay_doubles_from_minimum_to_maximum() {
        assert_eq!(
            [1, 2, 3, 4].map(|attempt| milliseconds(attempt, 0.0)),
            [100, 200, 400, 800]
        );
        assert_eq!(
            [1, 2, 3, 4].map(|attempt| milliseconds(attempt, 1.0)),
            [200, 400, 800, 1600]
        );
        assert_eq!(milliseconds(1_000_000, 1.0), 10_000);
        assert_eq!(milliseconds(u32::MAX, 0.0), 5_000);
    }

    #[test]
    fn asked_delay_is_kept_to_the_second_and_spread_only_afterwards() {
        let asked = Some(Duration::from_secs(7));
        assert_eq!(BACKOFF.delay(9, asked, 0.0), Duration::from_secs(7));
        assert_eq!(BACKOFF.delay(9, asked, 1.0), Duration::from_millis(7100));
    }

    #[test]
    fn absurd_asked_delays_are_clamped_into_our_bounds() {
        assert_eq!(BACKOFF.delay(1, Some(Duration::MAX), 0.0), Duration::from_secs(60));
        assert_eq!(BACKOFF.delay(1, Some(Duration::ZERO), 0.0), Duration::from_millis(100));
    }

    #[test]
    fn every_bad_bound_is_a_problem_of_its_own() {
        let bad = Backoff {
            minimum: Duration::ZERO,
            maximum: Duration::ZERO,
            factor: f64::NAN,
            maximum_asked: Duration::ZERO,
        };
        let keys: Vec<_> = bad.problems().iter().map(|problem| problem.key().to_owned()).collect();
        assert_eq!(keys, ["minimum", "factor"]);
        assert!(BACKOFF.problems().is_empty() && Backoff::default().problems().is_empty());
    }

    proptest! {
        #[test]
        fn delay_stays_between_the_bounds_for_any_input(
            attempt: u32, jitter: f64, factor: f64, minimum in 0u64..5_000, more in 0u64..100_000,
        ) {
            let backoff = Backoff {
                minimum: Duration::from_millis(minimum),
                maximum: Duration::from_millis(minimum + more),
                factor,
                maximum_asked: Duration::from_secs(60),
            };
            let delay = backoff.delay(attempt, None, jitter);
            let rounding = Duration::from_micros(1);
            prop_assert!(delay + rounding >= backoff.minimum && delay <= backoff.maximum + rounding);
        }

        #[test]
        fn delay_is_never_earlier_than_asked(attempt: u32, jitter: f64, asked in 0u64..60_000) {
            let asked = Duration::from_millis(asked);
            prop_assert!(BACKOFF.delay(attempt, Some(asked), jitter) >= asked);
        }
    }
}
