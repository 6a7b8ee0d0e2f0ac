//! What was used up in a sliding window of time. Pure: the moment comes in as an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Parts of the window that are counted as one, so that memory and exactness are bounded.
const SLICES: u32 = 100;

/// Requests of one part of the window.
#[derive(Debug, Clone, Copy)]
struct Slice {
    start: Instant,
    requests: usize,
    execution: Duration,
}

/// Requests and execution time of the last while.
#[derive(Debug, Default)]
pub(super) struct Window {
    slices: VecDeque<Slice>,
}

impl Window {
    /// Forgets what is older than `length`.
    pub(super) fn slide(&mut self, now: Instant, length: Duration) {
        while self
            .slices
            .front()
            .is_some_and(|slice| now.saturating_duration_since(slice.start) >= length)
        {
            self.slices.pop_front();
        }
    }

    /// Requests counted.
    pub(super) fn requests(&self) -> usize {
        self.slices.iter().map(|slice| slice.requests).sum()
    }

    /// Execution time charged.
    pub(super) fn execution(&self) -> Duration {
        self.slices.iter().map(|slice| slice.execution).sum()
    }

    /// Counts a request that begins.
    pub(super) fn count(&mut self, now: Instant, length: Duration) {
        self.slice(now, length).requests += 1;
    }

    /// Charges the time a request took that ends.
    pub(super) fn charge(&mut self, now: Instant, length: Duration, took: Duration) {
        self.slice(now, length).execution += took;
    }

    /// Until something is forgotten; zero if there is nothing.
    pub(super) fn until_it_slides(&self, now: Instant, length: Duration) -> Duration {
        self.slices.front().map_or(Duration::ZERO, |slice| {
            length.saturating_sub(now.saturating_duration_since(slice.start))
        })
    }

    fn slice(&mut self, now: Instant, length: Duration) -> &mut Slice {
        let is_current = |slice: &Slice| now.saturating_duration_since(slice.start) < length / SLICES;
        if !self.slices.back().is_some_and(is_current) {
            self.slices.push_back(Slice {
                start: now,
                requests: 0,
                execution: Duration::ZERO,
            });
        }
        self.slices.back_mut().expect("a slice was pushed if there was none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(300);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let start = Instant::now();
        let mut window = Window::default();
        window.count(start, LENGTH);
        window.charge(start + seconds(1), LENGTH, seconds(1));
        window.count(start + seconds(200), LENGTH);
        window.slide(start + seconds(299), LENGTH);
        assert_eq!((window.requests(), window.execution()), (2, seconds(1)));
        assert_eq!(window.until_it_slides(start + seconds(299), LENGTH), seconds(1));
        window.slide(start + seconds(300), LENGTH);
        assert_eq!((window.requests(), window.execution()), (1, Duration::ZERO));
        window.slide(start + seconds(500), LENGTH);
        assert_eq!(window.requests(), 0);
        assert_eq!(window.until_it_slides(start + seconds(500), LENGTH), Duration::ZERO);
    }

    #[test]
    fn time_of_a_request_longer_than_the_window_is_charged_when_it_ends() {
        let start = Instant::now();
        let mut window = Window::default();
        window.count(start, LENGTH);
        window.slide(start + seconds(400), LENGTH);
        window.charge(start + seconds(400), LENGTH, seconds(400));
        assert_eq!(window.execution(), seconds(400));
    }

    #[test]
    fn memory_is_bounded_however_many_requests_there_are() {
        let start = Instant::now();
        let mut window = Window::default();
        for millisecond in 0..600_000 {
            let now = start + Duration::from_millis(millisecond);
            window.slide(now, LENGTH);
            window.count(now, LENGTH);
        }
        assert!(window.slices.len() <= 101, "{}", window.slices.len());
        assert!(window.requests() > 290_000, "{}", window.requests());
    }
}
