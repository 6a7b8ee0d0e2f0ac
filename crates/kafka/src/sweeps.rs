//! What the end of an epoch found in each partition of a ledger, gathered to be judged together (design §6).

use std::{collections::HashMap, sync::Arc};

use crosswalk_core::InstanceId;
use crosswalk_proto::record::{SweepCount, decode_sweep_count, encode_sweep_count};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    Kafka, KafkaError, Producer,
    tail::{self, Tail},
};

/// The counts of one instance. They stand among its checkpoints: few, small, and each replaced by the next.
#[derive(Clone)]
pub struct Sweeps {
    kafka: Kafka,
    producer: Producer,
    topic: String,
}

impl Sweeps {
    /// The counts of an instance; makes their topic if it is not there.
    ///
    /// # Errors
    /// If Kafka refuses or cannot be reached.
    pub async fn open(kafka: &Kafka, producer: Producer, instance: &InstanceId) -> Result<Self, KafkaError> {
        kafka
            .ensure_topics(&[kafka.topics().checkpoints_spec(instance)])
            .await?;
        Ok(Self {
            kafka: kafka.clone(),
            producer,
            topic: kafka.topics().checkpoints(instance),
        })
    }

    /// The counts of a table, by partition.
    ///
    /// # Errors
    /// If the topic cannot be read to its end.
    pub async fn load(&self, table: &str, cancel: CancellationToken) -> Result<HashMap<i32, SweepCount>, KafkaError> {
        let found: Arc<Mutex<HashMap<i32, SweepCount>>> = Arc::default();
        let (counts, prefix) = (Arc::clone(&found), key_prefix(table));
        let handle = move |event: Tail<'_>| {
            let Tail::Record {
                key: Some(key),
                payload: Some(payload),
                ..
            } = event
            else {
                return;
            };
            let partition = std::str::from_utf8(key).ok().and_then(|key| key.strip_prefix(&prefix));
            if let Some(partition) = partition.and_then(|partition| partition.parse().ok())
                && let Ok(count) = decode_sweep_count(payload)
            {
                counts.lock().insert(partition, count);
            }
        };
        tail::read_to_end(&self.kafka, &self.topic, cancel, handle).await?;
        Ok(std::mem::take(&mut *found.lock()))
    }

    /// Writes the count of one partition and waits until it is durable.
    ///
    /// # Errors
    /// If it is not acknowledged.
    pub async fn save(&self, table: &str, partition: i32, count: &SweepCount) -> Result<(), KafkaError> {
        let key = format!("{}{partition}", key_prefix(table));
        self.producer
            .send(&self.topic, &key, Some(&encode_sweep_count(count)))
            .await
            .map(drop)
    }
}

fn key_prefix(table: &str) -> String {
    format!("sweep/{table}/")
}
