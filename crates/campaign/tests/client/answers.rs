//! Answers that are odd, too long, cut off or missing.

use std::time::Duration;

use crosswalk_campaign::{Client, ClientSettings, Written, WrittenKind};
use crosswalk_core::{Class, Classify};

use crate::server::{Answer, Server, key, raw};
use crate::writes::{created, upsert};

#[tokio::test]
async fn record_is_read_bare_or_wrapped() {
    for body in [
        r#"{"PKey":"@a","firstName":"Ann"}"#,
        r#"{"content":[{"PKey":"@a","firstName":"Ann"}]}"#,
    ] {
        let server = Server::with_tokens(move |_, _| Answer::new(200, body)).await;
        let record = server.client().get("profile", &key("k1")).await.unwrap().unwrap();
        assert_eq!(record["firstName"], "Ann");
    }
}

#[tokio::test]
async fn web_page_is_not_taken_for_success() {
    let page = Answer::new(200, "<html>Sign in</html>").header("content-type", "text/html; charset=utf-8");
    let server = Server::with_tokens(move |_, _| page.clone()).await;
    let error = upsert(&server.client(), false).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_ANSWER_UNEXPECTED", Class::Fatal)
    );
}

#[tokio::test]
async fn answers_are_read_up_to_the_limit() {
    let settings = ClientSettings {
        max_response_bytes: 1_000,
        ..ClientSettings::default()
    };
    let server = Server::with_tokens(|_, _| Answer::new(200, format!(r#"{{"a":"{}"}}"#, "x".repeat(5_000)))).await;
    let client = server.client_with(&settings);
    let error = client.get("profile", &key("k1")).await.unwrap_err();
    assert!(error.to_string().contains("1000 bytes"), "{error}");
    // A write has succeeded whatever the size of the answer.
    assert_eq!(upsert(&client, false).await.unwrap().kind, WrittenKind::Inserted);

    let server = Server::with_tokens(|_, _| Answer::new(500, "x".repeat(1_000_000))).await;
    let error = server.client().get("profile", &key("k1")).await.unwrap_err();
    assert_eq!(error.class(), Class::RETRY);
    assert!(error.to_string().len() < 2_000);
}

/// A client whose tokens come from a real server and whose API is a raw one.
async fn raw_client(bytes: Option<&'static str>, settings: &ClientSettings) -> Client {
    let mut connection = Server::with_tokens(|_, _| created()).await.connection();
    connection.api_url = raw(bytes).await;
    Client::new(&connection, settings).expect("the connection is valid")
}

#[tokio::test]
async fn connection_that_breaks_before_the_answer_is_tried_again() {
    for bytes in ["", "HTTP/1.1 20"] {
        let client = raw_client(Some(bytes), &ClientSettings::default()).await;
        let error = upsert(&client, false).await.unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("CAMPAIGN_UNREACHABLE", Class::RETRY),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn write_has_succeeded_even_if_the_rest_of_the_answer_is_lost() {
    let bytes = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{";
    let client = raw_client(Some(bytes), &ClientSettings::default()).await;
    assert_eq!(
        upsert(&client, false).await.unwrap(),
        Written {
            calls: 1,
            kind: WrittenKind::Inserted
        }
    );
    let error = client.get("profile", &key("k1")).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CAMPAIGN_UNREACHABLE", Class::RETRY));
}

#[tokio::test]
async fn silence_ends_at_the_timeout() {
    let settings = ClientSettings {
        request_timeout: Duration::from_millis(20),
        ..ClientSettings::default()
    };
    let client = raw_client(None, &settings).await;
    let error = upsert(&client, false).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CAMPAIGN_UNREACHABLE", Class::RETRY));
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let server = Server::with_tokens(|_, _| Answer::new(307, "").header("location", "/elsewhere")).await;
    let error = upsert(&server.client(), false).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CAMPAIGN_URL_WRONG", Class::Fatal));
    assert_eq!(server.api_requests().len(), 1);
}
