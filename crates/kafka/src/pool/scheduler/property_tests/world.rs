//! The model: logs, consumers and effects around one scheduler.

use std::collections::{HashMap, HashSet};

use super::*;

mod ending;

type Key = (usize, u8);

/// An applied effect: the newest offset it stands for, and the assignment it belonged to.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Effect {
    generation: Generation,
    offset: i64,
}

/// One partition as its consumer sees it.
struct Consumer {
    log: Vec<LogRecord>,
    assignment: Option<Assignment>,
    /// Index of the next record to offer.
    cursor: usize,
    /// Where the present assignment began.
    first: usize,
    /// Was refused, and waits to be told of room.
    blocked: bool,
    committed: NextOffset,
}

pub(super) struct World {
    scheduler: Scheduler<Change>,
    now: Duration,
    consumers: Vec<Consumer>,
    in_flight: Vec<Job<Change>>,
    effects: HashMap<Key, Vec<Effect>>,
    not_before: HashMap<(Assignment, u8), Duration>,
    /// Keys that have been parked and not finished since.
    parked: HashSet<(Assignment, u8)>,
    paused_until: Duration,
    max_records: usize,
    max_bytes: usize,
}

fn id(partition: usize) -> PartitionId {
    PartitionId {
        topic: 0,
        partition: partition as i32,
    }
}

impl World {
    pub(super) fn new(logs: [Vec<LogRecord>; PARTITIONS], max_records: usize, max_bytes: usize) -> Self {
        let settings = PoolSettings {
            max_records,
            max_bytes,
            concurrency: ConcurrencySettings {
                min: 1,
                initial: 3,
                max: 6,
            },
            rate: None,
        };
        let consumer = |log| Consumer {
            log,
            assignment: None,
            cursor: 0,
            first: 0,
            blocked: false,
            committed: NextOffset::at(0),
        };
        Self {
            scheduler: Scheduler::new(&settings),
            now: Duration::ZERO,
            consumers: logs.into_iter().map(consumer).collect(),
            in_flight: Vec::new(),
            effects: HashMap::new(),
            not_before: HashMap::new(),
            parked: HashSet::new(),
            paused_until: Duration::ZERO,
            max_records,
            max_bytes,
        }
    }

    pub(super) fn step(&mut self, step: &Step) {
        match step {
            Step::Feed { partition, records } => self.feed(*partition, *records),
            Step::Redeliver { partition, back } => self.redeliver(*partition, *back),
            Step::Dispatch => {
                self.dispatch();
            }
            Step::Finish { pick, ending } if !self.in_flight.is_empty() => {
                self.finish(pick.index(self.in_flight.len()), *ending);
            }
            Step::Finish { .. } => {}
            Step::Advance { milliseconds } => self.now += Duration::from_millis(*milliseconds),
            Step::Revoke { partition } => self.scheduler.begin_revoke(&[id(*partition)]),
            Step::Forget { partition } => self.forget(*partition),
            Step::Assign { partition } => self.assign(*partition),
            Step::Pause { milliseconds } => {
                let until = self.now + Duration::from_millis(*milliseconds);
                self.scheduler.pause_until(until, "test".into(), self.now);
                self.paused_until = self.paused_until.max(until);
            }
            Step::Rate { per_second } => {
                let rate = per_second.and_then(|per_second| Rate::per_second(per_second.into()));
                self.scheduler.set_rate(rate, self.now);
            }
            Step::Commit => self.commit(),
        }
    }

    /// Reading starts again at what was committed, as it would on another replica.
    pub(super) fn assign(&mut self, partition: usize) {
        let consumer = &mut self.consumers[partition];
        consumer.assignment = Some(self.scheduler.assign(id(partition), Some(consumer.committed)));
        let committed = consumer.committed.get();
        consumer.first = consumer.log.partition_point(|record| record.offset < committed);
        consumer.cursor = consumer.first;
        consumer.blocked = false;
    }

    fn is_open(&self, partition: usize) -> bool {
        let current = self
            .scheduler
            .partitions
            .get(&id(partition))
            .and_then(|partition| partition.current.as_ref());
        current.is_some_and(|current| current.open)
    }

