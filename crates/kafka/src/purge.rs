//! Purging queue topics: records that have been written, and are old enough, go (design §4).

use std::sync::Arc;

use jiff::Timestamp;
use rdkafka::{
    Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    consumer::{BaseConsumer, Consumer},
};

use crate::{
    Kafka, KafkaError,
    client::QuietContext,
    lag::{Standing, TIMEOUT, standings},
};

/// Deletes from queue topics what their group has finished.
pub struct Purger {
    observer: Arc<BaseConsumer<QuietContext>>,
    admin: AdminClient<QuietContext>,
}

impl Purger {
    /// A purger behind the offsets that a consumer group has committed.
    ///
    /// # Errors
    /// If the settings are not valid.
    pub fn new(kafka: &Kafka, group: &str) -> Result<Self, KafkaError> {
        Ok(Self {
            observer: Arc::new(kafka.observer(group)?),
            admin: kafka.admin()?,
        })
    }

    /// Deletes records of some partitions of a topic that the group has finished and that were queued before a moment. Says
    /// how many.
    ///
    /// What the group has not committed stays, however old; where it has committed nothing, everything does.
    ///
    /// # Errors
    /// If Kafka does not answer, or refuses.
    pub async fn purge(
        &self,
        topic: &str,
        is_wanted: impl Fn(i32) -> bool,
        before: Timestamp,
    ) -> Result<u64, KafkaError> {
        let (observer, name) = (Arc::clone(&self.observer), topic.to_owned());
        let look = move || {
            let standings = standings(&observer, &name)?;
            let offsets = offsets_at(&observer, &name, &standings, before)?;
            Ok::<_, KafkaError>((standings, offsets))
        };
        let (standings, offsets) = tokio::task::spawn_blocking(look)
            .await
            .map_err(|_| KafkaError::Cancelled)??;
        let mut ends = TopicPartitionList::new();
        let mut purged = 0;
        for standing in standings.iter().filter(|standing| is_wanted(standing.partition)) {
            let at = offsets
                .find_partition(topic, standing.partition)
                .map(|element| element.offset());
            if let Some(end) = end_of_purge(standing, at) {
                purged += u64::try_from(end - standing.low).unwrap_or_default();
                ends.add_partition_offset(topic, standing.partition, Offset::Offset(end))
                    .map_err(KafkaError::client("purge a queue"))?;
            }
        }
        if purged == 0 {
            return Ok(0);
        }
        let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
        let deleted = self.admin.delete_records(&ends, &options).await;
        let deleted = deleted.map_err(KafkaError::client("purge a queue"))?;
        for element in deleted.elements() {
            element.error().map_err(KafkaError::client("purge a queue"))?;
        }
        Ok(purged)
    }
}

/// The first offset at or behind a moment, in each partition.
fn offsets_at(
    observer: &BaseConsumer<QuietContext>,
    topic: &str,
    standings: &[Standing],
    moment: Timestamp,
) -> Result<TopicPartitionList, KafkaError> {
    let mut asked = TopicPartitionList::new();
    for standing in standings {
        let time = Offset::Offset(moment.as_millisecond());
        asked
            .add_partition_offset(topic, standing.partition, time)
            .map_err(KafkaError::client("find old records"))?;
    }
    observer
        .offsets_for_times(asked, TIMEOUT)
        .map_err(KafkaError::client("find old records"))
}

/// Where a purge of a partition ends; `None` if there is nothing to delete. `at` is the first record that is too young.
fn end_of_purge(standing: &Standing, at: Option<Offset>) -> Option<i64> {
    let Offset::Offset(committed) = standing.committed else {
        return None;
    };
    let young = match at? {
        Offset::Offset(offset) => offset,
        // All records are older.
        Offset::End => standing.high,
        _ => return None,
    };
    let end = committed.min(young).min(standing.high);
    (end > standing.low).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_finished_and_old_is_purged() {
        for (committed, low, high, at, end) in [
            (Offset::Offset(5), 0, 10, Offset::Offset(8), Some(5)),
            (Offset::Offset(9), 0, 10, Offset::Offset(8), Some(8)),
            (Offset::Offset(9), 0, 10, Offset::End, Some(9)),
            (Offset::Offset(9), 9, 10, Offset::End, None),
            (Offset::Offset(12), 0, 10, Offset::End, Some(10)),
            (Offset::Invalid, 0, 10, Offset::End, None),
            (Offset::Offset(5), 0, 10, Offset::Invalid, None),
            (Offset::Offset(5), 0, 10, Offset::Offset(0), None),
        ] {
            let standing = Standing {
                partition: 0,
                committed,
                low,
                high,
            };
            assert_eq!(
                end_of_purge(&standing, Some(at)),
                end,
                "{committed:?} {low} {high} {at:?}"
            );
        }
    }
}
