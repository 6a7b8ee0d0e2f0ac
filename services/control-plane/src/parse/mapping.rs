//! Table mappings.

use crosswalk_core::mapping::{
    Filter, MAX_CONDITIONS, MAX_FIELDS, MAX_NAME_LENGTH, MAX_REPLACEMENTS, MappingOptions, Problem, TableMapping,
};
use crosswalk_proto::{api, v1};

use super::text::{campaign_resource, dynamics_table};
use crate::error::{ApiError, Violations};

/// Reads the field `mapping` of a request as far as it can be checked without the catalogs of the two systems.
///
/// Names of fields are left to [`crosswalk_core::mapping::validate`], which knows them, so that all their problems are
/// told at once; here they only have to be of a size.
pub(crate) fn mapping_definition(message: v1::Mapping) -> Result<TableMapping, ApiError> {
    let mut violations = Violations::default();
    dynamics_table(&mut violations, "mapping.dynamics_table", &message.dynamics_table);
    campaign_resource(&mut violations, "mapping.campaign_resource", &message.campaign_resource);
    let options = match message.options.as_ref().map(api::options) {
        None => MappingOptions::default(),
        Some(Ok(options)) => options,
        Some(Err(unknown)) => {
            for field in unknown.fields {
                violations.add(
                    format!("mapping.options.{field}"),
                    "UNKNOWN_VALUE",
                    "is not a value of this release",
                );
            }
            MappingOptions::default()
        }
    };
    if message.fields.len() > MAX_FIELDS {
        let count = message.fields.len();
        violations.add(
            "mapping.fields",
            "TOO_MANY_FIELDS",
            format!("{count} fields, at most {MAX_FIELDS} are possible"),
        );
    } else {
        check_lengths(&mut violations, &message);
    }
    check_counts(&mut violations, &message);
    let filter = match api::filter(message.filter.clone().unwrap_or_default()) {
        Ok(filter) => filter,
        Err(unknown) => {
            for field in unknown.fields {
                violations.add(
                    format!("mapping.filter.{field}"),
                    "UNKNOWN_VALUE",
                    "is not a value of this release",
                );
            }
            Filter::default()
        }
    };
    violations.finish()?;
    Ok(api::definition(message, options, filter).into_wire_names())
}

/// Bounds that have to hold before the lists are gone through.
fn check_counts(violations: &mut Violations, message: &v1::Mapping) {
    let filter = message.filter.as_ref();
    let conditions = filter.map_or(0, |filter| filter.conditions.len());
    for (field, reason, count, limit) in [
        (
            "mapping.filter.conditions",
            "TOO_MANY_CONDITIONS",
            conditions,
            MAX_CONDITIONS,
        ),
        (
            "mapping.replacements",
            "TOO_MANY_REPLACEMENTS",
            message.replacements.len(),
            MAX_REPLACEMENTS,
        ),
    ] {
        if count > limit {
            violations.add(field, reason, format!("{count} entries, at most {limit} are possible"));
        }
    }
}

fn check_lengths(violations: &mut Violations, message: &v1::Mapping) {
    let key = message.key.iter().map(|key| ("mapping.key".to_owned(), key));
    let fields = message
        .fields
        .iter()
        .enumerate()
        .map(|(place, field)| (format!("mapping.fields[{place}]"), field));
    for (path, field) in key.chain(fields) {
        for (name, text) in [
            ("dynamics_field", &field.dynamics_field),
            ("campaign_field", &field.campaign_field),
        ] {
            if text.chars().count() > MAX_NAME_LENGTH {
                let description = format!("at most {MAX_NAME_LENGTH} characters are possible");
                violations.add(format!("{path}.{name}"), "NAME_TOO_LONG", description);
            }
        }
    }
}

/// Tables and key of a mapping are fixed after its creation. An empty key column is the present one.
pub(crate) fn check_fixed(wanted: &mut TableMapping, present: &TableMapping) -> Result<(), ApiError> {
    if wanted.key.source.is_empty() {
        wanted.key.source.clone_from(&present.key.source);
    }
    let mut violations = Violations::default();
    for (field, wanted, present) in [
        ("mapping.dynamics_table", &wanted.source_table, &present.source_table),
        (
            "mapping.campaign_resource",
            &wanted.target_resource,
            &present.target_resource,
        ),
        ("mapping.key.dynamics_field", &wanted.key.source, &present.key.source),
        ("mapping.key.campaign_field", &wanted.key.target, &present.key.target),
    ] {
        if wanted.is_empty() {
            violations.add(field, "REQUIRED", format!("is required; it is `{present}`"));
        } else if wanted != present {
            let description =
                format!("is fixed to `{present}` since the mapping was created; delete the mapping and add it again");
            violations.add(field, "FIXED", description);
        }
    }
    violations.finish()
}

/// Adds what the catalogs have to say against a mapping, with the paths of the API.
pub(crate) fn add_problems(violations: &mut Violations, problems: Vec<Problem>) {
    for problem in problems {
        violations.add(api_path(&problem.field), problem.code.as_str(), problem.message);
    }
}

/// `fields[3].target` of the domain is `mapping.fields[3].campaign_field` of the API.
fn api_path(field: &str) -> String {
    let path = match field {
        "source_table" => "dynamics_table".to_owned(),
        "target_resource" => "campaign_resource".to_owned(),
        other => match other.rsplit_once('.') {
            Some((row, "source")) => format!("{row}.dynamics_field"),
            Some((row, "target")) => format!("{row}.campaign_field"),
            Some((row, "existing")) => format!("{row}.existing_value"),
            Some((row, "new")) => format!("{row}.new_value"),
            _ => other.to_owned(),
        },
    };
    format!("mapping.{path}")
}
