//! What can go wrong with Kafka, and what to do about it.

use std::time::Duration;

use crosswalk_core::{Class, Classify};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};

/// A failed operation on Kafka.
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    /// The client says so.
    #[error("Kafka: cannot {operation}")]
    Client {
        /// What was tried, as in "cannot read the control log".
        operation: &'static str,
        /// The client's error.
        #[source]
        source: ClientError,
    },
    /// A record is larger than its topic takes. No attempt will help.
    #[error("a record of {bytes} bytes is larger than the topic takes")]
    RecordTooLarge {
        /// Size of key and value.
        bytes: usize,
    },
    /// No answer in time; whether the operation took effect is not known.
    #[error("Kafka did not answer within {} s; whether it could {operation} is not known", waited.as_secs())]
    NoAnswer {
        /// What was tried.
        operation: &'static str,
        /// How long we waited.
        waited: Duration,
    },
    /// A topic stands in Kafka in another form than we need.
    #[error("the topic {topic} has {found} partitions where {expected} are needed; was it made by somebody else?")]
    WrongPartitions {
        /// The topic.
        topic: String,
        /// Partitions it has.
        found: usize,
        /// Partitions we need.
        expected: usize,
    },
    /// The producer could not go on and a new one has taken its place. What it had not delivered has to be produced again.
    #[error("the Kafka producer could not go on and was made anew")]
    ProducerRenewed,
    /// There are more dead letters than can be shown.
    #[error("there are more than {limit} dead letters")]
    TooManyDeadLetters {
        /// How many can be shown.
        limit: usize,
    },
    /// We were told to stop.
    #[error("stopped")]
    Cancelled,
}

impl KafkaError {
    /// Wraps an error of the client.
    pub(crate) const fn client(operation: &'static str) -> impl FnOnce(ClientError) -> Self {
        move |source| Self::Client { operation, source }
    }

    /// Waits out an error of the client that passes by itself, since librdkafka goes on trying; gives back any other.
    pub(crate) fn pass_over(operation: &'static str, source: ClientError) -> Result<(), Self> {
        let error = Self::Client { operation, source };
        if error.class() == Class::Fatal {
            return Err(error);
        }
        tracing::debug!(error = %error, "waiting for the broker");
        Ok(())
    }

    /// Stable code for people and programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Client { .. } if self.class() == Class::Fatal => "KAFKA_REFUSED",
            Self::Client { .. } | Self::NoAnswer { .. } | Self::ProducerRenewed => "KAFKA_UNAVAILABLE",
            Self::RecordTooLarge { .. } => "RECORD_TOO_LARGE",
            Self::WrongPartitions { .. } => "KAFKA_TOPIC_MISMATCH",
            Self::TooManyDeadLetters { .. } => "TOO_MANY_DEAD_LETTERS",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl KafkaError {
    /// What somebody should do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::RecordTooLarge { .. } => "Map fewer or shorter columns, or let the topic take larger records.",
            Self::WrongPartitions { .. } => "Delete the topic, or choose another kafka.prefix.",
            Self::TooManyDeadLetters { .. } => "Correct what they are about, then redrive or discard them by reason.",
            Self::Cancelled => "",
            Self::Client { .. } | Self::NoAnswer { .. } | Self::ProducerRenewed => {
                "Check the Kafka settings and the rights of this service."
            }
        }
    }
}

impl Classify for KafkaError {
    fn class(&self) -> Class {
        match self {
            Self::Client { source, .. } => match source.rdkafka_error_code() {
                Some(code) if is_fatal(code) => Class::Fatal,
                Some(_) => Class::RETRY,
                None => match source {
                    ClientError::ClientConfig(..) | ClientError::ClientCreation(_) | ClientError::Nul(_) => {
                        Class::Fatal
                    }
                    _ => Class::RETRY,
                },
            },
            Self::RecordTooLarge { .. } => Class::Rejected,
            Self::NoAnswer { .. } | Self::ProducerRenewed => Class::RETRY,
            Self::WrongPartitions { .. } | Self::TooManyDeadLetters { .. } => Class::Fatal,
            Self::Cancelled => Class::Cancelled,
        }
    }
}

/// Codes that no amount of waiting mends: who we are, what we may do, and what we ask for.
const fn is_fatal(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::IllegalSASLState
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::InvalidTopic
            | Code::InvalidConfig
            | Code::InvalidReplicationFactor
            | Code::PolicyViolation
            | Code::UnsupportedVersion
            | Code::InvalidArgument
            | Code::Fatal
            | Code::FencedInstanceId
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(code: Code) -> KafkaError {
        KafkaError::Client {
            operation: "read",
            source: ClientError::Global(code),
        }
    }

    #[test]
    fn a_lost_broker_is_waited_for_and_a_refusal_is_not() {
        for code in [
            Code::AllBrokersDown,
            Code::BrokerTransportFailure,
            Code::LeaderNotAvailable,
            Code::RequestTimedOut,
        ] {
            assert_eq!(client(code).class(), Class::RETRY, "{code:?}");
        }
        for code in [
            Code::SaslAuthenticationFailed,
            Code::TopicAuthorizationFailed,
            Code::PolicyViolation,
        ] {
            assert_eq!(client(code).class(), Class::Fatal, "{code:?}");
        }
    }
}
