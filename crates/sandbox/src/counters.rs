//! Counters of what the sandbox has answered: the figures tests and benchmarks believe, because the remote side made them.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::faults::{Operation, Side};

/// Status under which a connection dropped without an answer is counted.
pub const NO_ANSWER: u16 = 0;

/// Answers of one operation on one side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationCounts {
    /// All calls, whatever the answer.
    pub calls: u64,
    /// Calls by HTTP status; [`NO_ANSWER`] for dropped connections.
    pub by_status: BTreeMap<u16, u64>,
}

/// All counts at one moment, by side and operation. Only what was called at least once is listed.
pub type CountersSnapshot = BTreeMap<Side, BTreeMap<Operation, OperationCounts>>;

/// Counts every answer by side, operation and status.
#[derive(Default)]
pub struct Counters {
    /// One short-held lock per side, so that the two products never wait for each other.
    sides: [Mutex<BTreeMap<Operation, OperationCounts>>; Side::ALL.len()],
}

impl Counters {
    /// All zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one answer.
    pub fn count(&self, side: Side, operation: Operation, status: u16) {
        let mut operations = self.sides[side as usize].lock();
        let counts = operations.entry(operation).or_default();
        counts.calls += 1;
        *counts.by_status.entry(status).or_default() += 1;
    }

    /// Calls of one operation so far.
    pub fn calls(&self, side: Side, operation: Operation) -> u64 {
        self.sides[side as usize]
            .lock()
            .get(&operation)
            .map_or(0, |counts| counts.calls)
    }

    /// All counts. Sides are read one after the other, so calls that run meanwhile may be in one and not the other.
    pub fn snapshot(&self) -> CountersSnapshot {
        Side::ALL
            .into_iter()
            .map(|side| (side, self.sides[side as usize].lock().clone()))
            .filter(|(_, operations)| !operations.is_empty())
            .collect()
    }

    /// Sets everything to zero.
    pub fn reset(&self) {
        for side in &self.sides {
            side.lock().clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshot_lists_calls_by_status_and_reset_empties_it() {
        let counters = Counters::new();
        counters.count(Side::Dynamics, Operation::Get, 200);
        counters.count(Side::Dynamics, Operation::Get, 404);
        counters.count(Side::Ims, Operation::Token, NO_ANSWER);
        let json = serde_json::to_value(counters.snapshot()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "dynamics": {"get": {"calls": 2, "by_status": {"200": 1, "404": 1}}},
                "ims": {"token": {"calls": 1, "by_status": {"0": 1}}},
            })
        );
        assert_eq!(counters.calls(Side::Dynamics, Operation::Get), 2);
        counters.reset();
        assert!(counters.snapshot().is_empty());
    }
}
