//! The ledger of the tables that one run writes: in memory for the partitions it holds, durable in a compacted topic for each
//! table, with the partitioning of the table's queue (design §7).

mod durability;
mod map;
mod restore;

use std::{collections::HashMap, sync::Arc};

use crosswalk_core::{
    Class, Classify, Epoch, InstanceId,
    ledger::{Known, Subject},
    mapping::key_text,
};
use crosswalk_proto::record::encode_ledger_entry;
use futures::FutureExt as _;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) use self::durability::Ticket;
use self::durability::{Durability, Issued};
pub use self::map::LedgerMap;
use crate::{Kafka, KafkaError, Pending, Producer, QUEUE_PARTITIONS, pool::PartitionId};

/// The ledger of the tables of one run. Cheap to clone.
///
/// What is settled is known at once and durable a moment later; [`Queue`](crate::Queue) commits no offset before that.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    kafka: Kafka,
    producer: Producer,
    /// By the index of the table's queue topic.
    tables: Vec<LedgerTable>,
    /// Of the partitions that are held and restored.
    maps: RwLock<HashMap<PartitionId, Arc<Mutex<LedgerMap>>>>,
    durability: Durability,
}

struct LedgerTable {
    topic: String,
    subject: Subject,
}

impl Ledger {
    /// Opens the ledgers of tables, in the order of their queue topics; makes their topics if they are not there.
    ///
    /// # Errors
    /// If Kafka refuses or cannot be reached.
    pub async fn open(
        kafka: &Kafka,
        producer: Producer,
        instance: &InstanceId,
        tables: impl IntoIterator<Item = (&str, Subject)>,
    ) -> Result<Self, KafkaError> {
        let names = kafka.topics();
        let mut specs = Vec::new();
        let mut opened = Vec::new();
        for (table, subject) in tables {
            let spec = names.ledger_spec(instance, table);
            opened.push(LedgerTable {
                topic: spec.name.clone(),
                subject,
            });
            specs.push(spec);
        }
        kafka.ensure_topics(&specs).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                kafka: kafka.clone(),
                producer,
                tables: opened,
                maps: RwLock::default(),
                durability: Durability::new(),
            }),
        })
    }

    /// What is known of a record; nothing of partitions that are not held.
    #[must_use]
    pub fn known(&self, partition: PartitionId, id: Uuid) -> Option<Known> {
        self.inner.map(partition)?.lock().get(id)
    }

    /// Whether a partition is held and restored.
    #[must_use]
    pub fn holds(&self, partition: PartitionId) -> bool {
        self.inner.maps.read().contains_key(&partition)
    }

    /// How many records of a partition are at the destination, and which of them an epoch's read did not find; `None` if the
    /// partition is not held any more.
    #[must_use]
    pub fn missing(&self, partition: PartitionId, epoch: Epoch) -> Option<(u64, Vec<Uuid>)> {
        let map = self.inner.map(partition)?;
        let map = map.lock();
        let mut written = 0;
        let mut missing = Vec::new();
        for (id, known) in map.iter().filter(|(_, known)| known.standing.exists()) {
            written += 1;
            if known.epoch < epoch {
                missing.push(id);
            }
        }
        Some((written, missing))
    }

    /// Remembers how a record stands. Waits only while the producer's buffer is full.
    ///
    /// Of a partition that is not held any more nothing is written: its new holder knows better.
    ///
    /// # Errors
    /// If the producer cannot take it.
    pub async fn settle(&self, partition: PartitionId, id: Uuid, known: &Known) -> Result<(), KafkaError> {
        let Some(map) = self.inner.map(partition) else {
            return Ok(());
        };
        map.lock().insert(id, known);
        self.issue(partition, id).await
    }

    /// Forgets a record that the destination does not hold any more, as [`settle`](Self::settle) remembers one.
    ///
    /// # Errors
    /// If the producer cannot take it.
    pub async fn forget(&self, partition: PartitionId, id: Uuid) -> Result<(), KafkaError> {
        let Some(map) = self.inner.map(partition) else {
            return Ok(());
        };
        let was_known = map.lock().remove(id).is_some();
        if was_known {
            self.issue(partition, id).await
        } else {
            Ok(())
        }
    }

    async fn issue(&self, partition: PartitionId, id: Uuid) -> Result<(), KafkaError> {
        let pending = match self.inner.send(partition, id).await {
            Ok(Some(pending)) => Some(pending),
            Ok(None) => return Ok(()),
            // It is known in memory by now, so it has to become durable before anything is committed behind it.
            Err(error) if matches!(error.class(), Class::Retry { .. }) => None,
            Err(error) => return Err(error),
        };
        let inner = Arc::downgrade(&self.inner);
        let again = move || {
            let inner = inner.upgrade();
            async move {
                match inner {
                    Some(inner) => inner.send(partition, id).await,
                    None => Ok(None),
                }
            }
            .boxed()
        };
        self.inner.durability.issue(Issued {
            pending,
            again: Box::new(again),
        });
        Ok(())
    }

    /// Reads the ledger of partitions, to be held by [`hold`](Self::hold).
    pub(crate) async fn read(
        &self,
        partitions: &[PartitionId],
        cancel: &CancellationToken,
    ) -> Result<HashMap<PartitionId, LedgerMap>, KafkaError> {
        let mut by_table: HashMap<u16, Vec<i32>> = HashMap::new();
        for partition in partitions {
            by_table.entry(partition.topic).or_default().push(partition.partition);
        }
        let reads = by_table.into_iter().filter_map(|(topic, partitions)| {
            let table = self.inner.tables.get(usize::from(topic))?;
            let (kafka, cancel) = (&self.inner.kafka, cancel.clone());
            Some(async move {
                let maps = restore::read(kafka, &table.topic, partitions, table.subject, cancel).await?;
                let of_topic = move |(partition, map)| (PartitionId { topic, partition }, map);
                Ok::<_, KafkaError>(maps.into_iter().map(of_topic))
            })
        });
        let read = futures::future::try_join_all(reads).await?;
        Ok(read.into_iter().flatten().collect())
    }

    /// From now on what is known of a partition is this, and what is settled of it is written.
    pub(crate) fn hold(&self, partition: PartitionId, map: LedgerMap) {
        self.inner.maps.write().insert(partition, Arc::new(Mutex::new(map)));
    }

    /// Forgets partitions that have been taken away.
    pub(crate) fn release(&self, partitions: &[PartitionId]) {
        let mut maps = self.inner.maps.write();
        maps.retain(|partition, _| !partitions.contains(partition));
    }

    /// Everything that has been settled so far.
    pub(crate) fn ticket(&self) -> Ticket {
        self.inner.durability.ticket()
    }

    /// Whether all of it is durable.
    pub(crate) fn is_durable(&self, ticket: Ticket) -> bool {
        self.inner.durability.is_durable(ticket)
    }

    /// Waits until all of it is durable; for ever if that is not possible.
    pub(crate) async fn durable(&self, ticket: Ticket) {
        self.inner.durability.durable(ticket).await;
    }

    /// Waits until something could not be made durable: no offset behind it will ever be committed.
    pub async fn failed(&self) -> Arc<KafkaError> {
        self.inner.durability.failed().await
    }
}

