//! Metadata documents: resource descriptions, filter descriptions and the index (contracts/campaign.md §2.3).

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::definition::{Definition, FieldId};
use super::enumeration::{Enumeration, INVALID_MEMBER};
use super::field::{Access, DataPolicy, Field, FieldKind};
use super::filter::{Condition, Filter, ParameterKind};
use super::opaque::Context;
use super::organisation::{Organisation, Resource};
use super::render::View;

/// Number of the pseudo resource `resourceType`, whose rows are the resources.
const RESOURCE_TYPE: u16 = u16::MAX;
/// Number of the pseudo resource whose rows are filters.
const FILTER: u16 = u16::MAX - 1;

/// The description of one resource.
pub(super) fn resource(organisation: &Organisation, resource: &Resource, view: &View<'_>) -> Value {
    let definition = &resource.definition;
    let endpoint = view.visibility.endpoint.segment();
    let token = organisation
        .sealer
        .primary_key(RESOURCE_TYPE, u32::from(resource.number) + 1, Context::Collection);
    json!({
        "content": fields(definition, view),
        "data": format!("/{endpoint}/{}/", definition.name),
        "filters": {"href": organisation.url(view, "resourceType", &format!("{token}/filters/"))},
        "help": definition.help,
        "href": organisation.url(view, definition.name, "metadata"),
        "label": definition.label,
        "mandatory": false,
        "name": definition.name,
        "pkgStatus": "never",
        "readOnly": false,
        "schema": definition.schema,
        "type": "item",
    })
}

/// The resource whose filters a token of [`resource`]'s `filters` URL stands for.
pub(super) fn resource_of_token(organisation: &Organisation, token: &str) -> Option<Arc<Resource>> {
    let number = organisation.sealer.row(RESOURCE_TYPE, token)?.checked_sub(1)?;
    organisation
        .resources()
        .into_iter()
        .find(|resource| u32::from(resource.number) == number)
}

/// The filters of a resource by name.
pub(super) fn filters(organisation: &Organisation, resource: &Resource, view: &View<'_>) -> Value {
    let endpoint = view.visibility.endpoint;
    let shown = |filter: &&Filter| !filter.custom || endpoint.shows_extensions();
    let filters = (1..)
        .zip(&resource.definition.filters)
        .filter(|(_, filter)| shown(filter));
    filters
        .map(|(number, filter)| {
            (
                filter.name.to_owned(),
                describe_filter(organisation, resource, endpoint.segment(), (number, filter)),
            )
        })
        .collect()
}

/// The index of the resources an endpoint exposes.
pub(super) fn index(organisation: &Organisation, view: &View<'_>) -> Value {
    let mut index = Map::new();
    index.insert("apiName".to_owned(), json!("resourceType"));
    let endpoint = view.visibility.endpoint;
    let exposed = |resource: &Arc<Resource>| organisation.is_exposed(&resource.definition, view.visibility);
    for resource in organisation.resources().into_iter().filter(exposed) {
        let definition = &resource.definition;
        let entry = json!({
            "content": {},
            "data": format!("/{}/{}/", endpoint.segment(), definition.name),
            "help": definition.help,
            "href": organisation.url(view, definition.name, "metadata"),
            "name": definition.name,
            "type": "collection",
        });
        index.insert(definition.name.to_owned(), entry);
    }
    Value::Object(index)
}

fn fields(definition: &Definition, view: &View<'_>) -> Value {
    let shown = definition
        .fields()
        .filter(|(_, field)| !field.is_member() && view.visibility.shows(field));
    shown
        .map(|(id, field)| (field.name.to_owned(), describe_field(definition, view, id, field)))
        .collect()
}

fn describe_field(definition: &Definition, view: &View<'_>, id: FieldId, field: &Field) -> Value {
    let (kind, technical) = field.kind.names();
    let name = field.name.rsplit('.').next().unwrap_or(field.name);
    let mut description = json!({
        "apiName": name,
        "category": field.category,
        "label": field.label,
        "readOnly": field.access != Access::Writable,
        "sortable": field.sortable(),
        "type": kind,
    });
    let mut add = |key: &str, value: Value| description[key] = value;
    if let Some(technical) = technical {
        add("resType", json!(technical));
    }
    if let Some(policy) = data_policy(field, view) {
        add("dataPolicy", json!(policy));
    }
    match &field.kind {
        FieldKind::Text { length } => add("length", json!(length)),
        FieldKind::Enumeration(enumeration) => add("values", values(enumeration)),
        FieldKind::Link { target } | FieldKind::Join { target, .. } | FieldKind::Collection { target, .. } => {
            add("resTarget", json!(target));
        }
        FieldKind::Item => {
            let members = definition.members(id).iter().filter_map(|&member| {
                let field = definition.field(member);
                let name = field.name.rsplit('.').next().unwrap_or(field.name);
                let shown = view.visibility.shows(field);
                shown.then(|| (name.to_owned(), describe_field(definition, view, member, field)))
            });
            add("content", members.collect());
        }
        _ => {}
    }
    description
}

