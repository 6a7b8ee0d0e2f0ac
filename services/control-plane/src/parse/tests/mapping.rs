//! Table mappings.

use crosswalk_core::mapping::{MAX_FIELDS, Problem, ProblemCode, default_contact_mapping};
use crosswalk_proto::v1;

use super::violations;
use crate::{
    error::Violations,
    parse::{add_problems, check_fixed, mapping_definition},
};

fn mapping_message() -> v1::Mapping {
    let field = |dynamics: &str, campaign: &str| v1::FieldMapping {
        dynamics_field: dynamics.to_owned(),
        campaign_field: campaign.to_owned(),
        apply_updates: None,
    };
    v1::Mapping {
        dynamics_table: "contact".to_owned(),
        campaign_resource: "profile".to_owned(),
        key: Some(field("", "externalId")),
        fields: vec![field("donotbulkemail", "denyListEmail")],
        ..v1::Mapping::default()
    }
}

#[test]
fn every_bad_part_of_a_mapping_is_named_with_its_reason() {
    type Edit = fn(&mut v1::Mapping);
    let table: [(Edit, &str, &str); 8] = [
        (
            |mapping| mapping.dynamics_table.clear(),
            "mapping.dynamics_table",
            "REQUIRED",
        ),
        (
            |mapping| mapping.dynamics_table = "../x".into(),
            "mapping.dynamics_table",
            "CHARACTERS",
        ),
        (
            |mapping| mapping.dynamics_table = "a".repeat(129),
            "mapping.dynamics_table",
            "TOO_LONG",
        ),
        (
            |mapping| mapping.campaign_resource = "a/b".into(),
            "mapping.campaign_resource",
            "CHARACTERS",
        ),
        (
            |mapping| mapping.fields = vec![v1::FieldMapping::default(); MAX_FIELDS + 1],
            "mapping.fields",
            "TOO_MANY_FIELDS",
        ),
        (
            |mapping| mapping.fields[0].campaign_field = "a".repeat(129),
            "mapping.fields[0].campaign_field",
            "NAME_TOO_LONG",
        ),
        (
            |mapping| mapping.key.as_mut().unwrap().dynamics_field = "a".repeat(129),
            "mapping.key.dynamics_field",
            "NAME_TOO_LONG",
        ),
        (
            |mapping| {
                mapping.options = Some(v1::MappingOptions {
                    choices: 7,
                    ..v1::MappingOptions::default()
                });
            },
            "mapping.options.choices",
            "UNKNOWN_VALUE",
        ),
    ];
    for (edit, field, reason) in table {
        let mut message = mapping_message();
        edit(&mut message);
        assert_eq!(violations(mapping_definition(message)), [(field.to_owned(), reason)]);
    }
}

#[test]
fn deny_list_names_are_accepted_and_become_the_names_on_the_wire() {
    let definition = mapping_definition(mapping_message()).unwrap();
    assert_eq!(definition.fields[0].target, "blackListEmail");
}

#[test]
fn tables_and_key_are_fixed_and_an_empty_key_column_is_the_present_one() {
    let present = default_contact_mapping();
    let mut same = present.clone();
    same.key.source.clear();
    check_fixed(&mut same, &present).unwrap();
    assert_eq!(same.key, present.key);

    let mut other = present.clone();
    other.source_table = "account".to_owned();
    other.key.target = "cusId".to_owned();
    assert_eq!(
        violations(check_fixed(&mut other, &present)),
        [
            ("mapping.dynamics_table".to_owned(), "FIXED"),
            ("mapping.key.campaign_field".to_owned(), "FIXED")
        ]
    );
}

#[test]
fn problems_of_the_catalogs_are_told_with_the_paths_of_the_api() {
    let table = [
        ("fields[3].target", "mapping.fields[3].campaign_field"),
        ("fields[0].source", "mapping.fields[0].dynamics_field"),
        ("key.target", "mapping.key.campaign_field"),
        ("key.source", "mapping.key.dynamics_field"),
        ("source_table", "mapping.dynamics_table"),
        ("target_resource", "mapping.campaign_resource"),
        ("fields", "mapping.fields"),
    ];
    let problem = |field: &str| Problem {
        field: field.to_owned(),
        code: ProblemCode::TargetNotFound,
        message: "There is none.".to_owned(),
    };
    let mut told = Violations::default();
    add_problems(&mut told, table.iter().map(|(field, _)| problem(field)).collect());
    let found = violations(told.finish());
    let expected: Vec<(String, &str)> = table
        .iter()
        .map(|(_, path)| ((*path).to_owned(), "TARGET_NOT_FOUND"))
        .collect();
    assert_eq!(found, expected);
}
