//! Checks of a mapping against what both sides say of their tables. All problems are reported at once.

mod conditions;
mod replacements;

use std::collections::HashMap;

use super::{
    Compatibility, KEY_LENGTH, Problem, ProblemCode, TableMapping, compatible, convert::longest, types, wire_name,
};
use crate::schema::{Column, ColumnType, Field, FieldType, Resource, Table};

/// Most fields a mapping may have beside its key: as many columns as a Dataverse table can have. Adobe's guardrail for
/// custom tables, 50 columns (contracts/campaign.md §10.3), is a warning only; see [`guardrails`](mod@super::guardrails).
pub const MAX_FIELDS: usize = 1_024;

/// Most conditions a filter may have.
pub const MAX_CONDITIONS: usize = 100;

/// Most replacements a mapping may have.
pub const MAX_REPLACEMENTS: usize = 2_000;

/// Most values a list condition may have.
pub const MAX_VALUES: usize = 1_000;

/// Longest value of a condition or a replacement, in characters.
pub const MAX_VALUE_LENGTH: usize = 1_000;

/// Longest name of a table, column, resource or field path, in characters. Both products stay far below.
pub const MAX_NAME_LENGTH: usize = 128;

/// Everything that is wrong with a mapping, in view of its table and its resource; empty if nothing is.
///
/// A mapping without fields is allowed: it keeps the set of records equal and nothing else.
#[must_use]
pub fn validate(mapping: &TableMapping, table: &Table, resource: &Resource) -> Vec<Problem> {
    let mut problems: Vec<Problem> = check_size(mapping).into_iter().collect();
    problems.extend(validate_source(mapping, table));
    problems.extend(validate_target(mapping, resource));
    problems.extend(check_types(mapping, table, resource));
    problems.extend(conditions::check_options(&mapping.filter, table));
    problems.extend(replacements::check_options(mapping, table));
    problems
}

/// What is wrong with a mapping in view of its table alone: what a reader checks at Start.
#[must_use]
pub fn validate_source(mapping: &TableMapping, table: &Table) -> Vec<Problem> {
    let mut problems = Vec::new();
    if mapping.source_table != table.logical_name {
        problems.push(Problem {
            field: "source_table".to_owned(),
            code: ProblemCode::SourceTableMismatch,
            message: format!(
                "The mapping is of table {}, not of {}.",
                mapping.source_table, table.logical_name
            ),
        });
    }
    if mapping.key.source != table.primary_id {
        problems.push(Problem {
            field: "key.source".to_owned(),
            code: ProblemCode::KeySourceNotPrimaryId,
            message: format!(
                "The key of table {} is its primary key column {}, not {}.",
                table.logical_name, table.primary_id, mapping.key.source
            ),
        });
    }
    for (place, field) in mapping.fields.iter().enumerate() {
        let fault = check_name(&field.source).or_else(|| check_column(&field.source, table));
        problems.extend(fault.map(|(code, message)| Problem {
            field: source_path(place),
            code,
            message,
        }));
    }
    problems.extend(types::retyped_columns(mapping, table));
    problems.extend(conditions::check(&mapping.filter, table));
    problems.extend(replacements::check(mapping, table));
    problems
}

/// What is wrong with a mapping in view of its resource alone: what a writer checks at Start.
#[must_use]
pub fn validate_target(mapping: &TableMapping, resource: &Resource) -> Vec<Problem> {
    let mut problems = Vec::new();
    if mapping.target_resource != resource.name {
        problems.push(Problem {
            field: "target_resource".to_owned(),
            code: ProblemCode::TargetResourceMismatch,
            message: format!(
                "The mapping is to resource {}, not to {}.",
                mapping.target_resource, resource.name
            ),
        });
    }
    let key_fault = check_name(&mapping.key.target).or_else(|| check_key_field(&mapping.key.target, resource));
    problems.extend(key_fault.map(|(code, message)| Problem {
        field: "key.target".to_owned(),
        code,
        message,
    }));
    for (place, field) in mapping.fields.iter().enumerate() {
        let fault = check_name(&field.target).or_else(|| check_field(&field.target, resource).err());
        problems.extend(fault.map(|(code, message)| Problem {
            field: target_path(place),
            code,
            message,
        }));
    }
    problems.extend(types::retyped_fields(mapping, resource));
    problems.extend(check_targets_distinct(mapping, resource));
    problems.extend(replacements::check_targets(mapping, resource));
    problems
}

/// The field that a target names, by its own name or by the one REST knows it by.
pub(super) fn target_field<'a>(resource: &'a Resource, target: &str) -> Option<&'a Field> {
    resource.field(target).or_else(|| resource.field(&wire_name(target)))
}

type Fault = (ProblemCode, String);

fn source_path(place: usize) -> String {
    format!("fields[{place}].source")
}

fn target_path(place: usize) -> String {
    format!("fields[{place}].target")
}

fn check_size(mapping: &TableMapping) -> Option<Problem> {
    (mapping.fields.len() > MAX_FIELDS).then(|| Problem {
        field: "fields".to_owned(),
        code: ProblemCode::TooManyFields,
        message: format!(
            "The mapping has {} fields, at most {MAX_FIELDS} are possible.",
            mapping.fields.len()
        ),
    })
}

fn check_name(name: &str) -> Option<Fault> {
    if name.is_empty() {
        return Some((ProblemCode::NameEmpty, "Choose a field.".to_owned()));
    }
    let length = name.chars().count();
    (length > MAX_NAME_LENGTH).then(|| {
        let message = format!("The name has {length} characters, at most {MAX_NAME_LENGTH} are possible.");
        (ProblemCode::NameTooLong, message)
    })
}

