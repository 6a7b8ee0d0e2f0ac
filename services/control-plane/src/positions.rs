//! Where readers stand, as far as the API tells of it: whether a replay has begun, and what a start would read.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use crosswalk_core::{
    InstanceId, WorkflowId,
    control::{EntryId, Instance, Mapping},
};
use crosswalk_kafka::{Checkpoints, Kafka, KafkaError, Producer};
use crosswalk_proto::{api, record::Checkpoint, v1};
use crosswalk_runtime::error::chain;
use parking_lot::Mutex;
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;

/// How long Kafka may take to tell where a reader stands.
const LOOK: Duration = Duration::from_secs(5);

/// Looks at once: each has a Kafka client and a thread of its own.
const LOOKS_AT_ONCE: usize = 2;

/// How long it will do that a replay had not begun.
const WAITING_FOR: Duration = Duration::from_secs(1);

/// Where readers stand.
pub(crate) struct Positions {
    kafka: Kafka,
    producer: Producer,
    looks: Semaphore,
    replays: Replays,
}

impl Positions {
    pub(crate) fn new(kafka: Kafka, producer: Producer) -> Self {
        Self {
            kafka,
            producer,
            looks: Semaphore::new(LOOKS_AT_ONCE),
            replays: Replays::default(),
        }
    }

    /// The last checkpoint of a table's reader.
    pub(crate) async fn checkpoint(&self, id: &InstanceId, table: &str) -> Result<Option<Checkpoint>, KafkaError> {
        let look = tokio::time::timeout(LOOK, self.look(id, table)).await;
        look.unwrap_or(Err(KafkaError::NoAnswer {
            operation: "read where a table's reader stands",
            waited: LOOK,
        }))
    }

    async fn look(&self, id: &InstanceId, table: &str) -> Result<Option<Checkpoint>, KafkaError> {
        let _turn = self.looks.acquire().await.map_err(|_| KafkaError::Cancelled)?;
        // Whoever does not wait any more ends the thread that reads.
        let cancel = CancellationToken::new();
        let _ends = cancel.clone().drop_guard();
        let checkpoints = Checkpoints::open(&self.kafka, self.producer.clone(), id).await?;
        checkpoints.load(&WorkflowId::Ingress.unit(table), cancel).await
    }

    /// The replay of a mapping that has been asked for and has not begun; also where it is not known whether it has.
    pub(crate) async fn pending_replay(
        &self,
        id: &InstanceId,
        instance: &Instance,
        mapping: &Mapping,
    ) -> Option<v1::PendingReplay> {
        let replay = mapping.replay?;
        let look = async {
            let checkpoint = self.checkpoint(id, &mapping.definition.source_table).await;
            match checkpoint {
                Ok(checkpoint) => checkpoint?.replay.map(|replay| replay.id),
                Err(error) => {
                    tracing::debug!(error = %chain(&error), "whether a replay has begun is not known");
                    None
                }
            }
        };
        // What no start has taken up has not begun.
        let has_begun = replay.begun && self.replays.has_begun(replay.id, look).await;
        (!has_begun).then(|| api::pending_replay(&replay, is_in_run(instance, replay.id)))
    }
}

/// Whether the present run is to do a replay.
fn is_in_run(instance: &Instance, replay: EntryId) -> bool {
    instance.workflow(WorkflowId::Ingress).run().is_some_and(|run| {
        let mut mappings = run.configuration.mappings.iter();
        mappings.any(|mapping| mapping.replay.is_some_and(|pinned| pinned.id == replay))
    })
}

/// Which replays have begun. Of those that have, nobody has to be asked again.
#[derive(Default)]
struct Replays {
    begun: Mutex<HashSet<EntryId>>,
    /// When it was last seen that they had not.
    waiting: Mutex<HashMap<EntryId, Instant>>,
}

impl Replays {
    /// Whether a replay has begun. `look` tells the last one that has, of the same table.
    async fn has_begun(&self, replay: EntryId, look: impl Future<Output = Option<EntryId>>) -> bool {
        if self.begun.lock().contains(&replay) {
            return true;
        }
        let seen = self.waiting.lock().get(&replay).copied();
        if seen.is_some_and(|seen| seen.elapsed() < WAITING_FOR) {
            return false;
        }
        let has_begun = look.await == Some(replay);
        let mut waiting = self.waiting.lock();
        waiting.retain(|_, seen| seen.elapsed() < WAITING_FOR);
        if has_begun {
            self.begun.lock().insert(replay);
        } else {
            waiting.insert(replay, Instant::now());
        }
        has_begun
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use crosswalk_core::control::{Change, RunId};
    use uuid::Uuid;

    use super::*;
    use crate::testing::{apply, ingress, stopped_state};

    const REPLAY: EntryId = EntryId(Uuid::from_u128(7));

    #[tokio::test(start_paused = true)]
    async fn a_replay_is_looked_for_until_it_has_begun_and_never_again() {
        let (replays, looks) = (Replays::default(), Cell::new(0));
        let look = async |last| {
            let looking = async {
                looks.set(looks.get() + 1);
                last
            };
            replays.has_begun(REPLAY, looking).await
        };
        assert!(!look(None).await);
        assert!(!look(Some(REPLAY)).await, "it was looked for just now");
        assert_eq!(looks.get(), 1);
        tokio::time::advance(WAITING_FOR).await;
        assert!(!look(Some(EntryId(Uuid::from_u128(6)))).await, "that is an earlier one");
        tokio::time::advance(WAITING_FOR).await;
        assert!(look(Some(REPLAY)).await);
        assert!(look(None).await);
        assert_eq!(looks.get(), 3);
    }

    #[test]
    fn a_replay_is_started_by_the_run_that_has_it() {
        let (workflow, mapping) = (ingress().to_string(), format!("{}/mappings/contact", ingress()));
        let mut state = stopped_state(&["contact"]);
        apply(&mut state, &mapping, Change::RequestReplay { force: false });
        let started = |state: &crosswalk_core::control::State| {
            let instance = state.instance(&ingress().instance).unwrap();
            let mapping = instance.mapping(&"contact".parse().unwrap()).unwrap();
            is_in_run(instance, mapping.replay.unwrap().id)
        };
        assert!(!started(&state), "nothing runs");
        apply(&mut state, &workflow, Change::StartWorkflow(RunId(Uuid::from_u128(1))));
        assert!(started(&state));
        apply(&mut state, &mapping, Change::RequestReplay { force: true });
        assert!(!started(&state), "asked for once more, it waits for the next start");
        apply(&mut state, &workflow, Change::StopWorkflow);
        assert!(!started(&state));
    }
}
