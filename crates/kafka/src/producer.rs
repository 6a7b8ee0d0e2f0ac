//! The idempotent producer.

use std::time::Duration;

use rdkafka::{
    error::{KafkaError as ClientError, RDKafkaErrorCode},
    producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _},
};

use crate::{Kafka, KafkaError};

/// How long to wait before trying again to put a record into a full buffer.
const BUFFER_FULL_WAIT: Duration = Duration::from_millis(5);

/// Produces records: idempotent, acknowledged by all in-sync replicas, partitioned by key. Cheap to clone.
#[derive(Clone)]
pub struct Producer {
    inner: FutureProducer,
}

/// A record that has been handed to the producer and not acknowledged yet.
#[must_use = "a record is durable only when its acknowledgement has come"]
pub struct Pending {
    delivery: DeliveryFuture,
    bytes: usize,
}

impl Producer {
    /// A producer with the process's Kafka settings.
    ///
    /// # Errors
    /// If the settings are not valid.
    pub fn new(kafka: &Kafka) -> Result<Self, KafkaError> {
        kafka.producer().map(|inner| Self { inner })
    }

    /// Hands over a record; waits while the buffer is full. Records with the same key keep the order of these calls.
    ///
    /// A payload of `None` is a tombstone.
    ///
    /// # Errors
    /// If the record is larger than the producer takes, or cannot be taken at all.
    pub async fn enqueue(&self, topic: &str, key: &str, payload: Option<&[u8]>) -> Result<Pending, KafkaError> {
        let bytes = key.len() + payload.map_or(0, <[u8]>::len);
        loop {
            let mut record = FutureRecord::<str, [u8]>::to(topic).key(key);
            record.payload = payload;
            match self.inner.send_result(record) {
                Ok(delivery) => return Ok(Pending { delivery, bytes }),
                Err((ClientError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    tokio::time::sleep(BUFFER_FULL_WAIT).await;
                }
                Err((source, _)) => return Err(failure(source, bytes)),
            }
        }
    }

    /// Produces one record and waits until it is acknowledged; returns its offset.
    ///
    /// # Errors
    /// If it is not acknowledged.
    pub async fn send(&self, topic: &str, key: &str, payload: Option<&[u8]>) -> Result<i64, KafkaError> {
        self.enqueue(topic, key, payload).await?.acknowledged().await
    }

    /// Waits until everything handed over has been acknowledged or given up.
    ///
    /// # Errors
    /// If that takes longer than `timeout`.
    pub async fn flush(&self, timeout: Duration) -> Result<(), KafkaError> {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || inner.flush(timeout))
            .await
            .map_err(|_| KafkaError::Cancelled)?
            .map_err(KafkaError::client("flush the producer"))
    }
}

impl Pending {
    /// Waits for the acknowledgement; returns the record's offset.
    ///
    /// # Errors
    /// If the record was refused or given up.
    pub async fn acknowledged(self) -> Result<i64, KafkaError> {
        match self.delivery.await {
            Ok(Ok(delivery)) => Ok(delivery.offset),
            Ok(Err((source, _))) => Err(failure(source, self.bytes)),
            Err(_) => Err(KafkaError::Cancelled),
        }
    }
}

fn failure(source: ClientError, bytes: usize) -> KafkaError {
    match source.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => KafkaError::RecordTooLarge { bytes },
        _ => KafkaError::Client {
            operation: "produce a record",
            source,
        },
    }
}
