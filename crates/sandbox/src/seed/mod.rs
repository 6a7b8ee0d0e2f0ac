//! Realistic rows from a seed number: the same seed and index always give the same row, whatever else is made.

mod account;
mod contact;
mod locales;
pub mod shop;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use uuid::{Builder, Uuid};

use crate::microsoft::Dynamics;
use crate::microsoft::store::{EncodedRow, Row};

pub(crate) use self::contact::ContactSeeder;

/// Accounts made for contacts to work at.
const ACCOUNTS: u64 = 200;

/// The id of the contact of an index. Ids of different indices are spread over the whole space, as random ones are.
pub fn contact_id(seed: u64, index: u64) -> Uuid {
    id_of("contact", seed, index)
}

/// The id of the account of an index.
pub fn account_id(seed: u64, index: u64) -> Uuid {
    id_of("account", seed, index % ACCOUNTS)
}

/// Loads accounts, and contacts with indices below `contacts`, as the state the environment starts with.
pub(crate) fn load(dynamics: &Dynamics, seed: u64, contacts: u64) {
    dynamics.load("account", |organization, table| {
        account::rows(
            organization,
            table,
            (seed, ACCOUNTS),
            dynamics.config().business_unit_id,
        )
    });
    dynamics.load("contact", |organization, table| {
        let definition = organization.table(table).definition().clone();
        let seeder = ContactSeeder::new(&definition, seed, dynamics.config());
        let halves = encode_in_parallel(&seeder, contacts);
        let versioned = halves.into_iter().map(|(id, cells)| {
            (
                id,
                Row {
                    version: organization.reserve_version(),
                    cells,
                },
            )
        });
        versioned.collect()
    });
}

/// Encodes rows on all cores; the order is that of the indices.
fn encode_in_parallel(seeder: &ContactSeeder, contacts: u64) -> Vec<(Uuid, EncodedRow)> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
    let share = contacts.div_ceil(threads).max(1);
    let ranges = (0..threads).map(|thread| (thread * share).min(contacts)..((thread + 1) * share).min(contacts));
    std::thread::scope(|scope| {
        let workers: Vec<_> = ranges
            .map(|range| scope.spawn(move || range.map(|index| seeder.encoded(index)).collect::<Vec<_>>()))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("making rows does not panic"))
            .collect()
    })
}

fn id_of(kind: &str, seed: u64, index: u64) -> Uuid {
    let salt = kind.bytes().fold(seed, |salt, byte| mixed(salt ^ u64::from(byte)));
    let high = mixed(salt.wrapping_add(index.wrapping_mul(2)));
    let low = mixed(salt.wrapping_add(index.wrapping_mul(2) + 1));
    Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes()).into_uuid()
}

/// The generator of one row.
fn random_of(kind: &str, seed: u64, index: u64) -> SmallRng {
    SmallRng::seed_from_u64(id_of(kind, seed, index).as_u64_pair().0)
}

/// The finaliser of SplitMix64: every input bit reaches every output bit.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_stable_and_distinct() {
        let ids: HashSet<Uuid> = (0..10_000).map(|index| contact_id(1, index)).collect();
        assert_eq!(ids.len(), 10_000);
        assert_eq!(contact_id(1, 0), contact_id(1, 0));
        assert_ne!(contact_id(1, 0), contact_id(2, 0));
        assert_eq!(contact_id(1, 0).get_version_num(), 4);
    }
}
