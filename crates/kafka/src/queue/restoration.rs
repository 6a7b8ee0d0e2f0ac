//! Restoring the ledger of partitions that have been assigned, while the polling thread goes on polling.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crosswalk_core::{Class, Classify};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{KafkaError, Ledger, pool::PartitionId};

/// How long to wait before a restoration that failed for a passing reason is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Restores the ledger of partitions.
pub(super) struct Restoration {
    ledger: Ledger,
    runtime: Handle,
    shared: Arc<Shared>,
    cancel: CancellationToken,
    _cancel_on_drop: DropGuard,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Counts restorations, so that one of an earlier assignment is told from the present one.
    generation: u64,
    /// What is being restored, and by which restoration.
    under_way: HashMap<PartitionId, u64>,
    /// Something has been restored, and nobody was told yet.
    has_news: bool,
    failure: Option<KafkaError>,
}

impl Restoration {
    /// Must be made within a runtime.
    pub(super) fn new(ledger: Ledger) -> Self {
        let cancel = CancellationToken::new();
        Self {
            ledger,
            runtime: Handle::current(),
            shared: Arc::default(),
            _cancel_on_drop: cancel.clone().drop_guard(),
            cancel,
        }
    }

    /// The ledger that is restored.
    pub(super) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Begins to restore partitions.
    pub(super) fn begin(&self, partitions: Vec<PartitionId>) {
        let generation = {
            let mut state = self.shared.state.lock();
            state.generation += 1;
            let generation = state.generation;
            state
                .under_way
                .extend(partitions.iter().map(|partition| (*partition, generation)));
            generation
        };
        let (ledger, shared, cancel) = (self.ledger.clone(), Arc::clone(&self.shared), self.cancel.clone());
        self.runtime.spawn(async move {
            let restored = cancel.run_until_cancelled(restore(&ledger, &shared, partitions, generation, &cancel));
            if let Some(Err(error)) = restored.await {
                shared.state.lock().failure = Some(error);
            }
        });
    }

    /// Gives partitions up, whether restored or not.
    pub(super) fn release(&self, partitions: &[PartitionId]) {
        let mut state = self.shared.state.lock();
        state.under_way.retain(|partition, _| !partitions.contains(partition));
        self.ledger.release(partitions);
    }

    /// Whether a partition is being restored.
    pub(super) fn is_under_way(&self, partition: PartitionId) -> bool {
        self.shared.state.lock().under_way.contains_key(&partition)
    }

    /// Whether something has been restored since this was last called.
    ///
    /// # Errors
    /// Why something cannot be restored.
    pub(super) fn take_restored(&self) -> Result<bool, KafkaError> {
        let mut state = self.shared.state.lock();
        match state.failure.take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut state.has_news)),
        }
    }
}

async fn restore(
    ledger: &Ledger,
    shared: &Shared,
    partitions: Vec<PartitionId>,
    generation: u64,
    cancel: &CancellationToken,
) -> Result<(), KafkaError> {
    let maps = loop {
        match ledger.read(&partitions, cancel).await {
            Ok(maps) => break maps,
            Err(error) if matches!(error.class(), Class::Retry { .. }) => {
                tracing::debug!(error = %error, "the ledger cannot be read yet");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            Err(error) => return Err(error),
        }
    };
    let mut state = shared.state.lock();
    for (partition, map) in maps {
        // What has been taken away meanwhile is somebody else's, or is restored anew.
        if state.under_way.get(&partition) == Some(&generation) {
            state.under_way.remove(&partition);
            ledger.hold(partition, map);
            state.has_news = true;
        }
    }
    Ok(())
}
