//! What a run reports beside the pool's own numbers: how records ended, and what holds them up.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crosswalk_core::worker::{Counts, Hindrance};
use crosswalk_kafka::{RunReport, pool::Stats};
use jiff::{SignedDuration, Timestamp};
use metrics::gauge;
use parking_lot::Mutex;

use crate::metrics::{CONCURRENCY_LIMIT, IN_FLIGHT, OLDEST_UNFINISHED_SECONDS, WAITING_FOR_PARENTS};

/// The system that may throttle a run, as a status names it.
pub(crate) const CAMPAIGN: &str = "Adobe Campaign";

/// What a run reports beside the pool's own numbers. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Progress(Arc<Inner>);

#[derive(Default)]
struct Inner {
    written: AtomicU64,
    rejected: AtomicU64,
    skipped: AtomicU64,
    failing: Mutex<Option<Failing>>,
    recent: Mutex<Recent>,
    waiting_since: Mutex<Option<Timestamp>>,
}

/// How the last records ended.
#[derive(Default)]
struct Recent {
    /// Whether each was rejected, the oldest first.
    ended: VecDeque<bool>,
    rejected: usize,
}

struct Failing {
    error: String,
    since: Timestamp,
}

/// How many of the last records are looked at to tell whether too many are rejected (design §8).
pub(crate) const RECENT: usize = 1_000;

impl Progress {
    /// Records were written.
    pub(crate) fn written(&self, records: usize) {
        self.0.written.fetch_add(records as u64, Ordering::Relaxed);
        self.ended(false);
    }

    /// Records needed no write.
    pub(crate) fn skipped(&self, records: usize) {
        self.0.skipped.fetch_add(records as u64, Ordering::Relaxed);
        self.ended(false);
    }

    /// A record was set aside. Tells how many of the last ones were, if that is most of them.
    pub(crate) fn rejected(&self, records: usize) -> Option<usize> {
        self.0.rejected.fetch_add(records as u64, Ordering::Relaxed);
        let rejected = self.ended(true);
        (rejected > RECENT / 2).then_some(rejected)
    }

    /// How many of the last records were rejected, this one included.
    fn ended(&self, was_rejected: bool) -> usize {
        let mut recent = self.0.recent.lock();
        if recent.ended.len() == RECENT && recent.ended.pop_front() == Some(true) {
            recent.rejected -= 1;
        }
        recent.ended.push_back(was_rejected);
        recent.rejected += usize::from(was_rejected);
        recent.rejected
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

    /// Puts the pool's numbers and our own into the report and the metrics. `waiting` records wait for their parents.
    pub(crate) fn publish(&self, stats: &Stats, waiting: usize, report: &RunReport) {
        let now = Timestamp::now();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        report.count(|counts| {
            *counts = Counts {
                done: count(&self.0.written),
                rejected: count(&self.0.rejected),
                skipped: count(&self.0.skipped),
                waiting: waiting as u64,
                in_flight: u64::try_from(stats.in_flight).unwrap_or(u64::MAX),
                initial_read: false,
                expected: None,
                last_progress: stats
                    .last_progress
                    .and_then(|ago| SignedDuration::try_from(ago).ok())
                    .map(|ago| now - ago),
            };
        });
        report.set_hindrance(self.hindrance(stats, waiting, now));
        gauge!(WAITING_FOR_PARENTS).set(waiting as f64);
        gauge!(IN_FLIGHT).set(stats.in_flight as f64);
        gauge!(CONCURRENCY_LIMIT).set(stats.limit as f64);
        gauge!(OLDEST_UNFINISHED_SECONDS).set(stats.oldest_unfinished.unwrap_or_default().as_secs_f64());
    }

    fn hindrance(&self, stats: &Stats, waiting: usize, now: Timestamp) -> Option<Hindrance> {
        if let Some(pause) = &stats.paused {
            let remaining = SignedDuration::try_from(pause.remaining).unwrap_or_default();
            return Some(Hindrance::Throttled {
                by: CAMPAIGN.to_owned(),
                until: now + remaining,
            });
        }
        let mut failing = self.0.failing.lock();
        // Those that wait for their parents are tried again without having failed.
        if stats.retrying <= waiting {
            *failing = None;
        }
        if let Some(failing) = &*failing {
            return Some(Hindrance::Retrying {
                error: failing.error.clone(),
                since: failing.since,
            });
        }
        drop(failing);
        self.waiting(waiting, now)
    }

    fn waiting(&self, waiting: usize, now: Timestamp) -> Option<Hindrance> {
        let mut since = self.0.waiting_since.lock();
        if waiting == 0 {
            *since = None;
            return None;
        }
        let records = if waiting == 1 {
            "the parent of a record"
        } else {
            "the parents of records"
        };
        Some(Hindrance::Waiting {
            what: format!("{records} to be in Campaign ({waiting} waiting)"),
            since: *since.get_or_insert(now),
        })
    }
}
