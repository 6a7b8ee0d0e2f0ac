//! Calls that take much memory or time: a few run at once, a few more wait, and the others are sent away.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// How many such calls run at once, and how many wait.
pub(crate) struct Turns {
    running: Arc<Semaphore>,
    /// Those that run and those that wait.
    present: Arc<Semaphore>,
    most: usize,
}

/// A place among those that run or wait; left when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    running: Arc<Semaphore>,
    present: OwnedSemaphorePermit,
}

/// A turn to run; over when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _place: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Turns {
    pub(crate) fn new(at_once: usize, waiting: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(at_once)),
            present: Arc::new(Semaphore::new(at_once + waiting)),
            most: at_once + waiting,
        }
    }

    /// A place, unless all are taken.
    pub(crate) fn enter(&self) -> Result<Place, ApiError> {
        let present = Arc::clone(&self.present).try_acquire_owned();
        let present = present.map_err(|_| ApiError::Exhausted {
            reason: "TOO_MANY_ESTIMATES",
            message: format!(
                "{} estimates are under way or wait, and there may be no more; try again when one is done",
                self.most
            ),
        })?;
        Ok(Place {
            running: Arc::clone(&self.running),
            present,
        })
    }
}

impl Place {
    /// Waits for a turn, in the order of those who wait.
    pub(crate) async fn turn(self) -> Turn {
        let running = self.running.acquire_owned().await;
        Turn {
            _place: self.present,
            _running: running.expect("the semaphore is never closed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn some_run_some_wait_and_the_rest_are_sent_away() {
        let turns = Turns::new(1, 1);
        let first = turns.enter().unwrap().turn().now_or_never().unwrap();
        let mut second = Box::pin(turns.enter().unwrap().turn());
        assert!((&mut second).now_or_never().is_none(), "it waits for the first");
        assert!(matches!(turns.enter(), Err(ApiError::Exhausted { .. })));
        drop(first);
        assert!(second.now_or_never().is_some(), "its turn has come");
        assert!(turns.enter().is_ok(), "a place is free again");
    }

    #[test]
    fn who_waits_and_goes_away_leaves_his_place() {
        let turns = Turns::new(1, 1);
        let _running = turns.enter().unwrap().turn().now_or_never().unwrap();
        let mut waiting = Box::pin(turns.enter().unwrap().turn());
        assert!((&mut waiting).now_or_never().is_none());
        drop(waiting);
        assert!(turns.enter().is_ok());
    }
}
