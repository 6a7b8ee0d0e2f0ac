//! Mappings checked against tables and resources.

use super::fixtures::{contact, field, mapping, profile, string_field};
use crate::{
    mapping::{
        MAX_FIELDS, MAX_NAME_LENGTH, Problem, ProblemCode, TableMapping, validate, validate_source, validate_target,
    },
    schema::{Field, FieldType, Resource},
};

fn found(problems: &[Problem]) -> Vec<(&str, ProblemCode)> {
    problems
        .iter()
        .map(|problem| (problem.field.as_str(), problem.code))
        .collect()
}

fn problems_of(mapping: &TableMapping) -> Vec<Problem> {
    validate(mapping, &contact(), &profile())
}

#[test]
fn a_fitting_mapping_has_no_problem() {
    let fitting = mapping(&[
        ("firstname", "firstName"),
        ("firstname", "cusNotes"),
        ("address1_city", "location.city"),
        ("donotbulkemail", "denyListEmail"),
        ("gendercode", "gender"),
        ("createdon", "birthDate"),
        ("contactid", "email"),
    ]);
    assert_eq!(problems_of(&fitting), []);
}

#[test]
fn a_mapping_of_the_key_alone_is_allowed() {
    assert_eq!(problems_of(&mapping(&[])), []);
}

#[test]
fn every_problem_is_reported_at_once_beside_its_field() {
    let mut faulty = mapping(&[
        ("nosuchcolumn", "firstName"),
        ("entityimage", "lastName"),
        ("parentcustomeridname", "cusNotes"),
        ("firstname", "nosuchfield"),
        ("lastname", "created"),
        ("emailaddress1", "orgUnit"),
        ("address1_city", "location"),
        ("parentcustomerid", "cusIncome"),
    ]);
    faulty.key.source = "firstname".to_owned();
    faulty.key.target = "birthDate".to_owned();
    assert_eq!(
        found(&problems_of(&faulty)),
        [
            ("key.source", ProblemCode::KeySourceNotPrimaryId),
            ("fields[0].source", ProblemCode::SourceNotFound),
            ("fields[1].source", ProblemCode::SourceTypeUnsupported),
            ("fields[2].source", ProblemCode::SourceNotReadable),
            ("key.target", ProblemCode::KeyTargetNotText),
            ("fields[3].target", ProblemCode::TargetNotFound),
            ("fields[4].target", ProblemCode::TargetNotWritable),
            ("fields[5].target", ProblemCode::TargetTypeUnsupported),
            ("fields[6].target", ProblemCode::TargetTypeUnsupported),
            ("fields[7].target", ProblemCode::IncompatibleTypes),
        ]
    );
}

#[test]
fn table_and_resource_must_be_those_of_the_mapping() {
    let mut other = mapping(&[]);
    other.source_table = "account".to_owned();
    other.target_resource = "cusCompany".to_owned();
    assert_eq!(
        found(&problems_of(&other)),
        [
            ("source_table", ProblemCode::SourceTableMismatch),
            ("target_resource", ProblemCode::TargetResourceMismatch)
        ]
    );
}

#[test]
fn one_target_is_filled_from_one_source() {
    let twice = mapping(&[
        ("firstname", "cusNotes"),
        ("lastname", "cusNotes"),
        ("donotbulkemail", "denyListEmail"),
        ("donotbulkemail", "blackListEmail"),
        ("lastname", "externalId"),
    ]);
    assert_eq!(
        found(&problems_of(&twice)),
        [
            ("fields[1].target", ProblemCode::TargetTwice),
            ("fields[3].target", ProblemCode::TargetTwice),
            ("fields[4].target", ProblemCode::TargetIsKey),
        ]
    );
}

