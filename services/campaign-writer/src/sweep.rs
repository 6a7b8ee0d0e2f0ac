//! The end of an epoch: what the ledger holds and the read did not find has been deleted from the source (design §6).
//!
//! Each partition counts for itself, anew at each attempt. When the counts of all partitions are there, each judges them together,
//! so that all come to the same end, and queues what it misses behind everything that waits: a record that has come again
//! meanwhile is settled by then, and stays. An end behind which the table is read once more is passed over: whatever it
//! misses, the next one misses too.

use std::{collections::HashMap, time::Duration};

use crosswalk_core::{Change, ChangeKind, Epoch, Origin, WorkflowId, ledger::Subject, mapping::key_text};
use crosswalk_kafka::{KafkaError, Ledger, Producer, QUEUE_PARTITIONS, Sweeps, pool::PartitionId};
use crosswalk_proto::record::{SweepCount, encode_change};
use jiff::Timestamp;
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
    /// What was missing has been queued to be deleted, or is left to a later end.
    Done,
    /// Other partitions have not counted yet.
    Counting,
}

/// What the counts of a table come to.
#[derive(Debug, PartialEq, Eq)]
enum Gathered {
    /// A partition has come to a later end.
    Superseded,
    /// All partitions have counted.
    All { written: u64, missing: u64 },
    /// Some have not.
    Some,
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
        let unit = WorkflowId::Ingress.unit(table.source());
        let epoch = self.sweeps.epoch(&unit, table.mapping.uid);
        if epoch.is_some_and(|epoch| epoch > end.epoch) {
            return Ok(Swept::Done);
        }
        let Some((written, missing)) = self.ledger.missing(partition, end.epoch) else {
            // Whoever holds the partition now counts for itself.
            return Ok(Swept::Counting);
        };
        let count = SweepCount {
            subject: table.subject,
            epoch: end.epoch,
            written,
            missing: missing.len() as u64,
        };
        // Also where deletes are not applied: the other partitions may see that after it has been changed.
        self.count(table, partition, &count).await?;
        if !table.definition().options.apply_deletes {
            return Ok(Swept::Done);
        }
        match gather(&self.sweeps.counts(table.source()), table.subject, end.epoch) {
            Gathered::Superseded => Ok(Swept::Done),
            Gathered::Some => Ok(Swept::Counting),
            Gathered::All { written, missing: all } => {
                self.judge(table, written, all)?;
                self.queue(topic, partition, end, missing).await?;
                Ok(Swept::Done)
            }
        }
    }

    /// Makes this the partition's count, unless it is.
    async fn count(&self, table: &MappedTable, partition: PartitionId, count: &SweepCount) -> Result<(), KafkaError> {
        let counts = self.sweeps.counts(table.source());
        let last = counts.get(&partition.partition);
        if last.is_some_and(|last| last == count || (last.subject == count.subject && last.epoch > count.epoch)) {
            return Ok(());
        }
        self.sweeps.save(table.source(), partition.partition, count).await
    }

    /// A read that misses too much is more likely to be wrong than the ledger.
    fn judge(&self, table: &MappedTable, written: u64, missing: u64) -> Result<(), RunError> {
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

/// What the counts of a table come to for the end of an epoch.
fn gather(counts: &HashMap<i32, SweepCount>, subject: Subject, epoch: Epoch) -> Gathered {
    let ours = || counts.values().filter(|count| count.subject == subject);
    if ours().any(|count| count.epoch > epoch) {
        return Gathered::Superseded;
    }
    let counted = ours().filter(|count| count.epoch == epoch);
    let (mut partitions, mut written, mut missing) = (0, 0, 0);
    for count in counted {
        partitions += 1;
        written += count.written;
        missing += count.missing;
    }
    if partitions == QUEUE_PARTITIONS {
        Gathered::All { written, missing }
    } else {
        Gathered::Some
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Subject = Subject(1);

    fn counts(epochs: impl IntoIterator<Item = (i32, u64)>) -> HashMap<i32, SweepCount> {
        let count = |(partition, epoch)| {
            let count = SweepCount {
                subject: OURS,
                epoch: Epoch(epoch),
                written: 10,
                missing: 1,
            };
            (partition, count)
        };
        epochs.into_iter().map(count).collect()
    }

    #[test]
    fn the_counts_of_all_partitions_are_judged_together() {
        let mut gathered = counts((0..QUEUE_PARTITIONS - 1).map(|partition| (partition, 2)));
        assert_eq!(gather(&gathered, OURS, Epoch(2)), Gathered::Some);
        gathered.extend(counts([(QUEUE_PARTITIONS - 1, 2)]));
        let all = Gathered::All {
            written: 120,
            missing: 12,
        };
        assert_eq!(gather(&gathered, OURS, Epoch(2)), all);
    }

    #[test]
    fn counts_of_an_earlier_epoch_or_of_another_subject_are_none() {
        let mut gathered = counts((0..QUEUE_PARTITIONS).map(|partition| (partition, 1)));
        assert_eq!(gather(&gathered, OURS, Epoch(2)), Gathered::Some);
        gathered = counts((0..QUEUE_PARTITIONS).map(|partition| (partition, 2)));
        assert_eq!(gather(&gathered, Subject(2), Epoch(2)), Gathered::Some);
    }

    #[test]
    fn an_end_that_a_partition_has_left_behind_is_passed_over() {
        let gathered = counts((0..QUEUE_PARTITIONS).map(|partition| (partition, if partition == 5 { 3 } else { 2 })));
        assert_eq!(gather(&gathered, OURS, Epoch(2)), Gathered::Superseded);
        assert_eq!(gather(&gathered, OURS, Epoch(3)), Gathered::Some);
    }
}
