//! Metadata as the service writes it (contracts/dataverse.md §4).

use crosswalk_core::schema::ColumnType;

use super::wire::{AttributeBase, AttributeDetails, Collection, Definition, RecordCounts};

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

fn label(text: &str) -> String {
    format!(
        r#"{{"LocalizedLabels":[{{"Label":"{text}","LanguageCode":1033,"IsManaged":true,"HasChanged":null}}],
            "UserLocalizedLabel":{{"Label":"{text}","LanguageCode":1033,"IsManaged":true,"HasChanged":null}}}}"#
    )
}

#[test]
fn definition_becomes_a_table() {
    let json = format!(
        r#"{{"@odata.context":"x","MetadataId":"GUID","LogicalName":"contact","EntitySetName":"contacts",
            "PrimaryIdAttribute":"contactid","ChangeTrackingEnabled":true,"DisplayName":{}}}"#,
        label("Contact")
    );
    let table = parse::<Definition>(&json).into_table().unwrap();
    assert_eq!(
        (table.logical_name.as_str(), table.entity_set.as_str()),
        ("contact", "contacts")
    );
    assert_eq!(
        (table.primary_id.as_str(), table.display_name.as_str()),
        ("contactid", "Contact")
    );
    assert!(table.change_tracking);
}

#[test]
fn only_a_key_whose_index_is_built_is_active() {
    let json = r#"{"LogicalName":"account","EntitySetName":"accounts","PrimaryIdAttribute":"accountid","Keys":[
        {"LogicalName":"numberkey","KeyAttributes":["accountnumber"],"EntityKeyIndexStatus":"Active"},
        {"LogicalName":"newkey","KeyAttributes":["name","address1_city"],"EntityKeyIndexStatus":"InProgress"}]}"#;
    let table = parse::<Definition>(json).into_table().unwrap();
    let keys: Vec<_> = table
        .keys
        .iter()
        .map(|key| (key.logical_name.as_str(), key.columns.join(","), key.active))
        .collect();
    let expected = [
        ("numberkey", "accountnumber".to_owned(), true),
        ("newkey", "name,address1_city".to_owned(), false),
    ];
    assert_eq!(keys, expected);
}

#[test]
fn table_without_rows_of_its_own_is_left_out() {
    let json = r#"{"LogicalName":"x","EntitySetName":null,"PrimaryIdAttribute":"xid","ChangeTrackingEnabled":null}"#;
    assert_eq!(parse::<Definition>(json).into_table(), None);
}

#[test]
fn table_without_label_shows_its_name() {
    let json = r#"{"LogicalName":"x","EntitySetName":"xs","PrimaryIdAttribute":"xid","ChangeTrackingEnabled":false,
                   "DisplayName":{"LocalizedLabels":[],"UserLocalizedLabel":null}}"#;
    assert_eq!(parse::<Definition>(json).into_table().unwrap().display_name, "x");
}

#[test]
fn label_of_another_language_is_better_than_none() {
    let json = r#"{"LogicalName":"x","EntitySetName":"xs","PrimaryIdAttribute":"xid","DisplayName":
                   {"LocalizedLabels":[{"Label":"Kontakt","LanguageCode":1031}],"UserLocalizedLabel":null}}"#;
    assert_eq!(parse::<Definition>(json).into_table().unwrap().display_name, "Kontakt");
}

