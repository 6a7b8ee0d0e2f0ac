//! The API gateway in front of Campaign: keys, tokens, rate, and its own error bodies (contracts/campaign.md §6.1).

use std::time::Instant;

use axum::body::Body;
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use parking_lot::Mutex;
use serde_json::json;

use super::Adobe;
use super::config::RateLimit;
use crate::wire::InjectedAnswer;

/// Why the gateway does not let a call through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    ApiKeyMissing,
    ApiKeyInvalid,
    TokenMissing,
    TokenInvalid,
    /// The organisation of the URL is not in the token's product context.
    ProfileInvalid,
    TooManyRequests {
        retry_after_seconds: u32,
    },
}

impl Refusal {
    /// Error code, whose first three digits are the status, and message.
    fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::ApiKeyMissing => ("403000", "Api Key is required"),
            Self::ApiKeyInvalid => ("403003", "Api Key is invalid"),
            Self::TokenMissing => ("403010", "Oauth token is missing."),
            Self::TokenInvalid => ("401013", "Oauth token is not valid"),
            Self::ProfileInvalid => ("403023", "Profile is not valid"),
            Self::TooManyRequests { .. } => ("429050", "Too many requests"),
        }
    }

    pub(super) fn response(self) -> Response {
        let (code, message) = self.code();
        let status = code[..3]
            .parse()
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok());
        let body = json!({"error_code": code, "message": message}).to_string();
        let mut response = json_response(status.unwrap_or(StatusCode::FORBIDDEN), body.into_bytes());
        if let Self::TooManyRequests { retry_after_seconds } = self {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
        }
        response
    }
}

/// Looks at a call to `organisation`: first the key, then the token, then what the token may see.
pub(super) fn check(adobe: &Adobe, headers: &HeaderMap, organisation: &str) -> Result<(), Refusal> {
    check_credentials(adobe, headers)?;
    if adobe.organisation(organisation).is_none() {
        return Err(Refusal::ProfileInvalid);
    }
    match adobe.shared.switches.read().rate_limit {
        Some(limit) => adobe.bucket.take(limit),
        None => Ok(()),
    }
}

/// Looks at API key and access token.
pub(super) fn check_credentials(adobe: &Adobe, headers: &HeaderMap) -> Result<(), Refusal> {
    let api_key = headers.get("x-api-key").ok_or(Refusal::ApiKeyMissing)?;
    if api_key.as_bytes() != adobe.config.client_id.as_bytes() {
        return Err(Refusal::ApiKeyInvalid);
    }
    let token = bearer_token(headers).ok_or(Refusal::TokenMissing)?;
    if adobe.access_tokens.is_valid(token) {
        Ok(())
    } else {
        Err(Refusal::TokenInvalid)
    }
}

/// The token of an `Authorization: Bearer` header.
pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The answer for URIs nobody serves: a configuration error in spite of its status (contracts/campaign.md §6.1).
pub(super) fn wrong_uri() -> Response {
    let body = json!({"code": 500, "message": "Oops. Something went wrong. Check your URI and try again."});
    json_response(StatusCode::INTERNAL_SERVER_ERROR, body.to_string().into_bytes())
}

/// An answer a fault rule asks for. Bodies of 5xx carry no code a client could take for a rejected record.
pub(super) fn injected(answer: InjectedAnswer) -> Response {
    let status = answer.status();
    match answer {
        InjectedAnswer::Throttled { retry_after_seconds } => {
            Refusal::TooManyRequests { retry_after_seconds }.response()
        }
        InjectedAnswer::Status(401) => Refusal::TokenInvalid.response(),
        InjectedAnswer::Status(403) => Refusal::ProfileInvalid.response(),
        InjectedAnswer::Status(429) => Refusal::TooManyRequests { retry_after_seconds: 1 }.response(),
        InjectedAnswer::Status(503) => {
            let body = json!({"error_code": "503010", "message": "Could not validate the oauth token"}).to_string();
            json_response(status, body.into_bytes())
        }
        InjectedAnswer::Status(_) => {
            let reason = status.canonical_reason().unwrap_or("Error");
            let page = format!(
                "<html><head><title>{0} {reason}</title></head></html>\n",
                status.as_u16()
            );
            let mut response = json_response(status, page.into_bytes());
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
    }
}

/// A response with a JSON body; an empty body has no content type.
pub(super) fn json_response(status: StatusCode, body: Vec<u8>) -> Response {
    let empty = body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if !empty {
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
    }
    response
}

/// The token bucket of the credential.
#[derive(Default)]
pub(super) struct Bucket(Mutex<Option<(f64, Instant)>>);

impl Bucket {
    fn take(&self, limit: RateLimit) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut state = self.0.lock();
        let (level, filled) = state.unwrap_or((f64::from(limit.burst), now));
        let refill = now.duration_since(filled).as_secs_f64() * f64::from(limit.per_second);
        let level = (level + refill).min(f64::from(limit.burst));
        let granted = level >= 1.0;
        *state = Some((if granted { level - 1.0 } else { level }, now));
        if granted {
            Ok(())
        } else {
            Err(Refusal::TooManyRequests { retry_after_seconds: 1 })
        }
    }
}
