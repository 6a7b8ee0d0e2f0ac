use crosswalk_sandbox::adobe::OverLong;
use serde_json::{Value, json};

use crate::support::{CORE, EXT, Server};

/// Whether a text looks like `2019-09-26 11:49:48.817Z`.
fn is_datetime(value: &Value) -> bool {
    let shape: String = value
        .as_str()
        .unwrap()
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00 00:00:00.000Z"
}

#[tokio::test]
async fn empty_profile_reads_as_the_reference_capture() {
    let server = Server::start().await;
    let answer = server
        .post(
            EXT,
            &json!({"firstName": "Ann", "lastName": "Lee", "email": "ann@example.com"}),
        )
        .await;
    let text = answer.text.clone();
    let record = answer.expect(201);
    let key = record["PKey"].as_str().unwrap();
    assert!(key.starts_with('@') && (45..=160).contains(&key.len()));
    assert_eq!(record["href"], format!("{}/sandbox/campaign/{EXT}/{key}", server.url));
    assert!(record["cryptedId"].as_str().unwrap().ends_with("=="));
    assert!(uuid::Uuid::parse_str(record["acsId"].as_str().unwrap()).is_ok());
    assert!(is_datetime(&record["created"]) && is_datetime(&record["lastModified"]));
    assert!(
        record["lastModified"].as_str() < record["created"].as_str(),
        "a fresh row was modified before it was created"
    );
    let subscriptions = record["subscriptions"]["href"].as_str().unwrap();
    assert!(
        subscriptions.ends_with("/subscriptions/") && !subscriptions.contains(key),
        "another token of the same row"
    );

    let mut rest = record.clone();
    let computed = [
        "PKey",
        "acsId",
        "created",
        "cryptedId",
        "href",
        "lastModified",
        "subscriptions",
    ];
    rest.as_object_mut()
        .unwrap()
        .retain(|name, _| !computed.contains(&name.as_str()));
    let expected = json!({
        "age": 0, "birthDate": "",
        "blackList": false, "blackListAllLastModified": "", "blackListEmail": false, "blackListEmailLastModified": "",
        "blackListFax": false, "blackListFaxLastModified": "", "blackListLastModified": "",
        "blackListMobile": false, "blackListMobileLastModified": "", "blackListPhone": false,
        "blackListPhoneLastModified": "", "blackListPostalMail": false, "blackListPostalMailLastModified": "",
        "blackListPushnotification": false, "ccpaOptOut": false, "ccpaOptOutLastModified": "",
        "cusAnniversary": "", "cusLastPurchase": "", "cusLoyaltyLevel": "", "cusNickname": "", "cusNotes": "",
        "cusPoints": 0, "cusRatio": 0, "cusScore": 0, "cusSegment": "none", "cusSpend": 0, "cusTier": 0,
        "cusVip": false, "cusVisits": 0,
        "domain": "example.com", "email": "ann@example.com", "emailFormat": "unknown", "externalId": "", "fax": "",
        "firstName": "Ann", "gender": "unknown", "geoUnit": null, "isExternal": false, "lastName": "Lee",
        "location": {"address1": "", "address2": "", "address3": "", "address4": "", "city": "", "countryCode": "",
            "stateCode": "", "zipCode": ""},
        "middleName": "", "mobilePhone": "", "orgUnit": null, "phone": "",
        "postalAddress": {"addrDefined": false, "addrErrorCount": 0, "addrLastCheck": "", "addrQuality": "0",
            "line1": "Ann LEE", "line2": "", "line3": "", "line4": "", "line5": "", "line6": "",
            "serialized": "Ann LEE\n\n\n\n\n"},
        "preferredLanguage": "none", "salutation": "", "thumbnail": "/nl/img/thumbnails/defaultProfil.png",
        "timeZone": "none", "title": "Ann Lee (ann@example.com)",
    });
    assert_eq!(rest, expected);
    // A JSON map of this parser sorts its members, so the answer was sorted if it comes out the same.
    assert_eq!(text, record.to_string(), "members stand in alphabetical order");
}

#[tokio::test]
async fn values_of_every_type_are_read_back_as_written() {
    let server = Server::start().await;
    let body = json!({
        "externalId": "1", "birthDate": "1984-02-29", "gender": "female", "timeZone": "Europe_London",
        "preferredLanguage": "en_gb", "blackListPushnotification": true,
        "cusAnniversary": "2011-11-11", "cusLastPurchase": "2019-09-26 11:49:48.817Z", "cusLoyaltyLevel": "gold \"1\"",
        "cusNickname": "Añña 😀", "cusNotes": "a\nb", "cusPoints": 9_007_199_254_740_993_i64, "cusRatio": 0.1,
        "cusScore": -32768, "cusSegment": "premium", "cusSpend": 12.5, "cusTier": 127, "cusVip": true,
        "cusVisits": 2_147_483_647,
    });
    server.profile(body.clone()).await;
    let record = server.read("1").await;
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&record[name], value, "{name}");
    }
    assert!(record["age"].as_i64().unwrap() >= 42);
}

