//! What has become of the columns and fields of a mapping while it runs.
//!
//! What is gone, [`validate_source`](super::validate_source) and [`validate_target`](super::validate_target) tell. Here is what
//! is still there under its name, but of another type: values of the old type may be on their way, and what they come to
//! under the new one nobody has looked at.

use super::{Problem, ProblemCode, TableMapping, validate::target_field};
use crate::schema::{Resource, Table};

/// Mapped and filtered columns that are of another type than they were.
#[must_use]
pub fn retyped_columns(mapping: &TableMapping, before: &Table, after: &Table) -> Vec<Problem> {
    let mapped = mapping.fields.iter().enumerate();
    let mapped = mapped.map(|(place, field)| (format!("fields[{place}].source"), &field.source));
    let conditions = mapping.filter.conditions.iter().enumerate();
    let filtered = conditions.map(|(place, one)| (format!("filter.conditions[{place}].source"), &one.source));
    mapped
        .chain(filtered)
        .filter_map(|(field, name)| {
            let (was, is) = (before.column(name)?.column_type, after.column(name)?.column_type);
            (was != is).then(|| Problem {
                field,
                code: ProblemCode::SourceRetyped,
                message: format!("{name} was of type {} and is {} now.", was.name(), is.name()),
            })
        })
        .collect()
}

/// Mapped fields that are of another type than they were.
#[must_use]
pub fn retyped_fields(mapping: &TableMapping, before: &Resource, after: &Resource) -> Vec<Problem> {
    let fields = mapping.fields.iter().enumerate();
    let mapped = fields.map(|(place, field)| (format!("fields[{place}].target"), &field.target));
    let key = std::iter::once(("key.target".to_owned(), &mapping.key.target));
    key.chain(mapped)
        .filter_map(|(field, name)| {
            let was = target_field(before, name)?.field_type;
            let is = target_field(after, name)?.field_type;
            (was != is).then(|| Problem {
                field,
                code: ProblemCode::TargetRetyped,
                message: format!("{name} was of type {} and is {} now.", was.name(), is.name()),
            })
        })
        .collect()
}
