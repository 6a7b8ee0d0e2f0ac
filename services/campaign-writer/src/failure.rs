//! Why a run cannot go on.

use std::sync::Arc;

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

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Campaign(#[from] crosswalk_campaign::Error),
    #[error(transparent)]
    Kafka(#[from] Arc<KafkaError>),
    #[error("the Campaign credentials cannot be opened")]
    Credentials(#[from] SealingError),
    /// The pinned mapping does not fit the resource as it is now.
    #[error("the mapping to {resource} does not fit the resource: {}", list_problems(problems))]
    Mapping { resource: String, problems: Vec<Problem> },
    /// A defect of ours, caught at the record it showed at.
    #[error("a defect: {0}")]
    Defect(String),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl RunError {
    /// What the status says of it.
    pub(crate) fn failure(&self) -> worker::Failure {
        let (code, advice) = match self {
            Self::Campaign(error) => (error.code(), error.advice()),
            Self::Kafka(error) => (error.code(), error.advice()),
            Self::Credentials(error) => (error.code(), ""),
            Self::Mapping { .. } => (
                "MAPPING_INVALID",
                "Correct the mapping, or undo the change in Campaign, then start again.",
            ),
            Self::Defect(_) => ("DEFECT", "Report it with the service's log; start again to go on."),
            Self::Cancelled(_) => ("CANCELLED", ""),
        };
        failure(self, code, advice)
    }
}

impl From<KafkaError> for RunError {
    fn from(error: KafkaError) -> Self {
        Self::Kafka(Arc::new(error))
    }
}

impl Classify for RunError {
    fn class(&self) -> Class {
        match self {
            Self::Campaign(error) => error.class(),
            Self::Kafka(error) => error.class(),
            Self::Credentials(_) | Self::Mapping { .. } | Self::Defect(_) => Class::Fatal,
            Self::Cancelled(_) => Class::Cancelled,
        }
    }
}

impl From<RetryError<Self>> for RunError {
    fn from(error: RetryError<Self>) -> Self {
        match error {
            RetryError::Failed(error) | RetryError::Exhausted { error, .. } => error,
            RetryError::Cancelled(cancelled) => Self::Cancelled(cancelled),
        }
    }
}
