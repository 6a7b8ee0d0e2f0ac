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
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Campaign(#[from] crosswalk_campaign::Error),
    #[error(transparent)]
    Kafka(#[from] Arc<KafkaError>),
    #[error("the Campaign credentials cannot be opened")]
    Credentials(#[source] Arc<SealingError>),
    /// The pinned mapping does not fit the resource as it is now.
    #[error("the mapping to {resource} does not fit the resource: {}", list_problems(problems))]
    Mapping { resource: String, problems: Vec<Problem> },
    /// A mapped field is of another type than it was when the run began.
    #[error("resource {resource} has changed: {}", list_problems(problems))]
    SchemaChanged { resource: String, problems: Vec<Problem> },
    /// A read of the whole table missed more than may be deleted for it.
    #[error(
        "{missing} of the {written} records of {table} that are in Campaign were not found in Dynamics, more than {percent} %"
    )]
    TooManyMissing {
        table: String,
        missing: u64,
        written: u64,
        percent: f64,
    },
    /// Most of the last records were rejected.
    #[error("{rejected} of the last {of} records were rejected, the last one for {code}")]
    TooManyRejected { rejected: usize, of: usize, code: String },
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
            Self::SchemaChanged { .. } => (
                "SCHEMA_CHANGED",
                "Correct the mapping, or undo the change in Campaign, then start again; nothing has been lost.",
            ),
            Self::TooManyMissing { .. } => (
                "TOO_MANY_DELETES",
                "Nothing was deleted. If the application user may not see all rows any more, mend that, replay the table and \
                 start again; if they are meant to be deleted, raise `writing.max_missing_share` of the writers.",
            ),
            Self::TooManyRejected { .. } => (
                "TOO_MANY_REJECTED",
                "Look at the dead letters, correct the mapping or the data, redrive them, then start again.",
            ),
            Self::Defect(_) => ("DEFECT", "Report it with the service's log; start again to go on."),
            Self::Cancelled(_) => ("CANCELLED", ""),
        };
        failure(self, code, advice)
    }
}

impl From<SealingError> for RunError {
    fn from(error: SealingError) -> Self {
        Self::Credentials(Arc::new(error))
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
            Self::Credentials(_)
            | Self::Mapping { .. }
            | Self::SchemaChanged { .. }
            | Self::TooManyMissing { .. }
            | Self::TooManyRejected { .. }
            | Self::Defect(_) => Class::Fatal,
            Self::Cancelled(_) => Class::Cancelled,
        }
    }
}

impl From<RetryError<Self>> for RunError {
    fn from(error: RetryError<Self>) -> Self {
        error.into_inner()
    }
}
