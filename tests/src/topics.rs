//! A look at a world's topics, past all of Crosswalk.

use std::time::Duration;

use anyhow::Context as _;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};

use crate::World;

const TIMEOUT: Duration = Duration::from_secs(10);

impl World {
    /// The name of a topic or group of this world.
    ///
    /// # Errors
    /// If the world has no prefix.
    pub fn topic(&self, name: &str) -> anyhow::Result<String> {
        Ok(format!("{}.{name}", self.setting("CROSSWALK__KAFKA__PREFIX")?))
    }

    /// The earliest offset and the end of each partition of a topic.
    ///
    /// # Errors
    /// If Kafka does not answer.
    pub fn watermarks(&self, topic: &str) -> anyhow::Result<Vec<(i64, i64)>> {
        let (consumer, topic) = (self.consumer("nobody")?, self.topic(topic)?);
        let partitions = partitions(&consumer, &topic)?;
        (0..partitions)
            .map(|partition| Ok(consumer.fetch_watermarks(&topic, partition, TIMEOUT)?))
            .collect()
    }

    /// How many partitions of a topic a group has committed an offset of.
    ///
    /// # Errors
    /// If Kafka does not answer.
    pub fn committed(&self, group: &str, topic: &str) -> anyhow::Result<usize> {
        let (consumer, topic) = (self.consumer(&self.topic(group)?)?, self.topic(topic)?);
        let mut asked = TopicPartitionList::new();
        asked.add_partition_range(&topic, 0, partitions(&consumer, &topic)? - 1);
        let committed = consumer.committed_offsets(asked, TIMEOUT)?;
        let is_committed = |offset: Offset| matches!(offset, Offset::Offset(_));
        Ok(committed
            .elements()
            .iter()
            .filter(|element| is_committed(element.offset()))
            .count())
    }

    fn consumer(&self, group: &str) -> anyhow::Result<BaseConsumer> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.setting("CROSSWALK__KAFKA__BOOTSTRAP")?);
        config.set("group.id", group);
        Ok(config.create()?)
    }
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let found = metadata.topics().first().context("the broker knows no such topic")?;
    Ok(i32::try_from(found.partitions().len())?)
}
