//! What the end of an epoch found in each partition of a ledger, gathered to be judged together (design §6).

use std::{collections::HashMap, sync::Arc};

use crosswalk_core::{Epoch, InstanceId, control::EntryId};
use crosswalk_proto::record::{SweepCount, decode_checkpoint, decode_sweep_count, encode_sweep_count};
use parking_lot::RwLock;
use tokio_util::sync::DropGuard;

use crate::{Kafka, KafkaError, Producer, tail};

/// What keys of counts begin with.
const COUNTS: &str = "sweep/";

/// The counts of one instance, followed. They stand among its checkpoints: few, small, and each replaced by the next. Cheap to
/// clone.
#[derive(Clone)]
pub struct Sweeps {
    producer: Producer,
    topic: Arc<str>,
    seen: Arc<RwLock<Seen>>,
    _stop: Arc<DropGuard>,
}

/// What stands in the topic.
#[derive(Default)]
struct Seen {
    /// By table and partition.
    counts: HashMap<String, HashMap<i32, SweepCount>>,
    /// For which mapping each unit reads, and in which epoch.
    epochs: HashMap<String, (EntryId, Epoch)>,
}

impl Sweeps {
    /// Begins to follow the counts of an instance, and waits until all that stand there are known; makes their topic if it is
    /// not there.
    ///
    /// # Errors
    /// If Kafka refuses or cannot be reached.
    pub async fn open(kafka: &Kafka, producer: Producer, instance: &InstanceId) -> Result<Self, KafkaError> {
        kafka
            .ensure_topics(&[kafka.topics().checkpoints_spec(instance)])
            .await?;
        let topic = kafka.topics().checkpoints(instance);
        let seen: Arc<RwLock<Seen>> = Arc::default();
        let filled = Arc::clone(&seen);
        let handle = move |key: &[u8], payload: Option<&[u8]>| {
            if let Some(payload) = payload {
                filled.write().take(key, payload);
            }
        };
        let stop = tail::catch_up(kafka, &topic, handle).await?;
        Ok(Self {
            producer,
            topic: topic.into(),
            seen,
            _stop: Arc::new(stop),
        })
    }

    /// The last counts of a table, by partition.
    #[must_use]
    pub fn counts(&self, table: &str) -> HashMap<i32, SweepCount> {
        self.seen.read().counts.get(table).cloned().unwrap_or_default()
    }

    /// The epoch that a unit such as `ingress/contact` reads in for a mapping.
    #[must_use]
    pub fn epoch(&self, unit: &str, mapping: EntryId) -> Option<Epoch> {
        let seen = self.seen.read();
        let (read_for, epoch) = seen.epochs.get(unit)?;
        (*read_for == mapping).then_some(*epoch)
    }

    /// Writes the count of one partition and waits until it is durable.
    ///
    /// # Errors
    /// If it is not acknowledged.
    pub async fn save(&self, table: &str, partition: i32, count: &SweepCount) -> Result<(), KafkaError> {
        let key = format!("{COUNTS}{table}/{partition}");
        self.producer
            .send(&self.topic, &key, Some(&encode_sweep_count(count)))
            .await
            .map(drop)
    }
}

impl Seen {
    fn take(&mut self, key: &[u8], payload: &[u8]) {
        let Ok(key) = std::str::from_utf8(key) else { return };
        let Some(place) = key.strip_prefix(COUNTS) else {
            if let Ok(checkpoint) = decode_checkpoint(payload) {
                let read_for = (checkpoint.mapping_uid, checkpoint.epoch);
                self.epochs.insert(key.to_owned(), read_for);
            }
            return;
        };
        if let Some((table, partition)) = place.rsplit_once('/')
            && let Ok(partition) = partition.parse()
            && let Ok(count) = decode_sweep_count(payload)
        {
            let counts = self.counts.entry(table.to_owned()).or_default();
            counts.insert(partition, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::ledger::Subject;

    use super::*;

    #[test]
    fn the_last_count_of_each_partition_stands() {
        let count = |epoch| SweepCount {
            subject: Subject(1),
            epoch: Epoch(epoch),
            written: 10,
            missing: 2,
        };
        let mut seen = Seen::default();
        for (key, epoch) in [("sweep/contact/3", 2), ("sweep/contact/11", 2), ("sweep/contact/3", 3)] {
            seen.take(key.as_bytes(), &encode_sweep_count(&count(epoch)));
        }
        seen.take(b"sweep/contact/none", b"");
        seen.take(b"\xff", b"\xff");
        let counts = &seen.counts["contact"];
        assert_eq!((counts[&3], counts[&11], counts.len()), (count(3), count(2), 2));
    }
}
