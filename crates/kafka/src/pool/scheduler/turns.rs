//! Whose turn it is: partitions with something to dispatch take turns, those being revoked before the others.

use std::collections::{HashMap, VecDeque};

use crate::pool::offset::PartitionId;

/// Partitions with keys to dispatch, each at most once.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Being revoked: somebody waits for them under a deadline.
    preferred: VecDeque<PartitionId>,
    others: VecDeque<PartitionId>,
    standing: HashMap<PartitionId, Standing>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Standing {
    preferred: bool,
    queued: bool,
}

impl Turns {
    pub(super) fn is_empty(&self) -> bool {
        self.preferred.is_empty() && self.others.is_empty()
    }

    /// Puts a partition at the end of the line, unless it stands in it.
    pub(super) fn queue(&mut self, id: PartitionId) {
        let standing = self.standing.entry(id).or_default();
        if !std::mem::replace(&mut standing.queued, true) {
            let line = if standing.preferred {
                &mut self.preferred
            } else {
                &mut self.others
            };
            line.push_back(id);
        }
    }

    /// The partition whose turn it is. It leaves the line.
    pub(super) fn take(&mut self) -> Option<PartitionId> {
        let id = self.preferred.pop_front().or_else(|| self.others.pop_front())?;
        self.standing.entry(id).or_default().queued = false;
        Some(id)
    }

    /// Lets a partition go before the others from now on.
    pub(super) fn prefer(&mut self, id: PartitionId) {
        let standing = self.standing.entry(id).or_default();
        standing.preferred = true;
        if standing.queued {
            self.others.retain(|other| *other != id);
            self.preferred.push_back(id);
        }
    }

    /// Takes a partition out of the line; it is as new.
    pub(super) fn remove(&mut self, id: PartitionId) {
        if let Some(standing) = self.standing.remove(&id).filter(|standing| standing.queued) {
            let line = if standing.preferred {
                &mut self.preferred
            } else {
                &mut self.others
            };
            line.retain(|other| *other != id);
        }
    }
}
