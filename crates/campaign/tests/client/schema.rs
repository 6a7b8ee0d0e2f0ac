//! Resources and fields of the sandbox's Campaign, and what happens when they change.

use crosswalk_core::schema::FieldType;
use crosswalk_core::{Class, Classify};
use serde_json::json;

use crate::campaign::{Campaign, ID, body, upsert};
use crate::server::key;

#[tokio::test]
async fn profile_has_every_field_with_type_length_values_and_rights() {
    let campaign = Campaign::start().await;
    let client = campaign.client();
    let resources = client.resources().await.unwrap();
    assert!(
        resources
            .iter()
            .any(|resource| resource.name == "profile" && resource.fields.is_empty())
    );

    let profile = client.resource("profile").await.unwrap();
    assert_eq!(profile.label, "Profiles");
    for (path, field_type, max_length, writable) in [
        ("externalId", FieldType::String, Some(100), true),
        ("firstName", FieldType::String, Some(30), true),
        ("location.city", FieldType::String, Some(255), true),
        ("cusLoyaltyLevel", FieldType::String, Some(50), true),
        ("cusNotes", FieldType::Memo, None, true),
        ("cusVip", FieldType::Boolean, None, true),
        ("cusTier", FieldType::Byte, None, true),
        ("cusScore", FieldType::Short, None, true),
        ("cusVisits", FieldType::Integer, None, true),
        ("cusSpend", FieldType::Float, None, true),
        ("cusRatio", FieldType::Double, None, true),
        ("birthDate", FieldType::Date, None, true),
        ("cusLastPurchase", FieldType::DateTime, None, true),
        ("gender", FieldType::Enumeration, None, true),
        ("blackListEmail", FieldType::Boolean, None, true),
        ("blackListEmailLastModified", FieldType::DateTime, None, false),
        ("age", FieldType::Integer, None, false),
        ("PKey", FieldType::String, Some(255), false),
        ("location", FieldType::Unsupported, None, true),
        ("orgUnit", FieldType::Unsupported, None, true),
        ("subscriptions", FieldType::Unsupported, None, false),
    ] {
        let field = profile.field(path).unwrap_or_else(|| panic!("no field {path}"));
        assert_eq!(
            (field.field_type, field.max_length, field.writable),
            (field_type, max_length, writable),
            "{path}"
        );
    }
    let gender = profile.field("gender").unwrap();
    let names: Vec<&str> = gender.values.iter().map(|value| value.name.as_str()).collect();
    assert_eq!(names, ["unknown", "male", "female"]);
    assert_eq!(gender.label, "Gender");
}

#[tokio::test]
async fn fields_called_writable_are_taken_by_the_server() {
    let campaign = Campaign::start().await;
    let client = campaign.client();
    for field in client
        .resource("profile")
        .await
        .unwrap()
        .fields
        .iter()
        .filter(|field| field.writable)
    {
        let value = match field.field_type {
            FieldType::String | FieldType::Memo => json!("a@example.com"),
            FieldType::Boolean => json!(true),
            FieldType::Date | FieldType::DateTime => json!(""),
            FieldType::Enumeration => json!(field.values[0].name),
            FieldType::Unsupported => continue,
            _ => json!(1),
        };
        let value = match field.max_length {
            Some(length) if length < 20 => json!("x".repeat(length as usize)),
            _ => value,
        };
        let fields = match field.path.split_once('.') {
            Some((item, member)) => json!({ item: { member: value } }),
            None if field.path == "externalId" => continue,
            None => json!({ &field.path: value }),
        };
        upsert(&client, ID, &fields, true)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", field.path));
    }
}

#[tokio::test]
async fn changed_schema_and_wrong_settings_stop_the_workflow() {
    let campaign = Campaign::start().await;
    let client = campaign.client();
    for (fields, code, field) in [
        (json!({"cusNowhere": 1}), "CAMPAIGN_FIELD_UNKNOWN", "cusNowhere"),
        (json!({"age": 1}), "CAMPAIGN_FIELD_READ_ONLY", "age"),
    ] {
        let error = upsert(&client, ID, &fields, false).await.unwrap_err();
        assert_eq!(
            (error.code(), error.field(), error.class()),
            (code, Some(field), Class::Fatal),
            "{error}"
        );
    }
    campaign.adobe.change_switches(|switches| {
        switches.removed_fields.insert("cusVip".to_owned());
    });
    let error = upsert(&client, ID, &json!({"cusVip": true}), false).await.unwrap_err();
    assert_eq!(
        (error.code(), error.field()),
        ("CAMPAIGN_FIELD_UNKNOWN", Some("cusVip"))
    );
    assert!(client.resource("profile").await.unwrap().field("cusVip").is_none());

    for error in [
        client.insert("cusNowhere", body(ID, &json!({}))).await.unwrap_err(),
        client.resource("cusNowhere").await.unwrap_err(),
        client.delete("cusNowhere", &key(ID)).await.unwrap_err(),
        client.get("cusNowhere", &key(ID)).await.unwrap_err(),
    ] {
        assert_eq!(
            (error.code(), error.class()),
            ("CAMPAIGN_RESOURCE_NOT_FOUND", Class::Fatal),
            "{error}"
        );
    }
    campaign
        .adobe
        .change_switches(|switches| switches.ext_unpublished = true);
    let error = upsert(&client, ID, &json!({}), false).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("CAMPAIGN_URL_WRONG", Class::Fatal),
        "{error}"
    );
}
