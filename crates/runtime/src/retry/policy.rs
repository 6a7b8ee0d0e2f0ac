//! How often and how loudly an operation is retried.

use std::num::NonZeroU32;
use std::time::Duration;

use super::Backoff;

/// How often an operation is tried, how long it waits in between, and from when on it warns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The delays.
    pub backoff: Backoff,
    /// How many attempts are made in all, the first included; `None` for ever.
    pub attempts: Option<NonZeroU32>,
    /// So many failed attempts are logged at debug level, later ones as warnings: a single lost connection is no news.
    pub quiet_attempts: u32,
}

impl RetryPolicy {
    /// Tries for ever: the rule for everything a workflow needs to go on (design.md §8).
    #[must_use]
    pub const fn forever(backoff: Backoff) -> Self {
        Self {
            backoff,
            attempts: None,
            quiet_attempts: 2,
        }
    }

    /// Makes at most so many attempts, the first included.
    #[must_use]
    pub const fn limited(backoff: Backoff, attempts: NonZeroU32) -> Self {
        Self {
            backoff,
            attempts: Some(attempts),
            quiet_attempts: 2,
        }
    }

    /// Warns from the failed attempt after these on.
    #[must_use]
    pub const fn quiet_for(mut self, attempts: u32) -> Self {
        self.quiet_attempts = attempts;
        self
    }

    /// The waits of one run, at random within the bounds; ends when the attempts are used up.
    pub(super) fn delays(&self) -> impl Iterator<Item = Duration> + Send + Sync + Unpin + use<> {
        let backoff = self.backoff;
        // One wait fewer than attempts: the last failure is not waited upon.
        let mut waits_left = self.attempts.map(|attempts| attempts.get() - 1);
        let mut failed: u32 = 0;
        std::iter::from_fn(move || {
            if let Some(left) = &mut waits_left {
                *left = left.checked_sub(1)?;
            }
            failed = failed.saturating_add(1);
            Some(backoff.delay(failed, None, rand::random()))
        })
    }
}

impl Default for RetryPolicy {
    /// For ever, with the default delays.
    fn default() -> Self {
        Self::forever(Backoff::default())
    }
}
