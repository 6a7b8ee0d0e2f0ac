//! The admin listener.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Environment, fetch_token};

#[tokio::test]
async fn overview_is_enough_to_sign_in_with() {
    let environment = Environment::with_contacts(3).await;
    let body = environment.admin(Method::GET, "/", None).await.expect(200).json();
    let dynamics = &body["dynamics"];
    assert_eq!(dynamics["contacts"], 3);
    let client_id = dynamics["client_id"].as_str().unwrap();
    fetch_token(&environment.http, dynamics["url"].as_str().unwrap(), client_id).await;
    assert_eq!(body["campaign"]["url"], json!(environment.sandbox.adobe_url()));
    assert_eq!(body["activity"], json!({"mode": "off"}));
}

#[tokio::test]
async fn rows_can_be_edited_by_hand_with_the_same_validation() {
    let environment = Environment::start().await;
    let rows = "/dynamics/tables/contact/rows";
    let created = environment
        .admin(Method::POST, rows, Some(json!({"firstname": "Ada"})))
        .await
        .expect(201)
        .json();
    let one = format!("{rows}/{}", created["contactid"].as_str().unwrap());
    let changed = environment
        .admin(Method::PATCH, &one, Some(json!({"lastname": "Byron"})))
        .await
        .expect(200)
        .json();
    assert_eq!(changed["fullname"], "Ada Byron");
    environment
        .admin(Method::PATCH, &one, Some(json!({"gendercode": 9})))
        .await
        .expect_error(400, "0x8004431a");
    let listed = environment
        .admin(Method::GET, &format!("{rows}?limit=10&offset=0"), None)
        .await
        .expect(200)
        .json();
    assert_eq!((&listed["total"], &listed["rows"][0]), (&json!(1), &changed));
    assert_eq!(
        environment.admin(Method::GET, &one, None).await.expect(200).json(),
        changed
    );
    environment.admin(Method::DELETE, &one, None).await.expect(204);
    environment
        .admin(Method::GET, &one, None)
        .await
        .expect_error(404, "0x80040217");
    environment
        .admin(Method::GET, "/dynamics/tables/nosuch/rows", None)
        .await
        .expect(404);
    environment
        .admin(Method::GET, &format!("{rows}/xyz"), None)
        .await
        .expect(400);
}

#[tokio::test]
async fn export_streams_every_row_as_a_line() {
    let environment = Environment::with_contacts(2500).await;
    let answer = environment
        .admin(Method::GET, "/dynamics/tables/contact/export", None)
        .await
        .expect(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let ids: std::collections::HashSet<_> = answer
        .text
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["contactid"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 2500);
    let empty = environment
        .admin(Method::GET, "/dynamics/tables/nosuch/export", None)
        .await;
    assert_eq!(empty.status, 404);
}

#[tokio::test]
async fn fault_rules_can_be_added_listed_and_removed() {
    let environment = Environment::start().await;
    let rule =
        json!({"side": "dynamics", "operation": "other", "effect": {"kind": "status", "status": 500}, "times": 5});
    let id = environment
        .admin(Method::POST, "/faults", Some(rule))
        .await
        .expect(201)
        .json()["id"]
        .clone();
    environment.get("WhoAmI").await.expect(500);
    let listed = environment.admin(Method::GET, "/faults", None).await.expect(200).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["hits"], &listed[0]["times"]),
        (&id, &json!(1), &json!(4))
    );
    environment
        .admin(Method::DELETE, &format!("/faults/{id}"), None)
        .await
        .expect(204);
    environment
        .admin(Method::DELETE, &format!("/faults/{id}"), None)
        .await
        .expect(404);
    environment.get("WhoAmI").await.expect(200);
}

#[tokio::test]
async fn unknown_fields_are_refused_by_name() {
    let environment = Environment::start().await;
    let cases = [
        (
            Method::POST,
            "/faults",
            json!({"effect": {"kind": "reset"}, "chance": 1}),
            "chance",
        ),
        (
            Method::POST,
            "/faults",
            json!({"effect": {"kind": "slow", "milliseconds": 1, "seconds": 1}}),
            "seconds",
        ),
        (
            Method::POST,
            "/faults",
            json!({"effect": {"kind": "status", "status": 200}}),
            "status",
        ),
        (
            Method::PATCH,
            "/switches",
            json!({"dynamics": {"broken": true}}),
            "broken",
        ),
        (
            Method::PATCH,
            "/switches",
            json!({"dynamics": {"change_tracking_off": ["nosuch"]}}),
            "nosuch",
        ),
        (Method::PUT, "/latency", json!({"millis": 1}), "millis"),
        (
            Method::PUT,
            "/activity",
            json!({"mode": "live", "changes_per_second": 0}),
            "changes_per_second",
        ),
    ];
    for (method, path, body, name) in cases {
        let text = environment
            .admin(method, path, Some(body))
            .await
            .expect_error(400, "invalid");
        assert!(text.contains(name), "{path}: {text}");
    }
}

#[tokio::test]
async fn switches_change_what_clients_meet_and_can_be_undone() {
    let environment = Environment::with_contacts(1).await;
    let change = |dynamics: Value| environment.admin(Method::PATCH, "/switches", Some(json!({"dynamics": dynamics})));
    let (_, last) = environment
        .read_all("contacts?$select=fax", "odata.track-changes")
        .await;
    let link = last["@odata.deltaLink"].as_str().unwrap();
    change(json!({"expire_delta_tokens": true})).await.expect(200);
    environment.get(link).await.expect_error(400, "0x80044352");
    let (_, last) = environment
        .read_all("contacts?$select=fax", "odata.track-changes")
        .await;
    change(json!({"metadata_changed": true})).await.expect(200);
    environment
        .get(last["@odata.deltaLink"].as_str().unwrap())
        .await
        .expect_error(400, "0x80044352");
    let state = change(json!({
        "privilege_revoked": ["account"], "change_tracking_off": ["contact"], "columns_removed": {"contact": ["fax"]},
    }));
    let state = state.await.expect(200).json();
    assert_eq!(state["dynamics"]["columns_removed"], json!({"contact": ["fax"]}));
    environment.get("accounts").await.expect(403);
    environment
        .get_with("contacts", "odata.track-changes")
        .await
        .expect_error(400, "0x80072491");
    environment.get("contacts?$select=fax").await.expect(400);
    change(json!({"privilege_revoked": [], "change_tracking_off": [], "columns_removed": {}}))
        .await
        .expect(200);
    environment.get("accounts").await.expect(200);
    environment
        .get_with("contacts?$select=fax", "odata.track-changes")
        .await
        .expect(200);
    change(json!({"revoke_access_tokens": true})).await.expect(200);
    environment.get("WhoAmI").await.expect(401);
    let body = json!({"entra": {"secret_expired": true}});
    let state = environment
        .admin(Method::PATCH, "/switches", Some(body))
        .await
        .expect(200)
        .json();
    assert_eq!(state, environment.admin(Method::GET, "/switches", None).await.json());
    assert_eq!(state["entra"]["secret_expired"], true);
}

#[tokio::test]
async fn campaign_routes_are_nested() {
    let environment = Environment::start().await;
    environment
        .admin(Method::GET, "/campaign/switches", None)
        .await
        .expect(200);
}