#[test]
fn types_are_told_by_name_and_behaviour() {
    let column = |type_name: &str, details: &str| {
        let base =
            format!(r#"{{"LogicalName":"x","AttributeTypeName":{{"Value":"{type_name}"}},"IsValidForRead":true}}"#);
        parse::<AttributeBase>(&base).into_column(parse::<AttributeDetails>(details))
    };
    for (type_name, details, expected) in [
        (
            "DateTimeType",
            r#"{"LogicalName":"x","DateTimeBehavior":{"Value":"DateOnly"}}"#,
            ColumnType::DateOnly,
        ),
        (
            "DateTimeType",
            r#"{"LogicalName":"x","DateTimeBehavior":{"Value":"UserLocal"}}"#,
            ColumnType::DateTime,
        ),
        (
            "DateTimeType",
            r#"{"LogicalName":"x","DateTimeBehavior":{"Value":"TimeZoneIndependent"}}"#,
            ColumnType::DateTime,
        ),
        ("MultiSelectPicklistType", "{}", ColumnType::MultiSelectPicklist),
        ("OwnerType", "{}", ColumnType::Owner),
        ("ImageType", "{}", ColumnType::Unsupported),
        ("TypeOfNextYear", "{}", ColumnType::Unsupported),
    ] {
        assert_eq!(
            column(type_name, details).column_type,
            expected,
            "{type_name} {details}"
        );
    }
    let text = column("StringType", r#"{"LogicalName":"x","MaxLength":50}"#);
    assert_eq!(
        (text.column_type, text.max_length, text.readable),
        (ColumnType::String, Some(50), true)
    );
    let lookup = column("CustomerType", r#"{"LogicalName":"x","Targets":["account","contact"]}"#);
    assert_eq!(
        (lookup.column_type, lookup.targets),
        (ColumnType::Customer, vec!["account".to_owned(), "contact".to_owned()])
    );
}

#[test]
fn helper_columns_are_not_readable() {
    let json = r#"{"LogicalName":"parentcustomeridname","AttributeTypeName":{"Value":"StringType"},
                   "AttributeOf":"parentcustomerid","IsValidForRead":true}"#;
    assert!(
        !parse::<AttributeBase>(json)
            .into_column(AttributeDetails::default())
            .readable
    );
    let json = r#"{"LogicalName":"x","AttributeTypeName":null,"IsValidForRead":false}"#;
    let column = parse::<AttributeBase>(json).into_column(AttributeDetails::default());
    assert_eq!((column.column_type, column.readable), (ColumnType::Unsupported, false));
}

#[test]
fn options_come_with_their_labels() {
    let base = r#"{"LogicalName":"gendercode","AttributeTypeName":{"Value":"PicklistType"},"IsValidForRead":true}"#;
    let option =
        |value: i32, label: &str| format!(r#"{{"Value":{value},"Color":null,"IsHidden":false,"Label":{label}}}"#);
    let unlabelled = r#"{"LocalizedLabels":[],"UserLocalizedLabel":null}"#;
    let details = format!(
        r#"{{"value":[{{"LogicalName":"gendercode","MetadataId":"GUID","GlobalOptionSet":null,
            "OptionSet":{{"Name":"contact_gendercode","OptionSetType":"Picklist","Options":[{},{}]}}}}]}}"#,
        option(2, &label("Female")),
        option(1, unlabelled)
    );
    let mut details = parse::<Collection<AttributeDetails>>(&details);
    let column = parse::<AttributeBase>(base).into_column(details.value.remove(0));
    let options: Vec<_> = column
        .options
        .iter()
        .map(|option| (option.value, option.label.as_deref()))
        .collect();
    assert_eq!(options, [(2, Some("Female")), (1, None)]);
}

#[test]
fn yes_no_columns_have_two_options() {
    let base = r#"{"LogicalName":"donotsendmm","AttributeTypeName":{"Value":"BooleanType"},"IsValidForRead":true}"#;
    let details = format!(
        r#"{{"LogicalName":"donotsendmm","OptionSet":{{"OptionSetType":"Boolean",
            "TrueOption":{{"Value":1,"Label":{}}},"FalseOption":{{"Value":0,"Label":{}}}}}}}"#,
        label("Do Not Send"),
        label("Send")
    );
    let column = parse::<AttributeBase>(base).into_column(parse(&details));
    let options: Vec<_> = column
        .options
        .iter()
        .map(|option| (option.value, option.label.as_deref()))
        .collect();
    assert_eq!(options, [(0, Some("Send")), (1, Some("Do Not Send"))]);
}

#[test]
fn counts_are_matched_by_key() {
    let json = r#"{"@odata.context":"x","EntityRecordCountCollection":
                   {"Count":2,"IsReadOnly":false,"Keys":["account","contact"],"Values":[7,42317]}}"#;
    let counts = parse::<RecordCounts>(json);
    assert_eq!(
        (counts.of("contact"), counts.of("account"), counts.of("lead")),
        (Some(42_317), Some(7), None)
    );
}
