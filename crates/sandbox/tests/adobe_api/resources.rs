//! Resources that a customer declares, their links, and changes of their fields (contracts/campaign.md §4.4).

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{EXT, Server};

const ORDERS: &str = "profileAndServicesExt/cusOrder";

fn orders(cardinality: &str) -> Value {
    json!({
        "name": "cusOrder",
        "fields": [
            {"name": "cusId", "type": "string", "length": 36},
            {"name": "cusContactId", "type": "string", "length": 36},
            {"name": "cusAmount", "type": "double"},
            {"name": "cusState", "type": "enumeration", "values": [["open", "Open"], ["paid", "Paid"]]},
            {"name": "cusAddress.city", "type": "string", "length": 50},
        ],
        "links": [{
            "name": "cusContact", "target": "profile", "cardinality": cardinality,
            "field": "cusContactId", "target_field": "externalId",
        }],
        "keys": [{"name": "cusId", "fields": ["cusId"]}],
        "filters": [{"name": "byCusId", "field": "cusId", "parameter": "cusId_parameter"}],
    })
}

async fn with_orders(cardinality: &str) -> Server {
    let server = Server::start().await;
    server
        .admin(Method::POST, "resources", Some(&orders(cardinality)))
        .await
        .expect(201);
    server
}

#[tokio::test]
async fn declared_resource_is_described_written_and_listed_on_the_extended_endpoint_only() {
    let server = with_orders("zero_or_one").await;
    let description = server.get(&format!("{ORDERS}/metadata")).await.expect(200);
    assert_eq!(description["content"]["cusAmount"]["resType"], "double");
    assert_eq!(description["content"]["cusContact"]["type"], "link");
    assert_eq!(description["content"]["cusContact"]["resTarget"], "profile");
    assert_eq!(description["content"]["cusAddress"]["content"]["city"]["length"], 50);
    let index = server.get("profileAndServicesExt/resourceType").await.expect(200);
    assert!(index["cusOrder"].is_object());

    let body = json!({"cusId": "1", "cusAmount": 2.5, "cusState": "paid", "cusAddress": {"city": "Łódź"}});
    let created = server.post(ORDERS, &body).await.expect(201);
    assert_eq!(created["cusState"], "paid");
    assert_eq!(created["cusAddress"]["city"], "Łódź");
    assert_eq!(created["cusContact"], Value::Null, "an unset link");
    let found = server
        .get(&format!("{ORDERS}/byCusId?cusId_parameter=1"))
        .await
        .expect(200);
    assert_eq!(found["content"][0]["cusId"], "1");
    server.post(ORDERS, &json!({"cusId": "1"})).await.expect(500);

    let core = server.get("profileAndServices/cusOrder").await;
    assert_ne!(core.status, 200, "{core:?}");
}

#[tokio::test]
async fn link_resolves_as_soon_as_its_target_is_there() {
    let server = with_orders("zero_or_one").await;
    let body = json!({"cusId": "1", "cusContactId": "c-1"});
    assert_eq!(server.post(ORDERS, &body).await.expect(201)["cusContact"], Value::Null);
    let profile = server
        .profile(json!({"externalId": "c-1", "firstName": "Ann", "lastName": "Bo"}))
        .await;
    let order = server.get(&format!("{ORDERS}/1")).await.expect(200);
    assert_eq!(order["cusContact"]["PKey"], profile["PKey"]);
    assert_eq!(order["cusContact"]["title"], "Ann Bo");
}

#[tokio::test]
async fn row_whose_only_parent_is_missing_is_hidden_until_it_comes() {
    let server = with_orders("one").await;
    let body = json!({"cusId": "1", "cusContactId": "c-1", "cusAmount": 1});
    let created = server.post(ORDERS, &body).await.expect(201);
    assert_eq!(created["cusContact"], Value::Null);
    let one = format!("{ORDERS}/1");
    assert_eq!(server.get(&one).await.status, 404);
    assert_eq!(server.patch(&one, &json!({"cusAmount": 2})).await.status, 404);
    assert_eq!(server.delete(&one).await.status, 404);
    assert_eq!(
        server.get(ORDERS).await.expect(200)["content"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(server.get(&format!("{ORDERS}/_count")).await.expect(200)["count"], 0);
    server.post(ORDERS, &body).await.expect(500);
    let row = server
        .admin(Method::GET, "resources/cusOrder/rows/1", None)
        .await
        .expect(200);
    assert_eq!(row["hidden"], true, "whoever looks past the product sees it");

    server.profile(json!({"externalId": "c-1"})).await;
    assert_eq!(server.get(&one).await.expect(200)["cusAmount"], 1.0);
    server.patch(&one, &json!({"cusAmount": 2})).await.expect(200);
    server.delete(&format!("{EXT}/c-1")).await.expect(200);
    assert_eq!(server.get(&one).await.status, 404, "hidden again with its parent gone");
}

#[tokio::test]
async fn changed_fields_keep_the_values_that_fit() {
    let server = with_orders("zero_or_one").await;
    let body = json!({"cusId": "1", "cusAmount": 2.5, "cusState": "paid", "cusContactId": "a long one"});
    server.post(ORDERS, &body).await.expect(201);
    let changes = json!({
        "put": [
            {"name": "cusState", "type": "enumeration",
             "values": [["new", "New"], ["open", "Open"], ["paid", "Paid"]]},
            {"name": "cusAmount", "type": "string", "length": 10},
            {"name": "cusContactId", "type": "string", "length": 6},
            {"name": "cusNote", "type": "memo"},
        ],
        "remove": ["cusAddress.city"],
    });
    server
        .admin(Method::PATCH, "resources/cusOrder/fields", Some(&changes))
        .await
        .expect(204);
    let order = server.get(&format!("{ORDERS}/1")).await.expect(200);
    assert_eq!(order["cusState"], "paid");
    assert_eq!(order["cusAmount"], "", "a value of another type is gone");
    assert_eq!(order["cusContactId"], "a long");
    assert_eq!(order["cusNote"], "");
    server
        .patch(&format!("{ORDERS}/1"), &json!({"cusAddress": {"city": "x"}}))
        .await
        .expect(500);
    server
        .patch(&format!("{ORDERS}/1"), &json!({"cusNote": "kept", "cusAmount": "12"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn impossible_definitions_are_refused_with_what_is_wrong() {
    let server = with_orders("one").await;
    let mut cases = Vec::new();
    let mut case = |change: &dyn Fn(&mut Value), wanted: &'static str| {
        let mut definition = orders("one");
        definition["name"] = json!("cusOther");
        change(&mut definition);
        cases.push((definition, wanted));
    };
    case(
        &|other| other["name"] = json!("cusOrder"),
        "there is a resource cusOrder already",
    );
    case(&|other| other["name"] = json!("a b"), "is no API name");
    case(
        &|other| other["keys"][0]["fields"] = json!(["cusNone"]),
        "there is no field cusNone",
    );
    case(
        &|other| other["links"][0]["target"] = json!("cusNone"),
        "there is no resource cusNone",
    );
    case(
        &|other| other["links"][0]["target_field"] = json!("firstName"),
        "with a key firstName",
    );
    case(
        &|other| other["links"][0]["field"] = json!("cusAmount"),
        "there is no text field cusAmount",
    );
    case(
        &|other| other["fields"][0]["name"] = json!("PKey"),
        "keeps this name for itself",
    );
    for (definition, wanted) in cases {
        let refusal = server
            .admin(Method::POST, "resources", Some(&definition))
            .await
            .expect(400);
        let message = refusal["error"]["message"].as_str().unwrap();
        assert!(message.contains(wanted), "{message}");
    }
}
