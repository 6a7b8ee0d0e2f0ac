//! Batches that are refused as a whole: plain JSON, and nothing of them runs (contracts/dataverse.md §5.7).

use reqwest::Method;
use serde_json::json;

use crate::batch_client::{bare, body, change_set, operation, request, write};
use crate::client::{Answer, Environment};

const ROOT: &str = "/api/data/v9.2";

fn create() -> String {
    write(&format!("POST {ROOT}/contacts"), &json!({"firstname": "Ada"}))
}

/// Panics unless a body is refused with this code and nothing was written; returns the text.
async fn refused(environment: &Environment, body: String, code: &str) -> String {
    let answer = environment.send_batch(&[], body).await;
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
    let text = answer.expect_error(400, code);
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 0);
    text
}

#[tokio::test]
async fn line_ends_other_than_crlf_are_refused_before_anything_runs() {
    let environment = Environment::start().await;
    let whole = body(&[operation(&create()), change_set(&[create()])]);
    let text = refused(&environment, whole.replace("\r\n", "\n"), "0x80048d19").await;
    assert!(text.contains("Stream was not readable."), "{text}");
    for (at, _) in whole.match_indices("\r\n") {
        let broken = format!("{}{}", &whole[..at], &whole[at + 1..]);
        refused(&environment, broken, "0x80048d19").await;
    }
    environment.send_batch(&[], whole).await.expect(200);
}

#[tokio::test]
async fn blank_lines_that_are_missing_are_refused() {
    let environment = Environment::start().await;
    let head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary";
    let get = format!("GET {ROOT}/WhoAmI HTTP/1.1\r\nAccept: application/json");
    let open_head = format!("--batch_7f0c\r\n{head}\r\n\r\n{get}\r\n--batch_7f0c--\r\n");
    refused(&environment, open_head, "0x80048d19").await;
    let closed = format!("--batch_7f0c\r\n{head}\r\n\r\n{get}\r\n\r\n--batch_7f0c--\r\n");
    environment.send_batch(&[], closed).await.expect(200);
}

#[tokio::test]
async fn malformed_batches_are_refused_before_anything_runs() {
    let environment = Environment::start().await;
    let first = operation(&create());
    let with = |part: String| body(&[first.clone(), part]);
    let whole = body(std::slice::from_ref(&first));
    let cases = [
        (whole.replace("--batch_7f0c--", ""), "ended before the boundary"),
        (whole.replace("batch_7f0c", "batch_other"), "ended before the boundary"),
        (
            with(operation(&bare(&format!("POST {ROOT}/$batch")))),
            "other batch requests",
        ),
        (
            with(operation(&bare(&format!("HEAD {ROOT}/contacts")))),
            "HTTP method 'HEAD'",
        ),
        (with(change_set(&[bare(&format!("GET {ROOT}/contacts"))])), "'GET'"),
        (with(first.replace("binary", "base64")), "Content-Transfer-Encoding"),
        (
            with(first.replace("application/http", "application/json")),
            "Content-Type",
        ),
        (with(first.replace(" HTTP/1.1", "")), "request line"),
        (
            with(change_set(&[create()]).replace("Content-ID: 1\r\n", "")),
            "'Content-ID' header is missing",
        ),
        (
            with(change_set(&[create(), create()]).replace("Content-ID: 2", "Content-ID: 1")),
            "content ID '1' was found more than once",
        ),
    ];
    for (body, text) in cases {
        let found = refused(&environment, body, "0x80060888").await;
        assert!(found.contains(text), "{found} is not about {text}");
    }
}

#[tokio::test]
async fn a_batch_without_a_boundary_is_refused() {
    let environment = Environment::start().await;
    for content_type in [
        "application/json",
        "multipart/mixed",
        "multipart/form-data; boundary=batch_7f0c",
    ] {
        let request = environment
            .request(Method::POST, "$batch")
            .header("Content-Type", content_type)
            .body(body(&[operation(&create())]));
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.header("content-type"), "application/json");
        answer.expect_error(400, "0x80060888");
    }
    environment.get("$batch").await.expect_error(405, "0x8006088a");
    environment.delete("$batch").await.expect_error(405, "0x8006088a");
}

#[tokio::test]
async fn a_thousand_operations_are_allowed_and_no_more() {
    let environment = Environment::start().await;
    let many = |operations: usize| {
        let mut parts = vec![change_set(&vec![create(); 500])];
        parts.resize(1 + operations - 500, operation(&create()));
        body(&parts)
    };
    let text = refused(&environment, many(1001), "0x80060888").await;
    assert!(text.contains("'1000'"), "{text}");
    let answer = environment.send_batch(&[], many(1000)).await.expect(200);
    assert_eq!(answer.items().len(), 501);
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 1000);
}

#[tokio::test]
async fn throttled_and_unauthenticated_batches_are_answered_as_a_whole() {
    let mut environment = Environment::with(|config| {
        config.dynamics.service_protection.servers = 1;
        config.dynamics.service_protection.requests = 1;
    })
    .await;
    environment.get("WhoAmI").await.expect(200);
    let parts = [operation(&create())];
    let answer = environment.batch(&parts).await;
    assert!(answer.headers.contains_key("retry-after"));
    answer.expect_error(429, "0x80072322");
    environment.token = "eyJ.not.valid".to_owned();
    let answer = environment.batch(&parts).await.expect(401);
    assert_eq!(answer.text, "");
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 0);
}

#[tokio::test]
async fn errors_of_refused_batches_carry_annotations_when_asked_for() {
    let environment = Environment::start().await;
    let headers = [("Prefer", "odata.include-annotations=\"*\"")];
    let answer = environment
        .send_batch(&headers, "--batch_7f0c".to_owned())
        .await
        .expect(400);
    assert!(answer.json()["error"]["@Microsoft.PowerApps.CDS.HelpLink"].is_string());
    let annotated = request(
        &format!("GET {ROOT}/contactz"),
        &["Prefer: odata.include-annotations=\"*\""],
        "",
    );
    let answer = environment.batch(&[operation(&annotated)]).await.expect(404);
    assert!(answer.operations()[0].json()["error"]["@Microsoft.PowerApps.CDS.HelpLink"].is_string());
}
