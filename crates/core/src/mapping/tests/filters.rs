//! Filters: every operator on every kind of value.

use super::fixtures::{choice, column, contact, mapping, profile, row, text};
use crate::{
    Choice, Row, Value,
    mapping::{Combination, CompiledMapping, Condition, Filter, Operator, ProblemCode, columns, validate},
    schema::{Column, ColumnOption, ColumnType},
};

fn condition(source: &str, operator: Operator, values: &[&str]) -> Condition {
    Condition {
        source: source.to_owned(),
        operator,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn passes(combination: Combination, conditions: Vec<Condition>, row: &Row) -> bool {
    let mut definition = mapping(&[]);
    definition.filter = Filter {
        combination,
        conditions,
        delete_filtered: false,
    };
    CompiledMapping::new(&definition, &profile())
        .expect("the filter is valid")
        .passes(row)
}

/// Whether one condition holds for a value.
fn holds(value: &Value, operator: Operator, values: &[&str]) -> bool {
    let row = row(vec![("column", value.clone())]);
    passes(Combination::And, vec![condition("column", operator, values)], &row)
}

fn timestamp(text: &str) -> Value {
    Value::Timestamp(text.parse().expect("a moment"))
}

fn options(values: &[(i32, &str)]) -> Value {
    let option = |(value, label): &(i32, &str)| Choice {
        value: *value,
        label: Some((*label).into()),
    };
    Value::Choices(values.iter().map(option).collect())
}

#[test]
fn every_operator_compares_values_by_their_type() {
    use Operator::{
        BeginsWith, Contains, EndsWith, Equals, Greater, GreaterOrEqual, In, IsEmpty, IsNotEmpty, Less, LessOrEqual,
        NotEquals,
    };
    let number = || Value::Integer(9);
    let money = || Value::Decimal("1000.50".parse().expect("a number"));
    let day = || Value::Date("2026-01-31".parse().expect("a date"));
    let noon = || timestamp("2026-01-31T12:00:00Z");
    let active = || Value::Choice(choice(0, Some("Active")));
    let several = || options(&[(1, "Red"), (3, "Green, dark")]);
    let id = || Value::Guid("a1000000-0000-4000-8000-00000000000f".parse().expect("a GUID"));
    let cases: Vec<(Value, Operator, &[&str], bool)> = vec![
        // Numbers are compared as numbers, not as texts.
        (number(), Less, &["10"], true),
        (number(), Less, &["9"], false),
        (number(), LessOrEqual, &["9.0"], true),
        (number(), Greater, &["8.5"], true),
        (number(), GreaterOrEqual, &["10"], false),
        (number(), Equals, &["9.00"], true),
        (number(), In, &["1", "9"], true),
        (money(), Greater, &["1000.49"], true),
        (money(), Equals, &["1000.5"], true),
        (Value::Double(0.5), Less, &["0.6"], true),
        (Value::Double(f64::NAN), Less, &["0.6"], false),
        // Dates and times.
        (day(), Less, &["2026-02-01"], true),
        (day(), GreaterOrEqual, &["2026-01-31"], true),
        (noon(), Equals, &["2026-01-31"], true),
        (noon(), Greater, &["2026-01-31"], false),
        (noon(), Less, &["2026-01-31T12:00:01Z"], true),
        (noon(), Equals, &["2026-01-31T14:00:00+02:00"], true),
        // Texts, in any case.
        (text("Ada Lovelace"), Equals, &["ADA lovelace"], true),
        (text("Ada Lovelace"), NotEquals, &["Ada"], true),
        (text("Ada Lovelace"), Contains, &["LOVE"], true),
        (text("Ada Lovelace"), BeginsWith, &["ada"], true),
        (text("Ada Lovelace"), EndsWith, &["LACE"], true),
        (text("Ada Lovelace"), BeginsWith, &["love"], false),
        (text("ΣΊΣΥΦΟΣ"), Contains, &["ίσυ"], true),
        // Yes/no.
        (Value::Boolean(true), Equals, &["true"], true),
        (Value::Boolean(true), Equals, &["0"], false),
        (Value::Boolean(false), In, &["true", "false"], true),
        // Option sets, by value or label.
        (active(), Equals, &["0"], true),
        (active(), Equals, &["active"], true),
        (active(), NotEquals, &["1"], true),
        (active(), In, &["Inactive", "Active"], true),
        (several(), Contains, &["3"], true),
        (several(), Contains, &["green, DARK"], true),
        (several(), Contains, &["2"], false),
        (several(), Equals, &["3,1"], true),
        (several(), Equals, &["1"], false),
        (several(), In, &["2", "Red"], true),
        // Ids.
        (id(), Equals, &["{A1000000-0000-4000-8000-00000000000F}"], true),
        (id(), NotEquals, &["a1000000-0000-4000-8000-00000000000e"], true),
        // Nothing.
        (Value::Null, IsEmpty, &[], true),
        (text(""), IsEmpty, &[], true),
        (options(&[]), IsEmpty, &[], true),
        (Value::Integer(0), IsEmpty, &[], false),
        (Value::Boolean(false), IsNotEmpty, &[], true),
        (Value::Null, Equals, &["x"], false),
        (Value::Null, Equals, &[""], true),
        (Value::Null, NotEquals, &["x"], true),
        (Value::Null, Less, &["1"], false),
        (Value::Null, Contains, &["a"], false),
    ];
    for (value, operator, values, expected) in cases {
        assert_eq!(
            holds(&value, operator, values),
            expected,
            "{value:?} {} {values:?}",
            operator.name()
        );
    }
}

#[test]
fn conditions_are_combined_by_and_or_or() {
    let row = row(vec![("a", Value::Integer(1)), ("b", Value::Integer(2))]);
    let one = || condition("a", Operator::Equals, &["1"]);
    let other = || condition("b", Operator::Equals, &["1"]);
    assert!(!passes(Combination::And, vec![one(), other()], &row));
    assert!(passes(Combination::Or, vec![one(), other()], &row));
    assert!(!passes(Combination::Or, vec![other()], &row));
    for combination in [Combination::And, Combination::Or] {
        assert!(passes(combination, vec![], &row), "no filter is everything");
    }
}

#[test]
fn a_column_that_the_row_does_not_have_leaves_nothing_out() {
    let row = row(vec![("a", Value::Integer(1))]);
    assert!(passes(
        Combination::And,
        vec![condition("b", Operator::Equals, &["1"])],
        &row
    ));
}

#[test]
fn columns_of_conditions_are_read_too_and_need_not_be_mapped() {
    let mut definition = mapping(&[("firstname", "firstName")]);
    definition.filter.conditions = vec![
        condition("createdon", Operator::IsNotEmpty, &[]),
        condition("firstname", Operator::IsNotEmpty, &[]),
    ];
    assert_eq!(columns(&definition), ["createdon", "firstname"]);
}

#[test]
fn conditions_that_make_no_sense_are_refused_at_their_place() {
    let mut definition = mapping(&[]);
    let long = "x".repeat(1_001);
    definition.filter.conditions = vec![
        condition("nothing", Operator::Equals, &["1"]),
        condition("firstname", Operator::Less, &["1"]),
        condition("numberofchildren", Operator::Contains, &["1"]),
        condition("numberofchildren", Operator::Equals, &["many"]),
        condition("birthdate", Operator::Greater, &["yesterday"]),
        condition("donotbulkemail", Operator::Equals, &["maybe"]),
        condition("gendercode", Operator::Equals, &["Robot"]),
        condition("firstname", Operator::IsEmpty, &["x"]),
        condition("firstname", Operator::Equals, &[]),
        condition("firstname", Operator::In, &[]),
        condition("firstname", Operator::Equals, &[&long]),
        condition("parentcustomerid", Operator::Equals, &["somebody"]),
        condition("entityimage", Operator::IsEmpty, &[]),
        condition("numberofchildren", Operator::Greater, &[""]),
        condition("firstname", Operator::Contains, &[""]),
        condition("firstname", Operator::In, &["", "Ada"]),
        condition("firstname", Operator::NotEquals, &[""]),
    ];
    let mut found: Vec<(String, ProblemCode)> = validate(&definition, &contact(), &profile())
        .into_iter()
        .map(|problem| (problem.field.replace("filter.conditions", ""), problem.code))
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let mut expected = [
        ("[0].source", ProblemCode::SourceNotFound),
        ("[1].operator", ProblemCode::OperatorUnsuited),
        ("[1].values[0]", ProblemCode::ValueUnreadable),
        ("[2].operator", ProblemCode::OperatorUnsuited),
        ("[3].values[0]", ProblemCode::ValueUnreadable),
        ("[4].values[0]", ProblemCode::ValueUnreadable),
        ("[5].values[0]", ProblemCode::ValueUnreadable),
        ("[6].values[0]", ProblemCode::OptionNotFound),
        ("[7].values", ProblemCode::ValueCount),
        ("[8].values", ProblemCode::ValueCount),
        ("[9].values", ProblemCode::ValueCount),
        ("[10].values[0]", ProblemCode::ValueTooLong),
        ("[11].values[0]", ProblemCode::ValueUnreadable),
        ("[12].source", ProblemCode::SourceTypeUnsupported),
        ("[13].values[0]", ProblemCode::ValueUnreadable),
        ("[14].values[0]", ProblemCode::ValueUnreadable),
    ]
    .map(|(field, code)| (field.to_owned(), code))
    .to_vec();
    // A text is no number, so the second row has one problem only.
    expected.retain(|(field, _)| field != "[1].values[0]");
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(found, expected);
}

#[test]
fn an_operator_that_looks_for_one_of_the_selected_options_takes_one_in_each_value() {
    let option = |value, label: &str| ColumnOption {
        value,
        label: Some(label.to_owned()),
    };
    let mut table = contact();
    table.columns.push(Column {
        options: vec![option(1, "Chess"), option(2, "Go"), option(3, "Go, or so")],
        ..column("new_games", ColumnType::MultiSelectPicklist)
    });
    table
        .columns
        .sort_by(|one, other| one.logical_name.cmp(&other.logical_name));
    let mut definition = mapping(&[]);
    for (operator, value, fits) in [
        (Operator::Equals, "1,2", true),
        (Operator::Equals, "Chess, Go", true),
        (Operator::Contains, "1", true),
        (Operator::Contains, "Go, or so", true),
        (Operator::Contains, "1,2", false),
        (Operator::In, "Chess, Go", false),
    ] {
        definition.filter.conditions = vec![condition("new_games", operator, &[value])];
        let problems = validate(&definition, &table, &profile());
        assert_eq!(problems.is_empty(), fits, "{operator:?} {value}: {problems:?}");
    }
}
