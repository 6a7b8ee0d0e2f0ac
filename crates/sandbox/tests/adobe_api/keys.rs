use reqwest::Method;
use serde_json::json;

use crate::support::{CORE, EXT, Server};

#[tokio::test]
async fn profile_is_reached_by_primary_key_and_by_custom_key() {
    let server = Server::start().await;
    let created = server
        .profile(json!({"externalId": "6f0c-1", "firstName": "Ann"}))
        .await;
    let by_key = server
        .get(&format!("{EXT}/{}", created["PKey"].as_str().unwrap()))
        .await
        .expect(200);
    let by_custom_key = server.get(&format!("{EXT}/6f0c-1")).await.expect(200);
    assert_eq!(by_key, created);
    assert_eq!(by_custom_key, created);
}

#[tokio::test]
async fn custom_key_may_hold_any_character_when_escaped() {
    let server = Server::start().await;
    for key in ["a b", "50%/2", "ключ", "by me", "email?"] {
        server.profile(json!({"externalId": key, "firstName": "Ann"})).await;
        let escaped = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string();
        assert_eq!(server.read(&escaped).await["externalId"], key);
    }
}

#[tokio::test]
async fn every_context_has_its_own_token_and_all_lead_to_the_row() {
    let server = Server::start().await;
    let created = server
        .profile(json!({"externalId": "1", "email": "ann@example.com"}))
        .await;
    let filtered = server
        .get(&format!("{EXT}/byEmail?email=ann@example.com"))
        .await
        .expect(200);
    let listed = server.get(EXT).await.expect(200);
    let own = created["PKey"].as_str().unwrap();
    let in_filter = filtered["content"][0]["PKey"].as_str().unwrap();
    let in_list = listed["content"][0]["PKey"].as_str().unwrap();
    let subscriptions = created["subscriptions"]["href"].as_str().unwrap();
    let in_collection = subscriptions
        .split('/')
        .find(|segment| segment.starts_with('@'))
        .unwrap();
    assert_eq!(own, in_list);
    assert!(own != in_filter && own != in_collection && in_filter != in_collection);
    for key in [own, in_filter, in_collection] {
        assert_eq!(key[..20], own[..20], "tokens of one row share a prefix");
        assert_eq!(server.get(&format!("{EXT}/{key}")).await.expect(200)["externalId"], "1");
    }
    let href = filtered["content"][0]["href"].as_str().unwrap();
    assert!(href.ends_with(in_filter));
    server.call_url(Method::GET, href, None).await.expect(200);
}

#[tokio::test]
async fn keys_of_stage_fail_in_production_and_data_is_separate() {
    let server = Server::start().await;
    let stage = format!("{}/sandbox-mkt-stage/campaign/{EXT}", server.url);
    let created = server
        .call_url(Method::POST, &stage, Some(&json!({"externalId": "1"})))
        .await
        .expect(201);
    let key = created["PKey"].as_str().unwrap();
    assert_eq!(server.get(&format!("{EXT}/1")).await.status, 404);
    server.profile(json!({"externalId": "1"})).await;
    let answer = server.get(&format!("{EXT}/{key}")).await.expect(500);
    assert_eq!(answer["error_code"], "XTK-170036");
}

#[tokio::test]
async fn custom_key_is_known_to_the_ext_endpoint_only() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "1"})).await;
    assert_eq!(
        server.get(&format!("{CORE}/1")).await.expect(500)["error_code"],
        "XTK-170036"
    );
}

#[tokio::test]
async fn undeclared_key_is_neither_unique_nor_usable_in_uris() {
    let server = Server::start().await;
    server
        .adobe
        .change_switches(|switches| switches.external_id_key_undeclared = true);
    server.profile(json!({"externalId": "1"})).await;
    server.profile(json!({"externalId": "1"})).await;
    assert_eq!(
        server.get(&format!("{EXT}/1")).await.expect(500)["error_code"],
        "XTK-170036"
    );
    assert_eq!(
        server.patch(&format!("{EXT}/1"), &json!({})).await.expect(500)["error_code"],
        "XTK-170036"
    );
    let both = server
        .get(&format!("{EXT}/byExternalId?externalId_parameter=1"))
        .await
        .expect(200);
    assert_eq!(both["count"]["value"], 2);
}

#[tokio::test]
async fn profiles_without_external_id_do_not_exclude_each_other() {
    let server = Server::start().await;
    server.profile(json!({"firstName": "Ann"})).await;
    server.profile(json!({"firstName": "Ann"})).await;
    assert_eq!(server.sandbox().count("profile"), Ok(2));
}

#[tokio::test]
async fn patch_of_the_collection_finds_the_row_by_the_key_in_the_body() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "1"})).await;
    server
        .patch(EXT, &json!({"externalId": "1", "firstName": "Ann"}))
        .await
        .expect(200);
    assert_eq!(server.read("1").await["firstName"], "Ann");
    server
        .patch(EXT, &json!({"externalId": "2", "firstName": "Ann"}))
        .await
        .expect(404);
    server.patch(EXT, &json!({"firstName": "Ann"})).await.expect(404);
}

#[tokio::test]
async fn key_may_be_changed_through_the_primary_key() {
    let server = Server::start().await;
    let created = server.profile(json!({"externalId": "1"})).await;
    let path = format!("{EXT}/{}", created["PKey"].as_str().unwrap());
    server
        .patch(&path, &json!({"externalId": "2", "PKey": created["PKey"]}))
        .await
        .expect(200);
    assert_eq!(server.read("2").await["PKey"], created["PKey"]);
    assert_eq!(server.get(&format!("{EXT}/1")).await.status, 404);
}
