//! Reading ledger partitions to their end.

use std::{collections::HashMap, time::Duration};

use crosswalk_core::ledger::Subject;
use crosswalk_proto::record::decode_ledger_entry;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError as ClientError,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::LedgerMap;
use crate::{Kafka, KafkaError, client::QuietContext};

const POLL: Duration = Duration::from_millis(100);
const ASK: Duration = Duration::from_secs(5);

/// Reads partitions of a ledger topic, each into a map of its own. Entries of another subject tell nothing and are left out.
pub(super) async fn read(
    kafka: &Kafka,
    topic: &str,
    partitions: Vec<i32>,
    subject: Subject,
    cancel: CancellationToken,
) -> Result<HashMap<i32, LedgerMap>, KafkaError> {
    let consumer = kafka.reader()?;
    let topic = topic.to_owned();
    let read = move || {
        let mut reading = Reading {
            consumer: &consumer,
            topic: &topic,
            subject,
            ends: HashMap::new(),
            maps: HashMap::new(),
        };
        reading.begin(&partitions)?;
        reading.finish(&cancel)?;
        Ok(reading.maps)
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| KafkaError::Cancelled)?
}

struct Reading<'a> {
    consumer: &'a BaseConsumer<QuietContext>,
    topic: &'a str,
    subject: Subject,
    /// Where the partitions end that have not been read to their end.
    ends: HashMap<i32, i64>,
    maps: HashMap<i32, LedgerMap>,
}

impl Reading<'_> {
    fn begin(&mut self, partitions: &[i32]) -> Result<(), KafkaError> {
        let mut assignment = TopicPartitionList::new();
        for &partition in partitions {
            let (low, high) = self
                .consumer
                .fetch_watermarks(self.topic, partition, ASK)
                .map_err(KafkaError::client("find the end of the ledger"))?;
            self.maps.insert(partition, LedgerMap::default());
            if low < high {
                self.ends.insert(partition, high);
                assignment
                    .add_partition_offset(self.topic, partition, Offset::Beginning)
                    .map_err(KafkaError::client("begin to read the ledger"))?;
            }
        }
        self.consumer
            .assign(&assignment)
            .map_err(KafkaError::client("begin to read the ledger"))
    }

    fn finish(&mut self, cancel: &CancellationToken) -> Result<(), KafkaError> {
        while !self.ends.is_empty() {
            if cancel.is_cancelled() {
                return Err(KafkaError::Cancelled);
            }
            match self.consumer.poll(POLL) {
                None => {}
                Some(Ok(message)) => self.take(&message),
                Some(Err(ClientError::PartitionEOF(partition))) => {
                    self.ends.remove(&partition);
                }
                Some(Err(source)) => KafkaError::pass_over("read the ledger", source)?,
            }
        }
        Ok(())
    }

    fn take(&mut self, message: &impl Message) {
        let partition = message.partition();
        if let Some(map) = self.maps.get_mut(&partition)
            && let Some(id) = message.key().and_then(|key| Uuid::try_parse_ascii(key).ok())
        {
            match message.payload().map(decode_ledger_entry) {
                Some(Ok((subject, known))) if subject == self.subject => {
                    // What a former owner of the partition wrote late does not stand against what its successor knew.
                    if map.get(id).is_none_or(|before| known.is_as_late_as(&before)) {
                        map.insert(id, &known);
                    }
                }
                // What it tells, if anything, is not of this mapping. It may stand behind an entry that is.
                Some(_) | None => {
                    map.remove(id);
                }
            }
        }
        if self
            .ends
            .get(&partition)
            .is_some_and(|end| message.offset() + 1 >= *end)
        {
            self.ends.remove(&partition);
        }
    }
}
