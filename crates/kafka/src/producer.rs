//! The idempotent producer.

use std::{sync::Arc, time::Duration};

use parking_lot::RwLock;
use rdkafka::{
    error::{KafkaError as ClientError, RDKafkaErrorCode},
    producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _},
};

use crate::{Kafka, KafkaError, client_log::ProducerContext};

/// How long to wait before trying again to put a record into a full buffer.
const BUFFER_FULL_WAIT: Duration = Duration::from_millis(5);

/// How long records are gathered that somebody waits for.
pub(crate) const LINGER: Duration = Duration::from_millis(2);

type Client = FutureProducer<ProducerContext>;

/// Produces records: idempotent, acknowledged by all in-sync replicas, partitioned by key. Cheap to clone; clones are the
/// same producer.
///
/// An idempotent producer that the broker has lost track of can never go on. Then a new one takes its place, and whoever
/// waits for the old one's records is told to produce them again.
#[derive(Clone)]
pub struct Producer {
    shared: Arc<Shared>,
}

struct Shared {
    kafka: Kafka,
    linger: Duration,
    client: RwLock<Client>,
}

/// A record that has been handed to the producer and not acknowledged yet.
#[must_use = "a record is durable only when its acknowledgement has come"]
pub struct Pending {
    delivery: DeliveryFuture,
    bytes: usize,
}

impl Producer {
    /// A producer with the process's Kafka settings, for records that somebody waits for.
    ///
    /// # Errors
    /// If the settings are not valid.
    pub fn new(kafka: &Kafka) -> Result<Self, KafkaError> {
        Self::with_linger(kafka, LINGER)
    }

    /// A producer that gathers records for so long before it sends them: the longer, the fewer requests.
    ///
    /// # Errors
    /// If the settings are not valid.
    pub fn with_linger(kafka: &Kafka, linger: Duration) -> Result<Self, KafkaError> {
        let client = RwLock::new(kafka.producer(ProducerContext, linger)?);
        let shared = Shared {
            kafka: kafka.clone(),
            linger,
            client,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Hands over a record; waits while the buffer is full. Records with the same key keep the order of these calls.
    ///
    /// A payload of `None` is a tombstone.
    ///
    /// # Errors
    /// If the record is larger than the producer takes, or cannot be taken at all.
    pub async fn enqueue(&self, topic: &str, key: &str, payload: Option<&[u8]>) -> Result<Pending, KafkaError> {
        let bytes = key.len() + payload.map_or(0, <[u8]>::len);
        let record = || {
            let mut record = FutureRecord::to(topic).key(key);
            record.payload = payload;
            record
        };
        self.hand_over(record, bytes).await
    }

    /// Hands over a record without a key, for one partition.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub async fn enqueue_at(&self, topic: &str, partition: i32, payload: &[u8]) -> Result<Pending, KafkaError> {
        let record = || FutureRecord::to(topic).partition(partition).payload(payload);
        self.hand_over(record, payload.len()).await
    }

    /// Hands over a record for the partition that is named, whatever its key.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub async fn enqueue_keyed_at(
        &self,
        topic: &str,
        partition: i32,
        key: &str,
        payload: Option<&[u8]>,
    ) -> Result<Pending, KafkaError> {
        let record = || {
            let mut record = FutureRecord::to(topic).partition(partition).key(key);
            record.payload = payload;
            record
        };
        self.hand_over(record, key.len() + payload.map_or(0, <[u8]>::len)).await
    }

    async fn hand_over<'a>(
        &self,
        record: impl Fn() -> FutureRecord<'a, str, [u8]> + Send,
        bytes: usize,
    ) -> Result<Pending, KafkaError> {
        loop {
            let sent = self.shared.client.read().send_result(record());
            match sent {
                Ok(delivery) => return Ok(Pending { delivery, bytes }),
                Err((ClientError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    tokio::time::sleep(BUFFER_FULL_WAIT).await;
                }
                Err((ClientError::MessageProduction(RDKafkaErrorCode::Fatal), _)) => return Err(self.renew()),
                Err((source, _)) => return Err(failure(source, bytes)),
            }
        }
    }

    /// Puts a new client in the place of one that can never go on; says so, or why that cannot be done.
    fn renew(&self) -> KafkaError {
        let mut client = self.shared.client.write();
        let Some((code, reason)) = client.client().fatal_error() else {
            // Somebody else was quicker.
            return KafkaError::ProducerRenewed;
        };
        tracing::warn!(%code, reason, "the Kafka producer cannot go on; it is made anew");
        match self.shared.kafka.producer(ProducerContext, self.shared.linger) {
            Ok(new) => {
                *client = new;
                KafkaError::ProducerRenewed
            }
            Err(error) => error,
        }
    }

    /// Produces one record and waits until it is acknowledged; returns its offset.
    ///
    /// # Errors
    /// If it is not acknowledged.
    pub async fn send(&self, topic: &str, key: &str, payload: Option<&[u8]>) -> Result<i64, KafkaError> {
        self.enqueue(topic, key, payload).await?.acknowledged().await
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
