//! The control log: following it, and appending to it (design §5).

use std::{collections::HashMap, sync::Arc, time::Duration};

use crosswalk_core::{
    ResourceName,
    control::{Change, Entry, EntryId, LogOffset, Outcome, State},
};
use crosswalk_proto::record::{decode_entry, encode_entry};
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Kafka, KafkaError, Producer,
    tail::{self, OnTurn, Tail},
};

/// How long to wait for an own entry to come back.
const READ_BACK_TIMEOUT: Duration = Duration::from_secs(15);

/// Follows the control log and folds it; every process has one.
///
/// The state is published as a whole after each entry that took effect. Before the end of the log has been reached once
/// nothing is published, so that nobody acts on the past.
#[derive(Clone)]
pub struct ControlLog {
    shared: Arc<Shared>,
    state: watch::Receiver<Option<Arc<State>>>,
    on_turn: OnTurn,
}

/// Whether a process keeps what was changed when and by whom, beside the state that came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// For whoever shows it. It grows with the log.
    Kept,
    /// For whoever only acts on the state.
    Forgotten,
}

struct Shared {
    topic: String,
    producer: Producer,
    /// Whoever waits for an own entry to come back.
    waiting: Mutex<HashMap<EntryId, oneshot::Sender<Appended>>>,
    /// Of those that keep the history only.
    revisions: Option<RwLock<Vec<Revision>>>,
    _stop_on_drop: DropGuard,
}

/// What became of an appended entry, and the state right after it.
#[derive(Debug, Clone)]
pub struct Appended {
    /// Where the entry stands.
    pub offset: LogOffset,
    /// Whether it took effect.
    pub outcome: Outcome,
    /// The state with it.
    pub state: Arc<State>,
}

/// One entry that took effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// Its place in the log.
    pub offset: LogOffset,
    /// The resource that changed.
    pub resource: ResourceName,
    /// Who changed it.
    pub actor: String,
    /// When, by the clock of whoever wrote the entry.
    pub time: Timestamp,
    /// What was done.
    pub action: Action,
}

/// What a revision did to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It did not exist before.
    Created,
    /// It was replaced.
    Updated,
    /// It does not exist any more.
    Deleted,
    /// A workflow was started.
    Started,
    /// A workflow was stopped.
    Stopped,
    /// A replay of a mapping was asked for.
    ReplayRequested,
    /// Dead letters were asked to be redriven.
    RedriveRequested,
}

impl ControlLog {
    /// Begins to follow the log, making its topic if it is not there.
    ///
    /// # Errors
    /// If Kafka refuses, or cannot be reached to make the topic.
    pub async fn follow(kafka: &Kafka, producer: Producer, history: History) -> Result<Self, KafkaError> {
        let topic = kafka.topics().control();
        kafka.ensure_topics(&[kafka.topics().control_spec()]).await?;
        let (publish, state) = watch::channel(None);
        let cancel = CancellationToken::new();
        let shared = Arc::new(Shared {
            topic: topic.clone(),
            producer,
            waiting: Mutex::default(),
            revisions: (history == History::Kept).then(RwLock::default),
            _stop_on_drop: cancel.clone().drop_guard(),
        });
        let mut folder = Folder {
            state: State::default(),
            reached_end: false,
            publish,
        };
        let follower = Arc::downgrade(&shared);
        let handle = move |event: Tail<'_>| {
            if let Some(shared) = follower.upgrade() {
                folder.handle(&shared, &event);
            }
        };
        let ended = move |result: Result<(), KafkaError>| {
            if let Err(error) = result {
                tracing::error!(error = %error, "the control log cannot be followed any more");
            }
        };
        let on_turn = OnTurn::default();
        tail::follow_watched(kafka, &topic, cancel, on_turn.clone(), handle, ended)?;
        Ok(Self { shared, state, on_turn })
    }

    /// Has the loop that follows the log run `beat` at each turn, several times a second, also while the broker is away: a
    /// loop that does not is stuck.
    pub fn on_turn(&self, beat: impl Fn() + Send + Sync + 'static) {
        self.on_turn.set(beat);
    }

    /// The state, as it changes; `None` until the end of the log has been reached once. The sender goes away if the log
    /// cannot be followed any more.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<Arc<State>>> {
        self.state.clone()
    }

    /// The present state, waited for until the end of the log has been reached once.
    ///
    /// # Errors
    /// If the log cannot be followed.
    pub async fn state(&self) -> Result<Arc<State>, KafkaError> {
        let mut state = self.state.clone();
        let present = state
            .wait_for(Option::is_some)
            .await
            .map_err(|_| KafkaError::Cancelled)?;
        present.clone().ok_or(KafkaError::Cancelled)
    }

    /// Appends an entry, waits until it has been read back, and says whether it took effect.
    ///
    /// # Errors
    /// If the entry cannot be produced, or does not come back in time; then it may still take effect.
    pub async fn append(&self, entry: &Entry) -> Result<Appended, KafkaError> {
        let (answer, answered) = oneshot::channel();
        self.shared.waiting.lock().insert(entry.id, answer);
        let forget = scopeguard(self, entry.id);
        let key = entry.resource.to_string();
        let wait = async {
            self.shared
                .producer
                .send(&self.shared.topic, &key, Some(&encode_entry(entry)))
                .await?;
            answered.await.map_err(|_| KafkaError::Cancelled)
        };
        let result = tokio::time::timeout(READ_BACK_TIMEOUT, wait).await;
        drop(forget);
        result.map_err(|_| KafkaError::NoAnswer {
            operation: "append to the control log",
            waited: READ_BACK_TIMEOUT,
        })?
    }

    /// At most `limit` of the revisions that `wanted` accepts, newest first; none if the history is not kept.
    pub fn revisions(&self, limit: usize, wanted: impl Fn(&Revision) -> bool) -> Vec<Revision> {
        let Some(revisions) = &self.shared.revisions else {
            return Vec::new();
        };
        let revisions = revisions.read();
        let found = revisions.iter().rev().filter(|revision| wanted(revision));
        found.take(limit).cloned().collect()
    }
}

