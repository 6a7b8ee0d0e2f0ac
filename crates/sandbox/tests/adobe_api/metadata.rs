use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{CORE, EXT, Server};

async fn content(server: &Server) -> Value {
    server
        .get("profileAndServicesExt/resourceType/profile")
        .await
        .expect(200)["content"]
        .clone()
}

#[tokio::test]
async fn description_is_the_same_from_both_addresses() {
    let server = Server::start().await;
    let description = server.get("profileAndServices/resourceType/profile").await.expect(200);
    assert_eq!(server.get(&format!("{CORE}/metadata")).await.expect(200), description);
    assert_eq!(description["data"], "/profileAndServices/profile/");
    assert_eq!(
        description["href"],
        format!("{}/sandbox/campaign/{CORE}/metadata", server.url)
    );
    assert_eq!(description["help"], "Identified profiles");
    assert_eq!(description["label"], "Profiles");
    assert_eq!(description["schema"], "nms:recipient");
    assert_eq!(description["type"], "item");
    assert_eq!(description["pkgStatus"], "never");
}

#[tokio::test]
async fn fields_have_types_and_lengths() {
    let server = Server::start().await;
    let content = content(&server).await;
    for (name, length) in [
        ("email", 128),
        ("externalId", 100),
        ("fax", 32),
        ("firstName", 30),
        ("lastName", 50),
        ("middleName", 30),
        ("mobilePhone", 32),
        ("phone", 32),
        ("salutation", 20),
        ("thumbnail", 255),
        ("cusLoyaltyLevel", 50),
        ("cusNickname", 100),
    ] {
        let field = &content[name];
        assert_eq!(
            (&field["type"], &field["resType"], &field["length"]),
            (&json!("string"), &json!("string"), &json!(length))
        );
        assert_eq!(field["apiName"], name);
        assert_eq!(field["readOnly"], false);
        assert_eq!(field["sortable"], true);
    }
    for (name, kind, technical) in [
        ("cusAnniversary", "date", "date"),
        ("cusLastPurchase", "date", "datetime"),
        ("cusVip", "boolean", "boolean"),
        ("cusVisits", "number", "long"),
        ("cusScore", "number", "short"),
        ("cusTier", "number", "byte"),
        ("cusPoints", "number", "int64"),
        ("cusSpend", "number", "float"),
        ("cusRatio", "number", "double"),
        ("cusNotes", "string", "memo"),
        ("cusSegment", "enumeration", "string"),
        ("gender", "enumeration", "byte"),
        ("birthDate", "date", "date"),
        ("blackListEmail", "boolean", "boolean"),
        ("created", "date", "datetime"),
    ] {
        assert_eq!(
            (&content[name]["type"], &content[name]["resType"]),
            (&json!(kind), &json!(technical)),
            "{name}"
        );
    }
    assert_eq!(content["email"]["dataPolicy"], "email");
    assert_eq!(content["orgUnit"]["type"], "link");
    assert_eq!(content["orgUnit"]["resTarget"], "orgUnitBase");
    assert_eq!(content["subscriptions"]["type"], "collection");
    assert_eq!(content["subscriptions"]["resTarget"], "subscriptionRcp");
    assert_eq!(content["location"]["content"]["zipCode"]["type"], "string");
}

#[tokio::test]
async fn read_only_fields_say_so() {
    let server = Server::start().await;
    let content = content(&server).await;
    let read_only: Vec<&String> = content
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, field)| field["readOnly"] == true)
        .map(|(name, _)| name)
        .collect();
    let expected = [
        "PKey",
        "acsId",
        "age",
        "blackListAllLastModified",
        "blackListEmailLastModified",
        "blackListFaxLastModified",
        "blackListLastModified",
        "blackListMobileLastModified",
        "blackListPhoneLastModified",
        "blackListPostalMailLastModified",
        "ccpaOptOutLastModified",
        "created",
        "cryptedId",
        "domain",
        "href",
        "lastModified",
        "postalAddress",
        "subscriptions",
        "title",
    ];
    assert_eq!(read_only, expected);
}

