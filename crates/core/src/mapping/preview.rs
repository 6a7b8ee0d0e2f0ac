//! How a mapped row differs from what the destination holds.

use serde_json::{Map, Value};

use super::{Part, Payload};

/// A field that the destination holds another value of.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    /// Path of the field.
    pub field: String,
    /// What would be written.
    pub mapped: Value,
    /// What is held; `None` if the record has no such field.
    pub held: Option<Value>,
}

/// The fields of a mapped row that a record of the destination holds other values of, in the order of the mapping.
///
/// Empty values are all the same: Campaign gives `""`, `0`, `false` or `null` for what is not set
/// (contracts/campaign.md §2.5).
#[must_use]
pub fn held_differences(payload: &Payload<'_>, held: &Map<String, Value>) -> Vec<FieldDifference> {
    let mut body = Vec::new();
    payload.write_json(Part::All, &mut body);
    let mapped: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fields = payload.values().filter_map(|(path, _)| {
        let mapped = at(mapped.as_object()?, path)?;
        let held = at(held, path);
        (!is_same(mapped, held)).then(|| FieldDifference {
            field: path.to_owned(),
            mapped: mapped.clone(),
            held: held.cloned(),
        })
    });
    fields.collect()
}

fn at<'a>(record: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => record.get(path),
        Some((group, rest)) => at(record.get(group)?.as_object()?, rest),
    }
}

fn is_same(mapped: &Value, held: Option<&Value>) -> bool {
    let Some(held) = held else { return is_empty(mapped) };
    match (mapped.as_f64(), held.as_f64()) {
        // The same number is written in several ways.
        (Some(one), Some(other)) => one == other,
        _ => mapped == held || (is_empty(mapped) && is_empty(held)),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "none" || text == "unknown",
        Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Value as RowValue,
        mapping::{
            CompiledMapping,
            tests::fixtures::{ID, mapping, profile, row, text},
        },
    };

    fn differences(columns: Vec<(&str, RowValue)>, held: &Value) -> Vec<(String, Value, Option<Value>)> {
        let definition = mapping(&[("firstname", "firstName"), ("address1_city", "location.city")]);
        let compiled = CompiledMapping::new(&definition, &profile()).unwrap();
        let row = row(columns);
        let payload = compiled.apply(ID, &row).unwrap();
        held_differences(&payload, held.as_object().unwrap())
            .into_iter()
            .map(|one| (one.field, one.mapped, one.held))
            .collect()
    }

    #[test]
    fn only_mapped_fields_with_other_values_differ() {
        let columns = || vec![("firstname", text("Ada")), ("address1_city", text("Paris"))];
        let held = json!({"firstName": "Ada", "lastName": "King", "location": {"city": "London"}});
        assert_eq!(
            differences(columns(), &held),
            [("location.city".to_owned(), json!("Paris"), Some(json!("London")))]
        );
        let held = json!({"firstName": "Ada", "location": {"city": "Paris"}});
        assert_eq!(differences(columns(), &held), []);
    }

    #[test]
    fn a_field_that_is_not_there_is_empty() {
        let columns = vec![("firstname", text("Ada")), ("address1_city", RowValue::Null)];
        assert_eq!(
            differences(columns, &json!({})),
            [("firstName".to_owned(), json!("Ada"), None)]
        );
    }

    #[test]
    fn empty_values_are_the_same_and_so_are_equal_numbers() {
        for (mapped, held, same) in [
            (json!(""), json!(null), true),
            (json!("none"), json!(""), true),
            (json!(0), json!(null), true),
            (json!(false), json!(null), true),
            (json!(1), json!(1.0), true),
            (json!(1), json!(2), false),
            (json!("a"), json!(null), false),
            (json!(true), json!(false), false),
        ] {
            assert_eq!(is_same(&mapped, Some(&held)), same, "{mapped} {held}");
        }
    }
}
