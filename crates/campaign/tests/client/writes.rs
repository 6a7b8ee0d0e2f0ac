//! What a write does in which situation.

use std::sync::{Arc, Mutex};

use crate::server::{Answer, Server, key};
use crosswalk_campaign::{Action, Call, Client, ClientSettings, Links, Operation, Write, Written, WrittenKind};
use crosswalk_core::{Class, Classify};
use serde_json::json;

pub(crate) const BODY: &str = r#"{"externalId":"k1","firstName":"Ann"}"#;
pub(crate) const PROFILE: &str = "/acme/campaign/profileAndServicesExt/profile";

fn duplicate(value: &str) -> Answer {
    let text = format!(
        "A 'Profiles' with the same key '{value}' already exists. PGS-220000 PostgreSQL error: ERROR:  duplicate key value \
         violates unique constraint \"nmsrecipient_externalid\" DETAIL:  Key (sexternalid)=({value}) already exists."
    );
    Answer::new(500, json!({"error_code": "PGS-220000", "message": text}).to_string())
}

fn not_found(key: &str) -> Answer {
    let text = format!(
        "RST-360011 An error has occurred - please contact your administrator. Unable to find document with path 'Profiles' \
         from key '{key}:0' (document with schema 'profile' and name '{key}')"
    );
    Answer::new(404, json!({"error_code": "RST-360011", "message": text}).to_string())
}

/// A server on which every method has one answer.
pub(crate) async fn server(post: Answer, patch: Answer, delete: Answer) -> Server {
    Server::with_tokens(move |seen, _| match seen.method.as_str() {
        "POST" => post.clone(),
        "PATCH" => patch.clone(),
        _ => delete.clone(),
    })
    .await
}

pub(crate) fn created() -> Answer {
    Answer::new(201, BODY)
}

pub(crate) fn changed() -> Answer {
    Answer::new(200, r#"{"PKey":"@a","href":"h"}"#)
}

pub(crate) async fn upsert(client: &Client, known: bool) -> Result<Written, crosswalk_campaign::Error> {
    let action = Action::upsert(BODY, known);
    client
        .write(Write {
            resource: "profile",
            key: &key("k1"),
            links: &Links::default(),
            action,
        })
        .await
}

pub(crate) async fn delete(client: &Client) -> Result<Written, crosswalk_campaign::Error> {
    client
        .write(Write {
            resource: "profile",
            key: &key("k1"),
            links: &Links::default(),
            action: Action::Delete,
        })
        .await
}

#[tokio::test]
async fn upsert_takes_the_fewest_calls_for_the_state_it_meets() {
    for (known, post, patch, calls, kind, methods) in [
        (false, created(), changed(), 1, WrittenKind::Inserted, "POST"),
        (true, created(), changed(), 1, WrittenKind::Updated, "PATCH"),
        (true, created(), not_found("k1"), 2, WrittenKind::Inserted, "PATCH POST"),
        (false, duplicate("k1"), changed(), 2, WrittenKind::Updated, "POST PATCH"),
        (
            false,
            Answer::new(500, "PGS-220000"),
            changed(),
            2,
            WrittenKind::Updated,
            "POST PATCH",
        ),
    ] {
        let server = server(post, patch, Answer::new(200, "")).await;
        assert_eq!(
            upsert(&server.client(), known).await.unwrap(),
            Written { calls, kind },
            "{methods}"
        );
        let requests = server.api_requests();
        let seen: Vec<&str> = requests.iter().map(|request| request.method.as_str()).collect();
        assert_eq!(seen.join(" "), methods);
        assert!(requests.iter().all(|request| request.body == BODY));
    }
}

#[tokio::test]
async fn duplicate_of_another_record_is_rejected_without_touching_ours() {
    let server = server(duplicate("ann@example.com"), changed(), Answer::new(200, "")).await;
    let error = upsert(&server.client(), false).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_DUPLICATE_KEY", Class::Rejected)
    );
    assert_eq!(server.api_calls(), [format!("POST {PROFILE}")]);
}

#[tokio::test]
async fn duplicate_that_is_not_ours_after_all_is_rejected() {
    for post in [Answer::new(500, "PGS-220000"), duplicate("K1")] {
        let server = server(post, not_found("k1"), Answer::new(200, "")).await;
        let error = upsert(&server.client(), false).await.unwrap_err();
        assert_eq!(
            (error.code(), error.class()),
            ("CAMPAIGN_DUPLICATE_KEY", Class::Rejected)
        );
        assert_eq!(server.api_requests().len(), 2);
    }
}

#[tokio::test]
async fn record_deleted_and_made_again_meanwhile_ends_after_three_calls() {
    let server = server(duplicate("k1"), not_found("k1"), Answer::new(200, "")).await;
    let error = upsert(&server.client(), true).await.unwrap_err();
    assert_eq!(error.code(), "CAMPAIGN_DUPLICATE_KEY");
    assert_eq!(server.api_requests().len(), 3);
}

#[tokio::test]
async fn delete_succeeds_whether_the_record_is_there_or_not() {
    for (answer, kind) in [
        (Answer::new(200, ""), WrittenKind::Deleted),
        (Answer::new(204, ""), WrittenKind::Deleted),
        (not_found("k1"), WrittenKind::AlreadyGone),
    ] {
        let server = server(created(), changed(), answer).await;
        assert_eq!(delete(&server.client()).await.unwrap(), Written { calls: 1, kind });
        assert_eq!(server.api_calls(), [format!("DELETE {PROFILE}/k1")]);
    }
}

#[tokio::test]
async fn delete_in_a_resource_that_is_gone_is_not_taken_for_done() {
    let server = Server::with_tokens(|_, _| Answer::new(404, "Not Found")).await;
    let error = delete(&server.client()).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_RESOURCE_NOT_FOUND", Class::Fatal)
    );

    let server = Server::with_tokens(|seen, _| match seen.method.as_str() {
        "GET" => Answer::new(200, r#"{"content":{}}"#),
        _ => Answer::new(404, "Not Found"),
    })
    .await;
    let written = delete(&server.client()).await.unwrap();
    assert_eq!(
        written,
        Written {
            calls: 2,
            kind: WrittenKind::AlreadyGone
        }
    );
    let expected = "/acme/campaign/profileAndServicesExt/resourceType/profile";
    assert_eq!(
        server.api_calls(),
        [format!("DELETE {PROFILE}/k1"), format!("GET {expected}")]
    );
}

#[tokio::test]
async fn observer_sees_every_request() {
    let server = server(duplicate("k1"), changed(), Answer::new(200, "")).await;
    let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
    let seen = Arc::clone(&calls);
    let observer = Arc::new(move |call: &Call| seen.lock().unwrap().push(*call));
    let client = Client::with_observer(&server.connection(), &ClientSettings::default(), observer).unwrap();
    upsert(&client, false).await.unwrap();
    let seen: Vec<_> = calls
        .lock()
        .unwrap()
        .iter()
        .map(|call| (call.operation, call.status))
        .collect();
    assert_eq!(
        seen,
        [
            (Operation::Authenticate, Some(200)),
            (Operation::Insert, Some(500)),
            (Operation::Update, Some(200)),
        ]
    );
}
