//! Writes batches and reads their answers, by hand: nothing of the sandbox's own reading of batches is used.

use std::collections::HashMap;

use reqwest::Method;
use serde_json::Value;

use crate::client::{Answer, Environment};

/// A request as it stands in a part: `line` without the version, header lines, body.
pub(crate) fn request(line: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("{line} HTTP/1.1\r\n{headers}\r\n{body}")
}

/// A request with a JSON body.
pub(crate) fn write(line: &str, body: &Value) -> String {
    request(line, &["Content-Type: application/json; type=entry"], &body.to_string())
}

/// A request without headers and body.
pub(crate) fn bare(line: &str) -> String {
    request(line, &[], "")
}

/// A part with one operation.
pub(crate) fn operation(request: &str) -> String {
    format!("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{request}")
}

/// A part with a change set; content ids are 1, 2, ...
pub(crate) fn change_set(requests: &[String]) -> String {
    let operations = requests.iter().zip(1..).map(|(request, id)| {
        format!(
            "--changeset_01\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\
             \r\n{request}\r\n"
        )
    });
    let operations: String = operations.collect();
    format!("Content-Type: multipart/mixed; boundary=\"changeset_01\"\r\n\r\n{operations}--changeset_01--")
}

/// The body of a batch.
pub(crate) fn body(parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--batch_7f0c\r\n{part}\r\n")).collect();
    format!("{parts}--batch_7f0c--\r\n")
}

impl Environment {
    /// Sends a batch of these parts.
    pub(crate) async fn batch(&self, parts: &[String]) -> Answer {
        self.send_batch(&[], body(parts)).await
    }

    /// Sends a batch that goes on behind errors.
    pub(crate) async fn batch_to_the_end(&self, parts: &[String]) -> Answer {
        self.send_batch(&[("Prefer", "odata.continue-on-error")], body(parts))
            .await
    }

    /// Sends any body as a batch.
    pub(crate) async fn send_batch(&self, headers: &[(&str, &str)], body: String) -> Answer {
        let request = self
            .request(Method::POST, "$batch")
            .header("Content-Type", "multipart/mixed; boundary=\"batch_7f0c\"")
            .body(body);
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        Answer::of(request.send().await.unwrap()).await
    }
}

/// What one operation answered.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) content_id: Option<String>,
    pub(crate) status: u16,
    /// Headers as they were written.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) text: String,
}

/// What a part of a batch answered.
#[derive(Debug)]
pub(crate) enum Item {
    Operation(Part),
    ChangeSet(Vec<Part>),
}

impl Part {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Panics unless it is the expected error.
    pub(crate) fn expect_error(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        let error = self.json()["error"].clone();
        assert_eq!(error["code"], code, "{error}");
        error["message"].as_str().unwrap().to_owned()
    }
}

impl Answer {
    /// The parts of a batch's answer.
    pub(crate) fn items(&self) -> Vec<Item> {
        let boundary = boundary(self.header("content-type"), "batchresponse_");
        split(&self.text, &boundary).iter().map(|part| item(part)).collect()
    }

    /// The answers of the operations of a batch without change sets.
    pub(crate) fn operations(&self) -> Vec<Part> {
        let alone = |item| match item {
            Item::Operation(part) => part,
            Item::ChangeSet(_) => panic!("a change set: {}", self.text),
        };
        self.items().into_iter().map(alone).collect()
    }

    /// The answers of a batch that is one change set.
    pub(crate) fn change_set(&self) -> Vec<Part> {
        match self.items().pop() {
            Some(Item::ChangeSet(parts)) => parts,
            _ => panic!("no change set: {}", self.text),
        }
    }
}

fn boundary(content_type: &str, prefix: &str) -> String {
    let boundary = content_type.strip_prefix("multipart/mixed; boundary=").unwrap();
    assert!(boundary.starts_with(prefix), "{boundary}");
    boundary.to_owned()
}

fn split(text: &str, boundary: &str) -> Vec<String> {
    assert!(
        !text.replace("\r\n", "").contains('\n'),
        "a line without CRLF: {text:?}"
    );
    let inner = text
        .strip_suffix(&format!("--{boundary}--\r\n"))
        .unwrap_or_else(|| panic!("not closed: {text:?}"));
    let open = format!("--{boundary}\r\n");
    let mut parts = inner.split(&open);
    assert_eq!(parts.next(), Some(""));
    parts.map(str::to_owned).collect()
}

fn item(text: &str) -> Item {
    let (head, content) = text.split_once("\r\n\r\n").unwrap();
    let head = headers(head);
    let content_type = &head["Content-Type"];
    if content_type.starts_with("multipart/mixed") {
        let boundary = boundary(content_type, "changesetresponse_");
        return Item::ChangeSet(split(content, &boundary).iter().map(|part| part_of(part)).collect());
    }
    Item::Operation(part_of(text))
}

fn part_of(text: &str) -> Part {
    let (outer, content) = text.split_once("\r\n\r\n").unwrap();
    let mut outer = headers(outer);
    assert_eq!(outer["Content-Type"], "application/http");
    assert_eq!(outer["Content-Transfer-Encoding"], "binary");
    let (head, body) = content.split_once("\r\n\r\n").unwrap();
    let (status_line, head) = head.split_once("\r\n").unwrap();
    let status = status_line
        .strip_prefix("HTTP/1.1 ")
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    Part {
        content_id: outer.remove("Content-ID"),
        status: status.parse().unwrap(),
        headers: headers(head),
        text: body.strip_suffix("\r\n").unwrap().to_owned(),
    }
}

fn headers(head: &str) -> HashMap<String, String> {
    head.split("\r\n")
        .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
