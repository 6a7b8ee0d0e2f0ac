//! Answers that a real environment gives on bad days, and those of something else in its place.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Seen, Server, client_of, cut_short, granted, html, identity, json, odata_error, page, selection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use crosswalk_core::{Class, Classify};
use crosswalk_dynamics::{ClientSettings, Error, Exchange, Observer, Operation, Page, PageLink};

/// A server that gives tokens and answers everything else in one way.
async fn server(answer: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static) -> Server {
    Server::start(move |request, before| {
        if request.is_token() {
            granted(before)
        } else {
            answer(request, before)
        }
    })
    .await
}

/// What becomes of a tracked read that is answered so.
async fn first_page(answer: impl Fn() -> Response + Send + Sync + 'static) -> Result<Page, Error> {
    server(move |_, _| answer())
        .await
        .client()
        .first_page(&selection())
        .await
}

#[tokio::test]
async fn gateway_in_html_is_tried_again() {
    for status in [
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ] {
        let error = first_page(move || html(status)).await.unwrap_err();
        assert_eq!(
            (error.class(), error.code()),
            (Class::RETRY, "DYNAMICS_UNAVAILABLE"),
            "{status}"
        );
    }
}

#[tokio::test]
async fn throttling_carries_the_delay() {
    let answer = || {
        let mut answer = odata_error(
            StatusCode::TOO_MANY_REQUESTS,
            "0x80072322",
            "Number of requests exceeded",
        );
        answer.headers_mut().insert("retry-after", "27".parse().unwrap());
        answer
    };
    let error = first_page(answer).await.unwrap_err();
    assert_eq!(
        error.class(),
        Class::Retry {
            after: Some(Duration::from_secs(27))
        }
    );
    assert_eq!(error.code(), "DYNAMICS_THROTTLED");
}

#[tokio::test]
async fn body_cut_short_is_tried_again() {
    let error = first_page(|| cut_short(r#"{"value":[{"firstname":"A"#))
        .await
        .unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::RETRY, "DYNAMICS_UNREACHABLE"));
    let error = first_page(|| json(StatusCode::OK, r#"{"value":[{"firstname":"A"#.to_owned()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.code()),
        (Class::RETRY, "DYNAMICS_ANSWER_UNREADABLE")
    );
}

#[tokio::test]
async fn address_without_a_server_is_tried_again() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let error = client_of(&address, &ClientSettings::default())
        .who_am_i()
        .await
        .unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::RETRY, "DYNAMICS_UNREACHABLE"));
}

#[tokio::test]
async fn silent_server_is_given_up_after_the_timeout() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = ClientSettings {
        request_timeout: Duration::from_millis(50),
        ..ClientSettings::default()
    };
    let error = client_of(&silent.local_addr().unwrap(), &settings)
        .who_am_i()
        .await
        .unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::RETRY, "DYNAMICS_UNREACHABLE"));
}

#[tokio::test]
async fn long_body_is_not_read_to_its_end() {
    let server = server(|_, _| page(&"x".repeat(2_000))).await;
    let settings = ClientSettings {
        max_page_bytes: 1_000,
        ..ClientSettings::default()
    };
    let error = server
        .client_with(&settings)
        .first_page(&selection())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.code()),
        (Class::Fatal, "DYNAMICS_ANSWER_TOO_LONG")
    );
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let elsewhere = server(|_, _| identity()).await;
    let target = elsewhere.url.to_string();
    let server = server(move |_, _| (StatusCode::FOUND, [("location", target.clone())]).into_response()).await;
    let error = server.client().who_am_i().await.unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::Fatal, "DYNAMICS_URL_WRONG"));
    assert_eq!(elsewhere.seen().len(), 0);
}

#[tokio::test]
async fn other_web_site_is_told_from_dataverse() {
    let server = server(|_, _| html(StatusCode::NOT_FOUND)).await;
    let error = server.client().who_am_i().await.unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::Fatal, "DYNAMICS_URL_WRONG"));
}

