use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn parse_resource(name: &str, description: Value) -> Resource {
    let Value::Object(description) = description else {
        panic!("not an object")
    };
    resource(name, &description).unwrap()
}

fn profile_with(content: &Value) -> Resource {
    parse_resource("profile", json!({"content": content, "label": "Profiles"}))
}

#[test]
fn types_follow_the_technical_type() {
    for (kind, res_type, expected) in [
        ("string", Some("string"), FieldType::String),
        ("string", Some("memo"), FieldType::Memo),
        ("boolean", Some("boolean"), FieldType::Boolean),
        ("number", Some("byte"), FieldType::Byte),
        ("number", Some("short"), FieldType::Short),
        ("number", Some("long"), FieldType::Integer),
        ("number", Some("int32"), FieldType::Integer),
        ("number", Some("int64"), FieldType::Integer64),
        ("number", Some("float"), FieldType::Float),
        ("number", Some("double"), FieldType::Double),
        ("date", Some("date"), FieldType::Date),
        ("date", Some("datetime"), FieldType::DateTime),
        ("enumeration", Some("byte"), FieldType::Enumeration),
        ("enumeration", Some("string"), FieldType::Enumeration),
        ("link", None, FieldType::Unsupported),
        ("collection", None, FieldType::Unsupported),
        ("item", None, FieldType::Unsupported),
        ("string", None, FieldType::String),
        ("number", None, FieldType::Unsupported),
        ("string", Some("blob"), FieldType::Unsupported),
    ] {
        let mut description = json!({"apiName": "cusField", "type": kind});
        if let Some(res_type) = res_type {
            description["resType"] = json!(res_type);
        }
        let resource = profile_with(&json!({"cusField": description}));
        assert_eq!(resource.fields[0].field_type, expected, "{kind} {res_type:?}");
    }
}

#[test]
fn enumeration_values_are_read_in_any_form_without_the_pseudo_value() {
    for values in [
        json!(["male", "__Invalid_value__", "female"]),
        json!([{"name": "male", "value": 1}, {"name": "__Invalid_value__"}, {"name": "female", "value": 2}]),
        json!({"male": {"value": 1}, "__Invalid_value__": {}, "female": {"value": 2}}),
    ] {
        let resource = profile_with(&json!({"gender": {"apiName": "gender", "type": "enumeration", "values": values}}));
        let mut names: Vec<&str> = resource.fields[0]
            .values
            .iter()
            .map(|value| value.name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["female", "male"]);
    }
    let labelled = json!([{"name": "male", "label": "Male"}]);
    let resource = profile_with(&json!({"gender": {"type": "enumeration", "values": labelled}}));
    assert_eq!(resource.fields[0].values[0].label.as_deref(), Some("Male"));
}

#[test]
fn public_facts_complete_the_profile() {
    let text = json!({"type": "string", "resType": "string"});
    let resource = profile_with(&json!({
        "firstName": text, "email": text, "cusNickname": text, "domain": text, "title": text,
        "externalId": {"type": "string", "resType": "string", "length": 64},
        "age": {"type": "number", "resType": "long"},
        "blackListEmail": {"type": "boolean", "resType": "boolean"},
        "blackListEmailLastModified": {"type": "date", "resType": "datetime"},
        "cusLastModified": {"type": "date", "resType": "datetime"},
        "location": {"type": "item"},
    }));
    let length = |path| resource.field(path).unwrap().max_length;
    assert_eq!(length("firstName"), Some(30));
    assert_eq!(length("email"), Some(128));
    assert_eq!(length("location.city"), Some(255));
    // What the metadata says wins over the table; of custom fields nothing is known.
    assert_eq!(length("externalId"), Some(64));
    assert_eq!(length("cusNickname"), None);

    let writable: Vec<&str> = resource
        .fields
        .iter()
        .filter(|field| field.writable)
        .map(|field| field.path.as_str())
        .collect();
    for path in [
        "firstName",
        "email",
        "externalId",
        "cusNickname",
        "cusLastModified",
        "blackListEmail",
        "location.city",
    ] {
        assert!(writable.contains(&path), "{path}");
    }
    for path in ["age", "domain", "title", "blackListEmailLastModified"] {
        assert!(!writable.contains(&path), "{path}");
    }
}

#[test]
fn facts_of_the_profile_are_not_applied_to_other_resources() {
    let content = json!({"firstName": {"type": "string", "resType": "string"}, "location": {"type": "item"}});
    let resource = parse_resource("cusPerson", json!({"content": content}));
    assert_eq!(resource.label, "cusPerson");
    assert_eq!(resource.field("firstName").unwrap().max_length, None);
    assert!(resource.field("location.city").is_none());
}

#[test]
fn members_of_items_get_paths_and_share_their_item_s_protection() {
    let member = json!({"city": {"apiName": "city", "type": "string", "resType": "string", "label": "City"}});
    let resource = parse_resource(
        "cusShop",
        json!({"content": {
            "place": {"apiName": "place", "type": "item", "content": member},
            "former": {"apiName": "former", "type": "item", "readOnly": true, "content": member},
        }}),
    );
    let place = resource.field("place.city").unwrap();
    assert_eq!((place.label.as_str(), place.writable), ("City", true));
    assert!(!resource.field("former.city").unwrap().writable);
    assert_eq!(resource.field("place").unwrap().field_type, FieldType::Unsupported);
}

#[test]
fn index_lists_resources_by_name() {
    let index = json!({
        "apiName": "resourceType",
        "profile": {"content": {}, "data": "/profileAndServicesExt/profile/", "help": "Identified profiles",
            "href": "https://mc.adobe.io/acme/campaign/profileAndServicesExt/profile/metadata", "name": "profile",
            "type": "collection"},
        "cusProduct": {"content": {}, "data": "/profileAndServicesExt/cusProduct/", "help": "Product",
            "href": "https://mc.adobe.io/acme/campaign/profileAndServicesExt/cusProduct/metadata",
            "name": "cusProduct", "type": "collection"},
        "misc": {"odd": true},
    });
    let names: Vec<(String, String)> = resources(index.as_object().unwrap())
        .into_iter()
        .map(|resource| (resource.name, resource.label))
        .collect();
    let expected = [("cusProduct", "Product"), ("profile", "Identified profiles")];
    assert_eq!(names, expected.map(|(name, label)| (name.to_owned(), label.to_owned())));
}

#[test]
fn description_without_content_is_an_error() {
    let error = resource("profile", json!({"label": "Profiles"}).as_object().unwrap()).unwrap_err();
    assert_eq!(error.code(), "CAMPAIGN_ANSWER_UNEXPECTED");
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("type"),
        Just("resType"),
        Just("content"),
        Just("values"),
        Just("name"),
        Just("location"),
        Just("item"),
        Just("enumeration"),
        Just("length"),
        Just("apiName")
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((words.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_description_is_read_without_panic_and_every_field_can_be_found(json in any_json()) {
        let Value::Object(description) = &json else { return Ok(()) };
        let _ = resources(description);
        if let Ok(resource) = resource("profile", description) {
            for field in &resource.fields {
                prop_assert_eq!(resource.field(&field.path), Some(field));
            }
        }
    }
}
