//! The pool's bounds on records and bytes, with a guaranteed share for each partition.
//!
//! Half of each bound is shared out evenly among the partitions; the other half is common, first come, first served.
//! So a single busy partition has more than half of the pool to itself, and however much it takes, every other
//! partition still finds its share.

use super::job::Offsets;

/// What something takes of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Load {
    pub(super) records: usize,
    pub(super) bytes: usize,
}

impl Load {
    /// What the changes of a key take. Records that are parked do not count, only their bytes: however many wait for
    /// something else, the rest goes on.
    pub(super) fn of(offsets: &Offsets, bytes: usize, parked: bool) -> Self {
        Self {
            records: if parked { 0 } else { offsets.len() },
            bytes,
        }
    }
}

/// Accounts for everything in the pool. The caller keeps each partition's own [`Load`] and passes it in.
#[derive(Debug)]
pub(super) struct Capacity {
    records: Budget,
    bytes: Budget,
}

impl Capacity {
    pub(super) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self {
            records: Budget::new(max_records.max(1)),
            bytes: Budget::new(max_bytes),
        }
    }

    /// Shares the bounds out anew among partitions with these loads.
    pub(super) fn share_among(&mut self, held: impl ExactSizeIterator<Item = Load> + Clone) {
        self.records.share_among(held.clone().map(|load| load.records));
        self.bytes.share_among(held.map(|load| load.bytes));
    }

    /// Whether a partition that holds `held` may take `more`. One that holds nothing always may: a record larger than
    /// any bound must pass as well, and no partition may wait for ever on the others.
    pub(super) fn has_room(&self, held: Load, more: Load) -> bool {
        held == Load::default()
            || (self.records.has_room(held.records, more.records) && self.bytes.has_room(held.bytes, more.bytes))
    }

    pub(super) fn add(&mut self, held: &mut Load, more: Load) {
        self.set(
            held,
            Load {
                records: held.records + more.records,
                bytes: held.bytes + more.bytes,
            },
        );
    }

    pub(super) fn remove(&mut self, held: &mut Load, less: Load) {
        self.set(
            held,
            Load {
                records: held.records - less.records,
                bytes: held.bytes - less.bytes,
            },
        );
    }

    fn set(&mut self, held: &mut Load, load: Load) {
        self.records.replace(held.records, load.records);
        self.bytes.replace(held.bytes, load.bytes);
        *held = load;
    }

    /// Everything in the pool.
    pub(super) fn used(&self) -> Load {
        Load {
            records: self.records.used,
            bytes: self.bytes.used,
        }
    }
}

/// One bound and its use.
#[derive(Debug)]
struct Budget {
    bound: usize,
    /// Each partition's own share.
    share: usize,
    /// What all partitions may take beyond their shares, together.
    common: usize,
    used: usize,
    common_used: usize,
}

impl Budget {
    fn new(bound: usize) -> Self {
        Self {
            bound,
            share: 0,
            common: bound,
            used: 0,
            common_used: 0,
        }
    }

    fn share_among(&mut self, held: impl ExactSizeIterator<Item = usize>) {
        let partitions = held.len().max(1);
        self.share = self.bound / 2 / partitions;
        self.common = self.bound - self.share * partitions;
        self.common_used = held.map(|amount| self.beyond_share(amount)).sum();
    }

    fn beyond_share(&self, amount: usize) -> usize {
        amount.saturating_sub(self.share)
    }

    fn has_room(&self, held: usize, more: usize) -> bool {
        let beyond = self.beyond_share(held + more) - self.beyond_share(held);
        self.used + more <= self.bound && (beyond == 0 || self.common_used + beyond <= self.common)
    }

    fn replace(&mut self, before: usize, after: usize) {
        self.used = self.used - before + after;
        self.common_used = self.common_used - self.beyond_share(before) + self.beyond_share(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Load = Load { records: 1, bytes: 10 };

    fn fill(capacity: &mut Capacity, held: &mut Load, more: Load) -> usize {
        let before = held.records;
        while capacity.has_room(*held, more) {
            capacity.add(held, more);
        }
        held.records - before
    }

    #[test]
    fn one_partition_may_use_the_whole_pool() {
        let mut capacity = Capacity::new(100, 100_000);
        let mut held = Load::default();
        capacity.share_among([held].into_iter());
        assert_eq!(fill(&mut capacity, &mut held, ONE), 100);
    }

    #[test]
    fn busy_partition_leaves_every_other_its_share() {
        let mut capacity = Capacity::new(100, 100_000);
        let mut held = [Load::default(); 5];
        capacity.share_among(held.into_iter());
        let taken = held.each_mut().map(|held| fill(&mut capacity, held, ONE));
        assert_eq!(taken, [60, 10, 10, 10, 10]);
        assert_eq!(capacity.used().records, 100);
    }

    #[test]
    fn bytes_bound_as_records_do() {
        let mut capacity = Capacity::new(1_000, 1_000);
        let mut held = [Load::default(); 2];
        capacity.share_among(held.into_iter());
        let taken = held.each_mut().map(|held| fill(&mut capacity, held, ONE));
        assert_eq!(taken, [75, 25]);
    }

    #[test]
    fn freed_room_can_be_used_by_another() {
        let mut capacity = Capacity::new(100, 100_000);
        let mut held = [Load::default(); 2];
        capacity.share_among(held.into_iter());
        fill(&mut capacity, &mut held[0], ONE);
        fill(&mut capacity, &mut held[1], ONE);
        let all = held[0];
        capacity.remove(&mut held[0], all);
        assert_eq!(held[0], Load::default());
        assert_eq!(fill(&mut capacity, &mut held[1], ONE), 50);
    }

    #[test]
    fn oversized_record_passes_when_its_partition_holds_nothing() {
        let capacity = Capacity::new(10, 100);
        let oversized = Load {
            records: 1,
            bytes: 1_000,
        };
        assert!(capacity.has_room(Load::default(), oversized));
        assert!(!capacity.has_room(ONE, oversized));
    }

    #[test]
    fn new_partition_takes_its_share_from_a_full_pool_as_it_drains() {
        let mut capacity = Capacity::new(100, 100_000);
        let mut first = Load::default();
        capacity.share_among([first].into_iter());
        fill(&mut capacity, &mut first, ONE);
        let mut second = Load::default();
        capacity.share_among([first, second].into_iter());
        assert_eq!(fill(&mut capacity, &mut second, ONE), 1, "one record always passes");
        capacity.remove(
            &mut first,
            Load {
                records: 10,
                bytes: 100,
            },
        );
        assert!(
            !capacity.has_room(first, ONE),
            "the first is beyond its share and the common part"
        );
        assert_eq!(fill(&mut capacity, &mut second, ONE), 9);
    }
}
