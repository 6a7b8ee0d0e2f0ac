//! Further settings of librdkafka, by its own names, and whether librdkafka takes them.

use std::{collections::BTreeMap, fmt};

use rdkafka::{ClientConfig, error::KafkaError as ClientError, types::RDKafkaConfRes};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};

use super::KafkaSettings;
use crate::{Kafka, KafkaError, client::QuietContext, producer::LINGER};

/// Client id and group of the clients that are made for checking only.
const CHECK: &str = "check-config";

/// Other names of settings that we set ourselves. Which of the two names librdkafka would be told last is chance.
const OTHER_NAMES_OF_OURS: [&str; 6] = [
    "auto.commit.enable",
    "delivery.timeout.ms",
    "fetch.message.max.bytes",
    "metadata.broker.list",
    "queue.buffering.max.ms",
    "request.required.acks",
];

/// Shortest piece of a value that is taken out of a message, in bytes. Shorter ones are words like any other.
const SHORTEST_PIECE: usize = 6;

/// Settings of librdkafka by name. Some are secrets, so no value is ever shown.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct ClientOptions(BTreeMap<String, String>);

impl ClientOptions {
    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What librdkafka does not take of them, each tried alone: the name, and what is wrong.
    pub(super) fn faults(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.iter()
            .filter_map(|(name, value)| fault(name, value).map(|fault| (name, fault)))
    }

    /// A message of librdkafka without the words that stand in a value.
    fn without_values(&self, message: &str) -> String {
        let is_of_a_value = |word: &str| {
            let is_piece = |value: &String| value == word || word.len() >= SHORTEST_PIECE && value.contains(word);
            self.0.values().any(is_piece)
        };
        let shown = message.split_whitespace().map(|word| {
            let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
            if is_of_a_value(word) || is_of_a_value(bare) {
                "[redacted]"
            } else {
                word
            }
        });
        shown.collect::<Vec<_>>().join(" ")
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

/// Why librdkafka does not take the options together, and with what we set ourselves. All settings must be valid by
/// themselves.
pub(super) fn refusal(settings: &KafkaSettings) -> Option<String> {
    let options = &settings.options;
    if options.0.is_empty() {
        return None;
    }
    match make_clients(settings).err()? {
        KafkaError::Client {
            source: ClientError::ClientCreation(reason),
            ..
        } => Some(format!(
            "librdkafka refuses them together: {}",
            options.without_values(&reason)
        )),
        _ => Some("librdkafka refuses them together".to_owned()),
    }
}

/// What is wrong with one option. Never the text of librdkafka, which quotes the value.
fn fault(name: &str, value: &str) -> Option<&'static str> {
    if OTHER_NAMES_OF_OURS.contains(&name) {
        return Some("cannot be changed: it is another name of a setting that Crosswalk sets itself");
    }
    let mut config = ClientConfig::new();
    config.set(name, value);
    Some(match config.create_native_config().err()? {
        ClientError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..) => {
            "librdkafka has no setting of this name"
        }
        ClientError::ClientConfig(_, reason, ..) if reason.contains("not available at build time") => {
            "is not supported by this build; TLS and SASL need the cargo feature `ssl`"
        }
        _ => "librdkafka does not take this value",
    })
}

/// Makes the clients that have settings of ours besides, and drops them again.
fn make_clients(settings: &KafkaSettings) -> Result<(), KafkaError> {
    // Without a broker, so that nothing is sent to anybody.
    let nowhere = KafkaSettings {
        bootstrap: String::new(),
        ..settings.clone()
    };
    let kafka = Kafka::new(nowhere, CHECK);
    drop(kafka.producer(QuietContext, LINGER)?);
    drop(kafka.member(CHECK, 1, QuietContext)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn settings(options: &[(&str, &str)]) -> KafkaSettings {
        let options = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        KafkaSettings {
            options: ClientOptions(options.collect()),
            ..KafkaSettings::default()
        }
    }

    #[test]
    fn no_value_of_an_option_is_shown() {
        let settings = settings(&[("sasl.password", "hunter2")]);
        let shown = format!("{settings:?}");
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
        let message = "cannot log in as \"hunter2\", nor as hunter: hunter2";
        assert_eq!(
            settings.options.without_values(message),
            "cannot log in as [redacted] nor as [redacted] [redacted]"
        );
    }

    #[test]
    fn every_option_that_librdkafka_does_not_take_is_named_without_its_value() {
        let settings = settings(&[
            ("client.rack", "a"),
            ("request.required.acks", "1"),
            ("sasl.passwrod", "hunter2"),
            ("socket.timeout.ms", "hunter2"),
        ]);
        let found = settings.problems();
        let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
        let expected = [
            "options.request.required.acks",
            "options.sasl.passwrod",
            "options.socket.timeout.ms",
        ];
        assert_eq!(keys, expected);
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    }

    #[test]
    fn options_that_do_not_go_together_are_a_problem() {
        // An idempotent producer, which ours is, has at most five requests in flight.
        let found = settings(&[("max.in.flight.requests.per.connection", "1000")]).problems();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "options");
        assert!(found[0].1.contains("max.in.flight"), "{found:?}");
    }

    #[test]
    fn options_that_librdkafka_takes_are_checked_without_a_connection_and_at_once() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let settings = KafkaSettings {
            bootstrap: listener.local_addr().unwrap().to_string(),
            ..settings(&[("client.rack", "a"), ("socket.keepalive.enable", "true")])
        };
        let begun = Instant::now();
        assert_eq!(settings.problems(), []);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let refused = listener.accept().expect_err("nobody connects");
        assert_eq!(refused.kind(), std::io::ErrorKind::WouldBlock);
    }
}
