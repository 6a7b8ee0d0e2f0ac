use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{EXT, Server};

#[tokio::test]
async fn rows_are_listed_found_created_changed_and_deleted_by_hand() {
    let server = Server::start().await;
    let rows = "resources/profile/rows";
    for id in ["1", "2", "3"] {
        let row = server
            .admin(Method::POST, rows, Some(&json!({"externalId": id})))
            .await
            .expect(201);
        assert_eq!(row["externalId"], id);
    }
    let page = server
        .admin(Method::GET, &format!("{rows}?limit=1&offset=1"), None)
        .await
        .expect(200);
    assert_eq!(
        (&page["total"], &page["rows"][0]["externalId"]),
        (&json!(3), &json!("2"))
    );
    assert_eq!(page["rows"].as_array().unwrap().len(), 1);
    let found = server
        .admin(Method::GET, &format!("{rows}?key=3"), None)
        .await
        .expect(200);
    assert_eq!(found["rows"][0]["externalId"], "3");
    let missing = server
        .admin(Method::GET, &format!("{rows}?key=9"), None)
        .await
        .expect(200);
    assert_eq!(missing["rows"], json!([]));
    let row = server
        .admin(Method::PATCH, &format!("{rows}/2"), Some(&json!({"blackList": true})))
        .await
        .expect(200);
    assert_ne!(row["blackListLastModified"], "");
    server
        .admin(Method::DELETE, &format!("{rows}/2"), None)
        .await
        .expect(204);
    server
        .admin(Method::DELETE, &format!("{rows}/2"), None)
        .await
        .expect(404);
    assert_eq!(
        server
            .admin(Method::GET, "resources/profile/count", None)
            .await
            .expect(200),
        json!({"count": 2})
    );
    assert_eq!(
        server.adobe.engine_calls(),
        Default::default(),
        "edits by hand are no engine calls"
    );
}

#[tokio::test]
async fn edits_by_hand_are_validated_as_writes_are() {
    let server = Server::start().await;
    let refused = server
        .admin(Method::POST, "resources/profile/rows", Some(&json!({"firtsName": "x"})))
        .await
        .expect(400);
    assert_eq!(
        refused["error"]["message"],
        "'firtsName' property is not valid for the 'profile' resource."
    );
    server
        .admin(Method::GET, "resources/nothing/rows", None)
        .await
        .expect(404);
    server
        .admin(Method::GET, "resources/profile/rows?organisation=elsewhere", None)
        .await
        .expect(400);
    server
        .admin(Method::GET, "resources/profile/rows?limits=1", None)
        .await
        .expect(400);
}

#[tokio::test]
async fn organisations_are_chosen_by_name() {
    let server = Server::start().await;
    let path = "resources/profile/rows?organisation=sandbox-mkt-stage";
    server
        .admin(Method::POST, path, Some(&json!({"externalId": "1"})))
        .await
        .expect(201);
    assert_eq!(server.sandbox().count("profile"), Ok(0));
    assert_eq!(
        server.adobe.organisation("sandbox-mkt-stage").unwrap().count("profile"),
        Ok(1)
    );
}

#[tokio::test]
async fn export_is_one_line_a_row() {
    let server = Server::start().await;
    for id in 0..1201 {
        server
            .sandbox()
            .create("profile", &json!({"externalId": id.to_string()}))
            .unwrap();
    }
    let answer = server.admin(Method::GET, "resources/profile/export", None).await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let lines: Vec<Value> = answer
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1201);
    assert_eq!(lines[1200]["externalId"], "1200");
    let read = server.read("7").await;
    for name in ["acsId", "created", "cusVisits", "postalAddress", "PKey"] {
        assert_eq!(lines[7][name], read[name], "{name}");
    }
}

