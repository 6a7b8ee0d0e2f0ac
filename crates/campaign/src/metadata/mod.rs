//! From Campaign's descriptions of resources to the core's schema types (contracts/campaign.md §2.3).
//!
//! What is documented is read strictly by its meaning and everything else leniently: the documentation shows the keys of
//! a field description but few values, so an odd member costs that member, not the resource.

mod profile;

use crosswalk_core::schema::{EnumerationValue, Field, FieldType, Resource};
use serde_json::{Map, Value};

use crate::Error;

#[cfg(test)]
mod tests;

/// Fields that the server computes in every resource (§2.7, and the audit fields of §5.1).
const COMPUTED: [&str; 9] = [
    "PKey",
    "acsId",
    "created",
    "createdBy",
    "cryptedId",
    "href",
    "lastModified",
    "modifiedBy",
    "title",
];

/// A pseudo value that every enumeration lists and that must never be written (§5.1).
const INVALID_VALUE: &str = "__Invalid_value__";

/// How deep nested items are followed; the public ones are one level deep (§5.2).
const MAX_DEPTH: usize = 3;

/// The resources of the index document, sorted by name.
pub(crate) fn resources(index: &Map<String, Value>) -> Vec<Resource> {
    let mut resources: Vec<Resource> = index
        .iter()
        .filter_map(|(key, entry)| {
            let entry = entry.as_object()?;
            // Both stand in every entry, and tell it from other members of the document.
            entry.get("href").or(entry.get("data"))?;
            let name = text(entry, "name").unwrap_or(key);
            let label = text(entry, "label").or(text(entry, "help")).unwrap_or(name);
            Some(Resource {
                name: name.to_owned(),
                label: label.to_owned(),
                fields: Vec::new(),
            })
        })
        .collect();
    resources.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    resources.dedup_by(|a, b| a.name == b.name);
    resources
}

/// A resource with its fields, sorted by path.
pub(crate) fn resource(name: &str, description: &Map<String, Value>) -> Result<Resource, Error> {
    let content = description
        .get("content")
        .and_then(Value::as_object)
        .ok_or_else(|| Error::UnexpectedAnswer {
            problem: format!("the description of `{name}` has no content"),
        })?;
    let mut fields = Vec::new();
    collect_fields(content, "", MAX_DEPTH, &mut fields);
    if name == profile::NAME {
        profile::complete(&mut fields);
    }
    fields.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    fields.dedup_by(|a, b| a.path == b.path);
    let label = text(description, "label").unwrap_or(name);
    Ok(Resource {
        name: name.to_owned(),
        label: label.to_owned(),
        fields,
    })
}

fn collect_fields(content: &Map<String, Value>, item: &str, depth: usize, fields: &mut Vec<Field>) {
    for (key, description) in content {
        let Some(description) = description.as_object() else {
            continue;
        };
        let name = text(description, "apiName").unwrap_or(key);
        let path = if item.is_empty() {
            name.to_owned()
        } else {
            format!("{item}.{name}")
        };
        let field = field(path, description);
        if let Some(members) = description.get("content").and_then(Value::as_object)
            && depth > 0
        {
            let first_member = fields.len();
            collect_fields(members, &field.path, depth - 1, fields);
            // What cannot be written as a whole cannot be written in parts.
            let read_only = is_read_only(description);
            fields[first_member..]
                .iter_mut()
                .for_each(|member| member.writable &= !read_only);
        }
        fields.push(field);
    }
}

fn field(path: String, description: &Map<String, Value>) -> Field {
    let field_type = field_type(description);
    let is_text = matches!(field_type, FieldType::String | FieldType::Memo);
    let values = if field_type == FieldType::Enumeration {
        enumeration_values(description)
    } else {
        Vec::new()
    };
    Field {
        label: text(description, "label").unwrap_or(&path).to_owned(),
        field_type,
        max_length: if is_text { length(description) } else { None },
        values,
        writable: !is_read_only(description) && !COMPUTED.contains(&path.as_str()),
        link_target: if text(description, "type") == Some("link") {
            text(description, "resTarget").map(str::to_owned)
        } else {
            None
        },
        path,
    }
}

/// The type by `resType`, the technical one; `type` tells only whether it is a plain value at all.
fn field_type(description: &Map<String, Value>) -> FieldType {
    let kind = text(description, "type").unwrap_or_default();
    if kind == "enumeration" {
        return FieldType::Enumeration;
    }
    if matches!(kind, "link" | "collection" | "item") {
        return FieldType::Unsupported;
    }
    match text(description, "resType").unwrap_or(kind) {
        "string" => FieldType::String,
        "memo" => FieldType::Memo,
        "boolean" => FieldType::Boolean,
        "byte" => FieldType::Byte,
        "short" => FieldType::Short,
        "long" | "int32" | "integer" => FieldType::Integer,
        "int64" => FieldType::Integer64,
        "float" => FieldType::Float,
        "double" => FieldType::Double,
        "date" => FieldType::Date,
        "datetime" => FieldType::DateTime,
        _ => FieldType::Unsupported,
    }
}

/// The length, under the names it may have; the documentation lists none, so that it is often unknown.
fn length(description: &Map<String, Value>) -> Option<u32> {
    let length = ["length", "size", "maxLength"]
        .iter()
        .find_map(|key| description.get(*key))?;
    let length = length.as_u64().or_else(|| length.as_str()?.parse().ok())?;
    u32::try_from(length).ok().filter(|&length| length > 0)
}

fn is_read_only(description: &Map<String, Value>) -> bool {
    description.get("readOnly").and_then(Value::as_bool).unwrap_or(false)
}

/// The permitted values: `values` is a list of names or of objects, or an object by name; the documentation does not
/// show which.
fn enumeration_values(description: &Map<String, Value>) -> Vec<EnumerationValue> {
    let values: Vec<EnumerationValue> = match description.get("values") {
        Some(Value::Array(values)) => values
            .iter()
            .filter_map(|value| enumeration_value(None, value))
            .collect(),
        Some(Value::Object(values)) => values
            .iter()
            .filter_map(|(name, value)| enumeration_value(Some(name), value))
            .collect(),
        _ => Vec::new(),
    };
    values.into_iter().filter(|value| value.name != INVALID_VALUE).collect()
}

fn enumeration_value(key: Option<&str>, value: &Value) -> Option<EnumerationValue> {
    let (name, label) = match (key, value) {
        (None, Value::String(name)) => (name.as_str(), None),
        (Some(name), Value::String(label)) => (name, Some(label.as_str())),
        (key, Value::Object(value)) => (text(value, "name").or(key)?, text(value, "label")),
        (Some(name), _) => (name, None),
        _ => return None,
    };
    Some(EnumerationValue {
        name: name.to_owned(),
        label: label.map(str::to_owned),
    })
}

/// A member that is a text and not empty.
fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}
