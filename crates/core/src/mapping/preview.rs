//! How a mapped row differs from what the destination holds.

use serde_json::{Map, Value};

use super::{CompiledMapping, Part, Payload};
use crate::schema::FieldType;

/// A field that the destination holds another value of.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDifference {
    /// Path of the field.
    pub field: String,
    /// What would be written.
    pub mapped: Value,
    /// What is held; `None` if the record has no such field.
    pub held: Option<Value>,
    /// Whether later changes leave the field alone, so that only a replay would write it.
    pub only_by_replay: bool,
}

/// The fields of a row mapped by `mapping` that a record of the destination holds other values of, in the order of the
/// mapping.
///
/// Empty values are all the same: Campaign gives `""`, `0`, `false` or `null` for what is not set, and of an enumeration also
/// `none` or `unknown` (contracts/campaign.md §2.5).
#[must_use]
pub fn held_differences(
    mapping: &CompiledMapping,
    payload: &Payload<'_>,
    held: &Map<String, Value>,
) -> Vec<FieldDifference> {
    let mut body = Vec::new();
    payload.write_json(Part::All, &mut body);
    let mapped: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fields = mapping.fields().iter().filter_map(|field| {
        let path = field.target.path.as_str();
        let (mapped, held) = (at(mapped.as_object()?, path)?, at(held, path));
        (!is_same(field.target.field_type, mapped, held)).then(|| FieldDifference {
            field: path.to_owned(),
            mapped: mapped.clone(),
            held: held.cloned(),
            only_by_replay: !field.apply_updates,
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

fn is_same(field_type: FieldType, mapped: &Value, held: Option<&Value>) -> bool {
    let Some(held) = held else {
        return is_empty(field_type, mapped);
    };
    match (mapped.as_f64(), held.as_f64()) {
        // The same number is written in several ways.
        (Some(one), Some(other)) => one == other,
        _ => mapped == held || (is_empty(field_type, mapped) && is_empty(field_type, held)),
    }
}

fn is_empty(field_type: FieldType, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || (field_type == FieldType::Enumeration && is_zero_member(text)),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether it is a name of the member that stands for no value.
fn is_zero_member(name: &str) -> bool {
    ["none", "unknown"].iter().any(|zero| name.eq_ignore_ascii_case(zero))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Value as RowValue,
        mapping::{
            TableMapping,
            tests::fixtures::{ID, mapping, profile, row, text},
        },
    };

    const PAIRS: [(&str, &str); 3] = [
        ("firstname", "firstName"),
        ("address1_city", "location.city"),
        ("gendercode", "gender"),
    ];

    fn differences(definition: &TableMapping, columns: Vec<(&str, RowValue)>, held: &Value) -> Vec<FieldDifference> {
        let compiled = CompiledMapping::new(definition, &profile()).unwrap();
        let row = row(columns);
        let payload = compiled.apply(ID, &row).unwrap();
        held_differences(&compiled, &payload, held.as_object().unwrap())
    }

    fn difference(field: &str, mapped: Value, held: Option<Value>) -> FieldDifference {
        FieldDifference {
            field: field.to_owned(),
            mapped,
            held,
            only_by_replay: false,
        }
    }

    #[test]
    fn only_mapped_fields_with_other_values_differ() {
        let columns = || vec![("firstname", text("Ada")), ("address1_city", text("Paris"))];
        let held = json!({"firstName": "Ada", "lastName": "King", "location": {"city": "London"}});
        assert_eq!(
            differences(&mapping(&PAIRS), columns(), &held),
            [difference("location.city", json!("Paris"), Some(json!("London")))]
        );
        let held = json!({"firstName": "Ada", "location": {"city": "Paris"}});
        assert_eq!(differences(&mapping(&PAIRS), columns(), &held), []);
    }

    #[test]
    fn a_field_that_is_not_there_is_empty() {
        let columns = vec![("firstname", text("Ada")), ("address1_city", RowValue::Null)];
        assert_eq!(
            differences(&mapping(&PAIRS), columns, &json!({})),
            [difference("firstName", json!("Ada"), None)]
        );
    }

    #[test]
    fn a_field_without_updates_is_written_by_a_replay_only() {
        let mut definition = mapping(&PAIRS);
        definition.fields[0].apply_updates = false;
        let columns = vec![("firstname", text("Ada")), ("address1_city", text("Paris"))];
        let found = differences(&definition, columns, &json!({}));
        let by_replay: Vec<(&str, bool)> = found
            .iter()
            .map(|one| (one.field.as_str(), one.only_by_replay))
            .collect();
        assert_eq!(by_replay, [("firstName", true), ("location.city", false)]);
    }

    #[test]
    fn a_text_that_reads_none_is_a_text_and_of_an_enumeration_it_is_nothing() {
        let columns = vec![("firstname", text("unknown")), ("gendercode", text("unknown"))];
        let held = json!({"firstName": "", "gender": ""});
        assert_eq!(
            differences(&mapping(&PAIRS), columns, &held),
            [difference("firstName", json!("unknown"), Some(json!("")))]
        );
    }

    #[test]
    fn empty_values_are_the_same_and_so_are_equal_numbers() {
        for (field_type, mapped, held, same) in [
            (FieldType::String, json!(""), json!(null), true),
            (FieldType::String, json!("none"), json!(""), false),
            (FieldType::Enumeration, json!("none"), json!(""), true),
            (FieldType::Integer, json!(0), json!(null), true),
            (FieldType::Boolean, json!(false), json!(null), true),
            (FieldType::Double, json!(1), json!(1.0), true),
            (FieldType::Double, json!(1), json!(2), false),
            (FieldType::String, json!("a"), json!(null), false),
            (FieldType::Boolean, json!(true), json!(false), false),
        ] {
            assert_eq!(is_same(field_type, &mapped, Some(&held)), same, "{mapped} {held}");
        }
    }
}
