//! Which endpoint has what, and in which format (contracts/campaign.md §1.5 and §2.1).

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{CORE, EXT, Server};

fn resource(name: &str, links: &Value) -> Value {
    json!({
        "name": name,
        "fields": [
            {"name": "cusId", "type": "string", "length": 36},
            {"name": "cusParentId", "type": "string", "length": 36},
        ],
        "keys": [{"name": "cusId", "fields": ["cusId"]}],
        "links": links,
    })
}

fn link(target: &str, target_field: &str) -> Value {
    json!([{"name": "cusParent", "target": target, "cardinality": "zero_or_one", "field": "cusParentId",
        "target_field": target_field}])
}

/// Products and their prices stand alone; lines are linked to profiles over orders, shops by being an order's parent.
async fn with_resources() -> Server {
    let server = Server::start().await;
    for (name, links) in [
        ("cusProduct", json!([])),
        ("cusPrice", link("cusProduct", "cusId")),
        ("cusOrder", link("profile", "externalId")),
        ("cusLine", link("cusOrder", "cusId")),
    ] {
        server
            .admin(Method::POST, "resources", Some(&resource(name, &links)))
            .await
            .expect(201);
    }
    server
}

#[tokio::test]
async fn custom_resources_are_on_one_of_two_endpoints_by_their_links_to_profiles() {
    let server = with_resources().await;
    server
        .adobe
        .change_switches(|switches| switches.unlinked_resources_apart = true);
    for (name, linked) in [
        ("cusProduct", false),
        ("cusPrice", false),
        ("cusOrder", true),
        ("cusLine", true),
    ] {
        let (home, elsewhere) = if linked {
            ("profileAndServicesExt", "customResources")
        } else {
            ("customResources", "profileAndServicesExt")
        };
        let created = server
            .post(&format!("{home}/{name}"), &json!({"cusId": "1", "cusParentId": "1"}))
            .await
            .expect(201);
        let href = created["href"].as_str().unwrap();
        assert!(href.contains(&format!("/{home}/{name}/@")), "{href}");
        server.call_url(Method::GET, href, None).await.expect(200);
        server.get(&format!("{home}/{name}/1")).await.expect(200);
        server.get(&format!("{home}/resourceType/{name}")).await.expect(200);
        server.get(&format!("{home}/{name}/metadata")).await.expect(200);
        let index = server.get(&format!("{home}/")).await.expect(200);
        assert_eq!(index[name]["data"], format!("/{home}/{name}/"));
        server.get(&format!("{elsewhere}/{name}")).await.expect(404);
        let index = server.get(&format!("{elsewhere}/")).await.expect(200);
        assert!(index.get(name).is_none(), "{name} is on {elsewhere}");
        server.get(&format!("profileAndServices/{name}")).await.expect(404);
    }
    server.get("customResources/profile").await.expect(404);
    let price = server.get("customResources/cusPrice/1").await.expect(200);
    let product = price["cusParent"]["href"].as_str().unwrap();
    assert!(product.contains("/customResources/cusProduct/@"), "{product}");
}

#[tokio::test]
async fn resource_moves_to_the_ext_endpoint_when_it_is_linked() {
    let server = with_resources().await;
    server
        .adobe
        .change_switches(|switches| switches.unlinked_resources_apart = true);
    server.get("customResources/cusPrice").await.expect(200);
    let mut both = resource("cusOffer", &link("cusProduct", "cusId"));
    both["links"].as_array_mut().unwrap().push(json!(
        {"name": "cusContact", "target": "profile", "cardinality": "zero_or_one", "field": "cusId",
         "target_field": "externalId"}
    ));
    server.admin(Method::POST, "resources", Some(&both)).await.expect(201);
    server.get("customResources/cusPrice").await.expect(404);
    server.get("profileAndServicesExt/cusPrice").await.expect(200);
}

#[tokio::test]
async fn all_custom_resources_are_on_the_ext_endpoint_unless_switched() {
    let server = with_resources().await;
    for name in ["cusProduct", "cusOrder"] {
        server.get(&format!("profileAndServicesExt/{name}")).await.expect(200);
        server.get(&format!("customResources/{name}")).await.expect(404);
    }
}

#[tokio::test]
async fn custom_members_of_items_are_hidden_from_the_core_endpoint() {
    let server = Server::start().await;
    let changes = json!({"put": [{"name": "location.cusRegion", "type": "string", "length": 20}]});
    server
        .admin(Method::PATCH, "resources/profile/fields", Some(&changes))
        .await
        .expect(204);
    let created = server.profile(json!({"location": {"cusRegion": "North"}})).await;
    assert_eq!(created["location"]["cusRegion"], "North");
    let path = format!("{CORE}/{}", created["PKey"].as_str().unwrap());
    let location = server.get(&path).await.expect(200)["location"].clone();
    assert!(location.get("cusRegion").is_none() && location.get("city").is_some());
    server
        .patch(&path, &json!({"location": {"cusRegion": "South"}}))
        .await
        .expect(500);
    let description = server.get(&format!("{CORE}/metadata")).await.expect(200);
    let members = &description["content"]["location"]["content"];
    assert!(members.get("cusRegion").is_none() && members.get("city").is_some());
}

#[tokio::test]
async fn units_are_listed_on_both_endpoints() {
    let server = Server::start().await;
    for endpoint in ["profileAndServices", "profileAndServicesExt"] {
        for (resource, title) in [("orgUnitBase", "All (all)"), ("geoUnitBase", "World (world)")] {
            let page = server.get(&format!("{endpoint}/{resource}")).await.expect(200);
            assert_eq!(page["content"][0]["title"], title);
            let href = page["content"][0]["href"].as_str().unwrap();
            let unit = server.call_url(Method::GET, href, None).await.expect(200);
            assert_eq!(unit["PKey"], page["content"][0]["PKey"]);
        }
    }
}

#[tokio::test]
async fn accept_header_and_suffix_ask_for_json() {
    let server = Server::start().await;
    let status = async |path: &str, accept: &str| {
        let url = format!("{}/sandbox/campaign/{path}", server.url);
        let request = server.request(Method::GET, &url, None).header("accept", accept);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json;charset=utf-8");
        response.status().as_u16()
    };
    for accept in [
        "application/json",
        "application/json;charset=utf-8",
        "Application/JSON",
        "*/*",
        "text/html, application/xhtml+xml, */*;q=0.8",
        "application/*",
    ] {
        assert_eq!(status(EXT, accept).await, 200, "{accept}");
    }
    for accept in ["application/xml", "text/html, text/csv"] {
        assert_eq!(status(EXT, accept).await, 406, "{accept}");
        assert_eq!(
            status(&format!("{EXT}.json"), accept).await,
            200,
            "the suffix goes first"
        );
    }
}

#[tokio::test]
async fn unknown_query_parameters_are_ignored() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "1"})).await;
    for path in ["", "/1", "/byEmail", "/_count", "/metadata"] {
        server.get(&format!("{EXT}{path}?nothing=1&_else=2")).await.expect(200);
    }
    server
        .patch(&format!("{EXT}/1?nothing=1"), &json!({"firstName": "Ann"}))
        .await
        .expect(200);
    server.delete(&format!("{EXT}/1?nothing=1")).await.expect(200);
}
