//! Exact lag: the backlog of a workflow (design §1).

use std::{collections::HashMap, sync::Arc, time::Duration};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError as ClientError, RDKafkaErrorCode},
};

use crate::{Kafka, KafkaError, client::QuietContext, topics::QUEUE_PARTITIONS};

pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Measures how many records a group has not finished.
///
/// It has a client of its own: asking a client that also consumes waits behind its long poll.
#[derive(Clone)]
pub struct LagMeter {
    observer: Arc<BaseConsumer<QuietContext>>,
}

impl LagMeter {
    /// A meter for one consumer group.
    ///
    /// # Errors
    /// If the settings are not valid.
    pub fn new(kafka: &Kafka, group: &str) -> Result<Self, KafkaError> {
        Ok(Self {
            observer: Arc::new(kafka.observer(group)?),
        })
    }

    /// Records in the queue topics that the group has not committed: 0 when all is written, N when N wait.
    ///
    /// Where no offset is committed, or the committed one has been purged, counting begins at the earliest record. A topic
    /// that is not there has no lag.
    ///
    /// # Errors
    /// If Kafka does not answer.
    pub async fn lag(&self, topics: Vec<String>) -> Result<u64, KafkaError> {
        let observer = Arc::clone(&self.observer);
        tokio::task::spawn_blocking(move || topics.iter().map(|topic| topic_lag(&observer, topic)).sum())
            .await
            .map_err(|_| KafkaError::Cancelled)?
    }
}

impl LagMeter {
    /// Where the partitions of a topic end now.
    ///
    /// # Errors
    /// If Kafka does not answer.
    pub async fn ends(&self, topic: &str) -> Result<HashMap<i32, i64>, KafkaError> {
        let (observer, topic) = (Arc::clone(&self.observer), topic.to_owned());
        let ends = move || {
            let standings = standings(&observer, &topic)?;
            Ok(standings.into_iter().map(|one| (one.partition, one.high)).collect())
        };
        tokio::task::spawn_blocking(ends)
            .await
            .map_err(|_| KafkaError::Cancelled)?
    }

    /// The first record of each partition of a topic that the group has not finished.
    ///
    /// # Errors
    /// If Kafka does not answer.
    pub async fn positions(&self, topic: &str) -> Result<HashMap<i32, i64>, KafkaError> {
        let (observer, topic) = (Arc::clone(&self.observer), topic.to_owned());
        let positions = move || {
            let standings = standings(&observer, &topic)?;
            Ok(standings
                .into_iter()
                .map(|one| (one.partition, one.position()))
                .collect())
        };
        tokio::task::spawn_blocking(positions)
            .await
            .map_err(|_| KafkaError::Cancelled)?
    }
}

/// Where a group stands in a partition.
pub(crate) struct Standing {
    pub(crate) partition: i32,
    pub(crate) committed: Offset,
    pub(crate) low: i64,
    pub(crate) high: i64,
}

impl Standing {
    /// The first record that is not finished.
    fn position(&self) -> i64 {
        match self.committed {
            Offset::Offset(offset) => offset.max(self.low),
            _ => self.low,
        }
    }

    fn lag(&self) -> u64 {
        u64::try_from(self.high - self.position()).unwrap_or_default()
    }
}

fn topic_lag(observer: &BaseConsumer<QuietContext>, topic: &str) -> Result<u64, KafkaError> {
    Ok(standings(observer, topic)?.iter().map(Standing::lag).sum())
}

/// Where the group stands in each partition of a topic; nothing for a topic that is not there.
pub(crate) fn standings(observer: &BaseConsumer<QuietContext>, topic: &str) -> Result<Vec<Standing>, KafkaError> {
    let metadata = observer
        .fetch_metadata(Some(topic), TIMEOUT)
        .map_err(KafkaError::client("read a topic's partitions"))?;
    let topics = metadata.topics();
    let partitions = match topics
        .first()
        .map(|found| (found.error().map(RDKafkaErrorCode::from), found))
    {
        Some((Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition), _)) | None => 0,
        Some((Some(code), _)) => {
            let source = ClientError::MetadataFetch(code);
            return Err(KafkaError::Client {
                operation: "read a topic's partitions",
                source,
            });
        }
        Some((None, found)) => found.partitions().len(),
    };
    let partitions = i32::try_from(partitions).unwrap_or(QUEUE_PARTITIONS);
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(topic, 0, partitions - 1);
    if partitions == 0 {
        return Ok(Vec::new());
    }
    let committed = observer
        .committed_offsets(asked, TIMEOUT)
        .map_err(KafkaError::client("read committed offsets"))?;
    let mut standings = Vec::new();
    for element in committed.elements_for_topic(topic) {
        let partition = element.partition();
        let (low, high) = observer
            .fetch_watermarks(topic, partition, TIMEOUT)
            .map_err(KafkaError::client("read the end of a topic"))?;
        standings.push(Standing {
            partition,
            committed: element.offset(),
            low,
            high,
        });
    }
    Ok(standings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_counts_from_the_earliest_record_where_nothing_is_committed() {
        for (committed, low, high, lag) in [
            (Offset::Offset(5), 0, 10, 5),
            (Offset::Offset(10), 0, 10, 0),
            (Offset::Invalid, 0, 10, 10),
            (Offset::Invalid, 4, 10, 6),
            (Offset::Offset(2), 4, 10, 6),
            (Offset::Offset(12), 0, 10, 0),
            (Offset::Invalid, 0, 0, 0),
        ] {
            let standing = Standing {
                partition: 0,
                committed,
                low,
                high,
            };
            assert_eq!(standing.lag(), lag, "{committed:?} {low} {high}");
        }
    }
}
