//! The answer of a batch: parts in the order of the request's (contracts/dataverse.md §5.7).

use axum::body::to_bytes;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use uuid::Uuid;

use crate::microsoft::errors::bytes_response;

/// What an operation answered.
pub(super) struct Answer {
    /// `Content-ID` of the operation, repeated in the answer.
    pub content_id: Option<String>,
    /// The answer, as it would be without the batch.
    pub response: Response,
}

/// What a part of a batch answered.
pub(super) enum ItemAnswer {
    /// An operation by itself.
    Operation(Answer),
    /// A change set: all its operations, or the one that failed.
    ChangeSet(Vec<Answer>),
}

impl Answer {
    /// The status, if it is an error's.
    fn failure(&self) -> Option<StatusCode> {
        let status = self.response.status();
        (status.is_client_error() || status.is_server_error()).then_some(status)
    }
}

impl ItemAnswer {
    /// The status of the operation that failed, if one did.
    pub(super) fn failure(&self) -> Option<StatusCode> {
        match self {
            Self::Operation(answer) => answer.failure(),
            Self::ChangeSet(answers) => answers.iter().find_map(Answer::failure),
        }
    }
}

/// The answer of a batch whose operations have run.
pub(super) async fn render(status: StatusCode, answers: Vec<ItemAnswer>) -> Response {
    let boundary = format!("batchresponse_{}", Uuid::new_v4());
    let mut body = Vec::new();
    for answer in answers {
        open(&mut body, &boundary);
        match answer {
            ItemAnswer::Operation(answer) => operation(&mut body, answer).await,
            ItemAnswer::ChangeSet(answers) => change_set(&mut body, answers).await,
        }
    }
    close(&mut body, &boundary);
    bytes_response(status, multipart(&boundary), body)
}

async fn change_set(body: &mut Vec<u8>, answers: Vec<Answer>) {
    let boundary = format!("changesetresponse_{}", Uuid::new_v4());
    line(body, &format!("Content-Type: multipart/mixed; boundary={boundary}"));
    line(body, "");
    for answer in answers {
        open(body, &boundary);
        operation(body, answer).await;
    }
    close(body, &boundary);
}

async fn operation(body: &mut Vec<u8>, answer: Answer) {
    line(body, "Content-Type: application/http");
    line(body, "Content-Transfer-Encoding: binary");
    if let Some(content_id) = &answer.content_id {
        line(body, &format!("Content-ID: {content_id}"));
    }
    line(body, "");
    let is_failure = answer.failure().is_some();
    let (head, content) = answer.response.into_parts();
    line(body, &format!("HTTP/1.1 {}", head.status));
    if is_failure {
        line(body, &format!("REQ_ID: {}", Uuid::new_v4()));
    }
    inner_headers(body, &head.headers);
    line(body, "");
    // Handlers answer from memory: there is nothing to wait for, and nothing that could fail.
    body.extend_from_slice(&to_bytes(content, usize::MAX).await.unwrap_or_default());
    line(body, "");
}

/// The headers of an operation's answer. A row that was written is named twice, as only batches do.
fn inner_headers(body: &mut Vec<u8>, headers: &HeaderMap) {
    let mut header = |name: &str, value: &HeaderValue| {
        body.extend_from_slice(format!("{name}: ").as_bytes());
        body.extend_from_slice(value.as_bytes());
        line(body, "");
    };
    for (name, value) in headers.iter().filter(|(name, _)| *name != "odata-entityid") {
        header(&usual_case(name), value);
    }
    header("OData-Version", &HeaderValue::from_static("4.0"));
    if let Some(url) = headers.get("odata-entityid") {
        header("Location", url);
        header("OData-EntityId", url);
    }
}

/// A header name as people write it; some clients look for it in that form inside of parts.
fn usual_case(name: &HeaderName) -> String {
    if name == http::header::ETAG {
        return "ETag".to_owned();
    }
    let words = name.as_str().split('-').map(|word| {
        let mut characters = word.chars();
        characters
            .next()
            .map(|first| format!("{}{}", first.to_ascii_uppercase(), characters.as_str()))
            .unwrap_or_default()
    });
    words.collect::<Vec<_>>().join("-")
}

fn open(body: &mut Vec<u8>, boundary: &str) {
    line(body, &format!("--{boundary}"));
}

fn close(body: &mut Vec<u8>, boundary: &str) {
    line(body, &format!("--{boundary}--"));
}

fn line(body: &mut Vec<u8>, text: &str) {
    body.extend_from_slice(text.as_bytes());
    body.extend_from_slice(b"\r\n");
}

fn multipart(boundary: &str) -> HeaderValue {
    let text = format!("multipart/mixed; boundary={boundary}");
    HeaderValue::try_from(text).expect("a GUID is a header value")
}
