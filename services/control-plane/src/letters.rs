//! The dead letters of workflows, each followed from the first time that somebody asks until its instance is deleted.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use crosswalk_core::{
    WorkflowName,
    control::{RedriveSelection, State},
};
use crosswalk_kafka::{ControlLog, DeadLetterIndex, Kafka, KafkaError, Producer, present_letters};
use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// How long Kafka may take until dead letters begin to be followed.
const BEGIN: Duration = Duration::from_secs(10);

/// The dead letters of workflows.
pub(crate) struct Letters {
    kafka: Kafka,
    producer: Producer,
    /// Most that are listed of a workflow.
    limit: usize,
    followed: Followed<DeadLetterIndex>,
}

impl Letters {
    pub(crate) fn new(kafka: Kafka, producer: Producer, limit: usize) -> Self {
        Self {
            kafka,
            producer,
            limit,
            followed: Followed::default(),
        }
    }

    /// The dead letters of a workflow.
    pub(crate) async fn of(&self, workflow: &WorkflowName) -> Result<DeadLetterIndex, KafkaError> {
        let follow = || DeadLetterIndex::follow(&self.kafka, self.producer.clone(), workflow, self.limit);
        self.followed.get(workflow, follow).await
    }

    /// Discards the dead letters of a workflow that are meant, also where they are too many to be listed. Tells how many.
    pub(crate) async fn discard_unlisted(
        &self,
        workflow: &WorkflowName,
        meant: &RedriveSelection,
    ) -> Result<usize, KafkaError> {
        // Ends the reading, which has a thread of its own, when nobody waits for it any more.
        let cancel = CancellationToken::new();
        let _ends = cancel.clone().drop_guard();
        let letters = present_letters(&self.kafka, workflow, cancel).await?;
        let meant = letters
            .into_iter()
            .filter(|letter| meant.selects(&letter.key, &letter.code, &letter.table));
        let keys: Vec<Box<str>> = meant.map(|letter| letter.key).collect();
        self.of(workflow).await?.discard(&keys).await?;
        Ok(keys.len())
    }

    /// Stops following those whose instances are deleted.
    pub(crate) async fn run(&self, control: &ControlLog) -> Infallible {
        let mut state = control.watch();
        loop {
            if let Some(present) = state.borrow_and_update().clone() {
                self.followed.keep(&present);
            }
            if state.changed().await.is_err() {
                // The log is not followed any more, which ends the process by another way.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// What is followed, by workflow. Each is begun once, by whoever asks first; who asks for another one does not wait for it.
struct Followed<T> {
    by_workflow: Mutex<HashMap<WorkflowName, Arc<OnceCell<T>>>>,
}

impl<T> Default for Followed<T> {
    fn default() -> Self {
        Self {
            by_workflow: Mutex::default(),
        }
    }
}

impl<T: Clone> Followed<T> {
    async fn get<Begun>(&self, workflow: &WorkflowName, begin: impl FnOnce() -> Begun) -> Result<T, KafkaError>
    where
        Begun: Future<Output = Result<T, KafkaError>>,
    {
        let slot = Arc::clone(self.by_workflow.lock().entry(workflow.clone()).or_default());
        match tokio::time::timeout(BEGIN, slot.get_or_try_init(begin)).await {
            Ok(followed) => followed.cloned(),
            Err(_) => Err(KafkaError::NoAnswer {
                operation: "read the dead letters",
                waited: BEGIN,
            }),
        }
    }

    fn keep(&self, state: &State) {
        let mut followed = self.by_workflow.lock();
        followed.retain(|workflow, _| state.instance(&workflow.instance).is_some());
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use crosswalk_core::WorkflowId;
    use tokio::time::Instant;

    use super::*;
    use crate::testing::{ingress, stopped_state};

    fn egress() -> WorkflowName {
        WorkflowName {
            workflow: WorkflowId::Egress,
            ..ingress()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_the_dead_letters_of_another_workflow() {
        let followed = Followed::<u32>::default();
        let begun = Instant::now();
        let (of_ingress, of_egress) = (ingress(), egress());
        let (stuck, found) = tokio::join!(followed.get(&of_ingress, pending), async {
            let found = followed.get(&of_egress, || ready(Ok(7))).await;
            (found.unwrap(), begun.elapsed())
        });
        assert_eq!(found, (7, Duration::ZERO));
        assert!(matches!(stuck, Err(KafkaError::NoAnswer { .. })), "{stuck:?}");
        assert_eq!(begun.elapsed(), BEGIN, "and not for ever for one's own");
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_begun_is_tried_again_and_what_was_is_kept() {
        let followed = Followed::<u32>::default();
        let failed = followed.get(&ingress(), || ready(Err(KafkaError::Cancelled))).await;
        assert!(failed.is_err());
        assert_eq!(followed.get(&ingress(), || ready(Ok(1))).await.unwrap(), 1);
        assert_eq!(followed.get(&ingress(), || ready(Ok(2))).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn those_of_a_deleted_instance_are_not_followed_any_more() {
        let followed = Followed::<Arc<()>>::default();
        let kept = followed.get(&ingress(), || ready(Ok(Arc::new(())))).await.unwrap();
        followed.keep(&stopped_state(&[]));
        assert_eq!(Arc::strong_count(&kept), 2);
        followed.keep(&State::default());
        assert_eq!(Arc::strong_count(&kept), 1);
    }
}
