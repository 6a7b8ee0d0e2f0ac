//! One token for all callers, renewed in time, replaced once when it is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::{SECRET, Seen, Server, granted, granted_for, html, identity, json, odata_error};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use crosswalk_core::{Class, Classify};
use crosswalk_dynamics::Error;
use futures::future::join_all;

const CALLERS: usize = 50;

/// How long a test waits for what happens besides.
const DEADLINE: Duration = Duration::from_secs(10);

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn refused_secret() -> Response {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.",
                   "error_codes":[7000215],"timestamp":"2026-01-31 10:20:30Z"}"#;
    json(StatusCode::UNAUTHORIZED, body.to_owned())
}

#[tokio::test]
async fn many_callers_ask_for_one_token() {
    let server = Server::start(|request, before| {
        if request.is_token() {
            granted(before)
        } else {
            identity()
        }
    })
    .await;
    let client = server.client();
    let answers = join_all((0..CALLERS).map(|_| client.who_am_i())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!((server.tokens_asked_for(), server.others().len()), (1, CALLERS));
}

#[tokio::test]
async fn many_callers_share_one_refusal() {
    let server = Server::start(|_, _| refused_secret()).await;
    let client = server.client();
    for error in join_all((0..CALLERS).map(|_| client.who_am_i()))
        .await
        .into_iter()
        .map(Result::unwrap_err)
    {
        assert_eq!(
            (error.class(), error.code()),
            (Class::Fatal, "DYNAMICS_AUTHENTICATION_FAILED")
        );
    }
    assert_eq!(server.tokens_asked_for(), 1);
    client.who_am_i().await.unwrap_err();
    assert_eq!(server.tokens_asked_for(), 2, "a later caller asks anew");
}

#[tokio::test]
async fn credentials_are_sent_as_a_form() {
    let server = Server::start(|request, before| {
        if request.is_token() {
            granted(before)
        } else {
            identity()
        }
    })
    .await;
    server.client().who_am_i().await.unwrap();
    let request = server.seen().into_iter().find(Seen::is_token).unwrap();
    assert_eq!(request.path, "/contoso.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!(request.header("content-type"), "application/x-www-form-urlencoded");
    let sent: Vec<_> = url::form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect();
    let scope = format!("{}/.default", server.url.origin().ascii_serialization());
    let expected = [
        ("client_id", "22222222-2222-4222-8222-222222222222"),
        ("scope", scope.as_str()),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
    ];
    assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn token_is_kept_until_shortly_before_its_end() {
    let server = Server::start(|request, before| {
        if request.is_token() {
            granted_for(before, 100)
        } else {
            identity()
        }
    })
    .await;
    let client = server.client();
    client.who_am_i().await.unwrap();
    pass(Duration::from_secs(74)).await;
    client.who_am_i().await.unwrap();
    assert_eq!(server.tokens_asked_for(), 1);
    pass(Duration::from_secs(2)).await;
    // Nobody waits for the new token, so the next requests may still carry the old one.
    let begun = Instant::now();
    loop {
        client.who_am_i().await.unwrap();
        if server.others().last().unwrap().header("authorization") == "Bearer token-1" {
            break;
        }
        assert!(begun.elapsed() < DEADLINE, "{:?}", server.seen());
    }
    assert_eq!(server.tokens_asked_for(), 2);
}

#[tokio::test]
async fn failed_early_renewal_keeps_the_token_until_its_end() {
    let server = Server::start(|request, before| match (request.is_token(), before) {
        (true, 0) => granted_for(before, 100),
        (true, _) => html(StatusCode::BAD_GATEWAY),
        (false, _) => identity(),
    })
    .await;
    let client = server.client();
    client.who_am_i().await.unwrap();
    pass(Duration::from_secs(76)).await;
    let begun = Instant::now();
    while server.tokens_asked_for() < 2 {
        client.who_am_i().await.unwrap();
        assert!(begun.elapsed() < DEADLINE, "it is not renewed");
    }
    client.who_am_i().await.unwrap();
    pass(Duration::from_secs(24)).await;
    assert_eq!(client.who_am_i().await.unwrap_err().class(), Class::RETRY);
}

#[tokio::test]
async fn refused_token_is_replaced_once_for_all_callers() {
    let server = Server::start(|request, before| {
        if request.is_token() {
            granted(before)
        } else if request.header("authorization") == "Bearer token-0" {
            StatusCode::UNAUTHORIZED.into_response()
        } else {
            identity()
        }
    })
    .await;
    let client = server.client();
    let answers = join_all((0..CALLERS).map(|_| client.who_am_i())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!((server.tokens_asked_for(), server.others().len()), (2, 2 * CALLERS));
}

#[tokio::test]
async fn second_refusal_ends_it() {
    let server = Server::start(|request, before| {
        if request.is_token() {
            granted(before)
        } else {
            StatusCode::UNAUTHORIZED.into_response()
        }
    })
    .await;
    let error = server.client().who_am_i().await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized(_)), "{error:?}");
    assert_eq!(
        (error.class(), error.code()),
        (Class::Fatal, "DYNAMICS_AUTHENTICATION_FAILED")
    );
    assert_eq!((server.tokens_asked_for(), server.others().len()), (2, 2));
}

#[tokio::test]
async fn busy_token_endpoint_is_for_later() {
    let is_open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&is_open);
    let server = Server::start(
        move |request, before| match (request.is_token(), gate.load(Ordering::SeqCst)) {
            (true, false) if before == 0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")]).into_response(),
            (true, false) => html(StatusCode::BAD_GATEWAY),
            (true, true) => granted(before),
            (false, _) => identity(),
        },
    )
    .await;
    let client = server.client();
    let after = Some(Duration::from_secs(7));
    assert_eq!(client.who_am_i().await.unwrap_err().class(), Class::Retry { after });
    assert_eq!(client.who_am_i().await.unwrap_err().class(), Class::RETRY);
    is_open.store(true, Ordering::SeqCst);
    client.who_am_i().await.unwrap();
}

#[tokio::test]
async fn no_message_shows_secret_or_token() {
    let server = Server::start(|request, before| match (request.is_token(), before) {
        (true, 0) => refused_secret(),
        (true, _) => granted(before),
        (false, _) => odata_error(StatusCode::FORBIDDEN, "0x80072560", "The user is not a member."),
    })
    .await;
    let client = server.client();
    for _ in 0..2 {
        let error = client.who_am_i().await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("top+secret") && !shown.contains("token-"), "{shown}");
    }
}