#[test]
fn a_group_and_its_member_are_not_both_targets() {
    let mut resource = profile();
    resource.fields.push(string_field("location", 20));
    resource.fields.push(string_field("externalId.part", 20));
    resource.fields.sort_by(|one, other| one.path.cmp(&other.path));
    let overlapping = mapping(&[
        ("address1_city", "location.city"),
        ("firstname", "location"),
        ("lastname", "externalId.part"),
    ]);
    assert_eq!(
        found(&validate_target(&overlapping, &resource)),
        [
            ("fields[0].target", ProblemCode::TargetsOverlap),
            ("fields[2].target", ProblemCode::TargetsOverlap)
        ]
    );
}

#[test]
fn the_key_field_is_a_writable_string_of_the_resource_that_holds_a_record_id() {
    let code_for = |key: Field| {
        let mut definition = mapping(&[]);
        definition.key.target.clone_from(&key.path);
        let problems = validate_target(
            &definition,
            &Resource {
                fields: vec![key],
                ..profile()
            },
        );
        found(&problems).first().map(|(_, code)| *code)
    };
    assert_eq!(code_for(string_field("cusKey", 36)), None);
    assert_eq!(code_for(field("cusKey", FieldType::String)), None);
    assert_eq!(
        code_for(string_field("cusKey", 35)),
        Some(ProblemCode::KeyTargetTooShort)
    );
    assert_eq!(
        code_for(string_field("location.city", 100)),
        Some(ProblemCode::KeyTargetNotText)
    );
    assert_eq!(
        code_for(field("cusKey", FieldType::Memo)),
        Some(ProblemCode::KeyTargetNotText)
    );
    assert_eq!(
        code_for(Field {
            writable: false,
            ..string_field("acsId", 36)
        }),
        Some(ProblemCode::TargetNotWritable)
    );

    let gone = Resource {
        fields: Vec::new(),
        ..profile()
    };
    assert_eq!(
        found(&validate_target(&mapping(&[]), &gone)),
        [("key.target", ProblemCode::TargetNotFound)]
    );
}

#[test]
fn names_and_number_of_fields_are_bounded() {
    let long = "x".repeat(MAX_NAME_LENGTH + 1);
    assert_eq!(
        found(&problems_of(&mapping(&[
            ("", "firstName"),
            (&long, "lastName"),
            ("firstname", ""),
            ("firstname", "")
        ]))),
        [
            ("fields[0].source", ProblemCode::NameEmpty),
            ("fields[1].source", ProblemCode::NameTooLong),
            ("fields[2].target", ProblemCode::NameEmpty),
            ("fields[3].target", ProblemCode::NameEmpty),
        ]
    );

    let targets: Vec<String> = (0..=MAX_FIELDS).map(|number| format!("cus{number:04}")).collect();
    let mut fields: Vec<Field> = targets.iter().map(|target| string_field(target, 10)).collect();
    fields.push(string_field("externalId", 100));
    let resource = Resource { fields, ..profile() };
    let mut definition = mapping(
        &targets
            .iter()
            .map(|target| ("firstname", target.as_str()))
            .collect::<Vec<_>>(),
    );
    assert_eq!(
        found(&validate(&definition, &contact(), &resource)),
        [("fields", ProblemCode::TooManyFields)]
    );
    definition.fields.pop();
    assert_eq!(validate(&definition, &contact(), &resource), []);
}

#[test]
fn one_side_can_be_checked_without_the_other() {
    let pinned = mapping(&[("firstname", "firstName"), ("lastname", "lastName")]);
    let mut table = contact();
    table.columns.retain(|column| column.logical_name != "lastname");
    let mut resource = profile();
    resource.fields.retain(|field| field.path != "firstName");

    let problems = validate_source(&pinned, &table);
    assert_eq!(found(&problems), [("fields[1].source", ProblemCode::SourceNotFound)]);
    assert!(problems[0].message.contains("lastname"), "{}", problems[0].message);

    let problems = validate_target(&pinned, &resource);
    assert_eq!(found(&problems), [("fields[0].target", ProblemCode::TargetNotFound)]);
    assert!(problems[0].message.contains("firstName"), "{}", problems[0].message);
}
