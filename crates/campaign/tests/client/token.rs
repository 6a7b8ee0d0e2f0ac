//! The access token: how it is asked for, shared, renewed and replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::server::{Answer, SECRET, Server, TOKEN, key};
use crosswalk_campaign::{Client, Deleted, Error};
use crosswalk_core::{Class, Classify};
use tokio::task::JoinSet;

/// How long a test waits for what happens besides.
const DEADLINE: Duration = Duration::from_secs(10);

const GONE: &str = "Unable to find document with path 'Profiles' from key 'k:0' (document with schema 'profile')";

/// A call that succeeds on a server which answers every call with success.
async fn call(client: &Client) -> Result<Deleted, Error> {
    client.delete("profile", &key("k")).await
}

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn request_and_headers_follow_the_contract() {
    let server = Server::with_tokens(|_, _| Answer::new(200, "")).await;
    let client = server.client();
    client.insert("profile", "{}".into()).await.unwrap();

    let token_request = &server.token_requests()[0];
    assert_eq!(
        token_request.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(
        token_request.body,
        format!("client_id=client-1&client_secret={SECRET}&grant_type=client_credentials&scope=openid%2Ccampaign_sdk")
    );
    let api_request = &server.api_requests()[0];
    assert_eq!(api_request.uri, "/acme/campaign/profileAndServicesExt/profile");
    assert_eq!(api_request.headers["authorization"], format!("Bearer {TOKEN}0"));
    assert_eq!(api_request.headers["x-api-key"], "client-1");
    assert_eq!(api_request.headers["content-type"], "application/json");
    assert_eq!(api_request.headers["cache-control"], "no-cache");
}

#[tokio::test]
async fn many_callers_share_one_request() {
    let server = Server::with_tokens(|_, _| Answer::new(200, "")).await;
    let client = server.client();
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        callers.spawn(async move { call(&client).await });
    }
    while let Some(outcome) = callers.join_next().await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(server.token_requests().len(), 1);
    assert_eq!(server.api_requests().len(), 50);
}

#[tokio::test]
async fn many_callers_share_one_failure() {
    let server = Server::start(|_, _| {
        Answer::new(
            400,
            r#"{"error":"invalid_client","error_description":"invalid client_secret parameter"}"#,
        )
    })
    .await;
    let client = server.client();
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        callers.spawn(async move { call(&client).await });
    }
    while let Some(outcome) = callers.join_next().await {
        let error = outcome.unwrap().unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("CAMPAIGN_AUTHENTICATION_FAILED", Class::Fatal)
        );
        assert!(error.to_string().contains("invalid client_secret parameter"), "{error}");
    }
    assert_eq!(server.token_requests().len(), 1);
    // A later caller asks anew.
    call(&client).await.unwrap_err();
    assert_eq!(server.token_requests().len(), 2);
}

#[tokio::test]
async fn refused_token_is_replaced_once_for_all_callers() {
    let refused = format!("Bearer {TOKEN}0");
    let server = Server::with_tokens(move |seen, _| {
        if seen.headers["authorization"] == refused {
            Answer::gateway(401_013)
        } else {
            Answer::new(200, "")
        }
    })
    .await;
    let client = server.client();
    let mut callers = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        callers.spawn(async move { call(&client).await });
    }
    while let Some(outcome) = callers.join_next().await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(server.token_requests().len(), 2);
}

#[tokio::test]
async fn call_is_replayed_once_and_then_fails() {
    for code in [401_013, 403_010, 403_020] {
        let server = Server::with_tokens(move |_, _| Answer::gateway(code)).await;
        let error = call(&server.client()).await.unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("CAMPAIGN_AUTHENTICATION_FAILED", Class::Fatal)
        );
        assert_eq!(
            (server.api_requests().len(), server.token_requests().len()),
            (2, 2),
            "{code}"
        );
    }
}

#[tokio::test]
async fn missing_right_is_not_replayed() {
    for (code, expected) in [
        (401_014, "CAMPAIGN_SCOPE_MISSING"),
        (403_003, "CAMPAIGN_API_KEY_INVALID"),
        (403_023, "CAMPAIGN_ORGANIZATION_NOT_ALLOWED"),
    ] {
        let server = Server::with_tokens(move |_, _| Answer::gateway(code)).await;
        let error = call(&server.client()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), (expected, Class::Fatal));
        assert_eq!((server.api_requests().len(), server.token_requests().len()), (1, 1));
    }
}

#[tokio::test]
async fn token_is_kept_until_its_margin_and_renewed_before_its_end() {
    let server = Server::with_tokens(|_, _| Answer::new(200, "")).await;
    let client = server.client();
    call(&client).await.unwrap();
    // A day less the margin of an hour.
    pass(Duration::from_secs(82_700)).await;
    call(&client).await.unwrap();
    assert_eq!(server.token_requests().len(), 1);
    pass(Duration::from_secs(200)).await;
    // Nobody waits for the new token, so the next calls may still carry the old one.
    let begun = Instant::now();
    loop {
        call(&client).await.unwrap();
        let calls = server.api_requests();
        if calls.last().unwrap().headers["authorization"] == format!("Bearer {TOKEN}1") {
            break;
        }
        assert!(begun.elapsed() < DEADLINE, "{:?}", server.token_requests());
    }
    assert_eq!(server.token_requests().len(), 2);
}

