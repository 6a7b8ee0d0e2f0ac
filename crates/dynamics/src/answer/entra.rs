//! Error answers of the token endpoint (contracts/dataverse.md §1.3).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::shorten;
use crate::Error;

/// An answer of the token endpoint with an error status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntraAnswer {
    /// HTTP status.
    pub status: u16,
    /// The `AADSTS` number, e.g. 7000215: a wrong secret.
    pub aadsts: Option<u32>,
    /// The OAuth error, e.g. `invalid_client`.
    pub error: Option<String>,
    /// The description or the beginning of whatever came instead, shortened.
    pub message: String,
}

#[derive(Deserialize)]
struct Body {
    error: String,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    error_codes: Vec<u32>,
}

impl EntraAnswer {
    /// Reads an error answer; never fails, since any body can come with an error status.
    pub(crate) fn new(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Body>(body) {
            Ok(body) => Self {
                status,
                aadsts: body.error_codes.first().copied(),
                error: Some(body.error),
                message: shorten(&body.error_description),
            },
            Err(_) => Self {
                status,
                aadsts: None,
                error: None,
                message: shorten(&String::from_utf8_lossy(body)),
            },
        }
    }

    /// Whether the address of the environment is at fault: it makes the scope. 500011 is a resource the tenant does
    /// not know, 70011 a malformed scope.
    pub(crate) fn is_about_the_environment(&self) -> bool {
        matches!(self.aadsts, Some(500_011 | 70_011))
    }

    /// What a person can do about it.
    pub(crate) fn advice(&self) -> &'static str {
        match self.aadsts {
            Some(7_000_215) => "Enter the client secret's value; the secret's id is something else.",
            Some(7_000_222) => "The client secret has expired: make a new one in the app registration and enter it.",
            Some(7_000_112) => "Enable the application in the tenant.",
            Some(700_016) => "Correct the client id, or the tenant it is looked for in.",
            Some(90_002) => "Correct the tenant id.",
            Some(500_011 | 70_011) => "Correct the environment's address; the tenant does not know it.",
            _ => "Check tenant id, client id and client secret.",
        }
    }
}

impl fmt::Display for EntraAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HTTP {}", self.status)?;
        if let Some(error) = &self.error {
            write!(formatter, ", {error}")?;
        }
        if self.message.is_empty() {
            Ok(())
        } else {
            write!(formatter, ": {}", self.message)
        }
    }
}

/// The error that an answer of the token endpoint means.
pub(crate) fn classify_entra(answer: EntraAnswer, after: Option<Duration>) -> Error {
    // 90055: too many requests for the tenant; its status is not documented.
    let is_busy = matches!(answer.status, 408 | 429 | 500..=599)
        || answer.error.as_deref() == Some("temporarily_unavailable")
        || answer.aadsts == Some(90_055);
    let answer = Arc::new(answer);
    if is_busy {
        Error::TokenUnavailable { answer, after }
    } else {
        Error::Authentication(answer)
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::{Class, Classify};

    use super::*;

    fn error(status: u16, code: u32, error: &str) -> Error {
        let body = serde_json::json!({
            "error": error,
            "error_description": format!("AADSTS{code}: Something.\r\nTrace ID: 0a1b\r\nCorrelation ID: 9f8e"),
            "error_codes": [code],
            "timestamp": "2026-01-31 10:20:30Z",
        });
        classify_entra(
            EntraAnswer::new(status, body.to_string().as_bytes()),
            Some(Duration::from_secs(3)),
        )
    }

    #[test]
    fn documented_answers_mean_their_errors() {
        let busy = Class::Retry {
            after: Some(Duration::from_secs(3)),
        };
        for (status, code, text, class, expected) in [
            (
                401,
                7_000_215,
                "invalid_client",
                Class::Fatal,
                "DYNAMICS_AUTHENTICATION_FAILED",
            ),
            (
                401,
                7_000_222,
                "invalid_client",
                Class::Fatal,
                "DYNAMICS_AUTHENTICATION_FAILED",
            ),
            (
                400,
                700_016,
                "unauthorized_client",
                Class::Fatal,
                "DYNAMICS_AUTHENTICATION_FAILED",
            ),
            (
                400,
                90_002,
                "invalid_request",
                Class::Fatal,
                "DYNAMICS_AUTHENTICATION_FAILED",
            ),
            (
                400,
                90_002,
                "invalid_tenant",
                Class::Fatal,
                "DYNAMICS_AUTHENTICATION_FAILED",
            ),
            (400, 500_011, "invalid_resource", Class::Fatal, "DYNAMICS_URL_WRONG"),
            (429, 90_055, "", busy, "DYNAMICS_TOKEN_UNAVAILABLE"),
            (400, 1, "temporarily_unavailable", busy, "DYNAMICS_TOKEN_UNAVAILABLE"),
        ] {
            let error = error(status, code, text);
            assert_eq!((error.class(), error.code()), (class, expected), "{status} {code}");
        }
    }

    #[test]
    fn each_known_code_has_its_own_advice() {
        let codes = [7_000_215, 7_000_222, 7_000_112, 700_016, 90_002, 500_011, 1];
        let advice: Vec<_> = codes.map(|code| error(400, code, "invalid_client").advice()).into();
        for (place, text) in advice.iter().enumerate() {
            assert!(!advice[..place].contains(text), "{} shares its advice", codes[place]);
        }
    }

    #[test]
    fn message_names_the_code_on_one_line() {
        assert_eq!(
            error(401, 7_000_215, "invalid_client").to_string(),
            "no token is issued: HTTP 401, invalid_client: AADSTS7000215: Something. Trace ID: 0a1b Correlation ID: 9f8e"
        );
    }

    #[test]
    fn html_of_a_gateway_is_tried_again() {
        let error = classify_entra(EntraAnswer::new(502, b"<html></html>"), None);
        assert_eq!(error.class(), Class::RETRY);
    }
}
