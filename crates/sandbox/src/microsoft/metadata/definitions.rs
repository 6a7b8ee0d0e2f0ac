//! `EntityDefinitions` and what lies below.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::attributes::attributes;
use super::filter::matches;
use super::labels::{label, managed, metadata_id};
use super::project::{Expansion, names_of, parse_expand, project};
use super::relationships::{keys, many_to_one, one_to_many};
use crate::microsoft::errors::{ApiError, json_response};
use crate::microsoft::request::ApiRequest;
use crate::microsoft::schema::TableDefinition;
use crate::microsoft::store::Organization;
use crate::microsoft::uri::{Segment, key_parts, unquote};

/// Answers a GET below `EntityDefinitions`.
pub(in crate::microsoft) fn entity_definitions(
    request: &ApiRequest,
    organization: &Organization,
    first: &Segment,
    rest: &[Segment],
) -> Result<Response, ApiError> {
    let Some(key) = &first.key else {
        let [] = rest else {
            return Err(ApiError::unknown_segment(&rest[0].name));
        };
        let items = tables(organization).map(definition).collect();
        let kind = Kind {
            path: "EntityDefinitions".to_owned(),
            type_name: "EntityMetadata",
        };
        return collection(request, organization, items, &kind);
    };
    let table = find_table(organization, key)?;
    let name = &table.logical_name;
    let below = |segment: &str| format!("EntityDefinitions('{name}')/{segment}");
    match rest {
        [] => {
            let kind = Kind {
                path: "EntityDefinitions".to_owned(),
                type_name: "EntityMetadata",
            };
            let item = shape(request, organization, definition(table), &kind)?;
            Ok(single(request, item, &kind))
        }
        [segment, ..] if segment.name == "Attributes" => attributes(request, organization, table, rest),
        [segment] => {
            let (items, type_name) = match segment.name.as_str() {
                "Keys" => (keys(table), "EntityKeyMetadata"),
                "ManyToOneRelationships" => (many_to_one(organization, table), "OneToManyRelationshipMetadata"),
                "OneToManyRelationships" => (one_to_many(organization, table), "OneToManyRelationshipMetadata"),
                "ManyToManyRelationships" => (Vec::new(), "ManyToManyRelationshipMetadata"),
                unknown => return Err(ApiError::unknown_segment(unknown)),
            };
            collection(
                request,
                organization,
                items,
                &Kind {
                    path: below(&segment.name),
                    type_name,
                },
            )
        }
        [_, unknown, ..] => Err(ApiError::unknown_segment(&unknown.name)),
    }
}

/// What a metadata answer is about.
pub(super) struct Kind {
    /// Fragment of the context URL.
    pub path: String,
    /// Name of the metadata type.
    pub type_name: &'static str,
}

/// A collection of items: filtered, selected, expanded, never paged.
pub(super) fn collection(
    request: &ApiRequest,
    organization: &Organization,
    items: Vec<Value>,
    kind: &Kind,
) -> Result<Response, ApiError> {
    let filter = request.options.resolved("$filter");
    let mut shown = Vec::new();
    for item in items {
        if filter.as_ref().map_or(Ok(true), |filter| matches(filter, &item))? {
            shown.push(shape(request, organization, item, kind)?);
        }
    }
    let context = context(request, kind);
    Ok(json_response(
        StatusCode::OK,
        &json!({"@odata.context": context, "value": shown}),
    ))
}

/// One item with its context.
pub(super) fn single(request: &ApiRequest, item: Value, kind: &Kind) -> Response {
    let mut body = json!({"@odata.context": format!("{}/$entity", context(request, kind))});
    if let (Some(body), Value::Object(members)) = (body.as_object_mut(), item) {
        body.extend(members);
    }
    json_response(StatusCode::OK, &body)
}

fn context(request: &ApiRequest, kind: &Kind) -> String {
    let mut names = request.options.get("$select").map(names_of).unwrap_or_default();
    names.extend(
        parse_expand(request.options.get("$expand"))
            .iter()
            .map(|expansion| format!("{}()", expansion.name)),
    );
    let selection = if names.is_empty() {
        String::new()
    } else {
        format!("({})", names.join(","))
    };
    request.context(&format!("{}{selection}", kind.path))
}

/// Applies `$select` and `$expand` to an item. Navigation properties stand in the item under a leading `#` until asked
/// for; tables get theirs computed.
pub(super) fn shape(
    request: &ApiRequest,
    organization: &Organization,
    mut item: Value,
    kind: &Kind,
) -> Result<Value, ApiError> {
    let mut expanded = Vec::new();
    for expansion in parse_expand(request.options.get("$expand")) {
        let value = navigation(organization, &mut item, &expansion, kind)?;
        expanded.push((expansion.name, value));
    }
    if let Some(members) = item.as_object_mut() {
        members.retain(|name, _| !name.starts_with('#'));
    }
    let select = request.options.get("$select").map(names_of);
    let mut shaped = project(item, select.as_deref(), kind.type_name)?;
    if let Some(members) = shaped.as_object_mut() {
        members.extend(expanded);
    }
    Ok(shaped)
}

