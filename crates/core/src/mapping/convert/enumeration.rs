//! Conversion to enumerations: values are matched against names, then labels.

use super::{ConvertError, incompatible};
use crate::{
    Value,
    schema::{EnumerationValue, Field, FieldType},
};

/// Names of the member that stands for "no value", in the order they are looked for. Campaign shows an empty
/// enumeration as its zero member, but metadata does not tell which that is (contracts/campaign.md §2.5).
const EMPTY_MEMBERS: [&str; 2] = ["none", "unknown"];

/// How many names an error message lists.
const NAMES_SHOWN: usize = 10;

/// The name of the member that a value, which is not empty, stands for.
pub(super) fn member<'a>(value: &Value, field: &'a Field) -> Result<&'a str, ConvertError> {
    let found = match value {
        Value::Text(text) => find(field, text),
        Value::Boolean(value) => find(field, if *value { "true" } else { "false" }),
        Value::Integer(value) => find(field, &value.to_string()),
        Value::Choice(choice) => choice
            .label
            .as_deref()
            .and_then(|label| find(field, label))
            .or_else(|| find(field, &choice.value.to_string())),
        _ => return Err(incompatible(value, FieldType::Enumeration)),
    };
    found.ok_or_else(|| ConvertError::UnknownEnumerationValue {
        permitted: permitted(field),
    })
}

/// The name that clears the field: that of its zero member as far as the names tell, else the empty text.
pub(super) fn empty_member(field: &Field) -> &str {
    EMPTY_MEMBERS
        .iter()
        .find_map(|empty| {
            field
                .values
                .iter()
                .find(|member| member.name.eq_ignore_ascii_case(empty))
        })
        .map_or("", |member| &member.name)
}

fn find<'a>(field: &'a Field, text: &str) -> Option<&'a str> {
    let named = |matches: &dyn Fn(&EnumerationValue) -> bool| field.values.iter().find(|member| matches(member));
    // The exact name first: an enumeration may hold two names that differ in case only.
    named(&|member| member.name == text)
        .or_else(|| named(&|member| same_in_any_case(&member.name, text)))
        .or_else(|| {
            named(&|member| {
                member
                    .label
                    .as_deref()
                    .is_some_and(|label| same_in_any_case(label, text))
            })
        })
        .map(|member| member.name.as_str())
}

fn same_in_any_case(one: &str, other: &str) -> bool {
    one.chars()
        .flat_map(char::to_lowercase)
        .eq(other.chars().flat_map(char::to_lowercase))
}

fn permitted(field: &Field) -> String {
    let names = field.values.iter().take(NAMES_SHOWN).map(|member| member.name.as_str());
    let mut list = names.collect::<Vec<_>>().join(", ");
    if field.values.len() > NAMES_SHOWN {
        list.push_str(", …");
    }
    list
}
