//! What all parts of the API share: the followed topics, the systems, the keys.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use crosswalk_core::{
    InstanceId, ResourceName,
    control::{Change, Entry, EntryId, Etag, Instance, Outcome, State},
};
use crosswalk_kafka::{ControlLog, History, Kafka, KafkaError, Producer, Reports};
use crosswalk_runtime::sealing::SealingKeys;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    ApiSettings, backlog::Backlogs, catalog_cache::CatalogCache, error::ApiError, letters::Letters,
    positions::Positions, record_counts::RecordCounts, system::Systems, turns::Turns,
};

/// How long a call waits for the control log to be read to its end for the first time.
const FIRST_READ_WAIT: Duration = Duration::from_secs(5);

/// How often a change without an etag is tried again behind somebody else's.
const CONFLICT_ATTEMPTS: usize = 8;

/// Estimates that run at once, and that wait. Each may hold the ledger of a large table: 64 bytes a record.
const ESTIMATES: (usize, usize) = (2, 4);

/// Who changes things while nobody has to say who he is.
const ACTOR: &str = "local";

/// What all parts of the API share.
pub(crate) struct Shared {
    connected: OnceLock<Connected>,
    /// Seals the secrets of instances.
    pub(crate) keys: SealingKeys,
    /// The clients of both systems.
    pub(crate) systems: Systems,
    /// What the catalogs of both systems said.
    pub(crate) catalogs: CatalogCache,
    /// Those who read a whole ledger.
    pub(crate) estimates: Turns,
    /// Rows or changes that are too many for a replay.
    pub(crate) replay_limit: u64,
    /// Streams end when it is cancelled.
    pub(crate) stop: CancellationToken,
}

/// What there is once Kafka has been reached.
pub(crate) struct Connected {
    pub(crate) control: ControlLog,
    pub(crate) reports: Reports,
    /// Since when reports have been followed: for a moment after that, not all of them have been seen.
    pub(crate) followed_since: Timestamp,
    pub(crate) backlogs: Backlogs,
    pub(crate) letters: Letters,
    pub(crate) positions: Positions,
    pub(crate) record_counts: RecordCounts,
    pub(crate) kafka: Kafka,
}

impl Connected {
    pub(crate) async fn to(kafka: &Kafka, settings: &ApiSettings) -> Result<Self, KafkaError> {
        let producer = Producer::new(kafka)?;
        Ok(Self {
            letters: Letters::new(kafka.clone(), producer.clone(), settings.dead_letters_listed),
            positions: Positions::new(kafka.clone(), producer.clone()),
            record_counts: RecordCounts::default(),
            kafka: kafka.clone(),
            control: ControlLog::follow(kafka, producer, History::Kept).await?,
            reports: Reports::follow(kafka).await?,
            followed_since: Timestamp::now(),
            backlogs: Backlogs::new(kafka.clone()),
        })
    }
}

impl Shared {
    pub(crate) fn new(keys: SealingKeys, settings: &ApiSettings, stop: CancellationToken) -> Self {
        let systems = Systems::new(keys.clone(), settings);
        Self {
            connected: OnceLock::new(),
            keys,
            systems,
            catalogs: CatalogCache::default(),
            estimates: Turns::new(ESTIMATES.0, ESTIMATES.1),
            replay_limit: settings.replay_limit,
            stop,
        }
    }

    /// Kafka has been reached. Only the first connection counts.
    pub(crate) fn connect(&self, connected: Connected) -> &Connected {
        self.connected.get_or_init(|| connected)
    }

    pub(crate) fn connected(&self) -> Result<&Connected, ApiError> {
        self.connected.get().ok_or(ApiError::Starting("waits for Kafka"))
    }

    /// The present state.
    pub(crate) async fn state(&self) -> Result<Arc<State>, ApiError> {
        let control = &self.connected()?.control;
        match tokio::time::timeout(FIRST_READ_WAIT, control.state()).await {
            Ok(state) => Ok(state?),
            Err(_) => Err(ApiError::Starting("reads the control log")),
        }
    }

    /// Appends a change to the control log, waits for it to be read back, and gives the state with it.
    ///
    /// The change takes effect only if the resource has the expected etag when its turn comes; `None`: if it is not there.
    pub(crate) async fn append(
        &self,
        resource: ResourceName,
        expected_etag: Option<Etag>,
        change: Change,
    ) -> Result<Arc<State>, ApiError> {
        let entry = Entry {
            id: EntryId(Uuid::new_v4()),
            actor: ACTOR.to_owned(),
            time: Timestamp::now(),
            resource,
            expected_etag,
            change,
        };
        let appended = self.connected()?.control.append(&entry).await?;
        let revision = appended.offset.0;
        tracing::info!(resource.name = %entry.resource, revision, outcome = ?appended.outcome, "change appended");
        match appended.outcome {
            Outcome::TookEffect => Ok(appended.state),
            Outcome::Conflict { current } => Err(conflict(entry.resource, expected_etag, current)),
            Outcome::Refused(refusal) => Err(ApiError::refused(refusal, &entry.resource)),
        }
    }

    /// Appends a change for whoever wants it in whatever state the resource is: each conflict means that somebody else's
    /// has taken effect.
    pub(crate) async fn append_whatever_the_etag(
        &self,
        resource: ResourceName,
        change: Change,
    ) -> Result<Arc<State>, ApiError> {
        let mut attempts = 0;
        loop {
            let etag = self.state().await?.etag(&resource);
            match self.append(resource.clone(), etag, change.clone()).await {
                Err(ApiError::Conflict { .. }) if attempts < CONFLICT_ATTEMPTS => attempts += 1,
                result => return result,
            }
        }
    }
}

/// What it means that somebody else was first.
fn conflict(resource: ResourceName, expected: Option<Etag>, current: Option<Etag>) -> ApiError {
    match (expected, current) {
        (None, Some(_)) => already_exists(&resource),
        (_, Some(current)) => ApiError::Conflict {
            resource: Box::new(resource),
            current,
        },
        (_, None) => ApiError::NotFound(resource.to_string()),
    }
}

/// A resource of that name is there already.
pub(crate) fn already_exists(resource: &ResourceName) -> ApiError {
    ApiError::AlreadyExists {
        reason: "ALREADY_EXISTS",
        message: format!("{resource} exists already; choose another id, or update it"),
    }
}

/// An instance of the state.
pub(crate) fn instance<'a>(state: &'a State, id: &InstanceId) -> Result<&'a Instance, ApiError> {
    state
        .instance(id)
        .ok_or_else(|| ApiError::NotFound(format!("instances/{id}")))
}

#[cfg(test)]
mod tests {
    use crosswalk_core::control::LogOffset;

    use super::*;

    #[test]
    fn being_second_means_different_things_to_different_changes() {
        let resource = || "instances/demo".parse::<ResourceName>().unwrap();
        let (old, new) = (Some(Etag(LogOffset(1))), Some(Etag(LogOffset(2))));
        assert!(
            matches!(conflict(resource(), None, new), ApiError::AlreadyExists { .. }),
            "a create"
        );
        assert!(
            matches!(conflict(resource(), old, new), ApiError::Conflict { .. }),
            "an update"
        );
        assert!(
            matches!(conflict(resource(), old, None), ApiError::NotFound(_)),
            "an update of a deleted one"
        );
    }
}