#[tokio::test]
async fn enumerations_list_names_and_the_invalid_member() {
    let server = Server::start().await;
    let content = content(&server).await;
    let gender = content["gender"]["values"].as_array().unwrap();
    let names: Vec<&Value> = gender.iter().map(|value| &value["name"]).collect();
    assert_eq!(names, ["unknown", "male", "female", "__Invalid_value__"]);
    assert_eq!(gender[2]["value"], 2);
    let segment = content["cusSegment"]["values"].as_array().unwrap();
    assert_eq!(
        segment[1],
        json!({"name": "prospect", "label": "Prospect", "value": "prospect"})
    );
    assert_eq!(content["timeZone"]["values"].as_array().unwrap().len(), 114);
}

#[tokio::test]
async fn core_description_hides_custom_fields() {
    let server = Server::start().await;
    let core = server.get("profileAndServices/resourceType/profile").await.expect(200);
    let hidden = |content: &Value| {
        !content
            .as_object()
            .unwrap()
            .keys()
            .any(|name| name.starts_with("cus") || name == "acsId")
    };
    assert!(hidden(&core["content"]));
    assert!(!hidden(&content(&server).await));
}

#[tokio::test]
async fn filters_are_described_behind_their_href() {
    let server = Server::start().await;
    let description = server.get(&format!("{EXT}/metadata")).await.expect(200);
    let href = description["filters"]["href"].as_str().unwrap();
    assert!(href.contains("/resourceType/@") && href.ends_with("/filters/"));
    let filters = server.call_url(Method::GET, href, None).await.expect(200);
    let names: Vec<&String> = filters.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "birthday",
            "byEmail",
            "byExternalId",
            "byKeysProfile",
            "byLastModifiedSince",
            "byStaticAudience",
            "byText",
            "hasClickedDelivery",
            "hasOpenedDelivery",
            "hasReceivedDelivery",
            "profile",
            "subscribers"
        ]
    );
    for (name, filter) in filters.as_object().unwrap() {
        let data = filter["data"].as_str().unwrap();
        let parameters = filter["metadata"].as_object().unwrap();
        assert!(
            parameters
                .keys()
                .all(|parameter| data.contains(&format!("{parameter}=$value"))),
            "{name}"
        );
        let condition = &filter["condition"][0];
        assert!(
            condition["enabledIf"].is_string() && condition["expr"].is_string(),
            "{name}"
        );
        assert!(filter["PKey"].as_str().unwrap().starts_with('@'), "{name}");
        for key in ["category", "formType", "fragmentName", "label"] {
            assert!(filter[key].is_string(), "{key} of {name}");
        }
    }
    assert_eq!(filters["birthday"]["metadata"].as_object().unwrap().len(), 12);
    assert_eq!(filters["subscribers"]["metadata"]["service"]["resTarget"], "service");
    assert_eq!(
        filters["byText"]["data"],
        "/profileAndServicesExt/profile/byText?text=$value"
    );
    assert!(filters["byEmail"]["condition"][0]["enabledIf"].is_string());
    assert_eq!(
        filters["byExternalId"]["metadata"]["externalId_parameter"]["apiName"],
        "externalId_parameter"
    );
    server
        .get("profileAndServicesExt/resourceType/@garbled/filters/")
        .await
        .expect(500);
}

#[tokio::test]
async fn index_lists_the_exposed_resources() {
    let server = Server::start().await;
    let index = server.get("profileAndServicesExt/").await.expect(200);
    assert_eq!(index["apiName"], "resourceType");
    assert_eq!(index["profile"]["data"], "/profileAndServicesExt/profile/");
    assert_eq!(index["profile"]["type"], "collection");
    let href = index["profile"]["href"].as_str().unwrap();
    assert_eq!(
        server.call_url(Method::GET, href, None).await.expect(200)["name"],
        "profile"
    );
}
