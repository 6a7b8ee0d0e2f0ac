//! The end of an epoch: what the ledger holds and the read did not find has been deleted from the source (design §6).
//!
//! Each partition counts for itself. When the counts of all partitions are there, each judges them together, so that all come
//! to the same end, and queues what it misses behind everything that waits: a record that has come again meanwhile is
//! settled by then, and stays.

use std::{collections::HashMap, time::Duration};

use crosswalk_core::{Change, ChangeKind, Origin, mapping::key_text};
use crosswalk_kafka::{KafkaError, Ledger, Producer, QUEUE_PARTITIONS, Sweeps, pool::PartitionId};
use crosswalk_proto::record::{SweepCount, encode_change};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{failure::RunError, table::MappedTable};

/// How long to wait before it is looked again whether all partitions have counted.
pub(crate) const COUNTING: Duration = Duration::from_millis(250);

/// Sweeps the partitions of a run.
pub(crate) struct Sweeper {
    pub(crate) sweeps: Sweeps,
    pub(crate) producer: Producer,
    pub(crate) ledger: Ledger,
    /// The share of a table that may be missing.
    pub(crate) max_share: f64,
}

/// How far the end of an epoch has been worked off.
pub(crate) enum Swept {
    /// What was missing has been queued to be deleted.
    Done,
    /// Other partitions have not counted yet.
    Counting,
}

impl Sweeper {
    /// Works off the end of an epoch in one partition, of which everything before it has been settled.
    pub(crate) async fn sweep(
        &self,
        table: &MappedTable,
        topic: &str,
        partition: PartitionId,
        end: &Change,
    ) -> Result<Swept, RunError> {
        if !table.definition().options.apply_deletes {
            return Ok(Swept::Done);
        }
        let missing = self
            .ledger
            .find(partition, |known| known.standing.exists() && known.epoch < end.epoch);
        let Some(counts) = self.counts(table, partition, end, missing.len()).await? else {
            return Ok(Swept::Counting);
        };
        self.judge(table, &counts)?;
        self.queue(topic, partition, end, missing).await?;
        Ok(Swept::Done)
    }

    /// The counts of all partitions, this one's included; `None` while some are not there.
    async fn counts(
        &self,
        table: &MappedTable,
        partition: PartitionId,
        end: &Change,
        missing: usize,
    ) -> Result<Option<Vec<SweepCount>>, KafkaError> {
        let name = table.source();
        let mut counts = self.load(table, end).await?;
        if !counts.contains_key(&partition.partition) {
            let count = SweepCount {
                subject: table.subject,
                epoch: end.epoch,
                written: self.ledger.written(partition) as u64,
                missing: missing as u64,
            };
            self.sweeps.save(name, partition.partition, &count).await?;
            counts = self.load(table, end).await?;
        }
        let all: Vec<SweepCount> = counts.into_values().collect();
        Ok((all.len() == usize::try_from(QUEUE_PARTITIONS).unwrap_or_default()).then_some(all))
    }

    async fn load(&self, table: &MappedTable, end: &Change) -> Result<HashMap<i32, SweepCount>, KafkaError> {
        let mut counts = self.sweeps.load(table.source(), CancellationToken::new()).await?;
        counts.retain(|_, count| count.subject == table.subject && count.epoch == end.epoch);
        Ok(counts)
    }

    /// A read that misses too much is more likely to be wrong than the ledger.
    fn judge(&self, table: &MappedTable, counts: &[SweepCount]) -> Result<(), RunError> {
        let written: u64 = counts.iter().map(|count| count.written).sum();
        let missing: u64 = counts.iter().map(|count| count.missing).sum();
        if missing as f64 > written as f64 * self.max_share {
            return Err(RunError::TooManyMissing {
                table: table.source().to_owned(),
                missing,
                written,
                percent: self.max_share * 100.0,
            });
        }
        tracing::info!(table = table.source(), written, missing, "the table has been read anew");
        Ok(())
    }

    async fn queue(
        &self,
        topic: &str,
        partition: PartitionId,
        end: &Change,
        missing: Vec<Uuid>,
    ) -> Result<(), KafkaError> {
        let payload = encode_change(Change {
            origin: Origin::Change,
            version: None,
            epoch: end.epoch,
            force: false,
            read_at: Timestamp::now(),
            mapping: end.mapping,
            kind: ChangeKind::Absent,
        });
        let mut pending = Vec::with_capacity(missing.len());
        for id in missing {
            let key = key_text(id);
            let sent = self
                .producer
                .enqueue_keyed_at(topic, partition.partition, &key, Some(&payload));
            pending.push(sent.await?);
        }
        for delivery in pending {
            delivery.acknowledged().await?;
        }
        Ok(())
    }
}
