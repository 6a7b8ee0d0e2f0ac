//! When to stop, and for how long work may still be finished.
//!
//! Stopping has two steps. *Stop* takes no new work and drains what is under way, under a deadline. *Abort* drops what is
//! under way. The first SIGINT or SIGTERM stops, the second aborts; tests and the standalone process call
//! [`Shutdown::stop`] and [`Shutdown::abort`] themselves and install no signals.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Tells everything in a process, or in one service of a process, when to stop. Clones are the same thing.
#[derive(Debug, Clone)]
pub struct Shutdown {
    stop: CancellationToken,
    abort: CancellationToken,
    drain_deadline: Duration,
}

impl Shutdown {
    /// Work under way is given `drain_deadline` to finish once told to stop.
    #[must_use]
    pub fn new(drain_deadline: Duration) -> Self {
        Self {
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
            drain_deadline,
        }
    }

    /// A shutdown of a part: it follows this one, but can also be stopped alone. Its drain deadline is a tenth shorter, so
    /// that the part can say what did not leave before the whole gives up on the part.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            stop: self.stop.child_token(),
            abort: self.abort.child_token(),
            drain_deadline: self.drain_deadline - self.drain_deadline / 10,
        }
    }

    /// The token that is cancelled when it is time to stop.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        &self.stop
    }

    /// The token that is cancelled when work under way is to be dropped.
    #[must_use]
    pub fn abort_token(&self) -> &CancellationToken {
        &self.abort
    }

    /// How long work under way may take once told to stop.
    #[must_use]
    pub fn drain_deadline(&self) -> Duration {
        self.drain_deadline
    }

    /// Says stop: take no new work, finish what is under way. Repeating it changes nothing.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Says abort: drop what is under way. Implies [`stop`](Self::stop).
    pub fn abort(&self) {
        self.stop.cancel();
        self.abort.cancel();
    }

    /// Whether it was told to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Completes when it is told to stop.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Completes when it is told to abort.
    pub async fn aborting(&self) {
        self.abort.cancelled().await;
    }

    /// From now on the first SIGINT or SIGTERM of this process stops, and the second aborts.
    ///
    /// The handlers stay for the rest of the process, so only the main of a service calls this.
    ///
    /// # Errors
    /// When the operating system refuses the handlers.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn on_signals(&self) -> io::Result<JoinHandle<()>> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(tokio::spawn(self.clone().follow(Signals { interrupt, terminate })))
    }

    async fn follow(self, mut signals: Signals) {
        let name = signals.next().await;
        let drain_deadline_s = self.drain_deadline.as_secs_f64();
        tracing::info!(
            signal.name = name,
            drain_deadline_s,
            "stopping; a second signal drops the work under way"
        );
        self.stop();
        let name = signals.next().await;
        tracing::warn!(signal.name = name, "aborting: work under way is dropped");
        self.abort();
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stop_reaches_children_but_not_parents() {
        let process = Shutdown::new(Duration::from_secs(1));
        let (one, other) = (process.child(), process.child());
        one.stop();
        assert!(one.is_stopping() && !other.is_stopping() && !process.is_stopping());
        process.stop();
        other.stopping().await;
        assert!(!other.abort_token().is_cancelled(), "stopping still lets work finish");
    }

    #[tokio::test]
    async fn abort_implies_stop_and_reaches_children() {
        let process = Shutdown::new(Duration::from_secs(1));
        let service = process.child();
        process.abort();
        service.stopping().await;
        service.aborting().await;
    }
}
