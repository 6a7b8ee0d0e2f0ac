//! Services (contracts/campaign.md §2.2 and §2.9).

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Server;

const CORE_SERVICE: &str = "profileAndServices/service";
const EXT_SERVICE: &str = "profileAndServicesExt/service";

#[tokio::test]
async fn service_is_created_with_defaults_and_has_the_members_of_the_contract() {
    let server = Server::start().await;
    let body = json!({"label": "Sport Newsletter", "name": "SVC1", "start": "2019-10-06", "validityDuration": "P10D"});
    let answer = server.post(CORE_SERVICE, &body).await;
    let text = answer.text.clone();
    let service = answer.expect(201);
    assert_eq!(
        text,
        service.to_string(),
        "members stand in alphabetical order, which is that of the parser"
    );
    let key = service["PKey"].as_str().unwrap();
    assert_eq!(
        service["href"],
        format!("{}/sandbox/campaign/{CORE_SERVICE}/{key}", server.url)
    );
    let subscriptions = service["subscriptions"]["href"].as_str().unwrap();
    assert!(subscriptions.contains(&format!("/{CORE_SERVICE}/@")) && subscriptions.ends_with("/subscriptions/"));
    assert!(!subscriptions.contains(key), "another token of the same row");

    let mut rest = service.clone();
    rest.as_object_mut()
        .unwrap()
        .retain(|name, _| !["PKey", "created", "href", "lastModified", "subscriptions"].contains(&name.as_str()));
    assert_eq!(
        rest,
        json!({
            "builtIn": false, "desc": "", "end": "", "isExternal": false, "isTemplate": false,
            "label": "Sport Newsletter", "limitedDuration": false, "mainDate": "", "messageType": "email",
            "mode": "newsletter", "name": "SVC1", "publicLabel": "", "start": "2019-10-06",
            "subScenarioEventType": "", "targetResource": "profile", "template": null, "thumbnail": "",
            "title": "Sport Newsletter (SVC1)", "unsubScenarioEventType": "", "validityDuration": "P10D",
        })
    );
}

#[tokio::test]
async fn service_is_read_changed_listed_and_deleted_on_both_endpoints() {
    let server = Server::start().await;
    for endpoint in [CORE_SERVICE, EXT_SERVICE] {
        let created = server.post(endpoint, &json!({"name": "SVC1"})).await.expect(201);
        let one = format!("{endpoint}/{}", created["PKey"].as_str().unwrap());
        assert_eq!(server.get(&one).await.expect(200), created);
        let changed = server
            .patch(&one, &json!({"messageType": "sms", "mode": "viral"}))
            .await
            .expect(200);
        assert_eq!(changed, json!({"PKey": created["PKey"], "href": created["href"]}));
        let page = server.get(endpoint).await.expect(200);
        assert_eq!(
            (&page["content"][0]["messageType"], &page["content"][0]["mode"]),
            (&json!("sms"), &json!("viral"))
        );
        let gone = server.delete(&one).await;
        assert_eq!((gone.status, gone.text.as_str()), (200, ""));
        server.get(&one).await.expect(404);
    }
}

#[tokio::test]
async fn lengths_of_service_fields_are_those_of_the_contract() {
    let server = Server::start().await;
    let lengths = [
        ("name", 64),
        ("label", 128),
        ("publicLabel", 128),
        ("desc", 512),
        ("thumbnail", 255),
        ("targetResource", 255),
    ];
    let description = server.get("profileAndServices/resourceType/service").await.expect(200);
    for (name, length) in lengths {
        assert_eq!(description["content"][name]["length"], length, "{name}");
        server
            .post(CORE_SERVICE, &json!({name: "x".repeat(length + 1)}))
            .await
            .expect(500);
        server
            .post(CORE_SERVICE, &json!({name: "x".repeat(length)}))
            .await
            .expect(201);
    }
    assert_eq!(description["content"]["title"]["length"], 255);
    assert_eq!(description["schema"], "nms:service");
    for wrong in ["10 days", "P", "ten"] {
        server
            .post(CORE_SERVICE, &json!({"validityDuration": wrong}))
            .await
            .expect(500);
    }
}

#[tokio::test]
async fn name_is_unique_with_the_published_text() {
    let server = Server::start().await;
    server.post(CORE_SERVICE, &json!({"name": "SVC4"})).await.expect(201);
    let refused = server.post(CORE_SERVICE, &json!({"name": "SVC4"})).await.expect(500);
    assert_eq!(
        refused,
        json!({"error_code": "PGS-220000", "message":
            "A 'Service' with the same key 'SVC4' already exists. PGS-220000 PostgreSQL error: ERROR:  duplicate key \
             value violates unique constraint \"nmsservice_name\" DETAIL:  Key (sname)=(SVC4) already exists."})
    );
}

#[tokio::test]
async fn service_without_a_name_gets_one_that_is_free() {
    let server = Server::start().await;
    server.post(CORE_SERVICE, &json!({"name": "SVC2"})).await.expect(201);
    let mut names: Vec<Value> = Vec::new();
    for _ in 0..2 {
        let created = server.post(CORE_SERVICE, &json!({"label": "News"})).await.expect(201);
        names.push(created["name"].clone());
    }
    assert_eq!(names, ["SVC1", "SVC3"]);
}

#[tokio::test]
async fn name_addresses_a_service_and_its_errors_are_those_published() {
    let server = Server::start().await;
    server
        .post(CORE_SERVICE, &json!({"name": "SVC3", "label": "News"}))
        .await
        .expect(201);
    assert_eq!(
        server.get(&format!("{CORE_SERVICE}/SVC3")).await.expect(200)["label"],
        "News"
    );
    let contact_administrator = "RST-360011 An error has occurred - please contact your administrator.";
    let inconsistent = server
        .patch(&format!("{CORE_SERVICE}/SVC3"), &json!({"name": "SVC4"}))
        .await
        .expect(500);
    assert_eq!(
        inconsistent["message"],
        format!(
            "{contact_administrator} RST-360012 Inconsistent operation on resource 'service' – Cannot update key \
             'SVC3' to 'SVC4'."
        )
    );
    let missing = server.get(&format!("{CORE_SERVICE}/adobe_nl")).await.expect(404);
    assert_eq!(
        missing["message"],
        format!(
            "{contact_administrator} Unable to find document with path 'Service' from key 'adobe_nl:0' (document with \
             schema 'service' and name 'adobe_nl')"
        )
    );
}

#[tokio::test]
async fn template_is_linked_with_key_and_title() {
    let server = Server::start().await;
    let template = server
        .post(
            CORE_SERVICE,
            &json!({"name": "TPL", "label": "Template", "isTemplate": true}),
        )
        .await
        .expect(201);
    let body = json!({"name": "SVC1", "template": {"PKey": template["PKey"]}});
    let service = server.post(CORE_SERVICE, &body).await.expect(201);
    assert_eq!(
        service["template"],
        json!({"PKey": template["PKey"], "title": "Template (TPL)"})
    );
    let own = [("builtIn", json!(true)), ("title", json!("x"))];
    for (name, value) in own {
        let refused = server
            .call(Method::POST, CORE_SERVICE, Some(&json!({name: value})))
            .await
            .expect(500);
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("that is read-only"), "{message}");
    }
}
