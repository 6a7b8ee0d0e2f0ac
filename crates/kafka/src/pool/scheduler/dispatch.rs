//! Giving jobs out and taking them back.

use std::cmp::Reverse;
use std::time::Duration;

use super::{Delayed, Scheduler};
use crate::pool::capacity::Load;
use crate::pool::job::{Job, Next, Outcome};
use crate::pool::partition::Waiting;
use crate::pool::record::Coalesce;

impl<P: Coalesce> Scheduler<P> {
    /// The next job to run, if anything may run now. The partitions take turns, those being revoked first; the keys of
    /// a partition go in the order in which they became ready.
    pub fn next(&mut self, now: Duration) -> Next<P> {
        if self.halted {
            return Next::Idle;
        }
        self.ready_delayed(now);
        if self.turns.is_empty() {
            return self
                .delayed
                .peek()
                .map_or(Next::Idle, |Reverse(first)| Next::At(first.not_before));
        }
        if let Some(pause) = &self.pause {
            if pause.until > now {
                return Next::At(pause.until);
            }
            self.pause = None;
        }
        if self.in_flight >= self.limit.current() {
            self.limit.used();
            return Next::Idle;
        }
        if let Err(at) = self.rate.take(now) {
            return Next::At(at);
        }
        self.dispatch(now).map_or(Next::Idle, Next::Job)
    }

    /// Whether [`next`](Self::next) could give out a job for a record that has just become ready. If not, a job that
    /// finishes or a time that comes will be the occasion.
    #[must_use]
    pub fn can_dispatch(&self, now: Duration) -> bool {
        let paused = self.pause.as_ref().is_some_and(|pause| pause.until > now);
        !self.halted && !paused && self.in_flight < self.limit.current()
    }

    /// Gives a job back. Returns false if its assignment is over, so that the outcome has no effect.
    pub fn finish(&mut self, job: Job<P>, outcome: Outcome, now: Duration) -> bool {
        self.in_flight -= 1;
        match outcome {
            Outcome::Done => self.limit.finished(job.started, now),
            Outcome::Throttled { .. } => self.limit.throttled(job.started, now),
            _ => {}
        }
        let id = job.assignment.partition;
        let generation = job.assignment.generation;
        let partition = self
            .partitions
            .get_mut(&id)
            .expect("a partition stays while a job of it is in flight");
        let load = Load::of(&job.offsets, job.bytes, job.parked);
        self.capacity.remove(&mut partition.held, load);
        self.counters.retrying -= usize::from(job.attempt > 1);
        partition
            .keys
            .get_mut(&job.key)
            .expect("a key stays while its job is in flight")
            .in_flight = false;
        let Some(current) = partition.current_of(generation) else {
            self.leave(&job);
            self.drop_if_over(id);
            return false;
        };
        current.in_flight -= 1;
        match outcome {
            Outcome::Done | Outcome::Skipped => self.complete(&job, outcome == Outcome::Skipped, now),
            Outcome::Cancelled { .. } if !current.open => self.leave(&job),
            Outcome::Retry { not_before } | Outcome::Cancelled { not_before } => self.put_back(job, not_before, false),
            Outcome::Parked { not_before } => self.put_back(job, not_before, true),
            Outcome::Throttled { not_before } => {
                self.counters.throttled += 1;
                self.put_back(job, not_before, false);
            }
            Outcome::Fatal => {
                self.halted = true;
                self.leave(&job);
            }
        }
        true
    }

    /// Takes the first key of the partition whose turn it is.
    fn dispatch(&mut self, now: Duration) -> Option<Job<P>> {
        let id = self.turns.take()?;
        let partition = self.partitions.get_mut(&id)?;
        let key = partition.ready.pop_front()?;
        if !partition.ready.is_empty() {
            self.turns.queue(id);
        }
        let current = partition.current.as_mut()?;
        let state = partition.keys.get_mut(&key)?;
        let waiting = state.waiting.take()?;
        state.in_flight = true;
        current.waiting -= 1;
        current.in_flight += 1;
        self.in_flight += 1;
        self.counters.started += 1;
        if self.in_flight >= self.limit.current() {
            self.limit.used();
        }
        Some(Job {
            assignment: super::Assignment {
                partition: id,
                generation: current.generation,
            },
            key,
            payload: waiting.payload,
            offsets: waiting.offsets,
            bytes: waiting.bytes,
            attempt: waiting.attempts + 1,
            parked: waiting.parked,
            started: now,
        })
    }

