//! The handle through which everybody but the driver uses a pool.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::driver::{Backoff, Driver};
use super::handler::{Failure, Handler};
use super::offset::{Assignment, NextOffset, PartitionId};
use super::rate::Rate;
use super::record::{Accepted, Closed, Record, Refused};
use super::scheduler::Scheduler;
use super::settings::PoolSettings;
use super::stats::Stats;

/// A keyed work pool. Cheap to clone; when the last clone is dropped the driver ends and jobs in flight are aborted.
///
/// Only [`offer`](Self::offer), [`room`](Self::room), [`revoke`](Self::revoke), [`stop`](Self::stop) and
/// [`failed`](Self::failed) wait. Everything else returns at once and may be called from any thread.
pub struct Pool<H: Handler> {
    shared: Arc<Shared<H>>,
    closed: CancellationToken,
    _guard: Arc<DropGuard>,
}

/// What the handles and the driver share.
pub(super) struct Shared<H: Handler> {
    /// Never locked across an `await`.
    pub(super) scheduler: Mutex<Scheduler<H::Payload>>,
    pub(super) start: Instant,
    /// Wakes the driver.
    pub(super) wake: Notify,
    /// Wakes feeders: there is room again, or there never will be.
    pub(super) room: Notify,
    /// Wakes those who drain: jobs have finished.
    pub(super) progress: Notify,
    failure: watch::Sender<Option<Arc<Failure<H::Error>>>>,
}

impl<H: Handler> Shared<H> {
    /// The scheduler's time. Taken while the scheduler is locked, so that it never goes back there.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn failure(&self) -> Option<Arc<Failure<H::Error>>> {
        self.failure.borrow().clone()
    }

    /// Keeps the first failure.
    pub(super) fn fail(&self, failure: Failure<H::Error>) {
        self.failure.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert_with(|| Arc::new(failure));
            is_first
        });
    }
}

impl<H: Handler> Clone for Pool<H> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            closed: self.closed.clone(),
            _guard: self._guard.clone(),
        }
    }
}

impl<H: Handler> Pool<H> {
    /// A pool and the driver that works for it, to be spawned by whoever owns the pool's tasks.
    #[must_use]
    pub fn new(settings: &PoolSettings, handler: H, backoff: Backoff) -> (Self, Driver<H>) {
        let shared = Arc::new(Shared {
            scheduler: Mutex::new(Scheduler::new(settings)),
            start: Instant::now(),
            wake: Notify::new(),
            room: Notify::new(),
            progress: Notify::new(),
            failure: watch::Sender::new(None),
        });
        let closed = CancellationToken::new();
        let driver = Driver {
            shared: shared.clone(),
            handler: Arc::new(handler),
            backoff,
            closed: closed.clone(),
            jobs: JoinSet::new(),
        };
        let guard = Arc::new(closed.clone().drop_guard());
        let pool = Self {
            shared,
            closed,
            _guard: guard,
        };
        (pool, driver)
    }

    /// Begins a new assignment of a partition, which ends any earlier one. `position` is where reading starts, `None`
    /// if that is known only with the first record.
    #[must_use = "records are offered under their assignment"]
    pub fn assign(&self, partition: PartitionId, position: Option<NextOffset>) -> Assignment {
        self.shared.scheduler.lock().assign(partition, position)
    }

    /// Offers a record; offsets of an assignment rise.
    ///
    /// # Errors
    /// [`Refused::Full`] gives the record back: stop reading the partition, and offer the record again, before any
    /// later one, when [`room`](Self::room) or [`take_room`](Self::take_room) names the partition.
    pub fn try_offer(&self, record: Record<H::Payload>) -> Result<Accepted, Refused<H::Payload>> {
        let mut scheduler = self.shared.scheduler.lock();
        let now = self.shared.now();
        let accepted = scheduler.offer(record, now)?;
        let wake = accepted == Accepted::New && scheduler.can_dispatch(now);
        drop(scheduler);
        if wake {
            self.shared.wake.notify_one();
        }
        Ok(accepted)
    }

    /// Offers a record and waits while there is no room for it. Dropped while it waits, it has not taken the record.
    /// To keep the order of offsets, one task feeds a partition.
    ///
    /// # Errors
    /// [`Closed`] if no more is taken from the partition, at once or while waiting.
    pub async fn offer(&self, record: Record<H::Payload>) -> Result<Accepted, Closed> {
        let mut record = record;
        loop {
            let room = self.shared.room.notified();
            match self.try_offer(record) {
                Ok(accepted) => return Ok(accepted),
                Err(Refused::Closed(closed)) => return Err(closed),
                Err(Refused::Full(back)) => record = back,
            }
            tokio::select! {
                () = room => {}
                () = self.closed.cancelled() => return Err(Closed::Stopped),
            }
        }
    }

    /// The partitions that were refused a record and may be offered it again, each named once. When the pool has
    /// stopped these are all that were refused, so that their feeders learn of it; a partition that was revoked is not
    /// named.
    #[must_use = "a partition is named once"]
    pub fn take_room(&self) -> Vec<PartitionId> {
        self.shared.scheduler.lock().take_room()
    }

