//! Schemas and values that the tests share.

use crate::{
    Choice, Row, Value,
    mapping::{
        ConvertError, FieldMapping, Filter, KeyMapping, MappedTypes, MappingOptions, TableMapping, TargetValue, convert,
    },
    schema::{Column, ColumnType, EnumerationValue, Field, FieldType, Resource, Table},
};

/// Every type a field can have.
pub(in crate::mapping) const FIELD_TYPES: [FieldType; 13] = [
    FieldType::String,
    FieldType::Memo,
    FieldType::Boolean,
    FieldType::Byte,
    FieldType::Short,
    FieldType::Integer,
    FieldType::Integer64,
    FieldType::Float,
    FieldType::Double,
    FieldType::Date,
    FieldType::DateTime,
    FieldType::Enumeration,
    FieldType::Unsupported,
];

/// A record id.
pub(in crate::mapping) const ID: &str = "a1000000-0000-4000-8000-00000000000f";

/// A field of a type, without a length of its own.
pub(in crate::mapping) fn field(path: &str, field_type: FieldType) -> Field {
    Field {
        path: path.to_owned(),
        label: path.to_owned(),
        field_type,
        max_length: None,
        values: Vec::new(),
        writable: true,
        link_target: None,
    }
}

/// A string field of a length.
pub(in crate::mapping) fn string_field(path: &str, max_length: u32) -> Field {
    Field {
        max_length: Some(max_length),
        ..field(path, FieldType::String)
    }
}

/// An enumeration with these members; a label follows its name after a colon.
pub(in crate::mapping) fn enumeration_field(path: &str, members: &[&str]) -> Field {
    let member = |text: &&str| match text.split_once(':') {
        Some((name, label)) => EnumerationValue {
            name: name.to_owned(),
            label: Some(label.to_owned()),
        },
        None => EnumerationValue {
            name: (*text).to_owned(),
            label: None,
        },
    };
    Field {
        values: members.iter().map(member).collect(),
        ..field(path, FieldType::Enumeration)
    }
}

/// A readable column of a type.
pub(in crate::mapping) fn column(logical_name: &str, column_type: ColumnType) -> Column {
    Column {
        logical_name: logical_name.to_owned(),
        display_name: logical_name.to_owned(),
        column_type,
        max_length: None,
        options: Vec::new(),
        targets: Vec::new(),
        readable: true,
    }
}

/// Part of `contact`.
pub(in crate::mapping) fn contact() -> Table {
    let mut columns = vec![
        column("contactid", ColumnType::Uniqueidentifier),
        column("firstname", ColumnType::String),
        column("lastname", ColumnType::String),
        column("emailaddress1", ColumnType::String),
        column("address1_city", ColumnType::String),
        column("address1_postalcode", ColumnType::String),
        column("birthdate", ColumnType::DateOnly),
        column("createdon", ColumnType::DateTime),
        column("gendercode", ColumnType::Picklist),
        column("annualincome", ColumnType::Money),
        column("donotbulkemail", ColumnType::Boolean),
        column("numberofchildren", ColumnType::Integer),
        column("parentcustomerid", ColumnType::Customer),
        column("entityimage", ColumnType::Unsupported),
        Column {
            readable: false,
            ..column("parentcustomeridname", ColumnType::String)
        },
    ];
    columns.sort_by(|one, other| one.logical_name.cmp(&other.logical_name));
    Table {
        logical_name: "contact".to_owned(),
        entity_set: "contacts".to_owned(),
        display_name: "Contact".to_owned(),
        primary_id: "contactid".to_owned(),
        change_tracking: true,
        columns,
        keys: Vec::new(),
    }
}

/// Part of `profile`.
pub(in crate::mapping) fn profile() -> Resource {
    let mut fields = vec![
        string_field("externalId", 100),
        string_field("firstName", 30),
        string_field("lastName", 50),
        string_field("email", 128),
        string_field("location.city", 100),
        string_field("location.zipCode", 20),
        string_field("cusShort", 20),
        field("birthDate", FieldType::Date),
        field("blackListEmail", FieldType::Boolean),
        enumeration_field("gender", &["unknown", "male", "female"]),
        field("cusChildren", FieldType::Byte),
        field("cusIncome", FieldType::Double),
        field("cusNotes", FieldType::Memo),
        field("orgUnit", FieldType::Unsupported),
        Field {
            writable: false,
            ..field("created", FieldType::DateTime)
        },
    ];
    fields.sort_by(|one, other| one.path.cmp(&other.path));
    Resource {
        name: "profile".to_owned(),
        label: "Profiles".to_owned(),
        fields,
    }
}

/// A mapping of contacts to profiles with these pairs.
pub(in crate::mapping) fn mapping(pairs: &[(&str, &str)]) -> TableMapping {
    TableMapping {
        source_table: "contact".to_owned(),
        target_resource: "profile".to_owned(),
        key: KeyMapping {
            source: "contactid".to_owned(),
            target: "externalId".to_owned(),
        },
        fields: pairs
            .iter()
            .map(|(source, target)| FieldMapping::new(*source, *target))
            .collect(),
        replacements: Vec::new(),
        filter: Filter::default(),
        links: Vec::new(),
        types: MappedTypes::default(),
        options: MappingOptions::default(),
    }
}

/// A row of these columns.
pub(in crate::mapping) fn row(columns: Vec<(&str, Value)>) -> Row {
    Row {
        columns: columns.into_iter().map(|(name, value)| (name.into(), value)).collect(),
    }
}

/// A text value.
pub(in crate::mapping) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// An option, with a label if there is one.
pub(in crate::mapping) fn choice(value: i32, label: Option<&str>) -> Choice {
    Choice {
        value,
        label: label.map(Into::into),
    }
}

/// A value converted with the default options, as JSON.
pub(in crate::mapping) fn json_of(value: &Value, field: &Field) -> Result<String, ConvertError> {
    json_with(value, field, MappingOptions::default())
}

/// A value converted and as JSON; a field that is left out gives an empty text.
pub(in crate::mapping) fn json_with(
    value: &Value,
    field: &Field,
    options: MappingOptions,
) -> Result<String, ConvertError> {
    Ok(convert(value, field, options)?
        .as_ref()
        .map_or_else(String::new, target_json))
}

fn target_json(value: &TargetValue<'_>) -> String {
    let mut out = Vec::new();
    value.write_json(&mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}
