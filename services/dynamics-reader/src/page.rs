//! Queuing a page: every record acknowledged, or set aside, before the checkpoint may move.

use std::ops::AddAssign;

use crosswalk_core::{
    Change, ChangeKind, Epoch, Origin,
    control::{EntryId, RunId},
    dead_letter::DeadLetter,
    mapping::key_text,
};
use crosswalk_dynamics::{Page, RejectedRow, SourceChange};
use crosswalk_kafka::{DeadLetters, KafkaError, Pending, Producer, QUEUE_PARTITIONS};
use crosswalk_proto::record::encode_change;
use crosswalk_runtime::error::advised;
use jiff::Timestamp;
use metrics::{counter, histogram};
use uuid::Uuid;

use crate::{
    metrics::{PAGE_RECORDS, RECORDS_TOTAL, REJECTED_TOTAL},
    plan::{Progress, Reading},
};

/// Where the records of a table go.
pub(crate) struct Destination {
    pub(crate) producer: Producer,
    pub(crate) topic: String,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) table: String,
    pub(crate) mapping: EntryId,
    pub(crate) run: RunId,
}

/// What all changes of a page have in common.
#[derive(Clone, Copy)]
struct Marks {
    epoch: Epoch,
    origin: Origin,
    force: bool,
    read_at: Timestamp,
}

/// What became of a page.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Queued {
    /// Records queued.
    pub(crate) records: u64,
    /// Records set aside.
    pub(crate) rejected: u64,
    /// The highest row version of the page.
    pub(crate) version: Option<u64>,
}

impl AddAssign for Queued {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.rejected += other.rejected;
        self.version = self.version.max(other.version);
    }
}

impl Destination {
    /// Queues the records of a page that `progress` wants, and waits until every one is acknowledged or set aside.
    pub(crate) async fn queue(&self, page: Page, progress: &Progress) -> Result<Queued, KafkaError> {
        self.queue_as(page, progress.epoch, &progress.reading).await
    }

    /// Queues changes and waits until every one is acknowledged or set aside; tells how many were queued.
    pub(crate) async fn queue_changes(
        &self,
        changes: Vec<SourceChange>,
        epoch: Epoch,
        origin: Origin,
    ) -> Result<u64, KafkaError> {
        let read_at = Timestamp::now();
        let marks = Marks {
            epoch,
            origin,
            force: false,
            read_at,
        };
        let (mut queued, mut pending) = (0, Vec::with_capacity(changes.len()));
        for change in changes {
            let id = change.id;
            match self.enqueue(change, marks).await {
                Ok(delivery) => pending.push((id, delivery)),
                Err(error) => drop(self.set_aside_if_too_large(id, error, read_at).await?),
            }
        }
        for (id, delivery) in pending {
            match delivery.acknowledged().await {
                Ok(_) => queued += 1,
                Err(error) => drop(self.set_aside_if_too_large(id, error, read_at).await?),
            }
        }
        Ok(queued)
    }

    /// Queues all changes of a page, of whatever version.
    pub(crate) async fn queue_all(&self, page: Page, progress: &Progress) -> Result<Queued, KafkaError> {
        self.queue_as(page, progress.epoch, &Reading::Changes).await
    }

    async fn queue_as(&self, page: Page, epoch: Epoch, reading: &Reading) -> Result<Queued, KafkaError> {
        let read_at = Timestamp::now();
        let marks = Marks {
            epoch,
            origin: reading.origin(),
            force: reading.force(),
            read_at,
        };
        let mut queued = Queued::default();
        let mut pending = Vec::with_capacity(page.changes.len());
        for change in page.changes {
            queued.version = queued.version.max(change.version);
            if !is_wanted(&change, reading) {
                continue;
            }
            let id = change.id;
            match self.enqueue(change, marks).await {
                Ok(delivery) => pending.push((id, delivery)),
                Err(error) => queued.rejected += self.set_aside_if_too_large(id, error, read_at).await?,
            }
        }
        for (id, delivery) in pending {
            match delivery.acknowledged().await {
                Ok(_) => queued.records += 1,
                Err(error) => queued.rejected += self.set_aside_if_too_large(id, error, read_at).await?,
            }
        }
        for row in page.rejected {
            queued.version = queued.version.max(row.version);
            self.set_aside(&row, read_at).await?;
            queued.rejected += 1;
        }
        counter!(RECORDS_TOTAL).increment(queued.records);
        counter!(REJECTED_TOTAL).increment(queued.rejected);
        histogram!(PAGE_RECORDS).record(queued.records as f64);
        Ok(queued)
    }

    async fn enqueue(&self, change: SourceChange, marks: Marks) -> Result<Pending, KafkaError> {
        let key = key_text(change.id);
        let payload = encode_change(Change {
            origin: marks.origin,
            version: change.version,
            epoch: marks.epoch,
            force: marks.force,
            read_at: marks.read_at,
            mapping: self.mapping,
            kind: change.kind,
        });
        self.producer.enqueue(&self.topic, &key, Some(&payload)).await
    }

    /// Tells every partition that what the read of an epoch found stands before this place.
    pub(crate) async fn end_epoch(&self, epoch: Epoch) -> Result<(), KafkaError> {
        let payload = encode_change(Change {
            origin: Origin::Change,
            version: None,
            epoch,
            force: false,
            read_at: Timestamp::now(),
            mapping: self.mapping,
            kind: ChangeKind::EpochEnd,
        });
        let mut pending = Vec::new();
        for partition in 0..QUEUE_PARTITIONS {
            pending.push(self.producer.enqueue_at(&self.topic, partition, &payload).await?);
        }
        for delivery in pending {
            delivery.acknowledged().await?;
        }
        Ok(())
    }

    async fn set_aside_if_too_large(&self, id: Uuid, error: KafkaError, read_at: Timestamp) -> Result<u64, KafkaError> {
        let KafkaError::RecordTooLarge { .. } = error else {
            return Err(error);
        };
        let message = advised(&error, error.advice());
        self.dead_letters
            .put(&self.letter_key(id), self.letter("RECORD_TOO_LARGE", message, read_at))
            .await?;
        Ok(1)
    }

    async fn set_aside(&self, row: &RejectedRow, read_at: Timestamp) -> Result<(), KafkaError> {
        let message = format!("{row}. Correct the value in the record, or the column's type.");
        self.dead_letters
            .put(
                &self.letter_key(row.id),
                self.letter("DYNAMICS_VALUE_UNFIT", message, read_at),
            )
            .await
    }

    fn letter_key(&self, id: Uuid) -> String {
        format!("{}/{}", self.table, key_text(id))
    }

    fn letter(&self, code: &str, message: String, read_at: Timestamp) -> DeadLetter {
        DeadLetter {
            code: code.to_owned(),
            message,
            faults: Vec::new(),
            table: self.table.clone(),
            place: None,
            source_row: None,
            request: Vec::new(),
            answer: None,
            read_at,
            time: Timestamp::now(),
            run: self.run,
        }
    }
}

/// During a rebase, a row of a version that has been queued before is left out.
fn is_wanted(change: &SourceChange, reading: &Reading) -> bool {
    match reading {
        Reading::Rebase { known, .. } => change.version.is_none_or(|version| version > *known),
        Reading::Initial | Reading::Replay { .. } | Reading::Recovery | Reading::Changes => true,
    }
}