    fn forget(&mut self, partition: usize) {
        if let Some(committable) = self.scheduler.committable(id(partition)) {
            self.consumers[partition].committed = committable;
        }
        self.scheduler.forget(&[id(partition)]);
        assert!(self.scheduler.drained(id(partition)));
        self.consumers[partition].assignment = None;
    }

    fn commit(&mut self) {
        for (id, next) in self.scheduler.take_committable() {
            assert_eq!(self.scheduler.committable(id), Some(next));
            let consumer = &mut self.consumers[id.partition as usize];
            assert!(next > consumer.committed, "reported only when it has moved");
            consumer.committed = next;
        }
    }

    fn offer(&mut self, partition: usize, index: usize) -> Option<Result<Accepted, Refused<Change>>> {
        let consumer = &self.consumers[partition];
        let record = consumer.log.get(index)?;
        let record = Record {
            assignment: consumer.assignment?,
            offset: record.offset,
            key: Bytes::copy_from_slice(&[record.key]),
            payload: Change::new(record.offset, record.bytes),
        };
        Some(self.scheduler.offer(record, self.now))
    }

    fn feed(&mut self, partition: usize, records: usize) {
        for _ in 0..records {
            if self.consumers[partition].blocked {
                return;
            }
            let Some(offered) = self.offer(partition, self.consumers[partition].cursor) else {
                return;
            };
            let consumer = &mut self.consumers[partition];
            match offered {
                Ok(accepted) => {
                    assert_ne!(accepted, Accepted::Duplicate);
                    let key = consumer
                        .assignment
                        .map(|assignment| (assignment, consumer.log[consumer.cursor].key));
                    consumer.cursor += 1;
                    // A newer change of a parked key is tried at once.
                    if let Some(key) = key.filter(|key| self.parked.contains(key)) {
                        self.not_before.remove(&key);
                    }
                }
                Err(Refused::Full(_)) => consumer.blocked = true,
                Err(Refused::Closed(closed)) => {
                    assert_eq!(closed, Closed::Revoked);
                    return;
                }
            }
        }
    }

    fn redeliver(&mut self, partition: usize, back: usize) {
        let Consumer { first, cursor, .. } = self.consumers[partition];
        for index in cursor.saturating_sub(back).max(first)..cursor {
            let offered = self.offer(partition, index);
            let expected = [Ok(Accepted::Duplicate), Err(Refused::Closed(Closed::Revoked))];
            assert!(offered.is_none_or(|offered| expected.contains(&offered)));
        }
    }

    fn dispatch(&mut self) -> Option<Duration> {
        let limit = self.scheduler.stats(self.now).limit;
        match self.scheduler.next(self.now) {
            Next::Job(job) => {
                assert!(self.in_flight.len() < limit, "more in flight than the limit");
                self.check_job(&job);
                self.in_flight.push(job);
                Some(self.now)
            }
            Next::At(at) => {
                assert!(at > self.now, "the next occasion lies in the future");
                Some(at)
            }
            Next::Idle => None,
        }
    }

    fn check_job(&self, job: &Job<Change>) {
        let key = |job: &Job<Change>| (job.partition(), job.key().clone());
        assert!(
            self.in_flight.iter().all(|other| key(other) != key(job)),
            "two in flight for a key"
        );
        assert!(self.now >= self.paused_until, "dispatched during a pause");
        let not_before = self.not_before.get(&(job.assignment, job.key()[0]));
        assert!(
            not_before.is_none_or(|not_before| self.now >= *not_before),
            "repeated too early"
        );
        let offsets = &job.payload().offsets;
        assert!(
            offsets.is_sorted_by(|older, newer| older < newer),
            "absorbed out of order: {offsets:?}"
        );
        assert_eq!(offsets.as_slice(), job.offsets.as_slice());
    }

