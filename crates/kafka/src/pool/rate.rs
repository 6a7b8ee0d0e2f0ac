//! A settable limit on jobs started per second.

use std::time::Duration;

/// How much unused allowance is kept: a tenth of a second's worth, so that a timer's granularity costs no throughput.
const BURST: Duration = Duration::from_millis(100);

/// Jobs per second, more than none.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// A rate of `per_second` jobs, or `None` if that is not a number above zero.
    #[must_use]
    pub fn per_second(per_second: f64) -> Option<Self> {
        (per_second.is_finite() && per_second > 0.0).then_some(Self(per_second))
    }

    /// Jobs per second.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// Time between two jobs. A day at most: a rate below one job a day is no sensible setting.
    fn interval(self) -> Duration {
        const LONGEST: f64 = 86_400.0;
        Duration::from_secs_f64((1.0 / self.0).min(LONGEST))
    }
}

/// A token bucket, kept as the time at which it would be full again if nothing more were taken (the generic cell rate
/// algorithm): one number, no refill to run.
#[derive(Debug)]
pub(super) struct RateLimit {
    rate: Option<Rate>,
    spent_until: Duration,
}

impl RateLimit {
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self {
            rate,
            spent_until: Duration::ZERO,
        }
    }

    /// Takes effect at once: what an earlier, lower rate would still have held back is forgiven down to one burst.
    pub(super) fn set(&mut self, rate: Option<Rate>, now: Duration) {
        self.rate = rate;
        self.spent_until = self.spent_until.min(now + BURST);
    }

    /// Takes the allowance for one job, or says when there will be one.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        if self.spent_until > now + BURST {
            return Err(self.spent_until - BURST);
        }
        self.spent_until = self.spent_until.max(now) + rate.interval();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_until(limit: &mut RateLimit, from: Duration, until: Duration) -> usize {
        let mut now = from;
        let mut taken = 0;
        while now < until {
            match limit.take(now) {
                Ok(()) => taken += 1,
                Err(at) => {
                    assert!(at > now, "the next allowance lies in the future");
                    now = at;
                }
            }
        }
        taken
    }

    #[test]
    fn long_run_follows_the_rate_with_one_burst_on_top() {
        for per_second in [0.5, 7.0, 1_000.0, 30_000.0] {
            let mut limit = RateLimit::new(Rate::per_second(per_second));
            let taken = taken_until(&mut limit, Duration::ZERO, Duration::from_secs(20)) as f64;
            assert!(taken >= per_second * 20.0 - 1.0, "{taken} at {per_second}/s");
            // Intervals are whole nanoseconds: at 30,000/s that is one part in 100,000.
            assert!(taken <= per_second * 20.1 * 1.000_01 + 2.0, "{taken} at {per_second}/s");
        }
    }

    #[test]
    fn idle_time_is_not_saved_up_beyond_a_burst() {
        let mut limit = RateLimit::new(Rate::per_second(100.0));
        let hour = Duration::from_secs(3_600);
        let burst = (0..).take_while(|_| limit.take(hour).is_ok()).count();
        assert_eq!(burst, 11);
    }

    #[test]
    fn raised_rate_counts_at_once() {
        let mut limit = RateLimit::new(Rate::per_second(0.001));
        while limit.take(Duration::ZERO).is_ok() {}
        limit.set(Rate::per_second(1_000.0), Duration::ZERO);
        let taken = taken_until(&mut limit, Duration::ZERO, Duration::from_secs(1));
        assert!(taken >= 999, "{taken} in the first second");
    }

    #[test]
    fn no_rate_means_no_limit() {
        let mut limit = RateLimit::new(None);
        assert!((0..100_000).all(|_| limit.take(Duration::ZERO).is_ok()));
    }

    #[test]
    fn rate_is_a_number_above_zero() {
        for refused in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Rate::per_second(refused), None);
        }
    }
}