fn navigation(
    organization: &Organization,
    item: &mut Value,
    expansion: &Expansion,
    kind: &Kind,
) -> Result<Value, ApiError> {
    let unknown = || {
        ApiError::bad_request(format!(
            "Could not find a property named '{}' on type 'Microsoft.Dynamics.CRM.{}'.",
            expansion.name, kind.type_name
        ))
    };
    let select = expansion.select.as_deref();
    if let Some(value) = item
        .as_object_mut()
        .and_then(|members| members.remove(&format!("#{}", expansion.name)))
    {
        return if value.is_null() {
            Ok(value)
        } else {
            project(value, select, &expansion.name)
        };
    }
    let table = item
        .get("LogicalName")
        .and_then(Value::as_str)
        .filter(|_| kind.type_name == "EntityMetadata");
    let table = table
        .and_then(|name| organization.table_named(name))
        .ok_or_else(unknown)?;
    let table = organization.table(table).definition();
    let items = match expansion.name.as_str() {
        "Keys" => keys(table),
        "ManyToOneRelationships" => many_to_one(organization, table),
        "OneToManyRelationships" => one_to_many(organization, table),
        "ManyToManyRelationships" => Vec::new(),
        "Attributes" => super::attributes::attribute_items(table),
        _ => return Err(unknown()),
    };
    let without_navigation = |mut item: Value| {
        if let Some(members) = item.as_object_mut() {
            members.retain(|name, _| !name.starts_with('#'));
        }
        item
    };
    let items = items
        .into_iter()
        .map(|item| project(without_navigation(item), select, &expansion.name));
    Ok(Value::Array(items.collect::<Result<_, _>>()?))
}

fn tables(organization: &Organization) -> impl Iterator<Item = &TableDefinition> {
    organization.tables().iter().map(|table| table.definition().as_ref())
}

fn find_table<'read>(organization: &'read Organization, key: &str) -> Result<&'read TableDefinition, ApiError> {
    let parts = key_parts(key);
    let part = parts
        .first()
        .ok_or_else(|| ApiError::unknown_segment("EntityDefinitions"))?;
    let text = unquote(&part.literal).unwrap_or_else(|| part.literal.clone());
    let by_name = part.name.as_deref() == Some("LogicalName");
    let found = tables(organization).find(|table| match by_name {
        true => table.logical_name == text,
        false => metadata_id(&[&table.logical_name]).to_string() == text.to_lowercase(),
    });
    found.ok_or_else(|| {
        let message = if by_name {
            format!("Could not find an entity with name {text}.")
        } else {
            format!("Could not find an entity with id {text}.")
        };
        ApiError::new(StatusCode::NOT_FOUND, "0x80060888", message)
    })
}

/// `EntityMetadata` of a table.
fn definition(table: &TableDefinition) -> Value {
    let primary_name = table
        .primary_name
        .map(|index| table.columns[index].logical_name.as_str());
    let name = table.logical_name.as_str();
    let plural = table.display_collection_name.as_deref();
    json!({
        "MetadataId": metadata_id(&[name]),
        "HasChanged": null,
        "LogicalName": name,
        "SchemaName": table.schema_name,
        "EntitySetName": table.entity_set_name,
        "LogicalCollectionName": table.entity_set_name,
        "CollectionSchemaName": format!("{}s", table.schema_name),
        "PrimaryIdAttribute": table.primary_id().logical_name,
        "PrimaryNameAttribute": primary_name,
        "PrimaryImageAttribute": table.columns.iter().find(|column| column.kind.metadata_type() == "ImageAttributeMetadata")
            .map(|column| &column.logical_name),
        "ObjectTypeCode": table.object_type_code,
        "OwnershipType": table.ownership.name(),
        "TableType": "Standard",
        "ChangeTrackingEnabled": table.change_tracking_enabled,
        "CanChangeTrackingBeEnabled": managed(table.capabilities.create, "canchangetrackingbeenabled"),
        "IsActivity": false,
        "IsActivityParty": matches!(name, "contact" | "account" | "systemuser"),
        "IsCustomEntity": table.is_custom,
        "IsCustomizable": managed(true, "iscustomizable"),
        "IsIntersect": false,
        "IsManaged": !table.is_custom,
        "IsPrivate": false,
        "IsValidForAdvancedFind": true,
        "IsLogicalEntity": false,
        "IsOptimisticConcurrencyEnabled": true,
        "IsAuditEnabled": managed(false, "canmodifyauditsettings"),
        "HasNotes": table.capabilities.create,
        "HasActivities": table.capabilities.create,
        "DataProviderId": null,
        "DisplayName": label(table.display_name.as_deref()),
        "DisplayCollectionName": label(plural),
        "Description": label(None),
    })
}