impl Inner {
    fn map(&self, partition: PartitionId) -> Option<Arc<Mutex<LedgerMap>>> {
        self.maps.read().get(&partition).cloned()
    }

    /// Sends what is known of a record now; nothing if the partition is not held.
    async fn send(&self, partition: PartitionId, id: Uuid) -> Result<Option<Pending>, KafkaError> {
        let (Some(map), Some(table)) = (self.map(partition), self.tables.get(usize::from(partition.topic))) else {
            return Ok(None);
        };
        let payload = map
            .lock()
            .get(id)
            .map(|known| encode_ledger_entry(table.subject, &known));
        let pending = self
            .producer
            .enqueue_keyed_at(&table.topic, partition.partition, &key_text(id), payload.as_deref())
            .await?;
        Ok(Some(pending))
    }
}

/// Reads the whole ledger of one table, as it is now. A table that has never been written has an empty one.
///
/// # Errors
/// If Kafka refuses or cannot be reached.
pub async fn read_ledger(
    kafka: &Kafka,
    instance: &InstanceId,
    table: &str,
    subject: Subject,
    cancel: CancellationToken,
) -> Result<LedgerMap, KafkaError> {
    let spec = kafka.topics().ledger_spec(instance, table);
    kafka.ensure_topics(std::slice::from_ref(&spec)).await?;
    let partitions = (0..QUEUE_PARTITIONS).collect();
    let maps = restore::read(kafka, &spec.name, partitions, subject, cancel).await?;
    let mut whole = LedgerMap::default();
    for map in maps.into_values() {
        whole.extend(&map);
    }
    Ok(whole)
}
