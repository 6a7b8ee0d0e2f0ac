use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{CORE, EXT, Server};

const CONTACT_ADMINISTRATOR: &str = "RST-360011 An error has occurred - please contact your administrator.";

/// Asserts status, code and full text of an answer.
async fn refused(server: &Server, method: Method, path: &str, body: &Value, status: u16, code: &str, message: &str) {
    let body = Some(body).filter(|body| !body.is_null());
    let answer = server.call(method.clone(), path, body).await;
    assert_eq!(answer.headers["content-type"], "application/json;charset=utf-8");
    assert_eq!(
        answer.expect(status),
        json!({"error_code": code, "message": message}),
        "{method} {path}"
    );
}

#[tokio::test]
async fn undecodable_primary_keys_are_case_1() {
    let server = Server::start().await;
    let message = "'O5iRp40EGA' attribute unknown (see definition of 'Profiles (nms:recipient)' schema). XTK-170036 \
                   Unable to parse expression '@id = @O5iRp40EGA'.";
    let path = format!("{CORE}/@O5iRp40EGA");
    for (method, body) in [
        (Method::GET, Value::Null),
        (Method::PATCH, json!({})),
        (Method::DELETE, Value::Null),
    ] {
        refused(&server, method, &path, &body, 500, "XTK-170036", message).await;
    }
    let unit = "'garbled' attribute unknown (see definition of 'Organizational unit (nms:orgUnitBase)' schema). \
                XTK-170036 Unable to parse expression '@id = @garbled'.";
    refused(
        &server,
        Method::POST,
        EXT,
        &json!({"orgUnit": {"PKey": "@garbled"}}),
        500,
        "XTK-170036",
        unit,
    )
    .await;
    server.profile(json!({"externalId": "1"})).await;
    let body = json!({"PKey": "@O5iRp40EGA"});
    refused(
        &server,
        Method::PATCH,
        &format!("{EXT}/1"),
        &body,
        500,
        "XTK-170036",
        message,
    )
    .await;
}

#[tokio::test]
async fn another_key_in_the_body_than_in_the_uri_is_case_2() {
    let server = Server::start().await;
    let first = server.profile(json!({"externalId": "1"})).await;
    server.profile(json!({"externalId": "2"})).await;
    let message = format!(
        "{CONTACT_ADMINISTRATOR} RST-360012 Inconsistent operation on resource 'profile' – Cannot update key '2' to \
         '3'."
    );
    refused(
        &server,
        Method::PATCH,
        &format!("{EXT}/2"),
        &json!({"externalId": "3"}),
        500,
        "RST-360011",
        &message,
    )
    .await;
    let key = first["PKey"].as_str().unwrap();
    let message = format!(
        "{CONTACT_ADMINISTRATOR} RST-360012 Inconsistent operation on resource 'profile' – Cannot update key '2' to \
         '{key}'."
    );
    refused(
        &server,
        Method::PATCH,
        &format!("{EXT}/2"),
        &json!({"PKey": key}),
        500,
        "RST-360011",
        &message,
    )
    .await;
    server
        .patch(&format!("{EXT}/2"), &json!({"externalId": "2", "firstName": "Ann"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn missing_rows_are_cases_3_and_4() {
    let server = Server::start().await;
    let in_uri = format!(
        "{CONTACT_ADMINISTRATOR} Unable to find document with path 'Profiles' from key 'nobody:0' (document with \
         schema 'profile' and name 'nobody')"
    );
    let path = format!("{EXT}/nobody");
    for (method, body) in [
        (Method::GET, Value::Null),
        (Method::PATCH, json!({})),
        (Method::DELETE, Value::Null),
    ] {
        refused(&server, method, &path, &body, 404, "RST-360011", &in_uri).await;
    }
    let in_body = format!(
        "{CONTACT_ADMINISTRATOR} Unable to find document with path 'Organizational unit' from key 'nowhere' (document \
         with schema 'orgUnitBase' and name 'nowhere')"
    );
    refused(
        &server,
        Method::POST,
        EXT,
        &json!({"orgUnit": {"PKey": "nowhere"}}),
        404,
        "RST-360011",
        &in_body,
    )
    .await;
}

#[tokio::test]
async fn duplicate_keys_are_case_5() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "6f0c"})).await;
    let other = server.profile(json!({"externalId": "7a1d"})).await;
    let message = "A 'Profiles' with the same key '6f0c' already exists. PGS-220000 PostgreSQL error: ERROR:  duplicate \
                   key value violates unique constraint \"nmsrecipient_externalid\" DETAIL:  Key (sexternalid)=(6f0c) \
                   already exists.";
    let body = json!({"externalId": "6f0c"});
    refused(&server, Method::POST, EXT, &body, 500, "PGS-220000", message).await;
    refused(&server, Method::POST, CORE, &body, 500, "PGS-220000", message).await;
    let path = format!("{EXT}/{}", other["PKey"].as_str().unwrap());
    refused(&server, Method::PATCH, &path, &body, 500, "PGS-220000", message).await;
    assert_eq!(
        server.read("7a1d").await["PKey"],
        other["PKey"],
        "the refused change has left no trace"
    );
    assert_eq!(server.sandbox().count("profile"), Ok(2));
}

