//! `Attributes` of a table: the list, one attribute, and casts to a metadata type.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::definitions::{Kind, collection, shape, single};
use super::labels::{label, managed, metadata_id};
use super::options::{boolean_options, option_set};
use crate::microsoft::errors::ApiError;
use crate::microsoft::request::ApiRequest;
use crate::microsoft::schema::{ColumnDefinition, ColumnKind, LookupKind, RequiredLevel, TableDefinition};
use crate::microsoft::store::Organization;
use crate::microsoft::uri::{Segment, key_parts, unquote};

const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";

/// Type-specific properties: not selectable without a cast (contracts/dataverse.md §4.2).
const BASE_TYPE: &str = "AttributeMetadata";

/// Answers a GET of `Attributes...` below a table.
pub(super) fn attributes(
    request: &ApiRequest,
    organization: &Organization,
    table: &TableDefinition,
    segments: &[Segment],
) -> Result<Response, ApiError> {
    let (key, cast) = match segments {
        [first] => (first.key.as_deref(), None),
        [first, cast] => (first.key.as_deref(), Some(cast_type(&cast.name)?)),
        _ => return Err(ApiError::unknown_segment(&segments[2].name)),
    };
    let path = format!("EntityDefinitions('{}')/Attributes", table.logical_name);
    let kind = match cast {
        Some(cast) => Kind {
            path: format!("{path}/{NAMESPACE}{cast}"),
            type_name: cast,
        },
        None => Kind {
            path,
            type_name: BASE_TYPE,
        },
    };
    let of_type = |item: &Value| {
        cast.is_none_or(|cast| item["@odata.type"].as_str().and_then(|name| name.rsplit('.').next()) == Some(cast))
    };
    let prepare = |item: Value| match cast {
        Some(_) => without_type(item),
        None if request.options.get("$select").is_some() => base_only(item),
        None => item,
    };
    match key {
        None => {
            let items = attribute_items(table)
                .into_iter()
                .filter(of_type)
                .map(prepare)
                .collect();
            collection(request, organization, items, &kind)
        }
        Some(key) => {
            let item = find(table, key)?;
            if !of_type(&item) {
                return Err(ApiError::unknown_segment(&kind.path));
            }
            let item = shape(request, organization, prepare(item), &kind)?;
            Ok(single(request, item, &kind))
        }
    }
}

/// The concrete metadata type of a cast segment; abstract and unknown types are refused.
fn cast_type(segment: &str) -> Result<&'static str, ApiError> {
    const TYPES: [&str; 19] = [
        "StringAttributeMetadata",
        "MemoAttributeMetadata",
        "IntegerAttributeMetadata",
        "BigIntAttributeMetadata",
        "DecimalAttributeMetadata",
        "DoubleAttributeMetadata",
        "MoneyAttributeMetadata",
        "DateTimeAttributeMetadata",
        "LookupAttributeMetadata",
        "PicklistAttributeMetadata",
        "MultiSelectPicklistAttributeMetadata",
        "StateAttributeMetadata",
        "StatusAttributeMetadata",
        "BooleanAttributeMetadata",
        "ImageAttributeMetadata",
        "FileAttributeMetadata",
        "UniqueIdentifierAttributeMetadata",
        "EntityNameAttributeMetadata",
        "ManagedPropertyAttributeMetadata",
    ];
    let name = segment.strip_prefix(NAMESPACE);
    TYPES
        .into_iter()
        .find(|known| Some(*known) == name)
        .ok_or_else(|| ApiError::unknown_segment(segment))
}

fn find(table: &TableDefinition, key: &str) -> Result<Value, ApiError> {
    let parts = key_parts(key);
    let text = parts
        .first()
        .map(|part| unquote(&part.literal).unwrap_or_else(|| part.literal.clone()));
    let text = text.unwrap_or_default();
    let member = if parts
        .first()
        .is_some_and(|part| part.name.as_deref() == Some("LogicalName"))
    {
        "LogicalName"
    } else {
        "MetadataId"
    };
    attribute_items(table)
        .into_iter()
        .find(|item| item[member].as_str() == Some(text.as_str()))
        .ok_or_else(|| {
            ApiError::new(
                StatusCode::NOT_FOUND,
                "0x80060888",
                format!("Could not find an attribute with specified name or id: {text}"),
            )
        })
}

