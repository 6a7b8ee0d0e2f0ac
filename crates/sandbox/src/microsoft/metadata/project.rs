//! `$select` and `$expand` on metadata items.

use serde_json::{Map, Value};

use crate::microsoft::errors::ApiError;

/// One navigation property to expand, with its own `$select`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expansion {
    /// Navigation property.
    pub name: String,
    /// Names to keep; `None`: all.
    pub select: Option<Vec<String>>,
}

/// Parses `$expand=Keys($select=a,b),Attributes`.
pub(super) fn parse_expand(text: Option<&str>) -> Vec<Expansion> {
    let mut parts = Vec::new();
    let mut depth = 0_u32;
    let mut current = String::new();
    for character in text.unwrap_or_default().chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if character == ',' && depth == 0 {
            parts.push(std::mem::take(&mut current));
        } else {
            current.push(character);
        }
    }
    parts.push(current);
    parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .map(expansion)
        .collect()
}

fn expansion(text: &str) -> Expansion {
    let (name, options) = text.split_once('(').unwrap_or((text, ""));
    let select = options
        .trim_end_matches(')')
        .split(';')
        .find_map(|option| option.trim().strip_prefix("$select="));
    Expansion {
        name: name.trim().to_owned(),
        select: select.map(names_of),
    }
}

/// The names of a `$select`.
pub(super) fn names_of(select: &str) -> Vec<String> {
    select
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// Keeps the selected properties of an item; its id and type always stay. An unknown name is an error.
pub(super) fn project(item: Value, select: Option<&[String]>, type_name: &str) -> Result<Value, ApiError> {
    let (Value::Object(mut members), Some(select)) = (item.clone(), select) else {
        return Ok(item);
    };
    let mut kept = Map::new();
    for always in ["@odata.type", "MetadataId"] {
        if let Some(value) = members.remove(always) {
            kept.insert(always.to_owned(), value);
        }
    }
    for name in select.iter().filter(|name| *name != "MetadataId") {
        let value = members.remove(name).ok_or_else(|| {
            ApiError::bad_request(format!(
                "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{type_name}'."
            ))
        })?;
        kept.insert(name.clone(), value);
    }
    Ok(Value::Object(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansions_split_outside_parentheses() {
        let expansions = parse_expand(Some("Keys($select=SchemaName,LogicalName),OptionSet"));
        assert_eq!(expansions.len(), 2);
        assert_eq!(
            expansions[0].select.as_deref(),
            Some(&["SchemaName".to_owned(), "LogicalName".to_owned()][..])
        );
        assert_eq!(
            expansions[1],
            Expansion {
                name: "OptionSet".to_owned(),
                select: None
            }
        );
        assert!(parse_expand(None).is_empty());
    }
}
