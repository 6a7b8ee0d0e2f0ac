//! Answers that are not the wished-for ones: what they hold and which error they mean (contracts/dataverse.md §1.3,
//! §6).

mod classify;
mod entra;
mod retry_after;

use std::fmt;

use http::HeaderMap;
use serde::Deserialize;

pub(crate) use classify::classify;
pub use entra::EntraAnswer;
pub(crate) use entra::classify_entra;
pub(crate) use retry_after::retry_after;

/// Longest message kept, in characters; stack traces follow some texts.
const MESSAGE_LENGTH: usize = 400;

/// An answer of Dataverse with an error status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The service's error code, e.g. `0x80040217`; the part of an error that the vendor keeps stable.
    pub code: Option<ServiceCode>,
    /// The service's message or the beginning of whatever came instead, shortened.
    pub message: String,
    /// What the vendor's support asks for: the distinct values of `REQ_ID` and `x-ms-service-request-id`.
    pub request_id: Option<String>,
    /// Whether the body was an OData error; gateways answer in HTML.
    pub(crate) is_odata: bool,
}

/// A 32-bit error code of the service.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServiceCode(pub u32);

impl fmt::Display for ServiceCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:#010x}", self.0)
    }
}

impl fmt::Debug for ServiceCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HTTP {}", self.status)?;
        if let Some(code) = self.code {
            write!(formatter, ", {code}")?;
        }
        if !self.message.is_empty() {
            write!(formatter, ": {}", self.message)?;
        }
        match &self.request_id {
            Some(id) => write!(formatter, " (request {id})"),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    error: EnvelopeError,
}

#[derive(Deserialize)]
struct EnvelopeError {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Answer {
    /// Reads an error answer; never fails, since any body can come with an error status.
    pub(crate) fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let envelope = serde_json::from_slice::<Envelope>(body).ok();
        let is_odata = envelope.is_some();
        let (code, message) = match envelope {
            Some(Envelope { error }) => (parse_code(&error.code), shorten(&error.message)),
            None => (None, shorten(&String::from_utf8_lossy(body))),
        };
        Self {
            status,
            code,
            message,
            request_id: request_id(headers),
            is_odata,
        }
    }

    /// Whether a position has surely expired: `ExpiredVersionStamp` (contracts/dataverse.md §3.5).
    pub(crate) fn is_expired_version_stamp(&self) -> bool {
        self.code == Some(ServiceCode(0x8004_4352))
    }

    /// Whether there is no table of that name: `QueryBuilderNoEntity`.
    pub(crate) fn is_unknown_table(&self) -> bool {
        self.code == Some(ServiceCode(0x8004_1102))
    }

    /// Whether there is no row of that id: `ObjectDoesNotExist`; the code is empty in some samples
    /// (contracts/dataverse.md §5.2).
    pub(crate) fn is_missing_row(&self) -> bool {
        self.status == 404 && self.code.is_none_or(|code| code.0 == 0x8004_0217)
    }
}

/// `0x` and hexadecimal digits of either case; `""` and `"0x0"` stand for none.
fn parse_code(text: &str) -> Option<ServiceCode> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u32::from_str_radix(digits, 16)
        .ok()
        .filter(|code| *code != 0)
        .map(ServiceCode)
}

/// Both headers, since front end and organization service each have an id (contracts/dataverse.md §2.4).
fn request_id(headers: &HeaderMap) -> Option<String> {
    let mut ids: Vec<&str> = Vec::new();
    for name in ["req_id", "x-ms-service-request-id"] {
        for id in headers.get_all(name).iter().filter_map(|value| value.to_str().ok()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    (!ids.is_empty()).then(|| ids.join(", "))
}

/// One line of at most [`MESSAGE_LENGTH`] characters.
pub(crate) fn shorten(text: &str) -> String {
    let mut characters = text.split_whitespace().flat_map(|word| word.chars().chain([' ']));
    let mut line: String = characters.by_ref().take(MESSAGE_LENGTH).collect();
    line.truncate(line.trim_end().len());
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_either_case() {
        assert_eq!(parse_code("0x8004431A"), Some(ServiceCode(0x8004_431a)));
        assert_eq!(ServiceCode(0x8004_431a).to_string(), "0x8004431a");
        assert_eq!(ServiceCode(0x1a).to_string(), "0x0000001a");
        for none in ["", "0x0", "invalid_client", "0x", "0x123456789"] {
            assert_eq!(parse_code(none), None, "{none}");
        }
    }

    #[test]
    fn message_is_one_short_line() {
        assert_eq!(shorten("  a\r\n  b  "), "a b");
        let long = shorten(&"stack ".repeat(1_000));
        assert!(long.chars().count() <= MESSAGE_LENGTH + 1 && long.ends_with('…'));
    }

    #[test]
    fn all_distinct_request_ids_are_kept() {
        let mut headers = HeaderMap::new();
        headers.append("x-ms-service-request-id", "7341c0c1".parse().unwrap());
        headers.append("x-ms-service-request-id", "1ee13aa7".parse().unwrap());
        headers.insert("REQ_ID", "1ee13aa7".parse().unwrap());
        let body = br#"{"error":{"code":"0x80072560","message":"The user is not a member of the organization."}}"#;
        assert_eq!(
            Answer::new(403, &headers, body).to_string(),
            "HTTP 403, 0x80072560: The user is not a member of the organization. (request 1ee13aa7, 7341c0c1)"
        );
    }

    #[test]
    fn html_is_kept_as_text() {
        let answer = Answer::new(502, &HeaderMap::new(), b"<html>\n<h1>Bad Gateway</h1>\n</html>");
        assert_eq!(answer.to_string(), "HTTP 502: <html> <h1>Bad Gateway</h1> </html>");
        assert!(!answer.is_odata);
    }
}
