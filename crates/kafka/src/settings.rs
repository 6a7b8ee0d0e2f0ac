//! How to reach Kafka and how to treat it.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};

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
    /// Settings for the embedded broker.
    ///
    /// Its group joins wait half the session timeout, so the timeout is short. It has no DeleteRecords. It looks for new
    /// records at half the fetch wait, so that is short too; and when it needs longer than that to gather an answer it goes
    /// on record by record, with a query for each, so answers are kept small enough to be gathered in time.
    #[must_use]
    pub fn embedded(bootstrap: String) -> Self {
        Self {
            bootstrap,
            session_timeout: Duration::from_secs(3),
            heartbeat_interval: Duration::from_secs(1),
            fetch_wait: Duration::from_millis(300),
            fetch_partition_bytes: 128 * 1024,
            leave_as_member: true,
            purge: false,
            ..Self::default()
        }
    }
}

/// Settings of librdkafka by name. Some are secrets, so no value is ever shown.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct ClientOptions(BTreeMap<String, String>);

impl ClientOptions {
    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Serialize for ClientOptions {
    /// For showing, not for storing: names with a placeholder each.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for name in self.0.keys() {
            map.serialize_entry(name, "[redacted]")?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_client_option_is_shown() {
        let options = ClientOptions(BTreeMap::from([("sasl.password".to_owned(), "hunter2".to_owned())]));
        let settings = KafkaSettings {
            options,
            ..KafkaSettings::default()
        };
        let shown = format!("{settings:?}");
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
    }
}