#[tokio::test]
async fn token_is_not_sent_to_a_foreign_link() {
    let elsewhere = server(|_, _| page("contacts")).await;
    let target = elsewhere.url.join("/api/data/v9.2/contacts").unwrap().to_string();
    let server = server(move |_, _| page(&target)).await;
    let client = server.client();
    let first = client.first_page(&selection()).await.unwrap();
    let error = client.next_page(&selection(), &first.next).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (Class::Fatal, "DYNAMICS_URL_FOREIGN"));
    assert_eq!(elsewhere.seen().len(), 0);
}

#[tokio::test]
async fn unreadable_position_is_asked_for_twice_and_an_expired_one_once() {
    for (code, expected) in [("0x80044183", 2), ("0x80044352", 1)] {
        let server = server(move |_, _| odata_error(StatusCode::BAD_REQUEST, code, "Version stamp")).await;
        let link = PageLink::Delta("contacts?$deltatoken=1".to_owned());
        let error = server.client().next_page(&selection(), &link).await.unwrap_err();
        assert!(matches!(error, Error::ExpiredDeltaToken(_)), "{error:?}");
        assert_eq!(server.others().len(), expected, "{code}");
    }
}

#[tokio::test]
async fn position_that_is_read_at_the_second_try_is_good() {
    let server = server(|_, before| match before {
        0 => odata_error(StatusCode::BAD_REQUEST, "0x80044183", "Invalid version stamp"),
        _ => page("contacts?$skiptoken=2"),
    })
    .await;
    let link = PageLink::Next("contacts?$skiptoken=1".to_owned());
    let page = server.client().next_page(&selection(), &link).await.unwrap();
    assert_eq!(page.next, PageLink::Next("contacts?$skiptoken=2".to_owned()));
}

#[tokio::test]
async fn requests_carry_what_the_service_asks_for() {
    let server = server(|_, _| {
        let mut answer = page("contacts?$skiptoken=%3Ccookie%20pagenumber=%222%22%20/%3E");
        answer
            .headers_mut()
            .insert("set-cookie", "ARRAffinity=f60c; path=/; HttpOnly".parse().unwrap());
        answer
    })
    .await;
    let settings = ClientSettings {
        page_size: 1_000,
        ..ClientSettings::default()
    };
    let client = server.client_with(&settings);
    let first = client.first_page(&selection()).await.unwrap();
    client.next_page(&selection(), &first.next).await.unwrap();

    let requests = server.others();
    let paths: Vec<_> = requests
        .iter()
        .map(|request| (request.path.as_str(), request.query.as_str()))
        .collect();
    assert_eq!(
        paths,
        [
            ("/api/data/v9.2/contacts", "$select=firstname,contactid"),
            (
                "/api/data/v9.2/contacts",
                "$skiptoken=%3Ccookie%20pagenumber=%222%22%20/%3E"
            ),
        ]
    );
    for request in &requests {
        for (name, expected) in [
            ("authorization", "Bearer token-0"),
            ("accept", "application/json"),
            ("odata-maxversion", "4.0"),
            ("odata-version", "4.0"),
            ("if-none-match", "null"),
            ("prefer", "odata.track-changes,odata.maxpagesize=1000"),
            ("accept-encoding", "gzip"),
            ("cookie", ""),
        ] {
            assert_eq!(request.header(name), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn observer_is_told_of_every_exchange() {
    #[derive(Default)]
    struct Log(Mutex<Vec<Exchange>>);
    impl Observer for Log {
        fn exchanged(&self, exchange: Exchange) {
            self.0.lock().unwrap().push(exchange);
        }
    }
    let server = server(|_, before| match before {
        0 => StatusCode::UNAUTHORIZED.into_response(),
        _ => identity(),
    })
    .await;
    let log = Arc::new(Log::default());
    server.client().with_observer(log.clone()).who_am_i().await.unwrap();
    let told: Vec<_> = log
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|exchange| (exchange.operation, exchange.status, exchange.bytes > 0))
        .collect();
    assert_eq!(
        told,
        [
            (Operation::Token, Some(200), true),
            (Operation::Identity, Some(401), false),
            (Operation::Token, Some(200), true),
            (Operation::Identity, Some(200), true),
        ]
    );
}