    /// Waits until there are partitions for [`take_room`](Self::take_room), and returns them; none once the pool has
    /// stopped and all were named. May be dropped while it waits.
    pub async fn room(&self) -> Vec<PartitionId> {
        loop {
            let changed = self.shared.room.notified();
            let room = self.take_room();
            if !room.is_empty() || self.closed.is_cancelled() {
                return room;
            }
            tokio::select! {
                () = changed => {}
                () = self.closed.cancelled() => {}
            }
        }
    }

    /// The offset that may be committed: the first unfinished one. `None` if the partition is not assigned, or was
    /// assigned without a position and has received nothing.
    #[must_use]
    pub fn committable(&self, partition: PartitionId) -> Option<NextOffset> {
        self.shared.scheduler.lock().committable(partition)
    }

    /// Where partitions with parked records stand without them: everything before is finished or parked.
    #[must_use]
    pub fn passed(&self) -> Vec<(PartitionId, NextOffset)> {
        self.shared.scheduler.lock().passed()
    }

    /// The committable offsets that have moved since this was last called, to be stored or committed.
    #[must_use = "a moved offset is given once"]
    pub fn take_committable(&self) -> Vec<(PartitionId, NextOffset)> {
        self.shared.scheduler.lock().take_committable()
    }

    /// Ends the assignment of these partitions: takes no more records of them, works on what they hold until
    /// `deadline` at the latest, and returns what may then be committed, for good: whatever finishes later commits
    /// nothing. Returns early when nothing more can finish by then, because the pool is paused or has failed.
    ///
    /// If this is dropped while it waits the partitions stay closed to new records; call it again to end them.
    pub async fn revoke(&self, partitions: &[PartitionId], deadline: Instant) -> Vec<(PartitionId, NextOffset)> {
        self.shared.scheduler.lock().begin_revoke(partitions);
        self.shared.room.notify_waiters();
        self.drain(partitions, deadline).await;
        let mut scheduler = self.shared.scheduler.lock();
        let committable = |id: &PartitionId| Some((*id, scheduler.committable(*id)?));
        let offsets = partitions.iter().filter_map(committable).collect();
        scheduler.forget(partitions);
        drop(scheduler);
        // What was dropped may have made room for other partitions.
        self.shared.wake.notify_one();
        offsets
    }

    /// Stops the pool: takes no more records, works on what it holds until `deadline` at the latest, returns what may
    /// then be committed, and ends the driver, which aborts what is still in flight.
    pub async fn stop(&self, deadline: Instant) -> Vec<(PartitionId, NextOffset)> {
        let assigned = {
            let mut scheduler = self.shared.scheduler.lock();
            scheduler.stop_intake();
            scheduler.assigned()
        };
        let offsets = self.revoke(&assigned, deadline).await;
        self.closed.cancel();
        offsets
    }

    async fn drain(&self, partitions: &[PartitionId], deadline: Instant) {
        let until = deadline.saturating_duration_since(self.shared.start);
        let drained = async {
            loop {
                let progress = self.shared.progress.notified();
                let settled = {
                    let scheduler = self.shared.scheduler.lock();
                    partitions.iter().all(|id| scheduler.settled(*id, until))
                };
                if settled {
                    return;
                }
                progress.await;
            }
        };
        // Past the deadline there is nothing to do but to go on with what has finished by now.
        let _ = tokio::time::timeout_at(deadline, drained).await;
    }

    /// Starts no job before `until`, retries included, and goes on from there at a reduced limit. A pause in force is
    /// prolonged, never shortened. `reason` is for people.
    pub fn pause_until(&self, until: Instant, reason: impl Into<Cow<'static, str>>) {
        let until = until.saturating_duration_since(self.shared.start);
        let reason = reason.into();
        let mut scheduler = self.shared.scheduler.lock();
        scheduler.pause_until(until, reason, self.shared.now());
        drop(scheduler);
        self.shared.wake.notify_one();
    }

    /// Sets how many jobs may start per second, this replica's share of a configured rate; `None` is no limit.
    pub fn set_rate(&self, rate: Option<Rate>) {
        let mut scheduler = self.shared.scheduler.lock();
        scheduler.set_rate(rate, self.shared.now());
        drop(scheduler);
        self.shared.wake.notify_one();
    }

    /// A picture of the pool, for reports and metrics. Costs a look at each partition.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let scheduler = self.shared.scheduler.lock();
        scheduler.stats(self.shared.now())
    }

    /// What stopped the pool, if something did.
    #[must_use]
    pub fn failure(&self) -> Option<Arc<Failure<H::Error>>> {
        self.shared.failure()
    }

    /// Waits until something stops the pool for good. Its owner then reports the failure and calls
    /// [`stop`](Self::stop). May be dropped while it waits.
    pub async fn failed(&self) -> Arc<Failure<H::Error>> {
        let mut failure = self.shared.failure.subscribe();
        let failed = failure
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|failure| failure.clone());
        match failed {
            Some(failure) => failure,
            // The sender lives as long as this handle.
            None => std::future::pending().await,
        }
    }
}
