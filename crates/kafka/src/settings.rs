//! How to reach Kafka and how to treat it.

mod options;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::options::ClientOptions;

const MIN_FETCH_WAIT: Duration = Duration::from_millis(1);
const MAX_FETCH_WAIT: Duration = Duration::from_secs(30);

/// The longest session that librdkafka takes.
const MAX_SESSION_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The most bytes of a partition that librdkafka takes.
const MAX_FETCH_PARTITION_BYTES: u32 = 1_000_000_000;

/// Settings of the Kafka connection, the same for every service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaSettings {
    /// Brokers to begin with: `host:port`, several separated by commas.
    pub bootstrap: String,
    /// What all topic and group names begin with.
    pub prefix: String,
    /// Copies of each topic that is created; the broker's default if not set.
    pub replication: Option<i32>,
    /// How long a consumer may be silent before its partitions go to others.
    #[serde(with = "humantime_serde")]
    pub session_timeout: Duration,
    /// How often a consumer shows that it lives; well below the session timeout.
    #[serde(with = "humantime_serde")]
    pub heartbeat_interval: Duration,
    /// How long a broker may wait for records before it answers that there are none.
    #[serde(with = "humantime_serde")]
    pub fetch_wait: Duration,
    /// Most bytes of one partition in one answer.
    pub fetch_partition_bytes: u32,
    /// Whether a consumer that is told to leave its group while it joins waits until it is a member. The embedded broker waits
    /// for ever for a member that left so early, and takes no other one meanwhile.
    pub leave_as_member: bool,
    /// Whether the broker can purge records that have been written (DeleteRecords); the embedded one cannot.
    pub purge: bool,
    /// More settings of librdkafka, e.g. for SASL and TLS. Those that correctness depends on cannot be changed here.
    pub options: ClientOptions,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            bootstrap: "127.0.0.1:9092".into(),
            prefix: "crosswalk".into(),
            replication: None,
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            fetch_wait: Duration::from_millis(500),
            fetch_partition_bytes: 1024 * 1024,
            leave_as_member: false,
            purge: true,
            options: ClientOptions::default(),
        }
    }
}

impl KafkaSettings {
    /// What is wrong with them: the key, and what is expected of it. Nothing is sent to Kafka.
    #[must_use]
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut problems = self.broken_rules();
        let faults = self.options.faults();
        problems.extend(faults.map(|(name, fault)| (format!("options.{name}"), fault.to_owned())));
        // What is wrong already would be told again.
        if problems.is_empty() {
            problems.extend(options::refusal(self).map(|refusal| ("options".to_owned(), refusal)));
        }
        problems
    }

    fn broken_rules(&self) -> Vec<(String, String)> {
        let rules = [
            (
                !self.bootstrap.trim().is_empty(),
                "bootstrap",
                "must name a broker, such as 127.0.0.1:9092",
            ),
            (
                is_topic_prefix(&self.prefix),
                "prefix",
                "must be 1 to 100 letters, digits, dots, hyphens or underscores",
            ),
            (
                self.replication.is_none_or(|copies| copies > 0),
                "replication",
                "must be at least 1",
            ),
            (
                (Duration::from_secs(1)..=MAX_SESSION_TIMEOUT).contains(&self.session_timeout),
                "session_timeout",
                "must be from 1s to 1h",
            ),
            (
                !self.heartbeat_interval.is_zero() && self.heartbeat_interval * 2 <= self.session_timeout,
                "heartbeat_interval",
                "must be longer than zero and at most half the session timeout",
            ),
            (
                (MIN_FETCH_WAIT..=MAX_FETCH_WAIT).contains(&self.fetch_wait),
                "fetch_wait",
                "must be from 1ms to 30s",
            ),
            (
                (16 * 1024..=MAX_FETCH_PARTITION_BYTES).contains(&self.fetch_partition_bytes),
                "fetch_partition_bytes",
                "must be from 16384 to 1000000000",
            ),
        ];
        rules
            .into_iter()
            .filter(|(holds, ..)| !holds)
            .map(|(_, key, expected)| (key.to_owned(), expected.to_owned()))
            .collect()
    }

    /// Settings for the embedded broker.
    ///
    /// Its group joins last for whole seconds until half the session timeout has passed, so the timeout is the shortest that
    /// makes it one. It has no DeleteRecords. It looks for new
    /// records at half the fetch wait, so that is short too; and when it needs longer than that to gather an answer it goes
    /// on record by record, with a query for each, so answers are kept small enough to be gathered in time.
    #[must_use]
    pub fn embedded(bootstrap: String) -> Self {
        Self {
            bootstrap,
            session_timeout: Duration::from_secs(2),
            heartbeat_interval: Duration::from_millis(500),
            fetch_wait: Duration::from_millis(300),
            fetch_partition_bytes: 128 * 1024,
            leave_as_member: true,
            purge: false,
            ..Self::default()
        }
    }
}

/// Names of topics may have 249 characters; the rest of ours needs about 120.
fn is_topic_prefix(prefix: &str) -> bool {
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    (1..=100).contains(&prefix.len()) && prefix.chars().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_that_cannot_work_is_named() {
        assert_eq!(KafkaSettings::default().problems(), []);
        assert_eq!(KafkaSettings::embedded("127.0.0.1:9092".to_owned()).problems(), []);
        let settings = KafkaSettings {
            bootstrap: " ".to_owned(),
            prefix: "cross walk".to_owned(),
            replication: Some(0),
            session_timeout: Duration::from_secs(2),
            heartbeat_interval: Duration::from_secs(2),
            fetch_wait: Duration::ZERO,
            fetch_partition_bytes: 1,
            ..KafkaSettings::default()
        };
        let keys: Vec<String> = settings.problems().into_iter().map(|(key, _)| key).collect();
        let expected = [
            "bootstrap",
            "prefix",
            "replication",
            "heartbeat_interval",
            "fetch_wait",
            "fetch_partition_bytes",
        ];
        assert_eq!(keys, expected);
    }
}
