//! The records that come to a topic, counted as any consumer sees them. The offsets that a broker tells are no measure: the
//! embedded one in memory tells where the last batch begins, not where it ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crosswalk_kafka::{KafkaSettings, QUEUE_PARTITIONS};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long a poll may wait; bounds how late the end is noticed.
const POLL: Duration = Duration::from_millis(100);

/// Counts the records of a topic on a thread of its own, until dropped.
pub(crate) struct Arrivals {
    count: Arc<AtomicU64>,
    _stop: DropGuard,
}

impl Arrivals {
    /// Begins to count in a topic with as many partitions as queues have.
    pub(crate) fn follow(kafka: &KafkaSettings, topic: &str) -> anyhow::Result<Self> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &kafka.bootstrap)
            .set("group.id", "bench")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut partitions = TopicPartitionList::new();
        for partition in 0..QUEUE_PARTITIONS {
            partitions.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
        consumer.assign(&partitions)?;
        let (count, stop) = (Arc::new(AtomicU64::new(0)), CancellationToken::new());
        let (counted, stopped) = (Arc::clone(&count), stop.clone());
        thread::spawn(move || {
            while !stopped.is_cancelled() {
                if let Some(Ok(_)) = consumer.poll(POLL) {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Ok(Self {
            count,
            _stop: stop.drop_guard(),
        })
    }

    /// Records that have come so far.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}