fn without_type(mut item: Value) -> Value {
    if let Some(members) = item.as_object_mut() {
        members.remove("@odata.type");
    }
    item
}

/// Drops what is not a property of the base type, so that selecting it without a cast is an error.
fn base_only(mut item: Value) -> Value {
    if let Some(members) = item.as_object_mut() {
        members.retain(|name, _| BASE_PROPERTIES.contains(&name.as_str()));
    }
    item
}

const BASE_PROPERTIES: [&str; 26] = [
    "@odata.type",
    "MetadataId",
    "HasChanged",
    "EntityLogicalName",
    "LogicalName",
    "SchemaName",
    "AttributeType",
    "AttributeTypeName",
    "AttributeOf",
    "ColumnNumber",
    "DisplayName",
    "Description",
    "IsValidForRead",
    "IsValidForCreate",
    "IsValidForUpdate",
    "RequiredLevel",
    "IsPrimaryId",
    "IsPrimaryName",
    "IsLogical",
    "IsCustomAttribute",
    "IsManaged",
    "IsSecured",
    "IsFilterable",
    "IsSearchable",
    "IsValidForAdvancedFind",
    "SourceType",
];

/// All attributes of a table, helper columns included.
pub(super) fn attribute_items(table: &TableDefinition) -> Vec<Value> {
    table
        .live_columns()
        .flat_map(|(index, column)| {
            let mut items = vec![attribute(table, index, column)];
            items.extend(helpers(table, column));
            items
        })
        .collect()
}

fn attribute(table: &TableDefinition, index: usize, column: &ColumnDefinition) -> Value {
    let (type_name, attribute_type) = column.kind.type_names();
    let mut item = base(
        table,
        &column.logical_name,
        &column.schema_name,
        (type_name, attribute_type),
        None,
    );
    item["@odata.type"] = format!("#{NAMESPACE}{}", column.kind.metadata_type()).into();
    item["ColumnNumber"] = (index + 1).into();
    item["DisplayName"] = label(column.display_name.as_deref());
    item["IsValidForRead"] = column.readable.into();
    item["IsValidForCreate"] = column.creatable.into();
    item["IsValidForUpdate"] = column.updatable.into();
    item["RequiredLevel"] = managed(column.required.name(), "canmodifyrequirementlevelsettings");
    item["IsPrimaryId"] = (index == TableDefinition::PRIMARY_ID).into();
    item["IsPrimaryName"] = (table.primary_name == Some(index)).into();
    item["IsLogical"] = column.logical_name.starts_with("address").into();
    item["SourceType"] = if has_source(&column.kind) {
        0.into()
    } else {
        Value::Null
    };
    add_specifics(&mut item, table, column);
    item
}

fn has_source(kind: &ColumnKind) -> bool {
    !matches!(
        kind,
        ColumnKind::Lookup { .. } | ColumnKind::UniqueIdentifier | ColumnKind::BigInt
    )
}

fn base(
    table: &TableDefinition,
    logical_name: &str,
    schema_name: &str,
    (type_name, attribute_type): (&str, &str),
    attribute_of: Option<&str>,
) -> Value {
    json!({
        "MetadataId": metadata_id(&[&table.logical_name, logical_name]),
        "HasChanged": null,
        "EntityLogicalName": table.logical_name,
        "LogicalName": logical_name,
        "SchemaName": schema_name,
        "AttributeType": attribute_type,
        "AttributeTypeName": {"Value": type_name},
        "AttributeOf": attribute_of,
        "ColumnNumber": 0,
        "DisplayName": label(None),
        "Description": label(None),
        "IsValidForRead": true,
        "IsValidForCreate": false,
        "IsValidForUpdate": false,
        "RequiredLevel": managed(RequiredLevel::None.name(), "canmodifyrequirementlevelsettings"),
        "IsPrimaryId": false,
        "IsPrimaryName": false,
        "IsLogical": true,
        "IsCustomAttribute": table.is_custom,
        "IsManaged": !table.is_custom,
        "IsSecured": false,
        "IsFilterable": false,
        "IsSearchable": false,
        "IsValidForAdvancedFind": managed(true, "canmodifysearchsettings"),
        "SourceType": null,
    })
}

