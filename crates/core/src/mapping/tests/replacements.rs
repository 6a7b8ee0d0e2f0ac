//! Replacements, and fields that later changes leave alone.

use super::fixtures::{ID, choice, column, contact, mapping, profile, row, text};
use crate::{
    Choice, Value,
    mapping::{
        ChoiceForm, CompiledMapping, Condition, FieldMapping, Operator, Part, ProblemCode, Replacement, TableMapping,
        store_labels_as_values, validate,
    },
    schema::{Column, ColumnOption, ColumnType},
};

fn replacement(source: &str, existing: &str, new: &str) -> Replacement {
    Replacement {
        source: source.to_owned(),
        existing: existing.to_owned(),
        new: new.to_owned(),
    }
}

fn with(pairs: &[(&str, &str)], replacements: Vec<Replacement>) -> TableMapping {
    TableMapping {
        replacements,
        ..mapping(pairs)
    }
}

fn body(definition: &TableMapping, part: Part, columns: Vec<(&str, Value)>) -> String {
    let compiled = CompiledMapping::new(definition, &profile()).expect("the mapping is valid");
    let row = row(columns);
    let mut out = Vec::new();
    compiled
        .apply(ID, &row)
        .expect("the row is valid")
        .write_json(part, &mut out);
    String::from_utf8(out)
        .expect("JSON is UTF-8")
        .replace(&format!("\"externalId\":\"{ID}\""), "")
}

#[test]
fn a_value_is_replaced_by_technical_value_label_or_text() {
    let to_text = |value: Value, existing: &str| {
        let definition = with(&[("column", "firstName")], vec![replacement("column", existing, "new")]);
        body(&definition, Part::All, vec![("column", value)])
    };
    let options = Value::Choices(vec![
        Choice {
            value: 1,
            label: Some("Red".into()),
        },
        Choice {
            value: 2,
            label: Some("Blue".into()),
        },
    ]);
    for (value, existing, expected) in [
        (Value::Choice(choice(2, Some("Gold"))), "2", "new"),
        (Value::Choice(choice(2, Some("Gold"))), "gold", "new"),
        (Value::Choice(choice(2, Some("Gold"))), "3", "2"),
        (Value::Boolean(false), "false", "new"),
        (Value::Boolean(true), "false", "true"),
        (text("Mrs"), "Mrs", "new"),
        (text("MRS"), "Mrs", "MRS"),
        (Value::Integer(7), "7", "new"),
        (Value::Null, "", "new"),
        (options, "Blue", "1,new"),
    ] {
        let expected = format!("{{,\"firstName\":\"{expected}\"}}");
        assert_eq!(to_text(value.clone(), existing), expected, "{value:?} {existing}");
    }
}

#[test]
fn the_first_replacement_that_fits_counts_and_its_result_is_not_replaced_again() {
    let replacements = vec![
        replacement("column", "a", "b"),
        replacement("column", "b", "c"),
        replacement("column", "a", "never"),
    ];
    let definition = with(&[("column", "firstName")], replacements);
    assert!(body(&definition, Part::All, vec![("column", text("a"))]).contains("\"b\""));
}

#[test]
fn labels_of_options_that_are_not_replaced_are_joined_with_those_that_are() {
    let mut definition = with(&[("column", "firstName")], vec![replacement("column", "1", "R")]);
    definition.options.choices = ChoiceForm::Label;
    let option = |value, label: &str| Choice {
        value,
        label: Some(label.into()),
    };
    let value = Value::Choices(vec![option(1, "Red"), option(2, "Blue")]);
    assert!(body(&definition, Part::All, vec![("column", value)]).contains("\"R; Blue\""));
}

