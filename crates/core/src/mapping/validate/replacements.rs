//! Checks of replacements.

use std::collections::HashSet;

use super::{Fault, MAX_REPLACEMENTS, conditions, target_field};
use crate::{
    Value,
    mapping::{Problem, ProblemCode, TableMapping, convert},
    schema::{Resource, Table},
};

/// What is wrong with the replacements in view of the table.
pub(super) fn check(mapping: &TableMapping, table: &Table) -> Vec<Problem> {
    if mapping.replacements.len() > MAX_REPLACEMENTS {
        let count = mapping.replacements.len();
        return vec![Problem {
            field: "replacements".to_owned(),
            code: ProblemCode::TooManyReplacements,
            message: format!("The mapping has {count} replacements, at most {MAX_REPLACEMENTS} are possible."),
        }];
    }
    let mapped: HashSet<&str> = mapping.fields.iter().map(|field| field.source.as_str()).collect();
    let mut seen = HashSet::new();
    let mut problems = Vec::new();
    for (place, one) in mapping.replacements.iter().enumerate() {
        let mut add = |member: &str, (code, message): Fault| problems.push(problem(place, member, code, message));
        if !mapped.contains(one.source.as_str()) {
            let message = format!("No field is filled from {}. Map the column first.", one.source);
            add("source", (ProblemCode::ReplacementNotMapped, message));
            continue;
        }
        let column_type = table.column(&one.source).map(|column| column.column_type);
        if let Some(fault) = conditions::check_value(&one.existing, column_type) {
            add("existing", fault);
        } else if !seen.insert((one.source.as_str(), one.existing.as_str())) {
            let message = format!(
                "`{}` of {} is replaced already. Remove this row.",
                one.existing, one.source
            );
            add("existing", (ProblemCode::ReplacementTwice, message));
        }
        if let Some(fault) = conditions::check_value(&one.new, None) {
            add("new", fault);
        }
    }
    problems
}

/// Options that the columns do not have. Not asked again at Start: replacing an option that is no more is harmless.
pub(super) fn check_options(mapping: &TableMapping, table: &Table) -> Vec<Problem> {
    let replacements = mapping.replacements.iter().enumerate();
    replacements
        .filter_map(|(place, one)| {
            let (code, message) = conditions::missing_option(&one.existing, table.column(&one.source)?, true)?;
            Some(problem(place, "existing", code, message))
        })
        .collect()
}

/// New values that do not fit a field that is filled from the column.
pub(super) fn check_targets(mapping: &TableMapping, resource: &Resource) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (place, one) in mapping.replacements.iter().take(MAX_REPLACEMENTS).enumerate() {
        let new = Value::Text(one.new.as_str().into());
        let targets = mapping.fields.iter().filter(|field| field.source == one.source);
        for field in targets.filter_map(|field| target_field(resource, &field.target)) {
            if let Err(error) = convert(&new, field, mapping.options) {
                let message = format!("`{}` does not fit {}: {error}", one.new, field.path);
                problems.push(problem(place, "new", ProblemCode::ReplacementUnfit, message));
            }
        }
    }
    problems
}

fn problem(place: usize, member: &str, code: ProblemCode, message: String) -> Problem {
    Problem {
        field: format!("replacements[{place}].{member}"),
        code,
        message,
    }
}
