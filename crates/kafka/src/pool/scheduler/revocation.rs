//! How an assignment ends: no more records, what is left worked on, the rest dropped.

use std::time::Duration;

use super::Scheduler;
use crate::pool::offset::PartitionId;
use crate::pool::partition::{Partition, Waiting};
use crate::pool::record::Coalesce;

impl<P: Coalesce> Scheduler<P> {
    /// Takes no more records of these partitions, and works on what they hold before anything else.
    pub fn begin_revoke(&mut self, partitions: &[PartitionId]) {
        for id in partitions {
            let current = self
                .partitions
                .get_mut(id)
                .and_then(|partition| partition.current.as_mut());
            if let Some(current) = current.filter(|current| current.open) {
                current.open = false;
                self.turns.prefer(*id);
            }
        }
    }

    /// Takes no more records at all, of present and of later assignments. What the pool holds is still worked on.
    pub fn stop_intake(&mut self) {
        self.stopped = true;
        let all = self.assigned();
        self.begin_revoke(&all);
    }

    /// Whether nothing of the partition's present assignment waits or is in flight.
    #[must_use]
    pub fn drained(&self, partition: PartitionId) -> bool {
        let current = self
            .partitions
            .get(&partition)
            .and_then(|partition| partition.current.as_ref());
        current.is_none_or(|current| current.waiting == 0 && current.in_flight == 0)
    }

    /// Whether nothing more of the partition is worth waiting for until `deadline`: it is drained, or what it holds cannot be
    /// dispatched by then, or waits for something outside the pool, or for all that does.
    #[must_use]
    pub fn settled(&self, partition: PartitionId, deadline: Duration) -> bool {
        let Some(partition) = self.partitions.get(&partition) else {
            return true;
        };
        let Some(current) = &partition.current else { return true };
        if current.in_flight > 0 {
            return false;
        }
        let held_back = self.halted || self.pause.as_ref().is_some_and(|pause| pause.until >= deadline);
        // With nothing in flight and nothing ready, what has no time of its own waits for all the others.
        let is_left = |waiting: &Waiting<P>| waiting.parked || waiting.not_before.is_none_or(|time| time >= deadline);
        let mut waiting = partition.keys.values().filter_map(|state| state.waiting.as_ref());
        held_back || (partition.ready.is_empty() && waiting.all(is_left))
    }

    /// Ends the assignment of these partitions. What waits is dropped; what is in flight will find its assignment
    /// over, free its slot and commit nothing.
    pub fn forget(&mut self, partitions: &[PartitionId]) {
        for id in partitions {
            let Some(partition) = self.partitions.get_mut(id) else {
                continue;
            };
            partition.current = None;
            partition.refusal = None;
            partition.ready.clear();
            self.turns.remove(*id);
            if !self.stopped {
                self.refused.retain(|refused| refused != id);
            }
            for state in partition.keys.values_mut() {
                if let Some(waiting) = state.waiting.take() {
                    self.capacity.remove(&mut partition.held, waiting.load());
                    self.counters.retrying -= usize::from(waiting.attempts > 0);
                }
            }
            partition.keys.retain(|_, state| state.in_flight);
            self.drop_if_over(*id);
        }
    }

    /// The partitions assigned at present.
    #[must_use]
    pub fn assigned(&self) -> Vec<PartitionId> {
        let assigned = self
            .partitions
            .iter()
            .filter(|(_, partition)| partition.current.is_some());
        assigned.map(|(id, _)| *id).collect()
    }

    /// Removes a partition that is no longer assigned once nothing of it is in flight.
    pub(super) fn drop_if_over(&mut self, id: PartitionId) {
        let over = |partition: &Partition<P>| partition.current.is_none() && partition.keys.is_empty();
        if self.partitions.get(&id).is_some_and(over) {
            self.partitions.remove(&id);
            self.share_capacity();
        }
    }
}