#[test]
fn replacements_that_make_no_sense_are_refused_at_their_place() {
    let replacements = vec![
        replacement("lastname", "a", "b"),
        replacement("gendercode", "Robot", "male"),
        replacement("gendercode", "1", "robot"),
        replacement("firstname", "a", &"x".repeat(31)),
        replacement("firstname", "b", "c"),
        replacement("firstname", "b", "d"),
        replacement("donotbulkemail", "maybe", "c"),
    ];
    let definition = with(
        &[
            ("firstname", "firstName"),
            ("gendercode", "gender"),
            ("donotbulkemail", "lastName"),
        ],
        replacements,
    );
    let mut table = contact();
    for column in &mut table.columns {
        if column.logical_name == "gendercode" {
            column.options = vec![ColumnOption {
                value: 1,
                label: Some("Male".to_owned()),
            }];
        }
    }
    let mut found: Vec<(String, ProblemCode)> = validate(&definition, &table, &profile())
        .into_iter()
        .map(|problem| (problem.field, problem.code))
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("replacements[0].source", ProblemCode::ReplacementNotMapped),
        ("replacements[1].existing", ProblemCode::OptionNotFound),
        ("replacements[2].new", ProblemCode::ReplacementUnfit),
        ("replacements[3].new", ProblemCode::ReplacementUnfit),
        ("replacements[5].existing", ProblemCode::ReplacementTwice),
        ("replacements[6].existing", ProblemCode::ValueUnreadable),
    ];
    assert_eq!(found, expected.map(|(field, code)| (field.to_owned(), code)));
}

#[test]
fn labels_of_yes_no_columns_are_stored_as_values() {
    let mut table = contact();
    let labelled = |value, label: &str| ColumnOption {
        value,
        label: Some(label.to_owned()),
    };
    for column in &mut table.columns {
        if column.logical_name == "donotbulkemail" {
            column.options = vec![labelled(0, "Allow"), labelled(1, "Do Not Allow")];
        }
    }
    let replacements = vec![
        replacement("donotbulkemail", "do not allow", "no"),
        replacement("donotbulkemail", "Allow", "yes"),
        replacement("firstname", "Allow", "a name"),
    ];
    let stored = store_labels_as_values(with(&[], replacements), &table);
    let existing: Vec<&str> = stored.replacements.iter().map(|one| one.existing.as_str()).collect();
    assert_eq!(existing, ["true", "false", "Allow"]);
}

#[test]
fn labels_of_options_are_stored_as_values_so_that_a_renamed_label_changes_nothing() {
    let option = |value, label: &str| ColumnOption {
        value,
        label: Some(label.to_owned()),
    };
    let options = [(1, "Male"), (2, "Female"), (3, "Go, Chess"), (4, "Same"), (5, "same")];
    let options: Vec<ColumnOption> = options.map(|(value, label)| option(value, label)).into();
    let mut table = contact();
    table.columns.retain(|column| column.logical_name != "gendercode");
    for (name, column_type) in [
        ("gendercode", ColumnType::Picklist),
        ("new_games", ColumnType::MultiSelectPicklist),
    ] {
        table.columns.push(Column {
            options: options.clone(),
            ..column(name, column_type)
        });
    }
    table
        .columns
        .sort_by(|one, other| one.logical_name.cmp(&other.logical_name));
    for (source, spelled, stored) in [
        ("gendercode", "female", "2"),
        ("gendercode", "2", "2"),
        ("gendercode", "Go, Chess", "3"),
        ("gendercode", "Same", "Same"),
        ("new_games", "Go, Chess", "3"),
        ("new_games", "Male, 2", "1,2"),
        ("firstname", "Male", "Male"),
    ] {
        let mut definition = with(&[], vec![replacement(source, spelled, "x")]);
        definition.filter.conditions = vec![Condition {
            source: source.to_owned(),
            operator: Operator::Equals,
            values: vec![spelled.to_owned()],
        }];
        let kept = store_labels_as_values(definition, &table);
        assert_eq!(kept.replacements[0].existing, stored, "{source} {spelled}");
        assert_eq!(kept.filter.conditions[0].values, [stored], "{source} {spelled}");
    }
}

#[test]
fn each_part_of_a_row_has_its_fields_and_the_key() {
    let mut definition = mapping(&[("firstname", "firstName"), ("lastname", "lastName")]);
    definition.fields[0] = FieldMapping {
        apply_updates: false,
        ..definition.fields[0].clone()
    };
    let columns = || vec![("firstname", text("Ada")), ("lastname", text("King"))];
    for (part, expected) in [
        (Part::All, r#"{,"firstName":"Ada","lastName":"King"}"#),
        (Part::Updates, r#"{,"lastName":"King"}"#),
        (Part::InsertOnly, r#"{,"firstName":"Ada"}"#),
    ] {
        assert_eq!(body(&definition, part, columns()), expected, "{part:?}");
    }
    let compiled = CompiledMapping::new(&definition, &profile()).expect("the mapping is valid");
    assert!(compiled.has_insert_only_fields());
}