#[tokio::test]
async fn float_keeps_32_bits_and_datetime_with_t_is_read_in_canonical_form() {
    let server = Server::start().await;
    let record = server
        .profile(json!({"cusSpend": 0.123_456_789, "cusLastPurchase": "2019-09-26T13:49:48+02:00"}))
        .await;
    assert_eq!(record["cusSpend"].to_string(), "0.12345679");
    assert_eq!(record["cusLastPurchase"], "2019-09-26 11:49:48.000Z");
}

#[tokio::test]
async fn patch_answers_with_key_and_url_and_changes_only_what_it_names() {
    let server = Server::start().await;
    let created = server
        .profile(json!({"externalId": "1", "firstName": "Ann", "phone": "1",
            "location": {"city": "Miami", "zipCode": "33101"}}))
        .await;
    let answer = server
        .patch(
            &format!("{EXT}/1"),
            &json!({"phone": "2", "location": {"city": "Rome"}}),
        )
        .await
        .expect(200);
    assert_eq!(answer, json!({"PKey": created["PKey"], "href": created["href"]}));
    let record = server.read("1").await;
    assert_eq!(record["firstName"], "Ann");
    assert_eq!(record["phone"], "2");
    assert_eq!(record["location"]["city"], "Rome");
    assert_eq!(record["location"]["zipCode"], "33101");
    assert_eq!(record["created"], created["created"]);
    assert!(record["lastModified"].as_str() >= created["lastModified"].as_str());
}

#[tokio::test]
async fn empty_text_and_null_both_clear_a_value() {
    let server = Server::start().await;
    let full = json!({"externalId": "1", "firstName": "Ann", "birthDate": "1984-02-29", "gender": "male",
        "cusVisits": 3, "cusVip": true, "cusSpend": 1.5, "cusLastPurchase": "2019-09-26 11:49:48.817Z",
        "location": {"city": "Rome"}});
    let names = [
        "firstName",
        "birthDate",
        "gender",
        "cusVisits",
        "cusVip",
        "cusSpend",
        "cusLastPurchase",
        "location",
    ];
    let empty = server.profile(json!({"externalId": "0"})).await;
    server.profile(full.clone()).await;
    for nothing in [json!(""), Value::Null] {
        server.patch(&format!("{EXT}/1"), &full).await.expect(200);
        let body: Value = names.iter().map(|name| ((*name).to_owned(), nothing.clone())).collect();
        server.patch(&format!("{EXT}/1"), &body).await.expect(200);
        let record = server.read("1").await;
        for name in names {
            assert_eq!(record[name], empty[name], "{name} after {nothing}");
        }
    }
}

#[tokio::test]
async fn deleted_profile_is_gone() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "1"})).await;
    let answer = server.delete(&format!("{EXT}/1")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(server.get(&format!("{EXT}/1")).await.status, 404);
    assert_eq!(server.delete(&format!("{EXT}/1")).await.status, 404);
    server.profile(json!({"externalId": "1"})).await;
}

#[tokio::test]
async fn custom_fields_and_acs_id_are_hidden_from_the_core_endpoint() {
    let server = Server::start().await;
    let created = server.profile(json!({"externalId": "1", "cusNickname": "Nick"})).await;
    let key = created["PKey"].as_str().unwrap();
    let record = server.get(&format!("{CORE}/{key}")).await.expect(200);
    let names: Vec<&String> = record.as_object().unwrap().keys().collect();
    assert!(
        !names
            .iter()
            .any(|name| name.starts_with("cus") || *name == "acsId" || *name == "orgUnit"),
        "{names:?}"
    );
    assert!(
        record["href"]
            .as_str()
            .unwrap()
            .contains("/profileAndServices/profile/@")
    );
    let answer = server
        .patch(&format!("{CORE}/{key}"), &json!({"cusNickname": "x"}))
        .await
        .expect(500);
    assert_eq!(
        answer["message"],
        "'cusNickname' property is not valid for the 'profile' resource."
    );
    assert_eq!(server.read("1").await["cusNickname"], "Nick");
}

#[tokio::test]
async fn opt_out_stamps_move_when_their_flag_changes_and_cannot_be_written() {
    let server = Server::start().await;
    let stamps = [
        ("blackListEmail", "blackListEmailLastModified"),
        ("blackListFax", "blackListFaxLastModified"),
        ("blackListMobile", "blackListMobileLastModified"),
        ("blackListPhone", "blackListPhoneLastModified"),
        ("blackListPostalMail", "blackListPostalMailLastModified"),
        ("blackList", "blackListLastModified"),
        ("blackList", "blackListAllLastModified"),
        ("ccpaOptOut", "ccpaOptOutLastModified"),
    ];
    server
        .profile(json!({"externalId": "1", "blackListEmail": false}))
        .await;
    for (flag, stamp) in stamps {
        let clear = json!({flag: false, stamp: "2001-01-01 00:00:00.000Z"});
        server.patch(&format!("{EXT}/1"), &clear).await.expect(200);
        let before = server.read("1").await[stamp].clone();
        assert_ne!(before, "2001-01-01 00:00:00.000Z");
        server
            .patch(&format!("{EXT}/1"), &json!({flag: true}))
            .await
            .expect(200);
        let set = server.read("1").await;
        assert!(is_datetime(&set[stamp]), "{stamp} moves");
        assert_eq!(set[stamp], set["lastModified"], "{stamp} is the time of the change");
        server
            .patch(&format!("{EXT}/1"), &json!({flag: true, "firstName": "x"}))
            .await
            .expect(200);
        assert_eq!(
            server.read("1").await[stamp],
            set[stamp],
            "{stamp} stays while {flag} does"
        );
    }
    let created = server
        .profile(json!({"externalId": "2", "blackListEmail": true, "blackListPushnotification": true}))
        .await;
    assert!(
        is_datetime(&created["blackListEmailLastModified"]),
        "true is a change of the default"
    );
    assert_eq!(created["blackListFaxLastModified"], "");
    assert!(
        created.get("blackListPushnotificationLastModified").is_none(),
        "push has no stamp"
    );
}

