//! What librdkafka logs, at levels that fit.
//!
//! What an operation returns is handled, and logged, where it is called. What librdkafka says besides is mostly about
//! connections, of which a process has dozens: a broker that restarts is no error, and once is enough to say that none can
//! be reached.

use rdkafka::{
    client::ClientContext,
    config::RDKafkaLogLevel as Level,
    error::{KafkaError as ClientError, RDKafkaErrorCode},
};

/// Logs a line of librdkafka's own log.
pub(crate) fn line(level: Level, facility: &str, text: &str) {
    let is_connection = matches!(facility, "FAIL" | "ERROR" | "REQTMOUT" | "GETPID" | "SESSTMOUT");
    match level {
        Level::Emerg | Level::Alert | Level::Critical => tracing::error!(facility, "{text}"),
        Level::Error | Level::Warning if !is_connection => tracing::warn!(facility, "{text}"),
        _ => tracing::debug!(facility, "{text}"),
    }
}

/// Logs what a client reports in passing. The end of a partition is no error at all.
pub(crate) fn error(error: &ClientError, reason: &str) {
    if !matches!(error, ClientError::PartitionEOF(_)) {
        tracing::debug!(error = %error, reason, "Kafka client");
    }
}

/// The context of the producer. A process has one, so it is the one that says when no broker can be reached.
pub(crate) struct ProducerContext;

impl ClientContext for ProducerContext {
    fn log(&self, level: Level, facility: &str, text: &str) {
        line(level, facility, text);
    }

    fn error(&self, error: ClientError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            tracing::warn!(reason, "no Kafka broker can be reached; waiting for one");
        } else {
            self::error(&error, reason);
        }
    }
}