/// Helper columns of another one: names of choices and lookups. Most are not readable through the Web API.
fn helpers(table: &TableDefinition, column: &ColumnDefinition) -> Vec<Value> {
    let helper = |suffix: &str, metadata_type: &str, types: (&str, &str)| {
        let name = format!("{}{suffix}", column.logical_name);
        let schema_name = format!("{}{}", column.schema_name, capitalised(suffix));
        let mut item = base(table, &name, &schema_name, types, Some(&column.logical_name));
        item["@odata.type"] = format!("#{NAMESPACE}{metadata_type}").into();
        item
    };
    let virtual_name = || helper("name", "AttributeMetadata", ("VirtualType", "Virtual"));
    let text = |suffix: &str, max_length: u32| {
        let mut item = helper(suffix, "StringAttributeMetadata", ("StringType", "String"));
        item["MaxLength"] = max_length.into();
        item
    };
    let lookup_name = || text("name", 100);
    match &column.kind {
        ColumnKind::Boolean { .. } | ColumnKind::Picklist(_) | ColumnKind::State(_) | ColumnKind::Status(_) => {
            vec![virtual_name()]
        }
        ColumnKind::Lookup {
            kind: LookupKind::Lookup,
            ..
        } => vec![lookup_name()],
        ColumnKind::Lookup { .. } => {
            vec![
                lookup_name(),
                helper("type", "EntityNameAttributeMetadata", ("EntityNameType", "EntityName")),
            ]
        }
        ColumnKind::Image => vec![text("_url", 200)],
        _ => Vec::new(),
    }
}

fn capitalised(suffix: &str) -> String {
    match suffix {
        "name" => "Name".to_owned(),
        "type" => "Type".to_owned(),
        other => other.to_owned(),
    }
}

fn add_specifics(item: &mut Value, table: &TableDefinition, column: &ColumnDefinition) {
    let specifics = match &column.kind {
        ColumnKind::Text { max_length, format } => json!({
            "MaxLength": max_length, "DatabaseLength": max_length * 2, "Format": format.name(),
            "FormatName": {"Value": format.name()},
        }),
        ColumnKind::Memo { max_length } => json!({"MaxLength": max_length, "Format": "TextArea"}),
        ColumnKind::Integer { min, max } => json!({"MinValue": min, "MaxValue": max, "Format": "None"}),
        ColumnKind::BigInt => json!({"MinValue": i64::MIN, "MaxValue": i64::MAX}),
        ColumnKind::Decimal { min, max, precision } => {
            json!({"MinValue": min, "MaxValue": max, "Precision": precision})
        }
        ColumnKind::Double { min, max, precision } => json!({"MinValue": min, "MaxValue": max, "Precision": precision}),
        ColumnKind::Money { base_of, .. } => json!({
            "MinValue": -922_337_203_685_477_i64, "MaxValue": 922_337_203_685_477_i64, "Precision": 2,
            "PrecisionSource": 2, "CalculationOf": base_of, "IsBaseCurrency": base_of.is_some(),
        }),
        ColumnKind::DateTime { behavior, format } => {
            json!({"Format": format.name(), "DateTimeBehavior": {"Value": behavior.name()}})
        }
        ColumnKind::Lookup { targets, .. } => {
            json!({"Targets": targets.iter().map(|target| &target.table).collect::<Vec<_>>()})
        }
        ColumnKind::Boolean { default, .. } => {
            let options = boolean_options(table, column);
            json!({"DefaultValue": default, "#OptionSet": options, "#GlobalOptionSet": options})
        }
        ColumnKind::Picklist(set) | ColumnKind::MultiSelect(set) | ColumnKind::State(set) | ColumnKind::Status(set) => {
            let default = set
                .options
                .first()
                .filter(|_| set.options.len() == 1)
                .map_or(-1, |option| option.value);
            let options = option_set(&column.kind, set);
            json!({"DefaultFormValue": default, "#OptionSet": options, "#GlobalOptionSet": options})
        }
        ColumnKind::Image => json!({
            "IsPrimaryImage": true, "MaxHeight": 144, "MaxWidth": 144, "MaxSizeInKB": 10_240, "CanStoreFullImage": false,
        }),
        ColumnKind::UniqueIdentifier => json!({}),
    };
    if let (Some(item), Value::Object(specifics)) = (item.as_object_mut(), specifics) {
        item.extend(specifics);
    }
}
