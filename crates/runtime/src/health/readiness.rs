//! Readiness: false at first, released latch by latch.

use std::borrow::Cow;

use tokio::sync::watch;

/// Knows what a service still waits for before it is ready. Clones are the same thing.
///
/// Each part of a service that takes time to come up asks for a latch while the service is built, and releases it when it
/// is up: control log followed, partitions assigned, ledger restored. Ready is when all latches are released; a readiness
/// without latches is not ready, for nothing has vouched for it.
#[derive(Debug, Clone)]
pub struct Readiness {
    state: watch::Sender<State>,
    scope: Cow<'static, str>,
}

#[derive(Debug, Default)]
struct State {
    /// Name, and whether it is released.
    latches: Vec<(String, bool)>,
}

impl State {
    fn missing(&self, scope: &str) -> Vec<String> {
        let in_scope = || self.latches.iter().filter(|(name, _)| name.starts_with(scope));
        if in_scope().next().is_none() {
            return vec!["nothing has started".to_owned()];
        }
        in_scope()
            .filter(|(_, released)| !released)
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// One thing that a service waits for; see [`Readiness::latch`].
///
/// Dropping it releases nothing: a part that went away before it was up leaves the service not ready.
#[derive(Debug)]
pub struct Latch {
    state: watch::Sender<State>,
    index: usize,
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Readiness {
    /// Not ready until latches have been asked for and all are released.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: watch::Sender::new(State::default()),
            scope: Cow::Borrowed(""),
        }
    }

    /// The part of one service in a process of several. Its latches count for the whole and carry its name;
    /// [`is_ready`](Self::is_ready) and [`missing`](Self::missing) of the part look at its own latches only.
    #[must_use]
    pub fn scoped(&self, service: &str) -> Self {
        Self {
            state: self.state.clone(),
            scope: Cow::Owned(format!("{}{service}: ", self.scope)),
        }
    }

    /// Asks for a latch. The name completes the sentence "waits for …": `control log followed`.
    #[must_use = "the service is not ready before the latch is released"]
    pub fn latch(&self, name: &str) -> Latch {
        let mut index = 0;
        self.state.send_modify(|state| {
            index = state.latches.len();
            state.latches.push((format!("{}{name}", self.scope), false));
        });
        Latch {
            state: self.state.clone(),
            index,
        }
    }

    /// Whether every latch is released and the process is not draining.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.missing().is_empty()
    }

    /// Names what is missing, in the order in which it was asked for; empty when ready.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        self.state.borrow().missing(&self.scope)
    }

    /// Not ready from now on: the service is leaving and wants no new work.
    pub fn drain(&self) {
        // A latch that nobody can release.
        drop(self.latch("draining"));
    }

    /// Completes as soon as it is ready.
    pub async fn ready(&self) {
        let mut receiver = self.state.subscribe();
        // `self` holds a sender, so the channel stays open.
        let _ = receiver.wait_for(|state| state.missing(&self.scope).is_empty()).await;
    }
}

impl Latch {
    /// It is up.
    pub fn release(&self) {
        self.set(true);
    }

    /// It went away again, like a lost connection without which the service is of no use.
    pub fn engage(&self) {
        self.set(false);
    }

    fn set(&self, released: bool) {
        self.state.send_if_modified(|state| {
            let latch = &mut state.latches[self.index];
            std::mem::replace(&mut latch.1, released) != released
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_latches_nothing_is_ready() {
        assert!(!Readiness::new().is_ready());
        assert_eq!(Readiness::new().missing(), ["nothing has started"]);
    }

    #[test]
    fn ready_when_every_latch_is_released() {
        let readiness = Readiness::new();
        let (log, ledger) = (
            readiness.latch("control log followed"),
            readiness.latch("ledger restored"),
        );
        assert_eq!(readiness.missing(), ["control log followed", "ledger restored"]);
        ledger.release();
        assert_eq!(readiness.missing(), ["control log followed"]);
        log.release();
        assert!(readiness.is_ready());
        log.engage();
        assert_eq!(readiness.missing(), ["control log followed"]);
    }

    #[test]
    fn dropped_latch_stays_missing() {
        let readiness = Readiness::new();
        drop(readiness.latch("control log followed"));
        assert_eq!(readiness.missing(), ["control log followed"]);
    }

    #[test]
    fn draining_is_not_ready() {
        let readiness = Readiness::new();
        readiness.latch("started").release();
        readiness.drain();
        assert_eq!(readiness.missing(), ["draining"]);
    }

    #[test]
    fn whole_process_is_ready_when_every_service_is() {
        let process = Readiness::new();
        let (reader, writer) = (process.scoped("reader"), process.scoped("writer"));
        let written = writer.latch("started");
        reader.latch("started").release();
        assert!(reader.is_ready() && !writer.is_ready());
        assert_eq!(process.missing(), ["writer: started"]);
        written.release();
        assert!(process.is_ready());
    }

    #[tokio::test]
    async fn waiting_ends_when_the_last_latch_is_released() {
        let readiness = Readiness::new();
        let latch = readiness.latch("started");
        tokio::join!(readiness.ready(), async { latch.release() });
    }
}
