//! What a run reports beside the pool's own numbers: rejections, and the last error that is being retried.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crosswalk_core::worker::{Counts, Hindrance};
use crosswalk_kafka::{RunReport, pool::Stats};
use jiff::{SignedDuration, Timestamp};
use metrics::gauge;
use parking_lot::Mutex;

use crate::metrics::{CONCURRENCY_LIMIT, IN_FLIGHT, OLDEST_UNFINISHED_SECONDS};

/// The system that may throttle a run, as a status names it.
pub(crate) const CAMPAIGN: &str = "Adobe Campaign";

/// What a run reports beside the pool's own numbers. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Progress(Arc<Inner>);

#[derive(Default)]
struct Inner {
    rejected: AtomicU64,
    failing: Mutex<Option<Failing>>,
}

struct Failing {
    error: String,
    since: Timestamp,
}

impl Progress {
    /// A record was set aside.
    pub(crate) fn rejected(&self) {
        self.0.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// An attempt failed and will be repeated.
    pub(crate) fn note_error(&self, error: &str) {
        let mut failing = self.0.failing.lock();
        match &mut *failing {
            Some(failing) => error.clone_into(&mut failing.error),
            None => {
                *failing = Some(Failing {
                    error: error.to_owned(),
                    since: Timestamp::now(),
                });
            }
        }
    }

    /// Puts the pool's numbers and our own into the report and the metrics.
    pub(crate) fn publish(&self, stats: &Stats, report: &RunReport) {
        let now = Timestamp::now();
        let rejected = self.0.rejected.load(Ordering::Relaxed);
        report.count(|counts| {
            *counts = Counts {
                done: stats.done.saturating_sub(rejected),
                rejected,
                in_flight: u64::try_from(stats.in_flight).unwrap_or(u64::MAX),
                initial_read: false,
                expected: None,
                last_progress: stats
                    .last_progress
                    .and_then(|ago| SignedDuration::try_from(ago).ok())
                    .map(|ago| now - ago),
            };
        });
        report.set_hindrance(self.hindrance(stats, now));
        gauge!(IN_FLIGHT).set(stats.in_flight as f64);
        gauge!(CONCURRENCY_LIMIT).set(stats.limit as f64);
        gauge!(OLDEST_UNFINISHED_SECONDS).set(stats.oldest_unfinished.unwrap_or_default().as_secs_f64());
    }

    fn hindrance(&self, stats: &Stats, now: Timestamp) -> Option<Hindrance> {
        if let Some(pause) = &stats.paused {
            let remaining = SignedDuration::try_from(pause.remaining).unwrap_or_default();
            return Some(Hindrance::Throttled {
                by: CAMPAIGN.to_owned(),
                until: now + remaining,
            });
        }
        let mut failing = self.0.failing.lock();
        if stats.retrying == 0 {
            *failing = None;
        }
        failing.as_ref().map(|failing| Hindrance::Retrying {
            error: failing.error.clone(),
            since: failing.since,
        })
    }
}
