//! Why a batch as a whole is refused: none of its operations runs (contracts/dataverse.md §5.7, failure behaviour).

use http::StatusCode;

use super::message::{MAX_OPERATIONS, MAX_TARGET};
use crate::microsoft::errors::ApiError;

/// What is wrong with a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The request is no `multipart/mixed`.
    #[error("The content type '{0}' is no 'multipart/mixed' with a valid parameter 'boundary'.")]
    ContentType(String),
    /// A line ends without CR, or a head without a blank line.
    #[error("a line does not end with CRLF, or a blank line is missing")]
    LineEnd,
    /// The last boundary is missing.
    #[error("The batch message ended before the boundary '--{0}--' was found.")]
    Unclosed(String),
    /// A line of a head that is no header.
    #[error("An invalid header was found: '{0}'.")]
    Header(String),
    /// A part that is neither an operation nor a change set.
    #[error(
        "The 'Content-Type' header value '{0}' of a part is invalid: it must be 'application/http' or, for a change \
             set, 'multipart/mixed'."
    )]
    PartType(String),
    /// A part whose content may have been changed on its way.
    #[error("A missing or invalid 'Content-Transfer-Encoding' header was found: its value must be 'binary'.")]
    TransferEncoding,
    /// A change set in a change set.
    #[error("Nested change sets are not supported.")]
    NestedChangeSet,
    /// A batch in a batch.
    #[error("A batch cannot contain other batch requests.")]
    NestedBatch,
    /// No `METHOD URL HTTP/1.1`.
    #[error("The request line '{0}' is invalid: it must be of the form 'METHOD URL HTTP/1.1'.")]
    RequestLine(String),
    /// A method the service does not have.
    #[error("The HTTP method '{0}' is invalid for an operation of a batch.")]
    Method(String),
    /// A read in a change set.
    #[error(
        "An invalid HTTP method 'GET' was found in a change set: change sets only support 'POST', 'PUT', 'PATCH' \
             and 'DELETE'."
    )]
    ReadInChangeSet,
    /// A URL that is neither absolute nor a path from the root.
    #[error("The relative URI '{0}' was specified in a batch operation, but a base URI was not specified.")]
    RelativeTarget(String),
    /// A URL longer than [`MAX_TARGET`].
    #[error("The length of a URI in a batch exceeds the limit of {most} characters.", most = MAX_TARGET)]
    TargetTooLong,
    /// An operation of a change set without `Content-ID`.
    #[error("The 'Content-ID' header is missing: it must be there for every operation of a change set.")]
    ContentIdMissing,
    /// Two operations of a change set with the same `Content-ID`.
    #[error("The content ID '{0}' was found more than once in a change set. Content IDs have to be unique in it.")]
    ContentIdTwice(String),
    /// More than [`MAX_OPERATIONS`] operations.
    #[error(
        "The batch message contains too many operations. A maximum number of '{most}' is allowed.",
        most = MAX_OPERATIONS
    )]
    TooManyOperations,
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            // What clients see that send other line ends, or too few blank lines: the reader of the operation's body
            // finds none.
            Fault::LineEnd => Self::payload("", "System.ArgumentException: Stream was not readable."),
            other => Self::new(StatusCode::BAD_REQUEST, "0x80060888", other.to_string()),
        }
    }
}
