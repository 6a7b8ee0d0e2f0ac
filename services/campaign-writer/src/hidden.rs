//! Records that Campaign hides until their parents are there (contracts/campaign.md §4.4): which they are, and how long to
//! wait before they are looked at again.

use std::{collections::HashSet, sync::Arc, time::Duration};

use bytes::Bytes;
use crosswalk_kafka::pool::PartitionId;
use parking_lot::Mutex;

/// The shortest and the longest wait: short, since a parent is mostly on its way; long enough not to be a burden where it is
/// not.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// What a look may take of Campaign: however many records wait, there are no more looks than 50 a second.
const LOOK: Duration = Duration::from_millis(20);

/// How many looks are taken between attempts to write the record as if nothing were known of it.
const LOOKS: u32 = 8;

/// The records of a run that wait for their parents. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Hidden(Arc<Mutex<HashSet<(PartitionId, Bytes)>>>);

impl Hidden {
    /// A record waits.
    pub(crate) fn waits(&self, partition: PartitionId, key: &Bytes) {
        self.0.lock().insert((partition, key.clone()));
    }

    /// A record does not wait any more.
    pub(crate) fn settled(&self, partition: PartitionId, key: &Bytes) {
        let mut waiting = self.0.lock();
        // Mostly nothing waits, and nothing need be allocated to know that.
        if !waiting.is_empty() {
            waiting.remove(&(partition, key.clone()));
        }
    }

    /// How many records wait.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// How many records wait, of the partitions that are held.
    pub(crate) fn count(&self, is_held: impl Fn(PartitionId) -> bool) -> usize {
        let mut waiting = self.0.lock();
        waiting.retain(|(partition, _)| is_held(*partition));
        waiting.len()
    }
}

/// How long to wait after an attempt, counted from 1, if so many wait.
pub(crate) fn wait_after(attempt: u32, waiting: usize) -> Duration {
    let all_in_turn = LOOK.saturating_mul(u32::try_from(waiting).unwrap_or(u32::MAX));
    FIRST_WAIT
        .saturating_mul(1 << attempt.saturating_sub(1).min(10))
        .min(LONGEST_WAIT)
        .max(all_in_turn)
}

/// Whether this attempt only looks whether the record can be seen. Now and then it is written after all: it may have been
/// deleted by somebody else.
pub(crate) const fn only_looks(attempt: u32) -> bool {
    !attempt.is_multiple_of(LOOKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let waits: Vec<u64> = [1, 2, 3, 6, 7, 40, u32::MAX]
            .map(|attempt| wait_after(attempt, 1).as_millis() as u64)
            .into();
        assert_eq!(waits, [250, 500, 1_000, 8_000, 15_000, 15_000, 15_000]);
    }

    #[test]
    fn many_that_wait_are_looked_at_less_often() {
        assert_eq!(wait_after(1, 10_000), Duration::from_secs(200));
    }
}
