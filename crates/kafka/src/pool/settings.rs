//! How large a pool may grow.

use super::rate::Rate;

/// Bounds of a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolSettings {
    /// Most records in the pool, waiting or in flight, absorbed ones included. Half of it is shared out evenly among
    /// the partitions, the other half is common to all. At least one.
    pub max_records: usize,
    /// Most bytes of keys and payloads in the pool, shared like the records. A partition that holds nothing may
    /// always put in one record, however large, so this is exceeded by at most one record of each partition.
    pub max_bytes: usize,
    /// Bounds of the adaptive concurrency.
    pub concurrency: ConcurrencySettings,
    /// Most jobs started per second, at first; see [`set_rate`](super::Pool::set_rate).
    pub rate: Option<Rate>,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            max_records: 20_000,
            max_bytes: 64 * 1024 * 1024,
            concurrency: ConcurrencySettings::default(),
            rate: None,
        }
    }
}

/// Bounds of the number of jobs in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcurrencySettings {
    /// Never fewer than this many, whatever the destination answers. Zero is taken as one.
    pub min: usize,
    /// How many at the start.
    pub initial: usize,
    /// Never more than this many.
    pub max: usize,
}

impl Default for ConcurrencySettings {
    fn default() -> Self {
        Self {
            min: 1,
            initial: 4,
            max: 512,
        }
    }
}
