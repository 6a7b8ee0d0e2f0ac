//! A simulated destination shows where the limit settles.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;

const SETTINGS: ConcurrencySettings = ConcurrencySettings {
    min: 1,
    initial: 4,
    max: 512,
};
const MILLISECOND: Duration = Duration::from_millis(1);

/// A deterministic sequence of numbers in `0.0..1.0`.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Keeps the destination as busy as the limit allows.
struct Simulation {
    limit: ConcurrencyLimit,
    now: Duration,
    in_flight: BinaryHeap<Reverse<(Duration, Duration)>>,
    noise: Noise,
    lowest: usize,
    completed: usize,
}

impl Simulation {
    fn new() -> Self {
        Self {
            limit: ConcurrencyLimit::new(SETTINGS),
            now: Duration::ZERO,
            in_flight: BinaryHeap::new(),
            noise: Noise(7),
            lowest: usize::MAX,
            completed: 0,
        }
    }

    /// Runs for `time` with `demand` keys ready; `latency` is given the number in flight and a random number.
    fn run(&mut self, time: Duration, demand: usize, latency: impl Fn(usize, f64) -> Duration) -> &mut Self {
        let end = self.now + time;
        self.lowest = usize::MAX;
        self.completed = 0;
        while self.now < end {
            while self.in_flight.len() < self.limit.current().min(demand) {
                let done = self.now + latency(self.in_flight.len() + 1, self.noise.next());
                self.in_flight.push(Reverse((done, self.now)));
                if self.in_flight.len() >= self.limit.current() {
                    self.limit.used();
                }
            }
            let Reverse((done, started)) = self.in_flight.pop().unwrap();
            self.now = done;
            self.limit.finished(started, done);
            self.lowest = self.lowest.min(self.limit.current());
            self.completed += 1;
        }
        self
    }
}

fn constant(milliseconds: u32) -> impl Fn(usize, f64) -> Duration {
    move |_, _| MILLISECOND * milliseconds
}

#[test]
fn reaches_64_lanes_at_20_ms_within_a_second() {
    let mut simulation = Simulation::new();
    simulation.run(Duration::from_secs(1), 5_000, constant(20));
    assert!(simulation.limit.current() >= 64, "{}", simulation.limit.current());
}

#[test]
fn constant_latency_reaches_the_maximum_and_stays() {
    let mut simulation = Simulation::new();
    simulation.run(Duration::from_secs(2), 5_000, constant(20));
    simulation.run(Duration::from_secs(60), 5_000, constant(20));
    assert_eq!(simulation.lowest, SETTINGS.max);
}

#[test]
fn mild_jitter_does_not_bring_the_limit_down() {
    let mut simulation = Simulation::new();
    let jitter = |_: usize, noise: f64| Duration::from_secs_f64(0.015 + 0.015 * noise);
    simulation.run(Duration::from_secs(2), 5_000, jitter);
    simulation.run(Duration::from_secs(60), 5_000, jitter);
    assert!(simulation.lowest >= SETTINGS.max / 2, "fell to {}", simulation.lowest);
}

#[test]
fn rare_slow_answers_do_not_bring_the_limit_down() {
    let mut simulation = Simulation::new();
    let tail = |_: usize, noise: f64| {
        if noise > 0.99 {
            MILLISECOND * 1_500
        } else {
            MILLISECOND * 20
        }
    };
    simulation.run(Duration::from_secs(2), 5_000, tail);
    simulation.run(Duration::from_secs(60), 5_000, tail);
    assert!(simulation.lowest >= SETTINGS.max / 2, "fell to {}", simulation.lowest);
}

/// The destination serves 50 at a time at 20 ms; more than that queue up behind one another.
#[test]
fn overload_settles_near_what_the_destination_can_serve() {
    let mut simulation = Simulation::new();
    let queueing = |in_flight: usize, noise: f64| {
        Duration::from_secs_f64(0.020 * (in_flight as f64 / 50.0).max(1.0) * (0.95 + 0.1 * noise))
    };
    simulation.run(Duration::from_secs(5), 5_000, queueing);
    simulation.run(Duration::from_secs(60), 5_000, queueing);
    assert!(simulation.lowest >= 40, "fell to {}", simulation.lowest);
    assert!(
        simulation.limit.current() <= 150,
        "rose to {}",
        simulation.limit.current()
    );
    assert!(
        simulation.completed >= 60 * 50 * 50 * 9 / 10,
        "{} in a minute",
        simulation.completed
    );
}

/// Inserts may take three times as long as updates: that is no overload.
#[test]
fn slower_kind_of_work_becomes_the_new_baseline() {
    let mut simulation = Simulation::new();
    simulation.run(Duration::from_secs(5), 5_000, constant(20));
    simulation.run(Duration::from_secs(5), 5_000, constant(60));
    assert!(simulation.lowest >= SETTINGS.max / 8, "fell to {}", simulation.lowest);
    simulation.run(Duration::from_secs(20), 5_000, constant(60));
    assert_eq!(simulation.limit.current(), SETTINGS.max);
}

#[test]
fn limit_that_is_not_used_does_not_rise() {
    let mut simulation = Simulation::new();
    simulation.run(Duration::from_secs(10), 3, constant(20));
    assert_eq!(simulation.limit.current(), SETTINGS.initial);
}

#[test]
fn burst_of_throttle_answers_counts_once() {
    let mut simulation = Simulation::new();
    simulation.run(Duration::from_secs(2), 5_000, constant(20));
    let now = simulation.now;
    for late in 0..100 {
        simulation
            .limit
            .throttled(now - MILLISECOND * 20, now + MILLISECOND * late);
    }
    assert_eq!(simulation.limit.current(), SETTINGS.max / 2);
    simulation
        .limit
        .throttled(now + MILLISECOND * 30, now + MILLISECOND * 50);
    assert_eq!(
        simulation.limit.current(),
        SETTINGS.max / 4,
        "a job started since is a new answer"
    );
}

#[test]
fn throttling_never_goes_below_the_minimum_and_recovers_step_by_step() {
    let mut limit = ConcurrencyLimit::new(ConcurrencySettings { min: 3, ..SETTINGS });
    for second in 1..20 {
        limit.throttled(Duration::from_secs(second), Duration::from_secs(second));
    }
    assert_eq!(limit.current(), 3);
    let later = Duration::from_secs(30);
    for _ in 0..MIN_SAMPLES {
        limit.used();
        limit.finished(later, later + MILLISECOND * 20);
    }
    assert_eq!(limit.current(), 5);
}

#[test]
fn pause_at_the_instant_of_a_throttle_answer_is_the_same_decrease() {
    let mut limit = ConcurrencyLimit::new(ConcurrencySettings {
        initial: 100,
        ..SETTINGS
    });
    limit.throttled(MILLISECOND, MILLISECOND * 20);
    limit.paused(MILLISECOND * 20);
    assert_eq!(limit.current(), 50);
}
