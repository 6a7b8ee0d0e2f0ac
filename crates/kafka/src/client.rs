//! The one place where Kafka clients are made.

use std::{sync::Arc, time::Duration};

use rdkafka::{
    ClientConfig,
    admin::AdminClient,
    client::ClientContext,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
    consumer::{BaseConsumer, ConsumerContext},
    error::KafkaError as ClientError,
    producer::FutureProducer,
};

use crate::{KafkaError, KafkaSettings, TopicNames, client_log};

/// What a member of a group may have fetched of all its partitions before it is worked on, in bytes.
const FETCHED_AHEAD: usize = 16 * 1024 * 1024;

/// The least of that for a partition, however many there are. A request that asks for partitions where nothing is may wait for half
/// a second, and the others have to last for so long.
const LEAST_FETCHED_AHEAD: usize = 256 * 1024;

/// Makes every Kafka client of a process, all from the same settings. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Kafka {
    settings: Arc<KafkaSettings>,
    topics: TopicNames,
    client_id: Arc<str>,
}

impl Kafka {
    /// `client_id` is how the process shows up in the broker's logs and quotas.
    #[must_use]
    pub fn new(settings: KafkaSettings, client_id: &str) -> Self {
        let topics = TopicNames::new(&settings.prefix);
        Self {
            settings: Arc::new(settings),
            topics,
            client_id: client_id.into(),
        }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &KafkaSettings {
        &self.settings
    }

    /// The names of all topics and groups.
    #[must_use]
    pub const fn topics(&self) -> &TopicNames {
        &self.topics
    }

    /// The settings that every client has in common: the operator's, then ours, which correctness depends on.
    fn common(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        // A broker that comes back is found within two seconds instead of ten.
        config.set("reconnect.backoff.max.ms", "2000");
        for (key, value) in self.settings.options.iter() {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.settings.bootstrap);
        config.set("client.id", &*self.client_id);
        config
    }

    /// A producer that neither loses nor repeats nor reorders what it was given (design §4).
    pub(crate) fn producer<C: ClientContext + 'static>(
        &self,
        context: C,
        linger: Duration,
    ) -> Result<FutureProducer<C>, KafkaError> {
        let mut config = self.common();
        config.set("enable.idempotence", "true");
        config.set("acks", "all");
        config.set("partitioner", "murmur2_random");
        config.set("linger.ms", linger.as_millis().to_string());
        // A record is given up by whoever waits for it, not behind his back: two minutes outlast a broker's restart.
        config.set("message.timeout.ms", "120000");
        config.set("queue.buffering.max.messages", "100000");
        config.set("queue.buffering.max.kbytes", "65536");
        FutureProducer::from_config_and_context(&config, context).map_err(KafkaError::client("make a producer"))
    }

    fn set_fetching(&self, config: &mut ClientConfig) {
        config.set("fetch.wait.max.ms", self.settings.fetch_wait.as_millis().to_string());
        config.set(
            "max.partition.fetch.bytes",
            self.settings.fetch_partition_bytes.to_string(),
        );
    }

    /// A consumer without a group, for topics that are read from the beginning.
    pub(crate) fn reader(&self) -> Result<BaseConsumer<QuietContext>, KafkaError> {
        let mut config = self.common();
        config.set("group.id", format!("{}.reader", self.settings.prefix));
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "earliest");
        config.set("enable.partition.eof", "true");
        // A broker may not know a new topic yet when it is asked; its partitions would be nobody's until it is asked again.
        config.set("topic.metadata.refresh.interval.ms", "10000");
        self.set_fetching(&mut config);
        config.set("fetch.error.backoff.ms", "100");
        config.set("queued.max.messages.kbytes", "8192");
        BaseConsumer::from_config_and_context(&config, QuietContext).map_err(KafkaError::client("make a consumer"))
    }

    /// A client that only asks for the offsets of a group, and never joins it.
    pub(crate) fn observer(&self, group: &str) -> Result<BaseConsumer<QuietContext>, KafkaError> {
        let mut config = self.common();
        config.set("group.id", group);
        config.set("enable.auto.commit", "false");
        BaseConsumer::from_config_and_context(&config, QuietContext)
            .map_err(KafkaError::client("make a client for offsets"))
    }

    /// A member of a consumer group. librdkafka commits the offsets that the caller stores after the effect, on a timer.
    /// `partitions` is how many it may be assigned at most: they share what is fetched ahead.
    pub(crate) fn member<C: ConsumerContext>(
        &self,
        group: &str,
        partitions: usize,
        context: C,
    ) -> Result<BaseConsumer<C>, KafkaError> {
        let mut config = self.common();
        config.set("group.id", group);
        config.set(
            "session.timeout.ms",
            self.settings.session_timeout.as_millis().to_string(),
        );
        config.set(
            "heartbeat.interval.ms",
            self.settings.heartbeat_interval.as_millis().to_string(),
        );
        config.set("partition.assignment.strategy", "cooperative-sticky");
        config.set("enable.auto.commit", "true");
        config.set("auto.commit.interval.ms", "200");
        config.set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "earliest");
        self.set_fetching(&mut config);
        config.set("fetch.error.backoff.ms", "100");
        // A partition that is read from a queue of its own has this bound for itself, and may exceed it by one answer.
        let ahead = (FETCHED_AHEAD / partitions.max(1)).max(LEAST_FETCHED_AHEAD);
        config.set("queued.max.messages.kbytes", (ahead / 1024).to_string());
        // By default a second, in which a full queue can be worked off and leave its reader with nothing.
        config.set("fetch.queue.backoff.ms", "20");
        BaseConsumer::from_config_and_context(&config, context).map_err(KafkaError::client("make a group member"))
    }

    pub(crate) fn admin(&self) -> Result<AdminClient<QuietContext>, KafkaError> {
        AdminClient::from_config_and_context(&self.common(), QuietContext)
            .map_err(KafkaError::client("make an admin client"))
    }
}

/// The context of clients that need no callbacks.
pub(crate) struct QuietContext;

impl ClientContext for QuietContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        client_log::line(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        client_log::error(&error, reason);
    }
}

impl ConsumerContext for QuietContext {}
