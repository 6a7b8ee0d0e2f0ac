//! Checkpoints: where each reader unit stands (design §6).

use std::sync::Arc;

use crosswalk_core::InstanceId;
use crosswalk_proto::record::{Checkpoint, decode_checkpoint, encode_checkpoint};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    Kafka, KafkaError, Producer,
    tail::{self, Tail},
};

/// The checkpoints of one instance.
#[derive(Clone)]
pub struct Checkpoints {
    kafka: Kafka,
    producer: Producer,
    topic: String,
}

impl Checkpoints {
    /// The checkpoints of an instance; makes their topic if it is not there.
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

    /// The last checkpoint of a unit. One that cannot be read counts as none, which costs calls but loses nothing.
    ///
    /// # Errors
    /// If the topic cannot be read to its end.
    pub async fn load(&self, unit: &str, cancel: CancellationToken) -> Result<Option<Checkpoint>, KafkaError> {
        let found = Arc::new(Mutex::new(None));
        let (last, wanted) = (Arc::clone(&found), unit.to_owned());
        let handle = move |event: Tail<'_>| {
            if let Tail::Record {
                key: Some(key),
                payload,
                ..
            } = event
                && key == wanted.as_bytes()
            {
                *last.lock() = payload.map(decode_checkpoint);
            }
        };
        tail::read_to_end(&self.kafka, &self.topic, cancel, handle).await?;
        let last = found.lock().take();
        match last {
            Some(Ok(checkpoint)) => Ok(Some(checkpoint)),
            Some(Err(error)) => {
                tracing::warn!(unit, error = %error, "a checkpoint cannot be read; the unit begins anew");
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Writes a checkpoint and waits until it is durable. Everything before it must have been acknowledged.
    ///
    /// # Errors
    /// If it is not acknowledged.
    pub async fn save(&self, checkpoint: &Checkpoint) -> Result<(), KafkaError> {
        self.producer
            .send(&self.topic, &checkpoint.unit, Some(&encode_checkpoint(checkpoint)))
            .await
            .map(drop)
    }
}
