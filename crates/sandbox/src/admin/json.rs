//! JSON in and out of the admin listener. Bodies with unknown fields are refused by name.

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::microsoft::ApiError;

/// An error answer: `{"error":{"code":...,"message":...}}`.
#[derive(Debug)]
pub(super) struct AdminError {
    status: StatusCode,
    code: String,
    message: String,
}

impl AdminError {
    /// 400 with the field at fault in the text.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "invalid".to_owned(),
            message: message.into(),
        }
    }

    /// 404.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "not_found".to_owned(),
            message: message.into(),
        }
    }
}

impl From<ApiError> for AdminError {
    fn from(error: ApiError) -> Self {
        Self {
            status: error.status,
            code: error.code.to_owned(),
            message: error.message,
        }
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        respond(
            self.status,
            &json!({"error": {"code": self.code, "message": self.message}}),
        )
    }
}

/// Reads a body; serde's text names unknown and mistyped fields.
pub(super) fn read<Body: DeserializeOwned>(body: &Bytes) -> Result<Body, AdminError> {
    serde_json::from_slice(body).map_err(|error| AdminError::invalid(error.to_string()))
}

/// 200 with a JSON body.
pub(super) fn ok(body: &impl Serialize) -> Response {
    respond(StatusCode::OK, body)
}

/// Any status with a JSON body.
pub(super) fn respond(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec_pretty(body) {
        Ok(mut bytes) => {
            bytes.push(b'\n');
            (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
