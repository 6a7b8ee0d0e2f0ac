//! The types of mapped columns and fields, as the metadata told them when the mapping was last accepted.
//!
//! What is gone, validation tells. Here is what is still there under its name, but of another type: values of the old type may be
//! on their way, and what they come to under the new one nobody has looked at. So a mapping is not run, and not run on, before
//! somebody has accepted it with the new type.

use super::{Problem, ProblemCode, TableMapping, validate::target_field};
use crate::schema::{Resource, Table};

/// The types of what a mapping reads and writes, each sorted by name. Where nothing is known, nothing is compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappedTypes {
    /// Of the mapped and filtered columns.
    pub columns: Vec<MappedType>,
    /// Of the key field and the mapped fields.
    pub fields: Vec<MappedType>,
}

/// The type of a column or field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappedType {
    /// Logical name of the column, or path of the field as the mapping spells it.
    pub name: String,
    /// The type's name, as people read it.
    pub type_name: String,
}

impl MappedTypes {
    /// The types as they are now.
    #[must_use]
    pub fn of(mapping: &TableMapping, table: &Table, resource: &Resource) -> Self {
        let columns = super::columns(mapping).into_iter().filter_map(|name| {
            let column = table.column(name)?;
            Some(MappedType::new(name, column.column_type.name()))
        });
        let targets = mapping.fields.iter().map(|field| &field.target);
        let fields = std::iter::once(&mapping.key.target).chain(targets).filter_map(|name| {
            let field = target_field(resource, name)?;
            Some(MappedType::new(name, field.field_type.name()))
        });
        let mut types = Self {
            columns: columns.collect(),
            fields: fields.collect(),
        };
        types.fields.sort_unstable();
        types
    }
}

impl MappedType {
    fn new(name: &str, type_name: &str) -> Self {
        Self {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
        }
    }

    fn of<'a>(types: &'a [Self], name: &str) -> Option<&'a str> {
        let known = types.iter().find(|known| known.name == name);
        known.map(|known| known.type_name.as_str())
    }
}

/// Mapped and filtered columns that are of another type than they were.
pub(super) fn retyped_columns(mapping: &TableMapping, table: &Table) -> Vec<Problem> {
    let mapped = mapping.fields.iter().enumerate();
    let mapped = mapped.map(|(place, field)| (format!("fields[{place}].source"), &field.source));
    let conditions = mapping.filter.conditions.iter().enumerate();
    let filtered = conditions.map(|(place, one)| (format!("filter.conditions[{place}].source"), &one.source));
    let retyped = |(field, name): (String, &String)| {
        let was = MappedType::of(&mapping.types.columns, name)?;
        let is = table.column(name)?.column_type.name();
        problem(field, ProblemCode::SourceRetyped, name, (was, is))
    };
    mapped.chain(filtered).filter_map(retyped).collect()
}

/// Mapped fields that are of another type than they were.
pub(super) fn retyped_fields(mapping: &TableMapping, resource: &Resource) -> Vec<Problem> {
    let fields = mapping.fields.iter().enumerate();
    let mapped = fields.map(|(place, field)| (format!("fields[{place}].target"), &field.target));
    let key = std::iter::once(("key.target".to_owned(), &mapping.key.target));
    let retyped = |(field, name): (String, &String)| {
        let was = MappedType::of(&mapping.types.fields, name)?;
        let is = target_field(resource, name)?.field_type.name();
        problem(field, ProblemCode::TargetRetyped, name, (was, is))
    };
    key.chain(mapped).filter_map(retyped).collect()
}

fn problem(field: String, code: ProblemCode, name: &str, (was, is): (&str, &str)) -> Option<Problem> {
    (was != is).then(|| Problem {
        field,
        code,
        message: format!(
            "{name} was of type {was} when the mapping was saved, and is {is} now. Save the mapping again to accept that."
        ),
    })
}
