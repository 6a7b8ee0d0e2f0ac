//! Why a unit cannot go on.

use crosswalk_core::{Class, Classify, mapping::Problem, worker};
use crosswalk_kafka::KafkaError;
use crosswalk_runtime::{
    error::{Cancelled, chain},
    retry::RetryError,
    sealing::SealingError,
};
use jiff::Timestamp;

/// Why a unit cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnitError {
    #[error(transparent)]
    Dynamics(#[from] crosswalk_dynamics::Error),
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    #[error("the Dynamics credentials cannot be opened")]
    Credentials(#[from] SealingError),
    /// The pinned mapping does not fit the table as it is now.
    #[error("the mapping of {table} does not fit the table: {}", list(problems))]
    Mapping { table: String, problems: Vec<Problem> },
    #[error("the table {table} does not track changes")]
    ChangeTrackingOff { table: String },
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl UnitError {
    /// What the status says of it.
    pub(crate) fn failure(&self) -> worker::Failure {
        let (code, advice) = match self {
            Self::Dynamics(error) => (error.code(), error.advice()),
            Self::Kafka(error) => (error.code(), "Check the Kafka settings and the rights of this service."),
            Self::Credentials(_) => (
                "CREDENTIALS_UNREADABLE",
                "Give this service the key that the control plane seals with, or enter the client secret again.",
            ),
            Self::Mapping { .. } => (
                "MAPPING_INVALID",
                "Correct the mapping, or undo the change in Dynamics, then start again.",
            ),
            Self::ChangeTrackingOff { .. } => (
                "DYNAMICS_CHANGE_TRACKING_OFF",
                "Switch on \"Track changes\" in the table's properties, then start again.",
            ),
            Self::Cancelled(_) => ("CANCELLED", ""),
        };
        let message = format!("{}. {advice}", chain(self));
        worker::Failure {
            code: code.into(),
            message,
            since: Timestamp::now(),
        }
    }
}

impl Classify for UnitError {
    fn class(&self) -> Class {
        match self {
            Self::Dynamics(error) => error.class(),
            Self::Kafka(error) => error.class(),
            Self::Credentials(_) | Self::Mapping { .. } | Self::ChangeTrackingOff { .. } => Class::Fatal,
            Self::Cancelled(_) => Class::Cancelled,
        }
    }
}

impl From<RetryError<Self>> for UnitError {
    fn from(error: RetryError<Self>) -> Self {
        match error {
            RetryError::Failed(error) | RetryError::Exhausted { error, .. } => error,
            RetryError::Cancelled(cancelled) => Self::Cancelled(cancelled),
        }
    }
}
