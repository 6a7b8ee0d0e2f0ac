//! Queuing a page: every record acknowledged before the checkpoint may move.

use std::ops::AddAssign;

use crosswalk_core::{Change, ChangeKind, Epoch, Origin, Rejection, control::EntryId, mapping::key_text};
use crosswalk_dynamics::{Page, RejectedRow, SourceChange};
use crosswalk_kafka::{KafkaError, Pending, Producer, QUEUE_PARTITIONS};
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
    pub(crate) mapping: EntryId,
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
    /// Those of them that are to be set aside.
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
    /// Queues the records of a page that `progress` wants, and waits until every one is acknowledged.
    pub(crate) async fn queue(&self, page: Page, progress: &Progress) -> Result<Queued, KafkaError> {
        self.queue_as(page, progress.epoch, &progress.reading).await
    }

    /// Queues all changes of a page, of whatever version.
    pub(crate) async fn queue_all(&self, page: Page, progress: &Progress) -> Result<Queued, KafkaError> {
        self.queue_as(page, progress.epoch, &Reading::Changes).await
    }

    async fn queue_as(&self, page: Page, epoch: Epoch, reading: &Reading) -> Result<Queued, KafkaError> {
        let marks = Marks {
            epoch,
            origin: reading.origin(),
            force: reading.force(),
            read_at: Timestamp::now(),
        };
        let changes = page.changes.into_iter().chain(page.rejected.iter().map(rejected));
        let mut version = None;
        let wanted = changes.filter(|change| {
            version = version.max(change.version);
            is_wanted(change, reading)
        });
        let queued = self.queue_each(wanted, marks).await?;
        counter!(RECORDS_TOTAL).increment(queued.records);
        counter!(REJECTED_TOTAL).increment(queued.rejected);
        histogram!(PAGE_RECORDS).record(queued.records as f64);
        Ok(Queued { version, ..queued })
    }

    /// Queues records that have been read again for the sake of their dead letters.
    pub(crate) async fn queue_redriven(&self, changes: Vec<SourceChange>, epoch: Epoch) -> Result<Queued, KafkaError> {
        let marks = Marks {
            epoch,
            origin: Origin::Redrive,
            force: false,
            read_at: Timestamp::now(),
        };
        self.queue_each(changes.into_iter(), marks).await
    }

    /// A record that is too large is queued without its row, so that it is set aside like any other that is rejected.
    async fn queue_each(
        &self,
        changes: impl Iterator<Item = SourceChange>,
        marks: Marks,
    ) -> Result<Queued, KafkaError> {
        let mut queued = Queued::default();
        let mut pending = Vec::with_capacity(changes.size_hint().0);
        let mut too_large = Vec::new();
        for change in changes {
            queued.records += 1;
            queued.rejected += u64::from(matches!(change.kind, ChangeKind::Rejected(_)));
            let (id, version) = (change.id, change.version);
            match self.enqueue(change, marks).await {
                Ok(delivery) => pending.push((id, version, delivery)),
                Err(error) => too_large.push(without_row(id, version, error)?),
            }
        }
        for (id, version, delivery) in pending {
            if let Err(error) = delivery.acknowledged().await {
                too_large.push(without_row(id, version, error)?);
            }
        }
        queued.rejected += too_large.len() as u64;
        for change in too_large {
            self.enqueue(change, marks).await?.acknowledged().await?;
        }
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
}

/// A row with a value that does not fit its column, as a change. It is queued too: the writer sets it aside in its turn, and
/// knows that the source has the record still.
pub(crate) fn rejected(row: &RejectedRow) -> SourceChange {
    let message = format!("{row}. Correct the value in the record, or the column's type.");
    SourceChange {
        id: row.id,
        version: row.version,
        kind: rejection(RejectedRow::CODE, message, Some(row.column.clone())),
    }
}

/// The change of a record that is larger than the queue takes; any other error is given back.
fn without_row(id: Uuid, version: Option<u64>, error: KafkaError) -> Result<SourceChange, KafkaError> {
    let KafkaError::RecordTooLarge { .. } = error else {
        return Err(error);
    };
    let message = advised(&error, error.advice());
    Ok(SourceChange {
        id,
        version,
        kind: rejection("RECORD_TOO_LARGE", message, None),
    })
}

fn rejection(code: &str, message: String, column: Option<String>) -> ChangeKind {
    ChangeKind::Rejected(Box::new(Rejection {
        column,
        code: code.to_owned(),
        message,
    }))
}

/// During a rebase, a row of a version that has been queued before is left out.
fn is_wanted(change: &SourceChange, reading: &Reading) -> bool {
    match reading {
        Reading::Rebase { known, .. } => change.version.is_none_or(|version| version > *known),
        Reading::Initial | Reading::Replay { .. } | Reading::Recovery | Reading::Changes => true,
    }
}
