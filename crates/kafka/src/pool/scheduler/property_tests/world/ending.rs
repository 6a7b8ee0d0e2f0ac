//! The end of a run: whatever came before, everything finishes.

use super::*;

impl World {
    /// Works as a driver and consumers would: reads on only where it is told of room, waits only for what the
    /// scheduler names. Everything must come to an end that way.
    pub(in super::super) fn finish_everything(&mut self) {
        for partition in 0..PARTITIONS {
            if !self.is_open(partition) {
                self.forget(partition);
                self.assign(partition);
            }
        }
        for _ in 0..10_000 {
            for partition in 0..PARTITIONS {
                self.feed(partition, usize::MAX);
            }
            let mut next = self.dispatch();
            while next == Some(self.now) {
                next = self.dispatch();
            }
            if !self.in_flight.is_empty() {
                self.finish(0, Ending::Done);
                self.check();
            } else if let Some(at) = next {
                self.now = at;
            } else if self
                .consumers
                .iter()
                .all(|consumer| consumer.cursor == consumer.log.len())
            {
                return;
            }
            for id in self.scheduler.take_room() {
                self.consumers[id.partition as usize].blocked = false;
            }
        }
        panic!(
            "work is left that nothing will wake: {:?}",
            self.scheduler.stats(self.now)
        );
    }

    pub(in super::super) fn check_final_state(&mut self) {
        self.commit();
        for (partition, consumer) in self.consumers.iter().enumerate() {
            assert!(self.scheduler.drained(id(partition)));
            let end = consumer
                .log
                .last()
                .map_or(NextOffset::at(0), |record| NextOffset::after(record.offset));
            assert_eq!(consumer.committed, end, "everything is committed");
            for record in &consumer.log {
                let effects = &self.effects[&(partition, record.key)];
                let newest = consumer.log.iter().rfind(|other| other.key == record.key);
                assert_eq!(
                    effects.last().map(|effect| effect.offset),
                    newest.map(|record| record.offset)
                );
            }
        }
        let stats = self.scheduler.stats(self.now);
        let left = (
            stats.records,
            stats.bytes,
            stats.waiting,
            stats.in_flight,
            stats.retrying,
        );
        assert_eq!(left, (0, 0, 0, 0, 0));
    }
}