#[tokio::test]
async fn addresses_and_titles_are_computed() {
    let server = Server::start().await;
    let record = server
        .profile(
            json!({"lastName": "Åström", "location": {"address1": "Flat 2", "address3": "1 Main St", "city": "Miami",
            "zipCode": "33101"}}),
        )
        .await;
    assert_eq!(record["title"], "Åström");
    assert_eq!(record["domain"], "");
    assert_eq!(record["postalAddress"]["addrDefined"], true);
    assert_eq!(
        record["postalAddress"]["serialized"],
        "ÅSTRÖM\nFlat 2\n\n1 Main St\n\n33101 Miami"
    );
}

#[tokio::test]
async fn over_long_values_are_cut_when_asked_to() {
    let server = Server::start().await;
    server
        .adobe
        .change_switches(|switches| switches.over_long = OverLong::Truncate);
    let record = server
        .profile(
            json!({"firstName": "é".repeat(31), "cusTier": 1000, "cusScore": -1e9, "cusSpend": 1e300,
            "cusVisits": 7.9}),
        )
        .await;
    assert_eq!(record["firstName"], "é".repeat(30));
    assert_eq!(record["cusTier"], 127);
    assert_eq!(record["cusScore"], -32768);
    assert_eq!(record["cusSpend"].as_f64().unwrap() as f32, f32::MAX);
    assert_eq!(record["cusVisits"], 7);
}

#[tokio::test]
async fn smart_case_changes_what_is_read_back() {
    let server = Server::start().await;
    server.adobe.change_switches(|switches| {
        switches.smart_case_fields.insert("lastName".to_owned());
    });
    let record = server
        .profile(json!({"firstName": "ann", "lastName": "mc DONALD-lee"}))
        .await;
    assert_eq!(
        (record["firstName"].as_str(), record["lastName"].as_str()),
        (Some("ann"), Some("Mc Donald-Lee"))
    );
    let metadata = server
        .get("profileAndServicesExt/resourceType/profile")
        .await
        .expect(200);
    assert_eq!(metadata["content"]["lastName"]["dataPolicy"], "smartCase");
}

#[tokio::test]
async fn organisational_units_are_linked_by_their_key() {
    let server = Server::start().await;
    let units = server.get("profileAndServicesExt/orgUnitBase").await.expect(200);
    let unit = &units["content"][0];
    let body = json!({"externalId": "1", "orgUnit": {"PKey": unit["PKey"]}});
    let record = server.profile(body).await;
    assert_eq!(record["orgUnit"]["title"], "All (all)");
    let href = record["orgUnit"]["href"].as_str().unwrap();
    assert_eq!(
        server.call_url(reqwest::Method::GET, href, None).await.expect(200)["name"],
        "all"
    );
    server
        .patch(&format!("{EXT}/1"), &json!({"orgUnit": null}))
        .await
        .expect(200);
    assert_eq!(server.read("1").await["orgUnit"], Value::Null);
    server
        .patch(&format!("{EXT}/1"), &json!({"orgUnit": {"PKey": "all"}}))
        .await
        .expect(200);
    assert_eq!(server.read("1").await["orgUnit"]["title"], "All (all)");
}

#[tokio::test]
async fn link_given_by_attributes_stays_unset_without_an_error() {
    let server = Server::start().await;
    let record = server.profile(json!({"orgUnit": {"name": "all"}})).await;
    assert_eq!(record["orgUnit"], Value::Null);
}

#[tokio::test]
async fn engine_calls_are_counted_by_kind() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "1"})).await;
    server.post(EXT, &json!({"externalId": "1"})).await.expect(500);
    server
        .patch(&format!("{EXT}/1"), &json!({"firstName": "Ann"}))
        .await
        .expect(200);
    server.read("1").await;
    server.get(EXT).await.expect(200);
    server
        .get("profileAndServicesExt/resourceType/profile")
        .await
        .expect(200);
    server.delete(&format!("{EXT}/1")).await.expect(200);
    let calls = server.adobe.engine_calls();
    assert_eq!(
        (calls.insert, calls.update, calls.delete, calls.read, calls.metadata),
        (2, 1, 1, 2, 1)
    );
    server.adobe.reset_engine_calls();
    assert_eq!(server.adobe.engine_calls(), Default::default());
}
