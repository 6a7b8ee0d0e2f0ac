//! Deleting from the queues what has been written long enough ago.

use std::{convert::Infallible, time::Duration};

use crosswalk_kafka::{Kafka, KafkaError, Ledger, Purger, pool::PartitionId};
use crosswalk_runtime::error::chain;
use jiff::Timestamp;
use metrics::counter;

use crate::metrics::PURGED_TOTAL;

/// How often it is looked, at most and at least.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(3_600);

/// Purges the partitions that are held, again and again; never ends. A purge that fails is for the log only: it does no
/// more than save space, and the next one does what is left.
pub(crate) async fn keep_purging(
    kafka: &Kafka,
    group: &str,
    topics: &[String],
    ledger: &Ledger,
    keep: Duration,
) -> Infallible {
    let mut looks = tokio::time::interval((keep / 10).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL));
    looks.tick().await;
    if !kafka.settings().purge {
        return std::future::pending().await;
    }
    loop {
        looks.tick().await;
        match purge(kafka, group, topics, ledger, keep).await {
            Ok(0) => {}
            Ok(purged) => {
                counter!(PURGED_TOTAL).increment(purged);
                tracing::debug!(records = purged, "written records have been purged");
            }
            Err(error) => tracing::warn!(error = %chain(&error), "written records could not be purged"),
        }
    }
}

async fn purge(
    kafka: &Kafka,
    group: &str,
    topics: &[String],
    ledger: &Ledger,
    keep: Duration,
) -> Result<u64, KafkaError> {
    let purger = Purger::new(kafka, group)?;
    let before = Timestamp::now().checked_sub(keep).unwrap_or(Timestamp::MIN);
    let mut purged = 0;
    for (topic, name) in (0..).zip(topics) {
        let is_held = |partition| ledger.holds(PartitionId { topic, partition });
        purged += purger.purge(name, is_held, before).await?;
    }
    Ok(purged)
}
