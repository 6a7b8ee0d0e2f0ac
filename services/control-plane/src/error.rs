//! Errors of the API, and the one place where they become gRPC statuses.

mod violations;

use std::{collections::HashMap, time::Duration};

use crosswalk_core::{
    Class, Classify, ResourceName,
    control::{Etag, Refusal},
};
use crosswalk_kafka::KafkaError;
use crosswalk_runtime::{error::chain, sealing::SealingError};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

pub(crate) use self::violations::{Violation, Violations};
use self::violations::{describe, sendable};
use crate::system::SystemFailure;

/// The domain of every reason we give.
const DOMAIN: &str = "crosswalk";

/// When to try again if nobody knows better.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// When to try again where others have to come to their end first.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(30);

/// Why a call is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// Fields of the request are wrong; all of them are named.
    #[error("{}", describe(.0))]
    InvalidArgument(Vec<Violation>),
    /// There is no such thing.
    #[error("{0} does not exist")]
    NotFound(String),
    /// Something is there already.
    #[error("{message}")]
    AlreadyExists { reason: &'static str, message: String },
    /// The etag is not the present one.
    #[error("{resource} has changed: its etag is {current} now; read it again, then repeat the change")]
    Conflict { resource: Box<ResourceName>, current: Etag },
    /// The state does not allow the call.
    #[error("{message}")]
    Precondition { reason: &'static str, message: String },
    /// One of the two systems does not do what it was asked for.
    #[error(transparent)]
    System(Box<SystemFailure>),
    /// As many such calls are under way as there may be.
    #[error("{message}")]
    Exhausted { reason: &'static str, message: String },
    /// The control log cannot be read or written.
    #[error("Kafka cannot be used")]
    Kafka(#[source] KafkaError),
    /// A secret cannot be sealed.
    #[error("the secret cannot be stored")]
    Sealing(#[from] SealingError),
    /// The process has only just started.
    #[error("the control plane is starting: it {0}; try again in a moment")]
    Starting(&'static str),
    /// The process is about to end.
    #[error("the control plane is shutting down; connect again")]
    Draining,
    /// A part of ours has failed in a way that it never should.
    #[error("the control plane failed by a defect; its log says where: report it")]
    Defect,
}

/// The reason of the refusal to list dead letters that are too many.
pub(crate) const TOO_MANY_DEAD_LETTERS: &str = "TOO_MANY_DEAD_LETTERS";

impl From<KafkaError> for ApiError {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::TooManyDeadLetters { limit } => Self::precondition(
                TOO_MANY_DEAD_LETTERS,
                format!(
                    "there are more than {limit} dead letters, too many to be listed; correct what they are about, then \
                     redrive or discard them by reason or table, or all: that needs no list"
                ),
            ),
            other => Self::Kafka(other),
        }
    }
}

impl ApiError {
    /// One wrong field.
    pub(crate) fn field(field: &str, reason: &'static str, description: impl Into<String>) -> Self {
        Self::InvalidArgument(vec![Violation {
            field: field.to_owned(),
            reason,
            description: description.into(),
        }])
    }

    /// The state does not allow the call.
    pub(crate) fn precondition(reason: &'static str, message: impl Into<String>) -> Self {
        Self::Precondition {
            reason,
            message: message.into(),
        }
    }

    /// What a refusal of the log means for whoever wanted to change `resource`.
    pub(crate) fn refused(refusal: Refusal, resource: &ResourceName) -> Self {
        let message = format!("{refusal}");
        match refusal {
            Refusal::NoInstance => Self::NotFound(format!("instances/{}", resource.instance())),
            Refusal::WorkflowStarted => Self::precondition(
                "WORKFLOW_STARTED",
                format!("{message}; stop all workflows of the instance first"),
            ),
            Refusal::SourceTableInUse => Self::AlreadyExists {
                reason: "DYNAMICS_TABLE_IN_USE",
                message,
            },
            Refusal::TargetResourceInUse => Self::AlreadyExists {
                reason: "CAMPAIGN_RESOURCE_IN_USE",
                message,
            },
            Refusal::MappingTablesFixed => Self::precondition("MAPPING_TABLES_FIXED", message),
            Refusal::AlreadyThere => Self::precondition("WORKFLOW_STATE", message),
            Refusal::WrongResource => Self::precondition("WRONG_RESOURCE", message),
        }
    }

    const fn code(&self) -> Code {
        match self {
            Self::InvalidArgument(_) => Code::InvalidArgument,
            Self::NotFound(_) => Code::NotFound,
            Self::AlreadyExists { .. } => Code::AlreadyExists,
            Self::Conflict { .. } => Code::Aborted,
            Self::Precondition { .. } => Code::FailedPrecondition,
            Self::System(failure) => failure.status_code(),
            Self::Exhausted { .. } => Code::ResourceExhausted,
            Self::Kafka(_) | Self::Starting(_) | Self::Draining => Code::Unavailable,
            Self::Sealing(_) | Self::Defect => Code::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::InvalidArgument(_) => "FIELDS_INVALID",
            Self::NotFound(_) => "NOT_FOUND",
            Self::AlreadyExists { reason, .. } | Self::Precondition { reason, .. } | Self::Exhausted { reason, .. } => {
                reason
            }
            Self::Conflict { .. } => "ETAG_MISMATCH",
            Self::System(failure) => failure.code,
            Self::Kafka(error) => error.code(),
            Self::Sealing(_) => "SEALING_FAILED",
            Self::Starting(_) => "STARTING",
            Self::Draining => "SHUTTING_DOWN",
            Self::Defect => "DEFECT",
        }
    }

    /// What the other side reads. Errors of our own parts are logged, not sent.
    fn message(&self) -> String {
        match self {
            Self::Kafka(KafkaError::NoAnswer { operation, .. }) if operation.starts_with("read") => {
                "Kafka did not answer in time; try again".to_owned()
            }
            Self::Kafka(KafkaError::NoAnswer { .. }) => {
                "Kafka did not answer in time; whether the change took effect is not known: read the resource before you \
                 try again"
                    .to_owned()
            }
            Self::Kafka(error) if error.class() == Class::Fatal => {
                "Kafka refuses the control plane; its log says why, and an operator has to mend it".to_owned()
            }
            Self::Kafka(_) => "Kafka cannot be reached at the moment; try again".to_owned(),
            Self::Sealing(_) => "the secret could not be stored; the log of the control plane says why".to_owned(),
            other => other.to_string(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::System(failure) => failure.retry_after(RETRY_AFTER),
            Self::Kafka(error) => (error.class() != Class::Fatal).then_some(RETRY_AFTER),
            Self::Starting(_) | Self::Draining => Some(RETRY_AFTER),
            Self::Exhausted { .. } => Some(BUSY_RETRY_AFTER),
            _ => None,
        }
    }

    fn metadata(&self) -> HashMap<String, String> {
        match self {
            Self::NotFound(resource) => HashMap::from([("resource".to_owned(), resource.clone())]),
            Self::Conflict { resource, current } => HashMap::from([
                ("resource".to_owned(), resource.to_string()),
                ("etag".to_owned(), current.to_string()),
            ]),
            Self::System(failure) => HashMap::from([("system".to_owned(), failure.system.to_string())]),
            _ => HashMap::new(),
        }
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        if let ApiError::Kafka(_) | ApiError::Sealing(_) = &error {
            tracing::warn!(error = %chain(&error), "a call of the API failed");
        }
        let mut details = ErrorDetails::with_error_info(error.reason(), DOMAIN, error.metadata());
        if let Some(delay) = error.retry_after() {
            details.set_retry_info(Some(delay));
        }
        let (code, message) = (error.code(), error.message());
        if let ApiError::InvalidArgument(violations) = error {
            let violation = |one: Violation| FieldViolation {
                field: one.field,
                description: one.description,
                reason: one.reason.to_owned(),
                ..FieldViolation::default()
            };
            details.set_bad_request(sendable(violations).map(violation).collect::<Vec<_>>());
        }
        Self::with_error_details(code, message, details)
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::control::LogOffset;

    use super::*;

    #[test]
    fn a_conflict_tells_the_present_etag() {
        let resource = Box::new("instances/demo".parse().unwrap());
        let status = Status::from(ApiError::Conflict {
            resource,
            current: Etag(LogOffset(41)),
        });
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(status.code(), Code::Aborted);
        assert_eq!(
            (info.reason.as_str(), info.domain.as_str()),
            ("ETAG_MISMATCH", "crosswalk")
        );
        assert_eq!(info.metadata.get("etag").map(String::as_str), Some("41"));
        assert!(status.message().contains("41"), "{}", status.message());
    }

    #[test]
    fn an_unreachable_kafka_asks_for_another_try_and_tells_nothing_of_its_inside() {
        let waited = Duration::from_secs(15);
        let error = KafkaError::NoAnswer {
            operation: "append to the control log",
            waited,
        };
        let status = Status::from(ApiError::from(error));
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.get_error_details().retry_info().is_some());
        assert!(!status.message().contains("append"), "{}", status.message());
    }

    #[test]
    fn too_many_dead_letters_are_refused_with_what_to_do_and_asking_again_does_not_help() {
        let status = Status::from(ApiError::from(KafkaError::TooManyDeadLetters { limit: 7 }));
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(
            status.message().contains("redrive or discard them by reason"),
            "{}",
            status.message()
        );
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, TOO_MANY_DEAD_LETTERS);
        assert!(details.retry_info().is_none());
    }

    #[test]
    fn refusals_of_the_log_keep_their_meaning() {
        let resource: ResourceName = "instances/demo/workflows/ingress/mappings/contact".parse().unwrap();
        for (refusal, code, reason) in [
            (Refusal::NoInstance, Code::NotFound, "NOT_FOUND"),
            (Refusal::WorkflowStarted, Code::FailedPrecondition, "WORKFLOW_STARTED"),
            (Refusal::SourceTableInUse, Code::AlreadyExists, "DYNAMICS_TABLE_IN_USE"),
            (
                Refusal::TargetResourceInUse,
                Code::AlreadyExists,
                "CAMPAIGN_RESOURCE_IN_USE",
            ),
            (
                Refusal::MappingTablesFixed,
                Code::FailedPrecondition,
                "MAPPING_TABLES_FIXED",
            ),
            (Refusal::AlreadyThere, Code::FailedPrecondition, "WORKFLOW_STATE"),
        ] {
            let error = ApiError::refused(refusal, &resource);
            assert_eq!((error.code(), error.reason()), (code, reason), "{refusal:?}");
        }
    }
}