/// Takes an entry out of those waited for, also when the waiting future is dropped.
fn scopeguard(log: &ControlLog, id: EntryId) -> impl Drop + use<> {
    struct Forget(Arc<Shared>, EntryId);
    impl Drop for Forget {
        fn drop(&mut self) {
            self.0.waiting.lock().remove(&self.1);
        }
    }
    Forget(Arc::clone(&log.shared), id)
}

struct Folder {
    state: State,
    reached_end: bool,
    publish: watch::Sender<Option<Arc<State>>>,
}

impl Folder {
    fn handle(&mut self, shared: &Shared, event: &Tail<'_>) {
        match event {
            Tail::Record { offset, payload, .. } => self.fold(shared, *offset, payload.unwrap_or_default()),
            Tail::End if !self.reached_end => {
                self.reached_end = true;
                self.publish.send_replace(Some(Arc::new(self.state.clone())));
            }
            Tail::End => {}
        }
    }

    fn fold(&mut self, shared: &Shared, offset: i64, payload: &[u8]) {
        let offset = LogOffset(u64::try_from(offset).unwrap_or_default());
        let entry = match decode_entry(payload) {
            Ok(entry) => entry,
            Err(error) => {
                // Written by a newer release or by somebody else. It takes no effect here; that is said loudly, since a
                // newer replica may see it otherwise.
                tracing::error!(offset = offset.0, error = %error, "an entry of the control log cannot be read");
                return;
            }
        };
        let existed = self.state.etag(&entry.resource).is_some();
        let outcome = self.state.apply(offset, &entry);
        if outcome == Outcome::TookEffect
            && let Some(revisions) = &shared.revisions
        {
            revisions.write().push(revision(offset, &entry, existed));
        }
        let waiting = shared.waiting.lock().remove(&entry.id);
        let is_news = outcome == Outcome::TookEffect && self.reached_end;
        if !is_news && waiting.is_none() {
            return;
        }
        let state = Arc::new(self.state.clone());
        if is_news {
            self.publish.send_replace(Some(Arc::clone(&state)));
        }
        if let Some(answer) = waiting {
            // Whoever asked may have gone.
            let _ = answer.send(Appended { offset, outcome, state });
        }
    }
}

fn revision(offset: LogOffset, entry: &Entry, existed: bool) -> Revision {
    let action = match entry.change {
        Change::PutInstance(_) | Change::PutMapping(_) if existed => Action::Updated,
        Change::PutInstance(_) | Change::PutMapping(_) => Action::Created,
        Change::DeleteInstance | Change::DeleteMapping => Action::Deleted,
        Change::StartWorkflow(_) => Action::Started,
        Change::StopWorkflow => Action::Stopped,
        Change::RequestReplay { .. } => Action::ReplayRequested,
        Change::RequestRedrive(_) => Action::RedriveRequested,
    };
    Revision {
        offset,
        resource: entry.resource.clone(),
        actor: entry.actor.clone(),
        time: entry.time,
        action,
    }
}