    fn finish(&mut self, index: usize, ending: Ending) {
        let job = self.in_flight.swap_remove(index);
        let retry_at = |after| self.now + Duration::from_millis(after);
        let (applied, outcome) = match ending {
            Ending::Done => (true, Outcome::Done),
            Ending::Skipped => (true, Outcome::Skipped),
            Ending::Retry { after, applied } => (
                applied,
                Outcome::Retry {
                    not_before: retry_at(after),
                },
            ),
            Ending::Parked { after, applied } => (
                applied,
                Outcome::Parked {
                    not_before: retry_at(after),
                },
            ),
            Ending::Throttled { after } => (
                false,
                Outcome::Throttled {
                    not_before: retry_at(after),
                },
            ),
            Ending::Cancelled { after } => (
                false,
                Outcome::Cancelled {
                    not_before: retry_at(after),
                },
            ),
        };
        if applied {
            self.apply(&job);
        }
        let partition = job.partition().partition as usize;
        let key = (job.assignment, job.key()[0]);
        match outcome {
            // Given up: what came behind it goes out at once.
            Outcome::Cancelled { .. } if !self.is_open(partition) => drop(self.parked.remove(&key)),
            Outcome::Parked { .. } if self.has_newer(partition, &job) => {
                self.parked.insert(key);
            }
            Outcome::Retry { not_before }
            | Outcome::Parked { not_before }
            | Outcome::Throttled { not_before }
            | Outcome::Cancelled { not_before } => {
                self.not_before.insert(key, not_before);
                if matches!(outcome, Outcome::Parked { .. }) {
                    self.parked.insert(key);
                }
            }
            Outcome::Done | Outcome::Skipped | Outcome::Fatal => drop(self.parked.remove(&key)),
        }
        let is_late = self.consumers[partition].assignment != Some(job.assignment);
        let before = self.observable();
        let counts = self.scheduler.finish(job, outcome, self.now);
        assert_eq!(counts, !is_late);
        if is_late {
            assert_eq!(self.observable(), before, "late work has changed something");
        }
    }

    /// Whether the present assignment has been fed a change of the job's key that came behind it.
    fn has_newer(&self, partition: usize, job: &Job<Change>) -> bool {
        let consumer = &self.consumers[partition];
        let fed = &consumer.log[consumer.first..consumer.cursor];
        fed.iter()
            .any(|record| record.key == job.key()[0] && record.offset > job.offset())
    }

    /// What a late completion must not change.
    fn observable(&self) -> (Vec<Option<NextOffset>>, u64, u64, usize) {
        let committable = (0..PARTITIONS)
            .map(|partition| self.scheduler.committable(id(partition)))
            .collect();
        let stats = self.scheduler.stats(self.now);
        (committable, stats.done, stats.retries, stats.waiting)
    }

    fn apply(&mut self, job: &Job<Change>) {
        let effect = Effect {
            generation: job.assignment.generation,
            offset: job.offset(),
        };
        let key = (job.partition().partition as usize, job.key()[0]);
        let effects = self.effects.entry(key).or_default();
        if let Some(last) = effects.last() {
            assert!(
                effect.generation >= last.generation,
                "work of an older assignment after work of a newer one"
            );
            let is_older = effect.generation == last.generation && effect.offset < last.offset;
            assert!(!is_older, "effects of a key went back from {last:?} to {effect:?}");
        }
        effects.push(effect);
    }

    pub(super) fn check(&self) {
        let stats = self.scheduler.stats(self.now);
        assert_eq!(stats.in_flight, self.in_flight.len());
        assert!(
            stats.records <= self.max_records + PARTITIONS,
            "{} records",
            stats.records
        );
        assert!(
            stats.bytes <= self.max_bytes + PARTITIONS * (LARGEST + 1),
            "{} bytes",
            stats.bytes
        );
        for (partition, consumer) in self.consumers.iter().enumerate() {
            if let Some(committable) = self.scheduler.committable(id(partition)) {
                assert!(committable >= consumer.committed, "the commit went back");
                self.check_effects_below(partition, committable);
            }
        }
    }

    /// No offset is committed before its effect, or that of a newer change of its key.
    fn check_effects_below(&self, partition: usize, committable: NextOffset) {
        for record in &self.consumers[partition].log {
            let effects = self
                .effects
                .get(&(partition, record.key))
                .map_or(&[][..], Vec::as_slice);
            let covered = effects.iter().any(|effect| effect.offset >= record.offset);
            assert!(
                covered || record.offset >= committable.get(),
                "{record:?} committed without effect"
            );
        }
    }
}
