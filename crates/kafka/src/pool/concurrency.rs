//! How many jobs may be in flight: additive increase, multiplicative decrease.
//!
//! The limit is judged once a *round*, that is after about as many completions as it allows. The round's median
//! latency is held against a baseline, the lowest median seen:
//!
//! * Latency is bearable and the limit was used: the limit rises, at first twofold each round, after the first
//!   decrease by a fixed step.
//! * Latency is too high for two rounds running: the limit falls with it, to a half at most.
//! * The destination throttles: the limit falls to a half, once for all jobs that were in flight then.
//!
//! Latency that stays when the limit has fallen twice is not of our making (other operations, a slower destination);
//! it becomes the new baseline, so that a change of the work's kind cannot hold the limit at its minimum. Nothing else
//! raises the baseline: one that is forgotten with time creeps up under a load that we ourselves keep up.

use std::time::Duration;

use super::settings::ConcurrencySettings;

/// Completions judged together, at least; a median of fewer says little.
const MIN_SAMPLES: usize = 16;
/// Latency may grow to this multiple of the baseline before it counts as too high.
const TOLERANCE: f64 = 2.0;
/// Latency may always grow by this much: below it is the noise of our own machine.
const SLACK: Duration = Duration::from_millis(10);
/// Added to the limit in a good round after the first decrease.
const STEP: f64 = 2.0;
/// A decrease takes the limit to between these parts of itself.
const STEEPEST: f64 = 0.5;
const SLIGHTEST: f64 = 0.9;
/// Rounds of latency too high before the limit falls; one slow round is jitter.
const SLOW_ROUNDS: u32 = 2;
/// Decreases after which latency must have followed.
const FALLS_UNTIL_JUDGED: u32 = 2;

/// The adaptive limit on jobs in flight.
#[derive(Debug)]
pub(super) struct ConcurrencyLimit {
    min: f64,
    max: f64,
    limit: f64,
    /// Until the first decrease the limit doubles.
    doubling: bool,
    /// Latencies of this round.
    samples: Vec<Duration>,
    /// The limit kept something from starting in this round.
    used: bool,
    baseline: Option<Duration>,
    slow_rounds: u32,
    fall: Option<Fall>,
    /// Jobs started before this time ran under a higher limit and are not judged.
    fell_at: Duration,
}

/// A row of decreases.
#[derive(Debug, Clone, Copy)]
struct Fall {
    decreases: u32,
    /// Latency and limit at its start.
    latency: Duration,
    limit: f64,
}

impl ConcurrencyLimit {
    pub(super) fn new(settings: ConcurrencySettings) -> Self {
        let min = settings.min.max(1);
        let max = settings.max.max(min);
        Self {
            min: min as f64,
            max: max as f64,
            limit: settings.initial.clamp(min, max) as f64,
            doubling: true,
            samples: Vec::new(),
            used: false,
            baseline: None,
            slow_rounds: 0,
            fall: None,
            fell_at: Duration::ZERO,
        }
    }

    /// Jobs that may be in flight.
    pub(super) fn current(&self) -> usize {
        self.limit as usize
    }

    /// The limit was reached, or kept a job from starting.
    pub(super) fn used(&mut self) {
        self.used = true;
    }

    /// A job that called the destination has finished.
    pub(super) fn finished(&mut self, started: Duration, now: Duration) {
        if started < self.fell_at {
            return;
        }
        self.samples.push(now.saturating_sub(started));
        if self.samples.len() >= MIN_SAMPLES.max(self.current()) {
            self.end_round(now);
        }
    }

    /// The destination has refused a job because it is asked too much.
    pub(super) fn throttled(&mut self, started: Duration, now: Duration) {
        if started >= self.fell_at {
            self.decrease(STEEPEST, now);
        }
    }

    /// The destination is left alone for a while; what follows starts with less.
    pub(super) fn paused(&mut self, now: Duration) {
        if now > self.fell_at {
            self.decrease(STEEPEST, now);
        }
    }

    fn end_round(&mut self, now: Duration) {
        let middle = self.samples.len() / 2;
        let latency = *self.samples.select_nth_unstable(middle).1;
        self.samples.clear();
        let used = std::mem::take(&mut self.used);
        let baseline = self.baseline.map_or(latency, |lowest| lowest.min(latency));
        self.baseline = Some(baseline);
        let bearable = baseline.mul_f64(TOLERANCE).max(baseline + SLACK);
        if latency <= bearable {
            self.slow_rounds = 0;
            self.fall = None;
            if used {
                self.increase();
            }
            return;
        }
        self.slow_rounds += 1;
        if self.slow_rounds >= SLOW_ROUNDS {
            self.too_slow(latency, bearable, now);
        }
    }

    fn increase(&mut self) {
        let raised = if self.doubling {
            self.limit * 2.0
        } else {
            self.limit + STEP
        };
        self.limit = raised.min(self.max);
    }

    fn too_slow(&mut self, latency: Duration, bearable: Duration, now: Duration) {
        let start = Fall {
            decreases: 0,
            latency,
            limit: self.limit,
        };
        let mut fall = self.fall.unwrap_or(start);
        if fall.decreases >= FALLS_UNTIL_JUDGED {
            // Where we are the cause, latency falls as the limit does; half of that is proof enough.
            let expected = fall.latency.mul_f64(f64::midpoint(1.0, self.limit / fall.limit));
            if latency >= expected {
                self.baseline = Some(latency);
                self.slow_rounds = 0;
                self.fall = None;
                return;
            }
            fall = start;
        }
        fall.decreases += 1;
        self.fall = Some(fall);
        let gradient = bearable.as_secs_f64() / latency.as_secs_f64();
        self.decrease(gradient.clamp(STEEPEST, SLIGHTEST), now);
    }

    fn decrease(&mut self, factor: f64, now: Duration) {
        self.limit = (self.limit * factor).max(self.min);
        self.doubling = false;
        self.samples.clear();
        self.used = false;
        self.fell_at = now;
    }
}

#[cfg(test)]
mod tests;