fn check_column(name: &str, table: &Table) -> Option<Fault> {
    let title = &table.logical_name;
    match table.column(name) {
        None => Some((
            ProblemCode::SourceNotFound,
            format!("Table {title} has no column {name}. Choose another column or remove this row."),
        )),
        Some(Column {
            column_type: ColumnType::Unsupported,
            ..
        }) => Some((
            ProblemCode::SourceTypeUnsupported,
            format!("Column {name} is an image, a file or the like, which cannot be mapped. Remove this row."),
        )),
        Some(Column { readable: false, .. }) => Some((
            ProblemCode::SourceNotReadable,
            format!("Column {name} of table {title} cannot be read through the Dynamics Web API. Remove this row."),
        )),
        Some(_) => None,
    }
}

fn check_field<'a>(name: &str, resource: &'a Resource) -> Result<&'a Field, Fault> {
    let title = &resource.name;
    match target_field(resource, name) {
        Some(Field {
            field_type: FieldType::Unsupported,
            ..
        }) => Err((
            ProblemCode::TargetTypeUnsupported,
            format!("{name} of resource {title} is a link, a collection or a group of fields. Choose a plain field."),
        )),
        Some(Field { writable: false, .. }) => Err((
            ProblemCode::TargetNotWritable,
            format!("Campaign sets {name} of resource {title} itself. Choose a field that can be written."),
        )),
        Some(field) => Ok(field),
        None => match first_member(resource, name) {
            Some(member) => Err((
                ProblemCode::TargetTypeUnsupported,
                format!("{name} of resource {title} is a group of fields. Choose one of them, such as {member}."),
            )),
            None => Err((
                ProblemCode::TargetNotFound,
                format!("Resource {title} has no field {name}. Choose another field or remove this row."),
            )),
        },
    }
}

/// The first member of the group of fields of that name.
fn first_member<'a>(resource: &'a Resource, group: &str) -> Option<&'a str> {
    let mut paths = resource.fields.iter().map(|field| field.path.as_str());
    paths.find(|path| path.strip_prefix(group).is_some_and(|rest| rest.starts_with('.')))
}

fn check_key_field(name: &str, resource: &Resource) -> Option<Fault> {
    let field = match check_field(name, resource) {
        Ok(field) => field,
        Err(fault) => return Some(fault),
    };
    // Records are addressed by a key field of the resource itself (contracts/campaign.md §4.2).
    if field.field_type != FieldType::String || field.path.contains('.') {
        let place = if field.path.contains('.') {
            ", within a group"
        } else {
            ""
        };
        let message = format!(
            "The key field must be a string field of the resource itself; {name} is of type {}{place}.",
            field.field_type.name()
        );
        return Some((ProblemCode::KeyTargetNotText, message));
    }
    let max = longest(field)?;
    (max < KEY_LENGTH).then(|| {
        let message = format!("A record id has {KEY_LENGTH} characters, {name} holds {max}. Lengthen it in Campaign.");
        (ProblemCode::KeyTargetTooShort, message)
    })
}

/// No target may be named twice, lie within another one or be the key.
fn check_targets_distinct(mapping: &TableMapping, resource: &Resource) -> Vec<Problem> {
    let path_of = |name: &str| match target_field(resource, name) {
        Some(field) => field.path.clone(),
        None => name.to_owned(),
    };
    let paths: Vec<String> = mapping.fields.iter().map(|field| path_of(&field.target)).collect();
    let key_path = path_of(&mapping.key.target);
    let mut first_with: HashMap<&str, usize> = HashMap::new();
    let mut problems = Vec::new();
    let mut report = |place: usize, code: ProblemCode, message: String| {
        problems.push(Problem {
            field: target_path(place),
            code,
            message,
        });
    };
    for (place, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        if *path == key_path {
            let message = format!("{path} is the key of this mapping, which the record id fills. Remove this row.");
            report(place, ProblemCode::TargetIsKey, message);
        } else if let Some(earlier) = first_with.get(path.as_str()) {
            let source = &mapping.fields[*earlier].source;
            let message = format!("{path} is filled from {source} already. Choose another field or remove this row.");
            report(place, ProblemCode::TargetTwice, message);
        } else {
            first_with.insert(path, place);
        }
    }
    for (place, path) in paths.iter().enumerate() {
        let mut groups = path.match_indices('.').map(|(end, _)| &path[..end]);
        if let Some(group) = groups.find(|group| first_with.contains_key(group) || *group == key_path) {
            let message = format!("{path} is part of {group}, which is filled as a whole. Remove one of the two rows.");
            report(place, ProblemCode::TargetsOverlap, message);
        }
    }
    problems
}

fn check_types(mapping: &TableMapping, table: &Table, resource: &Resource) -> Vec<Problem> {
    let check = |(place, source, target): (usize, &str, &str)| {
        let column_type = table.column(source)?.column_type;
        let field_type = target_field(resource, target)?.field_type;
        // These two have problems of their own already.
        if column_type == ColumnType::Unsupported || field_type == FieldType::Unsupported {
            return None;
        }
        let Compatibility::Impossible(reason) = compatible(column_type, field_type) else {
            return None;
        };
        Some(Problem {
            field: target_path(place),
            code: ProblemCode::IncompatibleTypes,
            message: format!(
                "{source} ({}) cannot go into {target} ({}): {reason}.",
                column_type.name(),
                field_type.name()
            ),
        })
    };
    let fields = mapping.fields.iter().enumerate();
    fields
        .filter_map(|(place, field)| check((place, &field.source, &field.target)))
        .collect()
}
