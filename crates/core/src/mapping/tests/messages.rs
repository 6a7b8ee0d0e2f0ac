//! Snapshots of everything a user can read here.

use std::fmt::Write;

use super::fixtures::{contact, mapping, profile};
use crate::mapping::{Compatibility, ConvertError, ProblemCode, compatible, validate};
use crate::schema::{ColumnType, FieldType};

#[test]
fn messages_of_conversion_errors() {
    let errors = [
        ConvertError::Incompatible {
            from: "guid",
            to: "date",
        },
        ConvertError::NotANumber,
        ConvertError::NotFinite,
        ConvertError::FractionLost,
        ConvertError::OutOfRange {
            value: "300".to_owned(),
            min: "-128".to_owned(),
            max: "127".to_owned(),
        },
        ConvertError::NotABoolean,
        ConvertError::NotADate,
        ConvertError::DateOutOfRange,
        ConvertError::TooLong { length: 35, max: 30 },
        ConvertError::TooLongToCut { length: 36, max: 30 },
        ConvertError::ForbiddenCharacter {
            code_point: "U+0000".to_owned(),
            place: 3,
        },
        ConvertError::UnknownEnumerationValue {
            permitted: "unknown, male, female".to_owned(),
        },
        ConvertError::NoLabel { option: 7 },
    ];
    let mut rendered = String::new();
    for error in errors {
        writeln!(rendered, "{}\n    {error}", error.code()).expect("writing to memory cannot fail");
    }
    insta::assert_snapshot!(rendered);
}

#[test]
fn messages_of_problems() {
    let long = "x".repeat(200);
    let mut faulty = mapping(&[
        ("nosuchcolumn", "firstName"),
        ("entityimage", "lastName"),
        ("parentcustomeridname", "cusNotes"),
        ("firstname", "nosuchfield"),
        ("lastname", "created"),
        ("emailaddress1", "orgUnit"),
        ("address1_city", "location"),
        ("address1_city", "location.city"),
        ("parentcustomerid", "cusIncome"),
        ("firstname", "cusNotes"),
        ("", &long),
        ("firstname", "externalId"),
    ]);
    faulty.key.source = "firstname".to_owned();
    let mut problems = validate(&faulty, &contact(), &profile());
    for key in ["birthDate", "location.city", "cusShort"] {
        let mut wrong_key = mapping(&[]);
        wrong_key.key.target = key.to_owned();
        problems.extend(validate(&wrong_key, &contact(), &profile()));
    }
    let mut other = mapping(&vec![("firstname", "cusNotes"); 1_025]);
    other.source_table = "account".to_owned();
    other.target_resource = "cusCompany".to_owned();
    let rest = validate(&other, &contact(), &profile());
    problems.extend(
        rest.into_iter()
            .filter(|problem| problem.code != ProblemCode::TargetTwice),
    );

    let mut rendered = String::new();
    for problem in problems {
        writeln!(rendered, "{}\n    {problem}", problem.code.as_str()).expect("writing to memory cannot fail");
    }
    insta::assert_snapshot!(rendered);
}

#[test]
fn reasons_for_impossible_pairs() {
    let pairs = [
        (ColumnType::Unsupported, FieldType::String),
        (ColumnType::String, FieldType::Unsupported),
        (ColumnType::EntityName, FieldType::Integer),
        (ColumnType::DateTime, FieldType::Integer),
        (ColumnType::Boolean, FieldType::Date),
        (ColumnType::Lookup, FieldType::Enumeration),
        (ColumnType::MultiSelectPicklist, FieldType::Enumeration),
        (ColumnType::Money, FieldType::Enumeration),
    ];
    let mut rendered = String::new();
    for (from, to) in pairs {
        let Compatibility::Impossible(reason) = compatible(from, to) else {
            panic!("{from:?} can go into {to:?}");
        };
        writeln!(rendered, "{} -> {}: {reason}", from.name(), to.name()).expect("writing to memory cannot fail");
    }
    insta::assert_snapshot!(rendered);
}
