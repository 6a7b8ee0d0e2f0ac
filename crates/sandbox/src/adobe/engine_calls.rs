//! Engine calls: what Campaign's licence counts (contracts/campaign.md §10.3).

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Engine calls by kind. Every request that reaches Campaign counts as one, refused ones too; what the gateway refuses
/// does not reach it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineCalls {
    /// `POST` of a record.
    pub insert: u64,
    /// `PATCH` of a record.
    pub update: u64,
    /// `DELETE` of a record.
    pub delete: u64,
    /// `GET` of a record, a list or a count.
    pub read: u64,
    /// `GET` of a resource description, a filter description or an index.
    pub metadata: u64,
}

/// What kind of engine call a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EngineCall {
    Insert,
    Update,
    Delete,
    Read,
    Metadata,
}

/// The running counts.
#[derive(Default)]
pub(super) struct EngineCallCounts([AtomicU64; 5]);

impl EngineCallCounts {
    pub(super) fn count(&self, call: EngineCall) {
        self.0[call as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> EngineCalls {
        let of = |call: EngineCall| self.0[call as usize].load(Ordering::Relaxed);
        EngineCalls {
            insert: of(EngineCall::Insert),
            update: of(EngineCall::Update),
            delete: of(EngineCall::Delete),
            read: of(EngineCall::Read),
            metadata: of(EngineCall::Metadata),
        }
    }

    pub(super) fn reset(&self) {
        for count in &self.0 {
            count.store(0, Ordering::Relaxed);
        }
    }
}