#[tokio::test]
async fn failed_early_renewal_keeps_the_old_token_until_its_end() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = Arc::clone(&down);
    let server = Server::start(move |seen, before| match seen.is_token_request() {
        true if is_down.load(Ordering::SeqCst) => Answer::new(503, ""),
        true => Answer::token(before, 1_000),
        false => Answer::new(200, ""),
    })
    .await;
    let client = server.client();
    call(&client).await.unwrap();
    down.store(true, Ordering::SeqCst);
    // The margin is at most a quarter of the token's life.
    pass(Duration::from_secs(850)).await;
    let begun = Instant::now();
    while server.token_requests().len() < 2 {
        call(&client).await.unwrap();
        assert!(begun.elapsed() < DEADLINE, "it is not renewed");
    }
    call(&client).await.unwrap();
    // At its end the old token is no longer used.
    pass(Duration::from_secs(200)).await;
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.class(), Class::RETRY);
    down.store(false, Ordering::SeqCst);
    call(&client).await.unwrap();
}

#[tokio::test]
async fn answers_of_the_identity_service_are_classified() {
    let throttled = Answer::new(429, "").header("retry-after", "12");
    let page = Answer::new(404, "<html>").header("content-type", "text/html");
    for (answer, code, class) in [
        (
            Answer::new(
                400,
                r#"{"error":"invalid_client","error_description":"invalid client_id parameter"}"#,
            ),
            "CAMPAIGN_AUTHENTICATION_FAILED",
            Class::Fatal,
        ),
        (
            Answer::new(401, r#"{"error":"invalid_client"}"#),
            "CAMPAIGN_AUTHENTICATION_FAILED",
            Class::Fatal,
        ),
        (
            Answer::new(400, r#"{"error":"invalid_scope"}"#),
            "CAMPAIGN_SCOPE_MISSING",
            Class::Fatal,
        ),
        (
            throttled,
            "CAMPAIGN_THROTTLED",
            Class::Retry {
                after: Some(Duration::from_secs(12)),
            },
        ),
        (Answer::new(502, "<html>"), "CAMPAIGN_UNAVAILABLE", Class::RETRY),
        (page, "CAMPAIGN_IMS_URL_WRONG", Class::Fatal),
        (Answer::new(200, "<html>"), "CAMPAIGN_IMS_URL_WRONG", Class::Fatal),
        (
            Answer::new(200, r#"{"access_token":""}"#),
            "CAMPAIGN_IMS_URL_WRONG",
            Class::Fatal,
        ),
        (
            Answer::new(200, r#"{"access_token":"a\nb"}"#),
            "CAMPAIGN_IMS_URL_WRONG",
            Class::Fatal,
        ),
        (
            Answer::new(302, "").header("location", "/elsewhere"),
            "CAMPAIGN_IMS_URL_WRONG",
            Class::Fatal,
        ),
    ] {
        let server = Server::start(move |_, _| answer.clone()).await;
        let error = server.client().authenticate().await.unwrap_err();
        assert_eq!((error.code(), error.class()), (code, class), "{error}");
    }
}

#[tokio::test]
async fn authenticate_asks_for_a_new_token_every_time() {
    let server = Server::with_tokens(|_, _| Answer::new(200, "")).await;
    let client = server.client();
    client.authenticate().await.unwrap();
    client.authenticate().await.unwrap();
    call(&client).await.unwrap();
    assert_eq!(server.token_requests().len(), 2);
}

#[tokio::test]
async fn secrets_echoed_by_a_server_are_in_no_error() {
    let echo = |seen: &crate::server::Seen| {
        let headers = format!("{:?}", seen.headers).replace("Sensitive", "");
        let authorization = seen
            .headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        format!("{headers} {authorization:?} {}", String::from_utf8_lossy(&seen.body))
    };
    let ims = Server::start(move |seen, _| Answer::new(400, echo(seen))).await;
    let api = Server::with_tokens(move |seen, _| Answer::new(500, format!("XTK-170006 {}", echo(seen)))).await;
    for server in [&ims, &api] {
        let client = server.client();
        let error = call(&client).await.unwrap_err();
        let texts = [
            error.to_string(),
            format!("{error:?}"),
            format!("{client:?}"),
            format!("{:?}", server.connection()),
        ];
        for text in texts {
            assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");
        }
        assert!(error.to_string().contains("[redacted]"), "{error}");
    }
}

#[tokio::test]
async fn no_answer_is_tried_again_and_hides_the_url() {
    let server = Server::with_tokens(|_, _| Answer::new(404, GONE)).await;
    let mut connection = server.connection();
    // Port 1 is reserved; nothing listens there.
    connection.api_url = "http://127.0.0.1:1".parse().unwrap();
    let client = Client::new(&connection, &crosswalk_campaign::ClientSettings::default()).unwrap();
    let error = call(&client).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CAMPAIGN_UNREACHABLE", Class::RETRY));
    assert!(!format!("{error:?}").contains("profile/k"), "{error:?}");
}
