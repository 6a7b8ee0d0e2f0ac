//! What is known of the records of one partition, in little memory.

use std::hash::BuildHasher;

use crosswalk_core::{
    Epoch,
    ledger::{Known, PayloadHash, PayloadHashes, Standing},
};
use hashbrown::{DefaultHashBuilder, HashTable};
use uuid::Uuid;

/// Records of one chunk. Chunks never move, so that growing neither copies records nor needs their room twice.
const CHUNK: usize = 1_024;

/// What is known of records by their ids, at most 64 bytes each.
///
/// A record takes 48 bytes in a chunk and, in the index, 5 bytes of a table that is never less than 7/16 full.
#[derive(Debug, Default)]
pub struct LedgerMap {
    chunks: Vec<Box<[Slot]>>,
    len: u32,
    /// Places of records, by the hash of their ids.
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    id: Uuid,
    updates: u64,
    insert_only: u64,
    version: u64,
    epoch: u32,
    standing: Standing,
}

const VACANT: Slot = Slot {
    id: Uuid::nil(),
    updates: 0,
    insert_only: 0,
    version: 0,
    epoch: 0,
    standing: Standing::Rejected,
};

impl LedgerMap {
    /// How many records are known.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What is known of a record.
    #[must_use]
    pub fn get(&self, id: Uuid) -> Option<Known> {
        let place = self.index.find(self.hash(id), |place| self.slot(*place).id == id)?;
        Some(self.slot(*place).known())
    }

    /// Remembers a record, in place of what was known of it.
    pub fn insert(&mut self, id: Uuid, known: &Known) {
        let slot = Slot::new(id, known);
        let hash = self.hash(id);
        if let Some(place) = self.index.find(hash, |place| self.slot(*place).id == id) {
            let place = *place;
            *self.slot_mut(place) = slot;
            return;
        }
        let place = self.len;
        if place as usize == self.chunks.len() * CHUNK {
            self.chunks.push(vec![VACANT; CHUNK].into());
        }
        *self.slot_mut(place) = slot;
        self.len += 1;
        let Self {
            chunks, index, hasher, ..
        } = self;
        index.insert_unique(hash, place, |place| hasher.hash_one(slot_of(chunks, *place).id));
    }

    /// Forgets a record; tells what was known of it.
    pub fn remove(&mut self, id: Uuid) -> Option<Known> {
        let hash = self.hash(id);
        let Self { chunks, index, .. } = self;
        let Ok(entry) = index.find_entry(hash, |place| slot_of(chunks, *place).id == id) else {
            return None;
        };
        let (place, _) = entry.remove();
        let known = self.slot(place).known();
        self.fill(place);
        Some(known)
    }

    /// Takes in what another map knows.
    pub fn extend(&mut self, other: &Self) {
        for (id, known) in other.iter() {
            self.insert(id, &known);
        }
    }

    /// All records, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, Known)> {
        let slots = self.chunks.iter().flat_map(|chunk| chunk.iter());
        slots.take(self.len()).map(|slot| (slot.id, slot.known()))
    }

    /// The memory it takes, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.chunks.len() * CHUNK * size_of::<Slot>() + self.index.allocation_size()
    }

    /// Moves the last record to a place that has become free.
    fn fill(&mut self, place: u32) {
        self.len -= 1;
        let last = self.len;
        if place != last {
            let moved = *self.slot(last);
            let hash = self.hash(moved.id);
            if let Some(entry) = self.index.find_mut(hash, |candidate| *candidate == last) {
                *entry = place;
            }
            *self.slot_mut(place) = moved;
        }
        if self.chunks.len() > self.len().div_ceil(CHUNK) + 1 {
            self.chunks.pop();
        }
    }

    fn hash(&self, id: Uuid) -> u64 {
        self.hasher.hash_one(id)
    }

    fn slot(&self, place: u32) -> &Slot {
        slot_of(&self.chunks, place)
    }

    fn slot_mut(&mut self, place: u32) -> &mut Slot {
        &mut self.chunks[place as usize / CHUNK][place as usize % CHUNK]
    }
}

fn slot_of(chunks: &[Box<[Slot]>], place: u32) -> &Slot {
    &chunks[place as usize / CHUNK][place as usize % CHUNK]
}

impl Slot {
    fn new(id: Uuid, known: &Known) -> Self {
        Self {
            id,
            updates: known.hashes.updates.0,
            insert_only: known.hashes.insert_only.0,
            version: known.version,
            // Four thousand million reads of a whole table are beyond anybody's patience.
            epoch: u32::try_from(known.epoch.0).unwrap_or(u32::MAX),
            standing: known.standing,
        }
    }

    const fn known(&self) -> Known {
        Known {
            standing: self.standing,
            hashes: PayloadHashes {
                updates: PayloadHash(self.updates),
                insert_only: PayloadHash(self.insert_only),
            },
            version: self.version,
            epoch: Epoch(self.epoch as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn known(version: u64) -> Known {
        Known {
            standing: Standing::Written,
            hashes: PayloadHashes {
                updates: PayloadHash(version + 1),
                insert_only: PayloadHash::UNKNOWN,
            },
            version,
            epoch: Epoch(version % 7),
        }
    }

    #[test]
    fn a_record_takes_64_bytes_at_most_however_many_there_are() {
        let mut map = LedgerMap::default();
        let mut most: f64 = 0.0;
        for number in 0..1_000_000_u128 {
            map.insert(
                Uuid::from_u128(number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)),
                &known(1),
            );
            // The first chunk is paid for by the first record.
            if number >= 100_000 {
                most = most.max(map.memory() as f64 / map.len() as f64);
            }
        }
        assert!(most <= 64.0, "{most} bytes a record");
        assert_eq!(map.len(), 1_000_000);
    }

    #[test]
    fn memory_is_given_back_as_records_are_forgotten() {
        let mut map = LedgerMap::default();
        for number in 0..10_000 {
            map.insert(Uuid::from_u128(number), &known(1));
        }
        for number in 0..10_000 {
            assert!(map.remove(Uuid::from_u128(number)).is_some());
        }
        assert!(map.is_empty() && map.chunks.len() <= 1);
    }

    proptest! {
        #[test]
        fn it_knows_what_a_map_of_the_standard_library_knows(
            edits in prop::collection::vec((0..60_u128, prop::option::weighted(0.7, 0..1_000_u64)), 0..600),
        ) {
            let mut map = LedgerMap::default();
            let mut expected = HashMap::new();
            for (id, version) in edits {
                let id = Uuid::from_u128(id);
                match version {
                    Some(version) => {
                        map.insert(id, &known(version));
                        expected.insert(id, known(version));
                    }
                    None => prop_assert_eq!(map.remove(id), expected.remove(&id)),
                }
                prop_assert_eq!(map.len(), expected.len());
            }
            for id in (0..60).map(Uuid::from_u128) {
                prop_assert_eq!(map.get(id), expected.get(&id).copied());
            }
            prop_assert_eq!(map.iter().collect::<HashMap<_, _>>(), expected);
        }
    }
}
