//! Why a unit cannot go on.

use crosswalk_core::{
    Class, Classify,
    mapping::{Problem, list_problems},
    worker,
};
use crosswalk_kafka::KafkaError;
use crosswalk_runtime::{
    error::{Cancelled, failure},
    retry::RetryError,
    sealing::SealingError,
};

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
    #[error("the mapping of {table} does not fit the table: {}", list_problems(problems))]
    Mapping { table: String, problems: Vec<Problem> },
    /// A column of the mapping is gone, or of another type than it was when the run began.
    #[error("table {table} has changed: {}", list_problems(problems))]
    SchemaChanged { table: String, problems: Vec<Problem> },
    #[error("the table {table} does not track changes")]
    ChangeTrackingOff { table: String },
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl UnitError {
    /// What the status says of it.
    pub(crate) fn failure(&self) -> worker::Failure {
        let (code, advice) = match self {
            Self::Dynamics(error) => (error.code(), error.advice()),
            Self::Kafka(error) => (error.code(), error.advice()),
            Self::Credentials(error) => (error.code(), ""),
            Self::Mapping { .. } => (
                "MAPPING_INVALID",
                "Correct the mapping, or undo the change in Dynamics, then start again.",
            ),
            Self::SchemaChanged { .. } => (
                "SCHEMA_CHANGED",
                "Correct the mapping, or undo the change in Dynamics, then start again; nothing has been lost.",
            ),
            Self::ChangeTrackingOff { .. } => (
                "DYNAMICS_CHANGE_TRACKING_OFF",
                "Switch on \"Track changes\" in the table's properties, then start again.",
            ),
            Self::Cancelled(_) => ("CANCELLED", ""),
        };
        failure(self, code, advice)
    }
}

impl Classify for UnitError {
    fn class(&self) -> Class {
        match self {
            Self::Dynamics(error) => error.class(),
            Self::Kafka(error) => error.class(),
            Self::Credentials(_)
            | Self::Mapping { .. }
            | Self::SchemaChanged { .. }
            | Self::ChangeTrackingOff { .. } => Class::Fatal,
            Self::Cancelled(_) => Class::Cancelled,
        }
    }
}

impl From<RetryError<Self>> for UnitError {
    fn from(error: RetryError<Self>) -> Self {
        error.into_inner()
    }
}
