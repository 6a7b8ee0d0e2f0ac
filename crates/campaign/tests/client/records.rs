//! Records in the sandbox's Campaign: made, changed, refused, deleted.

use crosswalk_campaign::{Addressing, ClientSettings, Deleted, Error, Written, WrittenKind};
use crosswalk_core::{Class, Classify};
use serde_json::json;

use crate::campaign::{Campaign, ID, body, delete, upsert};
use crate::server::key;

#[tokio::test]
async fn record_is_made_changed_read_and_deleted() {
    let campaign = Campaign::start().await;
    let client = campaign.client();
    let ann = json!({"firstName": "Ann", "location": {"city": "Miami"}});
    assert_eq!(client.get("profile", &key(ID)).await.unwrap(), None);
    assert!(!client.update("profile", &key(ID), body(ID, &ann)).await.unwrap());

    let written = upsert(&client, ID, &ann, false).await.unwrap();
    assert_eq!(
        written,
        Written {
            calls: 1,
            kind: WrittenKind::Inserted
        }
    );
    let record = client.get("profile", &key(ID)).await.unwrap().unwrap();
    assert_eq!(
        (&record["firstName"], &record["location"]["city"]),
        (&json!("Ann"), &json!("Miami"))
    );

    let written = upsert(&client, ID, &json!({"firstName": "Anna"}), true).await.unwrap();
    assert_eq!(
        written,
        Written {
            calls: 1,
            kind: WrittenKind::Updated
        }
    );
    let written = upsert(&client, ID, &json!({"lastName": "Lee"}), false).await.unwrap();
    assert_eq!(
        written,
        Written {
            calls: 2,
            kind: WrittenKind::Updated
        }
    );
    let record = campaign.record(ID).unwrap();
    assert_eq!(
        (&record["firstName"], &record["lastName"]),
        (&json!("Anna"), &json!("Lee"))
    );
    assert_eq!(campaign.count(), 1);

    assert_eq!(
        delete(&client, ID).await.unwrap(),
        Written {
            calls: 1,
            kind: WrittenKind::Deleted
        }
    );
    assert_eq!(
        delete(&client, ID).await.unwrap(),
        Written {
            calls: 1,
            kind: WrittenKind::AlreadyGone
        }
    );
    let written = upsert(&client, ID, &ann, true).await.unwrap();
    assert_eq!(
        written,
        Written {
            calls: 2,
            kind: WrittenKind::Inserted
        }
    );
    assert_eq!(client.delete("profile", &key(ID)).await.unwrap(), Deleted::Existed);
    client.insert("profile", body(ID, &ann)).await.unwrap();
    let error = client.insert("profile", body(ID, &ann)).await.unwrap_err();
    assert!(matches!(error, Error::DuplicateKey { key: Some(taken), .. } if taken == ID));
}

#[tokio::test]
async fn refusals_of_one_record_reject_it_and_name_the_field() {
    let campaign = Campaign::start().await;
    let client = campaign.client();
    upsert(&client, ID, &json!({}), false).await.unwrap();
    for (fields, code, field) in [
        (
            json!({"gender": "invalid"}),
            "CAMPAIGN_VALUE_NOT_IN_ENUMERATION",
            Some("gender"),
        ),
        (json!({"email": "nobody"}), "CAMPAIGN_DATA_POLICY", Some("email")),
        (
            json!({"firstName": "x".repeat(31)}),
            "CAMPAIGN_VALUE_TOO_LONG",
            Some("firstName"),
        ),
        (json!({"birthDate": "tomorrow"}), "CAMPAIGN_REJECTED", Some("birthDate")),
    ] {
        for (id, known) in [("new-1", false), (ID, true)] {
            let error = upsert(&client, id, &fields, known).await.unwrap_err();
            assert_eq!(
                (error.code(), error.field(), error.class()),
                (code, field, Class::Rejected),
                "{error}"
            );
        }
    }
    let other_key = body("other", &json!({}));
    let error = client.update("profile", &key(ID), other_key).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_KEY_MISMATCH", Class::Rejected),
        "{error}"
    );
    let error = client.insert("profile", "not json".into()).await.unwrap_err();
    assert_eq!(error.class(), Class::Rejected);
    assert_eq!(campaign.count(), 1);
}

#[tokio::test]
async fn key_that_is_not_declared_is_noticed_and_the_filter_serves_instead() {
    let campaign = Campaign::start().await;
    campaign
        .adobe
        .change_switches(|switches| switches.external_id_key_undeclared = true);
    let client = campaign.client();
    let error = upsert(&client, ID, &json!({}), true).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_KEY_NOT_DECLARED", Class::Fatal),
        "{error}"
    );

    let addressing = Addressing::by_external_id_filter();
    let client = campaign.client_with(&ClientSettings {
        addressing,
        ..ClientSettings::default()
    });
    assert_eq!(client.get("profile", &key(ID)).await.unwrap(), None);
    for (known, kind) in [
        (false, WrittenKind::Inserted),
        (false, WrittenKind::Updated),
        (true, WrittenKind::Updated),
    ] {
        let written = upsert(&client, ID, &json!({"lastName": "Lee"}), known).await.unwrap();
        assert_eq!(written, Written { calls: 2, kind });
    }
    assert_eq!(campaign.count(), 1);
    let record = client.get("profile", &key(ID)).await.unwrap().unwrap();
    assert_eq!(record["lastName"], "Lee");

    // Without a declared key, somebody else can make a second one.
    client.insert("profile", body(ID, &json!({}))).await.unwrap();
    let error = delete(&client, ID).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_KEY_AMBIGUOUS", Class::Rejected)
    );
    assert_eq!(campaign.count(), 2);
}

#[tokio::test]
async fn filter_that_is_not_published_stops_the_workflow() {
    let campaign = Campaign::start().await;
    let addressing = Addressing::PublishedFilter {
        filter: "byNothing".to_owned(),
        parameter: "p".to_owned(),
    };
    let client = campaign.client_with(&ClientSettings {
        addressing,
        ..ClientSettings::default()
    });
    let error = upsert(&client, ID, &json!({}), false).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_FILTER_NOT_FOUND", Class::Fatal),
        "{error}"
    );
}

#[tokio::test]
async fn field_that_is_no_key_is_known_by_a_record_that_has_a_value_there() {
    let campaign = Campaign::start().await;
    let client = campaign.client();
    client.check_key("profile", "externalId").await.unwrap();
    client.check_key("profile", "lastName").await.unwrap();

    upsert(&client, ID, &json!({"lastName": "Lee"}), false).await.unwrap();
    client.check_key("profile", "externalId").await.unwrap();
    let error = client.check_key("profile", "lastName").await.unwrap_err();
    assert_eq!(error.code(), "CAMPAIGN_KEY_NOT_DECLARED", "{error}");
}

#[tokio::test]
async fn resource_without_a_key_is_known_although_it_is_empty() {
    let campaign = Campaign::start().await;
    campaign
        .adobe
        .change_switches(|switches| switches.external_id_key_undeclared = true);
    let error = campaign.client().check_key("profile", "externalId").await.unwrap_err();
    assert_eq!(error.code(), "CAMPAIGN_KEY_NOT_DECLARED", "{error}");
    let client = campaign.client_with(&ClientSettings {
        addressing: Addressing::by_external_id_filter(),
        ..ClientSettings::default()
    });
    client.check_key("profile", "externalId").await.unwrap();
}
