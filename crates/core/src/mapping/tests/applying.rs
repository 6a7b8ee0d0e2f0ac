//! Whole rows: grouping, order, hints, and all errors at once.

use super::fixtures::{ID, choice, contact, mapping, profile, row, string_field, text};
use crate::{
    Class, Classify, Row, Value,
    mapping::{CompiledMapping, EmptyValue, Part, ProblemCode, columns},
    schema::Resource,
};

fn compiled(pairs: &[(&str, &str)]) -> CompiledMapping {
    CompiledMapping::new(&mapping(pairs), &profile()).expect("the mapping is valid")
}

fn json(mapping: &CompiledMapping, row: &Row) -> String {
    let mut out = Vec::new();
    mapping
        .apply(ID, row)
        .expect("the row is valid")
        .write_json(Part::All, &mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}

#[test]
fn members_of_a_group_come_in_one_object_whatever_the_order_of_the_mapping() {
    let mapping = compiled(&[
        ("address1_city", "location.city"),
        ("lastname", "lastName"),
        ("firstname", "firstName"),
        ("address1_postalcode", "location.zipCode"),
    ]);
    let row = row(vec![
        ("address1_city", text("Miami")),
        ("address1_postalcode", text("33101")),
        ("firstname", text("Ann")),
        ("lastname", text("Lee")),
    ]);
    let expected = concat!(
        r#"{"externalId":"a1000000-0000-4000-8000-00000000000f","firstName":"Ann","lastName":"Lee","#,
        r#""location":{"city":"Miami","zipCode":"33101"}}"#
    );
    assert_eq!(json(&mapping, &row), expected);
}

#[test]
fn groups_within_groups_open_and_close_where_they_should() {
    let paths = ["a.b.c", "a.b.d", "a.e", "a-b", "f.b.c", "f.b.d"];
    let mut fields: Vec<_> = paths.iter().map(|path| string_field(path, 10)).collect();
    fields.push(string_field("externalId", 100));
    fields.sort_by(|one, other| one.path.cmp(&other.path));
    let pairs: Vec<(&str, &str)> = paths.iter().map(|path| ("firstname", *path)).collect();
    let mapping = CompiledMapping::new(&mapping(&pairs), &Resource { fields, ..profile() }).expect("it is valid");
    let expected = concat!(
        r#"{"externalId":"a1000000-0000-4000-8000-00000000000f","a":{"b":{"c":"x","d":"x"},"e":"x"},"a-b":"x","#,
        r#""f":{"b":{"c":"x","d":"x"}}}"#
    );
    assert_eq!(json(&mapping, &row(vec![("firstname", text("x"))])), expected);
}

#[test]
fn a_group_without_a_member_to_write_is_left_out() {
    let mut definition = mapping(&[("address1_city", "location.city"), ("firstname", "firstName")]);
    definition.options.empty = EmptyValue::Leave;
    let mapping = CompiledMapping::new(&definition, &profile()).expect("the mapping is valid");
    let row = row(vec![("address1_city", Value::Null), ("firstname", text("Ann"))]);
    assert_eq!(
        json(&mapping, &row),
        r#"{"externalId":"a1000000-0000-4000-8000-00000000000f","firstName":"Ann"}"#
    );
}

#[test]
fn a_column_the_row_does_not_have_leaves_its_target_alone() {
    let mapping = compiled(&[("firstname", "firstName"), ("lastname", "lastName")]);
    let old = row(vec![("lastname", text("Lee"))]);
    assert_eq!(
        json(&mapping, &old),
        r#"{"externalId":"a1000000-0000-4000-8000-00000000000f","lastName":"Lee"}"#
    );
}

#[test]
fn a_mapping_of_the_key_alone_writes_the_key_alone() {
    let expected = r#"{"externalId":"a1000000-0000-4000-8000-00000000000f"}"#;
    assert_eq!(json(&compiled(&[]), &Row::default()), expected);
}

#[test]
fn rows_of_another_column_order_are_read_right() {
    let mapping = compiled(&[("firstname", "firstName"), ("lastname", "lastName")]);
    let one = row(vec![("firstname", text("Ann")), ("lastname", text("Lee"))]);
    let other = row(vec![
        ("createdon", Value::Null),
        ("lastname", text("Lee")),
        ("firstname", text("Ann")),
    ]);
    let expected = json(&mapping, &one);
    assert_eq!(json(&mapping, &other), expected);
    assert_eq!(json(&mapping, &other), expected);
    assert_eq!(json(&mapping, &one), expected);
}

#[test]
fn the_key_is_written_lower_case_however_it_was_spelled() {
    let mapping = compiled(&[]);
    let row = Row::default();
    let payload = mapping
        .apply("{A1000000-0000-4000-8000-00000000000F}", &row)
        .expect("the row is valid");
    let mut out = Vec::new();
    payload.write_json(Part::All, &mut out);
    assert_eq!(out, format!(r#"{{"externalId":"{ID}"}}"#).as_bytes());
    assert_eq!(payload.key().to_string(), ID);
}

#[test]
fn values_are_listed_by_path_in_the_order_of_the_mapping() {
    let mapping = compiled(&[("lastname", "lastName"), ("firstname", "firstName")]);
    let row = row(vec![("firstname", text("Ann")), ("lastname", text("Lee"))]);
    let payload = mapping.apply(ID, &row).expect("the row is valid");
    assert_eq!(
        payload.values().map(|(path, _)| path).collect::<Vec<_>>(),
        ["lastName", "firstName"]
    );
}

#[test]
fn all_errors_of_a_row_are_reported_at_once() {
    let mapping = compiled(&[
        ("lastname", "lastName"),
        ("gendercode", "gender"),
        ("firstname", "firstName"),
        ("numberofchildren", "cusChildren"),
    ]);
    let row = row(vec![
        ("firstname", text(&"x".repeat(70))),
        ("gendercode", Value::Choice(choice(3, Some("Divers")))),
        ("lastname", text("Lee")),
        ("numberofchildren", Value::Integer(300)),
    ]);
    let rejected = mapping.apply("42", &row).expect_err("the row is faulty");
    let seen: Vec<_> = rejected
        .errors
        .iter()
        .map(|error| {
            (
                error.field.as_str(),
                error.source.as_str(),
                error.code,
                error.value.clone(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("externalId", "contactid", "NOT_A_GUID", "42".to_owned()),
            (
                "gender",
                "gendercode",
                "UNKNOWN_ENUMERATION_VALUE",
                "3 (Divers)".to_owned()
            ),
            ("firstName", "firstname", "TOO_LONG", format!("{}…", "x".repeat(60))),
            ("cusChildren", "numberofchildren", "OUT_OF_RANGE", "300".to_owned()),
        ]
    );
    assert_eq!(rejected.class(), Class::Rejected);
}

#[test]
fn control_characters_are_visible_in_the_value_of_an_error() {
    let mapping = compiled(&[("firstname", "firstName")]);
    let rejected = mapping
        .apply(ID, &row(vec![("firstname", text("A\0nn"))]))
        .expect_err("NUL is refused");
    assert_eq!(rejected.errors[0].value, r"A\u{0}nn");
}

#[test]
fn a_mapping_that_does_not_fit_the_resource_is_not_compiled() {
    let problems = CompiledMapping::new(
        &mapping(&[("firstname", "cusGone"), ("lastname", "created")]),
        &profile(),
    )
    .expect_err("the targets are wrong");
    assert_eq!(
        problems
            .iter()
            .map(|problem| (problem.field.as_str(), problem.code))
            .collect::<Vec<_>>(),
        [
            ("fields[0].target", ProblemCode::TargetNotFound),
            ("fields[1].target", ProblemCode::TargetNotWritable)
        ]
    );
}

#[test]
fn deny_list_targets_are_written_under_their_wire_name() {
    let mapping = compiled(&[("donotbulkemail", "denyListEmail")]);
    let row = row(vec![("donotbulkemail", Value::Boolean(true))]);
    let expected = r#"{"externalId":"a1000000-0000-4000-8000-00000000000f","blackListEmail":true}"#;
    assert_eq!(json(&mapping, &row), expected);
}

#[test]
fn selected_columns_are_sorted_and_named_once() {
    let definition = mapping(&[
        ("lastname", "lastName"),
        ("firstname", "firstName"),
        ("firstname", "cusNotes"),
    ]);
    assert_eq!(columns(&definition), ["firstname", "lastname"]);
    assert_eq!(
        columns(&mapping(&[("contactid", "cusNotes")])),
        [contact().primary_id.as_str()]
    );
    assert_eq!(columns(&mapping(&[])), [""; 0]);
}
