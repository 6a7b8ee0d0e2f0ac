//! Liveness: the loops of a service still turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Longer than any turn of a loop that polls: it turns many times a second, and waits for nobody longer than some seconds.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Knows when each loop of a service last gave a sign of life. Clones are the same thing.
#[derive(Debug, Clone)]
pub struct Liveness {
    shared: Arc<Shared>,
    scope: String,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    loops: Mutex<Vec<Arc<Pulse>>>,
}

#[derive(Debug)]
struct Pulse {
    name: String,
    stale_after: Duration,
    /// Milliseconds from `Shared::started` to the last beat.
    last_beat: AtomicU64,
}

/// A loop that gave no sign of life for longer than it should.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SilentLoop {
    /// Name of the loop.
    pub name: String,
    /// How long it has been silent, in whole seconds.
    pub silent_s: u64,
}

/// The sign of life of one loop; see [`Liveness::heartbeat`]. Dropped with the loop, which then is no longer watched: the
/// end of a task is the [supervisor](crate::supervise)'s business.
#[derive(Debug)]
pub struct Heartbeat {
    shared: Arc<Shared>,
    pulse: Arc<Pulse>,
}

impl Default for Liveness {
    fn default() -> Self {
        Self::new()
    }
}

impl Liveness {
    /// Live: nothing is watched yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                started: Instant::now(),
                loops: Mutex::default(),
            }),
            scope: String::new(),
        }
    }

    /// The part of one service in a process of several: its loops carry its name.
    #[must_use]
    pub fn scoped(&self, service: &str) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            scope: format!("{}{service}: ", self.scope),
        }
    }

    /// Watches a loop that [beats](Heartbeat::beat) at every turn. It counts as stuck when it has not done so for longer
    /// than `stale_after`, which must exceed the longest turn, waits included. The first turn starts now.
    #[must_use = "the loop is watched as long as its heartbeat is held"]
    pub fn heartbeat(&self, name: &str, stale_after: Duration) -> Heartbeat {
        let pulse = Pulse {
            name: format!("{}{name}", self.scope),
            stale_after,
            last_beat: AtomicU64::new(self.shared.now()),
        };
        let pulse = Arc::new(pulse);
        self.shared.loops.lock().push(Arc::clone(&pulse));
        Heartbeat {
            shared: Arc::clone(&self.shared),
            pulse,
        }
    }

    /// A heartbeat for a loop that polls and belongs to a part which knows nothing of this one: what the loop runs at every
    /// turn, also while it waits for a system that is away. It counts as stuck when it has not done so for a minute, and is
    /// watched until this is dropped.
    pub fn beats(&self, name: &str) -> impl Fn() + Send + Sync + use<> {
        let heartbeat = self.heartbeat(name, STUCK_AFTER);
        move || heartbeat.beat()
    }

    /// Whether every loop still turns.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.silent().is_empty()
    }

    /// The loops that are stuck; empty when live.
    #[must_use]
    pub fn silent(&self) -> Vec<SilentLoop> {
        let now = self.shared.now();
        let loops = self.shared.loops.lock();
        loops.iter().filter_map(|pulse| pulse.silent(now)).collect()
    }
}

impl Shared {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Pulse {
    fn silent(&self, now: u64) -> Option<SilentLoop> {
        let silence = Duration::from_millis(now.saturating_sub(self.last_beat.load(Ordering::Relaxed)));
        let is_silent = silence > self.stale_after;
        is_silent.then(|| SilentLoop {
            name: self.name.clone(),
            silent_s: silence.as_secs(),
        })
    }
}

impl Heartbeat {
    /// The loop turns. Costs one clock reading and one atomic store.
    pub fn beat(&self) {
        self.pulse.last_beat.store(self.shared.now(), Ordering::Relaxed);
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.shared
            .loops
            .lock()
            .retain(|pulse| !Arc::ptr_eq(pulse, &self.pulse));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn silent_loop_is_named_until_it_beats_again() {
        let liveness = Liveness::new();
        let (poll, fold) = (
            liveness.heartbeat("poll", 10 * SECOND),
            liveness.heartbeat("fold", 30 * SECOND),
        );
        tokio::time::advance(10 * SECOND).await;
        assert!(liveness.is_live(), "not longer than allowed yet");
        tokio::time::advance(5 * SECOND).await;
        fold.beat();
        assert_eq!(
            liveness.silent(),
            [SilentLoop {
                name: "poll".to_owned(),
                silent_s: 15
            }]
        );
        poll.beat();
        assert!(liveness.is_live());
    }

    #[tokio::test(start_paused = true)]
    async fn loop_that_left_is_not_watched() {
        let liveness = Liveness::new();
        drop(liveness.heartbeat("poll", SECOND));
        tokio::time::advance(60 * SECOND).await;
        assert!(liveness.is_live());
    }

    #[tokio::test(start_paused = true)]
    async fn loop_that_polls_is_stuck_after_a_minute_without_a_turn() {
        let liveness = Liveness::new();
        let beat = liveness.beats("control log");
        tokio::time::advance(50 * SECOND).await;
        beat();
        tokio::time::advance(60 * SECOND).await;
        assert!(liveness.is_live());
        tokio::time::advance(SECOND).await;
        assert_eq!(liveness.silent()[0].name, "control log");
        drop(beat);
        assert!(liveness.is_live());
    }

    #[tokio::test(start_paused = true)]
    async fn loops_of_a_part_carry_its_name() {
        let process = Liveness::new();
        let _heartbeat = process.scoped("reader").heartbeat("poll", SECOND);
        tokio::time::advance(2 * SECOND).await;
        assert_eq!(process.silent()[0].name, "reader: poll");
    }
}