#[tokio::test]
async fn switches_are_changed_one_by_one_and_unknown_ones_refused() {
    let mut server = Server::start().await;
    let body =
        json!({"ext_unpublished": true, "removed_fields": ["cusTier"], "rate_limit": {"per_second": 5, "burst": 9}});
    let switches = server.admin(Method::PATCH, "switches", Some(&body)).await.expect(200);
    assert_eq!(switches["secret_expired"], false);
    assert_eq!(switches["rate_limit"]["burst"], 9);
    assert_eq!(server.admin(Method::GET, "switches", None).await.expect(200), switches);
    for wrong in [
        json!({"ext_unpublishd": true}),
        json!({"rate_limit": {"per_second": 0, "burst": 1}}),
        json!([]),
    ] {
        let refused = server.admin(Method::PATCH, "switches", Some(&wrong)).await.expect(400);
        assert!(refused["error"]["message"].is_string());
    }
    assert_eq!(
        server.admin(Method::GET, "switches", None).await.expect(200),
        switches,
        "a refused change changes nothing"
    );
    let body = json!({"ext_unpublished": false, "rate_limit": null, "access_tokens_revoked": true});
    server.admin(Method::PATCH, "switches", Some(&body)).await.expect(200);
    server.get(EXT).await.expect(401);
    server.token = server.ask_token("sandbox-secret").await.expect(200)["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    server.get(EXT).await.expect(200);
}

#[tokio::test]
async fn journal_keeps_writes_in_order_with_their_outcome() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "0"})).await;
    let journal = server.admin(Method::GET, "writes", None).await.expect(200);
    assert_eq!(journal["writes"], json!([]), "off by default");

    server
        .admin(Method::PUT, "writes", Some(&json!({"enabled": true, "capacity": 50})))
        .await
        .expect(200);
    server
        .admin(Method::PUT, "writes", Some(&json!({"enable": true})))
        .await
        .expect(400);
    let created = server.profile(json!({"externalId": "1", "firstName": "Ann"})).await;
    server.post(EXT, &json!({"externalId": "1"})).await.expect(500);
    server
        .patch(
            &format!("{EXT}/{}", created["PKey"].as_str().unwrap()),
            &json!({"firstName": "Bea"}),
        )
        .await
        .expect(200);
    server.delete(&format!("{EXT}/1")).await.expect(200);
    server.delete(&format!("{EXT}/1")).await.expect(404);

    let journal = server.admin(Method::GET, "writes", None).await.expect(200);
    let writes = journal["writes"].as_array().unwrap();
    let seen: Vec<Value> = writes
        .iter()
        .map(|write| json!([write["sequence"], write["method"], write["key"], write["status"]]))
        .collect();
    let expected = [
        json!([1, "POST", "1", 201]),
        json!([2, "POST", "1", 500]),
        json!([3, "PATCH", "1", 200]),
        json!([4, "DELETE", "1", 200]),
        json!([5, "DELETE", "1", 404]),
    ];
    assert_eq!(seen, expected);
    assert_eq!(writes[0]["body"], json!({"externalId": "1", "firstName": "Ann"}));
    assert_eq!(writes[3]["body"], Value::Null);
    assert_eq!(writes[0]["organisation"], "sandbox");
    let later = server
        .admin(Method::GET, "writes?after=3&limit=1", None)
        .await
        .expect(200);
    assert_eq!(later["writes"][0]["sequence"], 4);
    server.admin(Method::DELETE, "writes", None).await.expect(204);
    server
        .admin(Method::PUT, "writes", Some(&json!({"enabled": false})))
        .await
        .expect(200);
    server.profile(json!({"externalId": "1"})).await;
    assert_eq!(
        server.admin(Method::GET, "writes", None).await.expect(200)["writes"],
        json!([])
    );
}

#[tokio::test]
async fn engine_calls_are_shown_and_reset() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "1"})).await;
    let calls = server.admin(Method::GET, "engine-calls", None).await.expect(200);
    assert_eq!(
        calls,
        json!({"insert": 1, "update": 0, "delete": 0, "read": 0, "metadata": 0})
    );
    server.admin(Method::POST, "engine-calls/reset", None).await.expect(204);
    assert_eq!(server.adobe.engine_calls().insert, 0);
}
