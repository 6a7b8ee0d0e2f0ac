//! An unsuccessful answer, as errors and dead letters show it.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

/// Longest text of an answer kept with an error, in characters.
const MAX_TEXT: usize = 1_000;

/// An unsuccessful answer of Campaign or IMS: enough for a person to see what it said, and for Adobe's support to find
/// the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The gateway's `X-Request-Id`, where it sent one.
    pub request_id: Option<String>,
    /// The text of the body on one line, cut after 1,000 characters.
    pub text: String,
    /// What was answered so; not kept for requests for a token.
    pub request: Option<RefusedRequest>,
}

/// A request as a person needs it to see what was refused: without headers, so without secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct RefusedRequest {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: String,
    /// Its body: JSON, or nothing.
    pub body: Bytes,
}

impl fmt::Debug for RefusedRequest {
    /// Without the body, which holds personal data.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ({} bytes)", self.method, self.path, self.body.len())
    }
}

impl Reply {
    /// Shortens an answer.
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, text: &str) -> Self {
        let request_id = headers.get("x-request-id").and_then(|value| value.to_str().ok());
        Self {
            status: status.as_u16(),
            request_id: request_id.map(|id| shorten(id, 100)),
            text: shorten(text, MAX_TEXT),
            request: None,
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HTTP {}", self.status)?;
        if let Some(id) = &self.request_id {
            write!(formatter, ", request {id}")?;
        }
        if !self.text.is_empty() {
            write!(formatter, ": {}", self.text)?;
        }
        Ok(())
    }
}

/// The text on one line with single spaces, cut after `limit` characters.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    let mut short = String::new();
    let mut length = 0;
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()) {
        if word.is_empty() {
            continue;
        }
        let space = usize::from(length > 0);
        if length + space >= limit {
            short.push('…');
            return short;
        }
        if space == 1 {
            short.push(' ');
        }
        length += space;
        let room = limit - length;
        match word.char_indices().nth(room) {
            None => {
                short.push_str(word);
                length += word.chars().count();
            }
            Some((end, _)) => {
                short.push_str(&word[..end]);
                short.push('…');
                return short;
            }
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_on_a_character() {
        assert_eq!(shorten("  a\r\n\tb\u{0} ", 10), "a b");
        assert_eq!(shorten("ééééé", 3), "ééé…");
        assert_eq!(shorten("ab cd", 5), "ab cd");
        assert_eq!(shorten("ab cde", 5), "ab cd…");
        assert_eq!(shorten("ab cd", 2), "ab…");
        assert_eq!(shorten("", 3), "");
    }

    #[test]
    fn reply_shows_status_request_and_text() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", "r1".parse().unwrap());
        let reply = Reply::new(StatusCode::BAD_GATEWAY, &headers, "<html>\n gone");
        assert_eq!(reply.to_string(), "HTTP 502, request r1: <html> gone");
        let reply = Reply::new(StatusCode::BAD_GATEWAY, &HeaderMap::new(), "");
        assert_eq!(reply.to_string(), "HTTP 502");
    }
}