fn data_policy(field: &Field, view: &View<'_>) -> Option<&'static str> {
    match field.policy {
        Some(DataPolicy::Email) => Some("email"),
        None => view
            .visibility
            .switches
            .smart_case_fields
            .contains(field.name)
            .then_some("smartCase"),
    }
}

/// The members of an enumeration and the pseudo member all of them list.
fn values(enumeration: &Enumeration) -> Value {
    let stored = |value: &str| match value.parse::<i64>() {
        Ok(number) if enumeration.is_numeric() => json!(number),
        _ => json!(value),
    };
    let members = enumeration
        .members()
        .iter()
        .map(|member| json!({"name": member.name, "label": member.label, "value": stored(&member.value)}));
    let invalid = json!({"name": INVALID_MEMBER, "label": "Invalid value", "value": INVALID_MEMBER});
    members.chain([invalid]).collect()
}

fn describe_filter(
    organisation: &Organisation,
    resource: &Resource,
    endpoint: &str,
    (number, filter): (u32, &Filter),
) -> Value {
    let definition = &resource.definition;
    let row = u32::from(resource.number) * 1000 + number;
    let parameters: Vec<String> = filter
        .parameters
        .iter()
        .map(|(name, _)| format!("{name}=$value"))
        .collect();
    let conditions: Vec<Value> = filter
        .conditions
        .iter()
        .map(|condition| describe_condition(definition, condition))
        .collect();
    let metadata: Map<String, Value> = filter
        .parameters
        .iter()
        .map(|&(name, kind)| (name.to_owned(), describe_parameter(name, kind)))
        .collect();
    json!({
        "PKey": organisation.sealer.primary_key(FILTER, row, Context::Record),
        "category": if filter.custom { "custom" } else { "general" },
        "condition": conditions,
        "data": format!("/{endpoint}/{}/{}?{}", definition.name, filter.name, parameters.join("&")),
        "formType": "none",
        "fragmentName": "",
        "label": filter.label,
        "metadata": metadata,
    })
}

fn describe_parameter(name: &str, kind: ParameterKind) -> Value {
    let kind = match kind {
        ParameterKind::Text => "string",
        ParameterKind::Number => "number",
        ParameterKind::Boolean => "boolean",
        ParameterKind::Date => "date",
        ParameterKind::Enumeration => "enumeration",
        ParameterKind::Link(target) => return json!({"apiName": name, "type": "link", "resTarget": target}),
    };
    json!({"apiName": name, "type": kind})
}

/// One condition: what enables it, and what is then asked of a row.
fn describe_condition(definition: &Definition, condition: &Condition) -> Value {
    let field = |id: &FieldId| definition.field(*id).name;
    let (parameter, expression) = match condition {
        Condition::Equals { field: id, parameter } => (*parameter, format!("@{} = $({parameter})", field(id))),
        Condition::StartsWith { fields, parameter } => {
            let alternatives: Vec<String> = fields
                .iter()
                .map(|id| format!("@{} like $({parameter}) + '%'", field(id)))
                .collect();
            (*parameter, alternatives.join(" or "))
        }
        Condition::ModifiedSince { parameter } => (*parameter, format!("@lastModified >= $({parameter})")),
        Condition::Row { parameter } => (*parameter, format!("@id = $({parameter})")),
        Condition::Joined {
            parameter,
            through,
            link,
            ..
        } => (*parameter, format!("[{through}/@{link}-id] = $({parameter})")),
        Condition::Birthday { field: id } => ("month", format!("DayOfYear(@{}) in the given days", field(id))),
        Condition::Overlaps { start, end, from, to } => (
            *from,
            format!("@{} <= $({to}) and @{} >= $({from})", field(start), field(end)),
        ),
        Condition::Nothing => return json!({"enabledIf": "true", "expr": "false"}),
    };
    json!({"enabledIf": format!("$({parameter}) != ''"), "expr": expression})
}
