//! Errors of the Web API: status, code and text (contracts/dataverse.md §6).

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use super::schema::TableDefinition;
use super::store::WriteError;

/// An error answer. `code` is the hexadecimal code on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Code, `0x` and eight digits.
    pub code: &'static str,
    /// Text; the product does not promise it.
    pub message: String,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u32>,
}

/// Content type of every JSON answer.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json; odata.metadata=minimal");

impl ApiError {
    /// An error of any status and code.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 400 with the code of a request the OData layer does not understand.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "0x80060888", message)
    }

    /// A URL segment nothing is behind.
    pub fn unknown_segment(segment: &str) -> Self {
        let message = format!("Resource not found for the segment '{segment}'.");
        Self::new(StatusCode::NOT_FOUND, "0x80060888", message)
    }

    /// A property that the table does not have.
    pub fn unknown_property(property: &str, table: &TableDefinition) -> Self {
        Self::bad_request(format!(
            "Could not find a property named '{property}' on type 'Microsoft.Dynamics.CRM.{}'.",
            table.logical_name
        ))
    }

    /// A method the resource does not have.
    pub fn method_not_allowed(method: &http::Method) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "0x8006088a",
            format!("The requested resource does not support http method '{method}'."),
        )
    }

    /// A message the table does not support, e.g. deleting a user.
    pub fn unsupported_message(message: &str, table: &TableDefinition) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "0x80040800",
            format!(
                "The '{message}' method does not support entities of type '{}'. MessageProcessorCache returned \
                 MessageProcessor.Empty.",
                table.logical_name
            ),
        )
    }

    /// Something not implemented here, as the product says it for what it does not implement.
    pub fn not_implemented(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "0x8006088a", message)
    }

    /// A payload the OData reader refused.
    pub fn payload(entity_set: &str, inner: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "0x80048d19",
            format!(
                "Error identified in Payload provided by the user for Entity :'{entity_set}', For more information on \
                 this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  \
                 InnerException : {inner}"
            ),
        )
    }

    /// The condition of `If-Match` does not hold.
    pub fn version_mismatch() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "0x80060882",
            "The version of the existing record doesn't match the RowVersion property provided.",
        )
    }

    /// The delta token is older than the history (contracts/dataverse.md §3.5).
    pub fn expired_version_stamp() -> Self {
        let text = "Version stamp associated with the client has expired. Please perform a full sync.";
        Self::new(StatusCode::BAD_REQUEST, "0x80044352", text)
    }

    /// A row of that key exists already.
    pub fn duplicate() -> Self {
        WriteError::DuplicateId.into()
    }

    /// No row of that id.
    pub fn row_not_found(table: &TableDefinition, id: uuid::Uuid) -> Self {
        WriteError::NotFound {
            table: table.logical_name.clone(),
            id,
        }
        .into()
    }

    /// The error as an answer. With annotations the members of contracts/dataverse.md §6.1 are added.
    pub fn into_response(self, annotations: bool) -> Response {
        let mut error = Map::new();
        error.insert("code".into(), self.code.into());
        error.insert("message".into(), self.message.into());
        if annotations {
            let link = format!(
                "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{}&client=platform",
                self.code.trim_start_matches("0x")
            );
            error.insert(
                "@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus".into(),
                "0".into(),
            );
            error.insert("@Microsoft.PowerApps.CDS.HelpLink".into(), link.into());
        }
        let mut response = json_response(self.status, &json!({ "error": Value::Object(error) }));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        let (status, code) = match &error {
            WriteError::NotFound { .. } => (StatusCode::NOT_FOUND, "0x80040217"),
            WriteError::DuplicateId => (StatusCode::PRECONDITION_FAILED, "0x80040237"),
            WriteError::DuplicateKey { .. } => (StatusCode::PRECONDITION_FAILED, "0x80060892"),
            WriteError::StatusOfOtherState { .. } => (StatusCode::BAD_REQUEST, "0x80048408"),
        };
        Self::new(status, code, error.to_string())
    }
}

/// A JSON answer.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    bytes_response(status, JSON, body.to_string().into_bytes())
}

/// An answer of any content type.
pub(crate) fn bytes_response(status: StatusCode, content_type: HeaderValue, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