    /// Makes the keys ready whose time has come, each before the keys of its partition that came later.
    fn ready_delayed(&mut self, now: Duration) {
        while let Some(Reverse(first)) = self.delayed.peek()
            && first.not_before <= now
        {
            let Some(Reverse(Delayed {
                not_before,
                assignment,
                key,
            })) = self.delayed.pop()
            else {
                return;
            };
            let Some(partition) = self.partitions.get_mut(&assignment.partition) else {
                continue;
            };
            if partition.current_of(assignment.generation).is_none() {
                continue;
            }
            let waiting = partition.keys.get_mut(&key).and_then(|state| state.waiting.as_mut());
            // A key that has had its turn meanwhile may wait for another time by now.
            if let Some(waiting) = waiting.filter(|waiting| waiting.not_before == Some(not_before)) {
                waiting.not_before = None;
                partition.ready.push_front(key);
                self.turns.queue(assignment.partition);
            }
        }
    }

    /// The job's records are finished, and its key is free for what came meanwhile.
    fn complete(&mut self, job: &Job<P>, skipped: bool, now: Duration) {
        let records = job.offsets.len() as u64;
        self.counters.done += records;
        self.counters.skipped += if skipped { records } else { 0 };
        self.counters.last_progress = Some(now);
        let id = job.assignment.partition;
        if let Some(partition) = self.partitions.get_mut(&id)
            && let Some(current) = &mut partition.current
        {
            if current.finish(&job.offsets) {
                self.moved.push(id);
            }
            if let Some(key) = current.take_reached() {
                partition.ready.push_back(key);
                self.turns.queue(id);
            }
        }
        self.leave(job);
    }

    /// The key is no longer in flight: what waits behind the job gets into line, or the key is dropped.
    fn leave(&mut self, job: &Job<P>) {
        let id = job.assignment.partition;
        let Some(partition) = self.partitions.get_mut(&id) else {
            return;
        };
        match partition.keys.get(&job.key) {
            Some(state) if state.waiting.is_some() => {
                partition.ready.push_back(job.key.clone());
                self.turns.queue(id);
            }
            _ => {
                partition.keys.remove(&job.key);
            }
        }
    }

    /// The change waits for its next attempt, and absorbs what came for its key meanwhile. What has once been parked takes no
    /// room from then on: it is the same record that waits for the same thing. What it absorbs is parked only when it has been
    /// tried as well, which is at once.
    fn put_back(&mut self, job: Job<P>, not_before: Duration, parks: bool) {
        self.counters.retries += 1;
        self.counters.retrying += 1;
        let Job {
            assignment,
            key,
            mut payload,
            mut offsets,
            attempt,
            parked,
            ..
        } = job;
        let id = assignment.partition;
        let Some(partition) = self.partitions.get_mut(&id) else {
            return;
        };
        let Some(current) = &mut partition.current else { return };
        if parks {
            current.park(&offsets);
            if let Some(reached) = current.take_reached() {
                partition.ready.push_back(reached);
                self.turns.queue(id);
            }
        }
        let state = partition.keys.entry(key.clone()).or_default();
        let newer = state.waiting.take();
        let not_before = (!parks || newer.is_none()).then_some(not_before);
        match newer {
            Some(newer) => {
                self.capacity.remove(&mut partition.held, newer.load());
                payload.absorb(newer.payload);
                offsets.extend(newer.offsets);
                self.counters.coalesced += 1;
            }
            None => current.waiting += 1,
        }
        let waiting = Waiting {
            bytes: key.len() + payload.bytes(),
            payload,
            offsets,
            attempts: attempt,
            not_before,
            parked: parked || parks,
        };
        self.capacity.add(&mut partition.held, waiting.load());
        state.waiting = Some(waiting);
        if let Some(not_before) = not_before {
            self.delayed.push(Reverse(Delayed {
                not_before,
                assignment,
                key,
            }));
        } else {
            partition.ready.push_back(key);
            self.turns.queue(id);
        }
    }
}