#[tokio::test]
async fn values_outside_enumerations_are_case_6() {
    let server = Server::start().await;
    for value in [json!("invalid"), json!("__Invalid_value__"), json!("Male"), json!(1)] {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let message = format!(
            "{CONTACT_ADMINISTRATOR} The value '{shown}' is not valid for the 'nms:recipient:gender' enumeration of \
             the '@gender' field"
        );
        refused(
            &server,
            Method::POST,
            EXT,
            &json!({"gender": value}),
            500,
            "RST-360011",
            &message,
        )
        .await;
    }
}

#[tokio::test]
async fn read_only_attributes_are_case_7() {
    let server = Server::start().await;
    let names = [
        "age",
        "title",
        "domain",
        "cryptedId",
        "created",
        "lastModified",
        "href",
        "PKey",
        "acsId",
        "postalAddress",
    ];
    for name in names.into_iter().chain(["subscriptions"]) {
        let message = format!(
            "Cannot update the '{name}' property that is read-only '{name}' property is not valid for the 'profile' \
             resource."
        );
        refused(
            &server,
            Method::POST,
            EXT,
            &json!({name: 1}),
            500,
            "RST-360011",
            &message,
        )
        .await;
    }
    assert_eq!(server.sandbox().count("profile"), Ok(0));
}

#[tokio::test]
async fn unknown_attributes_are_case_8() {
    let server = Server::start().await;
    for body in [json!({"x": 1}), json!({"location": {"x": 1}})] {
        let message = "'x' property is not valid for the 'profile' resource.";
        refused(&server, Method::POST, EXT, &body, 500, "RST-360011", message).await;
    }
    for name in ["location.city", "denyListEmail", "FirstName"] {
        let message = format!("'{name}' property is not valid for the 'profile' resource.");
        refused(
            &server,
            Method::POST,
            EXT,
            &json!({name: "x"}),
            500,
            "RST-360011",
            &message,
        )
        .await;
    }
}

#[tokio::test]
async fn removed_field_is_unknown_and_comes_back_with_its_values() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "1", "cusTier": 3})).await;
    server.adobe.change_switches(|switches| {
        switches.removed_fields.insert("cusTier".to_owned());
    });
    let message = "'cusTier' property is not valid for the 'profile' resource.";
    refused(
        &server,
        Method::PATCH,
        &format!("{EXT}/1"),
        &json!({"cusTier": 4}),
        500,
        "RST-360011",
        message,
    )
    .await;
    assert!(server.read("1").await.get("cusTier").is_none());
    let metadata = server.get(&format!("{EXT}/metadata")).await.expect(200);
    assert!(metadata["content"].get("cusTier").is_none());
    server.adobe.change_switches(|switches| switches.removed_fields.clear());
    assert_eq!(server.read("1").await["cusTier"], 3);
}

#[tokio::test]
async fn values_that_fail_a_data_policy_are_case_9() {
    let server = Server::start().await;
    for email in ["ann", "ann@example", "a b@example.com"] {
        let answer = server.post(EXT, &json!({"email": email})).await.expect(500);
        assert!(answer["message"].as_str().unwrap().contains("XTK-170049"), "{answer}");
    }
}

#[tokio::test]
async fn link_without_a_key_is_case_11_and_no_error() {
    let server = Server::start().await;
    server
        .post(EXT, &json!({"orgUnit": {"title": "All"}}))
        .await
        .expect(201);
}

#[tokio::test]
async fn values_of_the_wrong_type_or_size_are_refused_without_an_effect() {
    let server = Server::start().await;
    let cases = [
        ("firstName", json!(5)),
        ("firstName", json!("x".repeat(31))),
        ("firstName", json!({})),
        ("blackList", json!("true")),
        ("blackList", json!(1)),
        ("birthDate", json!("29.02.1984")),
        ("birthDate", json!("1985-02-29")),
        ("cusLastPurchase", json!("2019-09-26")),
        ("cusTier", json!(128)),
        ("cusScore", json!(-32769)),
        ("cusVisits", json!(2_147_483_648_i64)),
        ("cusVisits", json!(1.5)),
        ("cusVisits", json!("1")),
        ("cusSpend", json!(1e39)),
        ("cusRatio", json!("1")),
        ("location", json!("Rome")),
        ("orgUnit", json!("all")),
    ];
    for (name, value) in cases {
        let answer = server.post(EXT, &json!({name: value})).await.expect(500);
        assert_eq!(answer["error_code"], "RST-360011", "{name}: {value}");
        assert!(
            answer["message"].as_str().unwrap().contains(&format!("'@{name}'")),
            "{answer}"
        );
    }
    server.profile(json!({"firstName": "é".repeat(30)})).await;
    assert_eq!(server.sandbox().count("profile"), Ok(1));
}

#[tokio::test]
async fn bodies_that_are_no_objects_are_bad_requests() {
    let server = Server::start().await;
    for body in ["", "[]", "{", "null"] {
        let url = format!("{}/sandbox/campaign/{EXT}", server.url);
        let response = server
            .request(Method::POST, &url, None)
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "{body}");
    }
}

#[tokio::test]
async fn what_is_not_served_is_unknown_and_other_methods_are_not_allowed() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "1"})).await;
    for path in ["cusOrder", "resourceType/cusOrder", "history/1", "profile/1/nothing"] {
        server.get(&format!("profileAndServicesExt/{path}")).await.expect(404);
    }
    server
        .call(Method::PUT, &format!("{EXT}/1"), Some(&json!({})))
        .await
        .expect(405);
    server.delete(EXT).await.expect(405);
}
