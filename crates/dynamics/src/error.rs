//! Everything that can go wrong between the caller and Dataverse, with what to do about it.

use std::sync::Arc;
use std::time::Duration;

use crosswalk_core::{Class, Classify};

use crate::answer::{Answer, EntraAnswer};
use crate::page::RejectedRow;

/// Why an operation of the [`Client`](crate::Client) failed.
///
/// Cheap to clone, because all callers that wait for one token share its failure. Holds no secret, no token and no
/// link; [`Error::RejectedRow`] alone quotes a value of a record.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A setting of the [`Connection`](crate::Connection) cannot be right.
    #[error("{field} {reason}")]
    InvalidConnection {
        /// The field of the connection or of the settings.
        field: &'static str,
        /// What is wrong with it, to be read after the field's name.
        reason: String,
    },
    /// The HTTP client could not be set up, e.g. for want of root certificates.
    #[error("cannot set up the HTTP client")]
    Setup(#[source] Arc<reqwest::Error>),
    /// No complete answer came: network, TLS, timeout, connection cut.
    #[error("no complete answer to the {operation} request")]
    Transport {
        /// What was asked for.
        operation: &'static str,
        /// What the HTTP client says.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// The token endpoint is busy or out of order.
    #[error("no token can be had at the moment: {answer}")]
    TokenUnavailable {
        /// What the token endpoint said.
        answer: Arc<EntraAnswer>,
        /// The delay it asked for.
        after: Option<Duration>,
    },
    /// The token endpoint refuses the credentials.
    #[error("no token is issued: {0}")]
    Authentication(Arc<EntraAnswer>),
    /// Dataverse refuses a token that was issued a moment ago.
    #[error("the environment refuses the access token: {0}")]
    Unauthorized(Arc<Answer>),
    /// The token is good, but the environment has no such application user.
    #[error("not a member of the environment: {0}")]
    NotAMember(Arc<Answer>),
    /// The application user exists and is switched off.
    #[error("the application user is disabled: {0}")]
    UserDisabled(Arc<Answer>),
    /// The application user may not do this.
    #[error("a privilege is missing: {0}")]
    PrivilegeMissing(Arc<Answer>),
    /// The table does not track changes.
    #[error("the table does not track changes: {0}")]
    ChangeTrackingOff(Arc<Answer>),
    /// The environment has no such table.
    #[error("there is no table {table}")]
    TableNotFound {
        /// Its logical name, as asked for.
        table: String,
    },
    /// The table has no such column.
    #[error("there is no column {column} in table {table}")]
    ColumnNotFound {
        /// The table's logical name.
        table: String,
        /// The column's logical name; `?` where the service does not tell it.
        column: String,
    },
    /// The column is there, but no row carries it as a plain value.
    #[error("column {column} of table {table} cannot be read")]
    ColumnUnreadable {
        /// The table's logical name.
        table: String,
        /// The column's logical name.
        column: String,
    },
    /// The delta link is older than the change history or void for another reason: read the table from the beginning
    /// (contracts/dataverse.md §3.5).
    #[error("the change-tracking position is no longer valid: {0}")]
    ExpiredDeltaToken(Arc<Answer>),
    /// Too many requests.
    #[error("throttled: {answer}")]
    Throttled {
        /// What the service said.
        answer: Arc<Answer>,
        /// The delay it asked for.
        after: Option<Duration>,
    },
    /// The service or the database below it cannot answer at the moment.
    #[error("the service cannot answer at the moment: {answer}")]
    Unavailable {
        /// What the service said.
        answer: Arc<Answer>,
        /// The delay it asked for.
        after: Option<Duration>,
    },
    /// The address answers, but not as a Dataverse Web API.
    #[error("no Dataverse Web API at this address: {0}")]
    NotDataverse(Arc<Answer>),
    /// The service refuses the request for a reason not named above.
    #[error("the request is refused: {0}")]
    Refused(Arc<Answer>),
    /// A link leads out of the environment; the token is not sent there.
    #[error("a link of the service leads out of the environment, to {host}")]
    ForeignLink {
        /// The host it leads to.
        host: String,
    },
    /// The answer is not JSON or ends in the middle.
    #[error("the answer to the {operation} request is not complete JSON")]
    Unreadable {
        /// What was asked for.
        operation: &'static str,
        /// Where it breaks.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The answer is JSON of a shape that the service does not document.
    #[error("the answer to the {operation} request has an unexpected shape: {reason}")]
    Unexpected {
        /// What was asked for.
        operation: &'static str,
        /// What is odd.
        reason: String,
    },
    /// The answer is longer than the settings allow.
    #[error("the answer to the {operation} request is longer than {limit} bytes")]
    TooLong {
        /// What was asked for.
        operation: &'static str,
        /// The longest that is accepted.
        limit: usize,
    },
    /// A single row, asked for by its id, has a value that does not fit its column.
    #[error("{0}")]
    RejectedRow(Box<RejectedRow>),
    /// The process is ending, and the work was dropped.
    #[error("told to stop")]
    Cancelled,
}

impl Error {
    /// The stable failure code, for status and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidConnection { .. } => "DYNAMICS_CONNECTION_INVALID",
            Self::Setup(_) => "DYNAMICS_CLIENT_SETUP_FAILED",
            Self::Transport { .. } => "DYNAMICS_UNREACHABLE",
            Self::TokenUnavailable { .. } => "DYNAMICS_TOKEN_UNAVAILABLE",
            Self::Authentication(answer) if answer.is_about_the_environment() => "DYNAMICS_URL_WRONG",
            Self::Authentication(_) | Self::Unauthorized(_) => "DYNAMICS_AUTHENTICATION_FAILED",
            Self::NotAMember(_) => "DYNAMICS_NOT_A_MEMBER",
            Self::UserDisabled(_) => "DYNAMICS_USER_DISABLED",
            Self::PrivilegeMissing(_) => "DYNAMICS_PRIVILEGE_MISSING",
            Self::ChangeTrackingOff(_) => "DYNAMICS_CHANGE_TRACKING_OFF",
            Self::TableNotFound { .. } => "DYNAMICS_TABLE_NOT_FOUND",
            Self::ColumnNotFound { .. } => "DYNAMICS_COLUMN_NOT_FOUND",
            Self::ColumnUnreadable { .. } => "DYNAMICS_COLUMN_UNREADABLE",
            Self::ExpiredDeltaToken(_) => "DYNAMICS_DELTA_TOKEN_EXPIRED",
            Self::Throttled { .. } => "DYNAMICS_THROTTLED",
            Self::Unavailable { .. } => "DYNAMICS_UNAVAILABLE",
            Self::NotDataverse(_) => "DYNAMICS_URL_WRONG",
            Self::Refused(_) => "DYNAMICS_REQUEST_REFUSED",
            Self::ForeignLink { .. } => "DYNAMICS_URL_FOREIGN",
            Self::Unreadable { .. } => "DYNAMICS_ANSWER_UNREADABLE",
            Self::Unexpected { .. } => "DYNAMICS_ANSWER_UNEXPECTED",
            Self::TooLong { .. } => "DYNAMICS_ANSWER_TOO_LONG",
            Self::RejectedRow(_) => RejectedRow::CODE,
            Self::Cancelled => "CANCELLED",
        }
    }

    /// What a person can do about it, one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::InvalidConnection { .. } => "Correct the connection of the instance.",
            Self::Setup(_) => "Check the root certificates and proxy settings of the process.",
            Self::Transport { .. } => "Check the environment's address, the network and the proxy; it is tried again.",
            Self::Authentication(answer) => answer.advice(),
            Self::Unauthorized(_) => {
                "Check that the environment belongs to the tenant and that the token is meant for its address."
            }
            Self::NotAMember(_) => "Add the app registration to the environment as an application user with a role.",
            Self::UserDisabled(_) => "Enable the application user in the environment.",
            Self::PrivilegeMissing(_) => {
                "Give the application user a security role with Read on the table, at organization depth."
            }
            Self::ChangeTrackingOff(_) => "Switch on \"Track changes\" in the table's properties, then start again.",
            Self::TableNotFound { .. } => "Correct the table's logical name or publish the table.",
            Self::ColumnNotFound { .. } => "Take the column out of the mapping, or publish it in the environment.",
            Self::ColumnUnreadable { .. } => "Take the column out of the mapping; its type cannot be read.",
            Self::ExpiredDeltaToken(_) => "Nothing: the table is read again from the beginning.",
            Self::TokenUnavailable { .. } | Self::Throttled { .. } | Self::Unavailable { .. } => {
                "Nothing: it is tried again after a delay."
            }
            Self::NotDataverse(_) => "Correct the environment's address, e.g. https://contoso.crm4.dynamics.com.",
            Self::Refused(_) => "Read the service's message; with the request id the vendor's support can look it up.",
            Self::ForeignLink { .. } => "Check for a proxy that rewrites answers; the token was not sent there.",
            Self::Unreadable { .. } => "Check for a proxy that answers in the service's place; it is tried again.",
            Self::Unexpected { .. } => "Report it with the message: the service answers in an unknown way.",
            Self::TooLong { .. } => "Lower the page size or raise the limit.",
            Self::RejectedRow(_) => "Correct the value in the record, or the column's type.",
            Self::Cancelled => "Nothing.",
        }
    }

    /// The service's answer, where the error comes from one.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Unauthorized(answer)
            | Self::NotAMember(answer)
            | Self::UserDisabled(answer)
            | Self::PrivilegeMissing(answer)
            | Self::ChangeTrackingOff(answer)
            | Self::ExpiredDeltaToken(answer)
            | Self::Throttled { answer, .. }
            | Self::Unavailable { answer, .. }
            | Self::NotDataverse(answer)
            | Self::Refused(answer) => Some(answer),
            _ => None,
        }
    }

    /// JSON that does not end or does not parse may read well next time; a wrong shape will not.
    pub(crate) fn from_json(operation: &'static str, error: serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Data => Self::Unexpected {
                operation,
                reason: error.to_string(),
            },
            _ => Self::Unreadable {
                operation,
                source: Arc::new(error),
            },
        }
    }

    /// Addresses are left out: they hold positions, and the operation says enough.
    pub(crate) fn from_transport(operation: &'static str, error: reqwest::Error) -> Self {
        Self::Transport {
            operation,
            source: Arc::new(error.without_url()),
        }
    }
}

impl Classify for Error {
    fn class(&self) -> Class {
        match self {
            Self::Transport { .. } | Self::Unreadable { .. } => Class::RETRY,
            Self::TokenUnavailable { after, .. } | Self::Throttled { after, .. } | Self::Unavailable { after, .. } => {
                Class::Retry { after: *after }
            }
            Self::RejectedRow(_) => Class::Rejected,
            Self::Cancelled => Class::Cancelled,
            Self::InvalidConnection { .. }
            | Self::Setup(_)
            | Self::Authentication(_)
            | Self::Unauthorized(_)
            | Self::NotAMember(_)
            | Self::UserDisabled(_)
            | Self::PrivilegeMissing(_)
            | Self::ChangeTrackingOff(_)
            | Self::TableNotFound { .. }
            | Self::ColumnNotFound { .. }
            | Self::ColumnUnreadable { .. }
            | Self::ExpiredDeltaToken(_)
            | Self::NotDataverse(_)
            | Self::Refused(_)
            | Self::ForeignLink { .. }
            | Self::Unexpected { .. }
            | Self::TooLong { .. } => Class::Fatal,
        }
    }
}
