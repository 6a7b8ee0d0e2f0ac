//! Values of every column type, those that fit and those that do not.

use crosswalk_core::{ChangeKind, Choice, Value};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::{Page, SourceChange};
use super::{ADA, BO, page_of, text};
use crate::testing::selection;

/// The one value of one column, or the reason it does not fit.
fn read(column: &str, json: &str) -> Result<Value, String> {
    let selection = selection(&[column]);
    let property = &selection.fields()[0].property;
    let mut page = Page::parse(page_of(&format!(r#""{property}":{json}"#)).as_bytes(), &selection).unwrap();
    match (page.changes.pop(), page.rejected.pop()) {
        (
            Some(SourceChange {
                kind: ChangeKind::Upsert(mut row),
                ..
            }),
            None,
        ) => Ok(row.columns.remove(0).1),
        (None, Some(rejected)) => {
            assert_eq!((rejected.id, rejected.column.as_str()), (ADA, column));
            Err(rejected.reason)
        }
        other => panic!("neither read nor rejected: {other:?}"),
    }
}

#[test]
fn values_are_typed_by_their_column() {
    let choice = |value, label: Option<&str>| Choice {
        value,
        label: label.map(Into::into),
    };
    for (column, json, expected) in [
        (
            "firstname",
            r#""\u017dofie \ud83d\ude00 \"x\"""#,
            text("Žofie 😀 \"x\""),
        ),
        ("firstname", r#""""#, text("")),
        ("firstname", "null", Value::Null),
        ("donotbulkemail", "true", Value::Boolean(true)),
        ("numberofchildren", "-5", Value::Integer(-5)),
        ("versionnumber", "9223372036854775807", Value::Integer(i64::MAX)),
        (
            "annualincome",
            "5000000.0000",
            Value::Decimal(Decimal::new(50_000_000_000, 4)),
        ),
        (
            "annualincome",
            "-0.1000000000",
            Value::Decimal(Decimal::new(-1_000_000_000, 10)),
        ),
        ("annualincome", "1.5E+3", Value::Decimal(Decimal::new(1_500, 0))),
        ("annualincome", "null", Value::Null),
        ("address1_latitude", "47.63877", Value::Double(47.638_77)),
        ("gendercode", "1", Value::Choice(choice(1, Some("Male")))),
        ("gendercode", "3", Value::Choice(choice(3, None))),
        ("gendercode", "100000000", Value::Choice(choice(100_000_000, None))),
        (
            "new_games",
            r#""2, 3,8""#,
            Value::Choices(vec![choice(2, Some("Chess")), choice(3, Some("Go")), choice(8, None)]),
        ),
        ("new_games", r#""""#, Value::Choices(vec![])),
        (
            "birthdate",
            r#""1990-01-31""#,
            Value::Date(jiff::civil::date(1990, 1, 31)),
        ),
        (
            "modifiedon",
            r#""2026-01-31T21:59:01Z""#,
            Value::Timestamp("2026-01-31T21:59:01Z".parse().unwrap()),
        ),
        (
            "modifiedon",
            r#""2026-01-31T23:59:01+02:00""#,
            Value::Timestamp("2026-01-31T21:59:01Z".parse().unwrap()),
        ),
        (
            "modifiedon",
            r#""1753-01-01T00:00:00Z""#,
            Value::Timestamp("1753-01-01T00:00:00Z".parse().unwrap()),
        ),
        (
            "parentcustomerid",
            r#""a1000000-0000-0000-0000-000000000002""#,
            Value::Guid(BO),
        ),
    ] {
        assert_eq!(read(column, json), Ok(expected), "{column} {json}");
    }
}

#[test]
fn decimals_keep_their_scale() {
    let Ok(Value::Decimal(number)) = read("annualincome", "12.5000000000") else {
        panic!("not a decimal")
    };
    assert_eq!(number.to_string(), "12.5000000000");
}

#[test]
fn value_that_does_not_fit_rejects_its_row_with_the_reason() {
    for (column, json, expected) in [
        ("firstname", "5", "expected a text, found a number"),
        ("firstname", r#"{"a":[1,{"b":2}]}"#, "expected a text, found an object"),
        ("donotbulkemail", r#""true""#, r#"expected true or false, found "true""#),
        ("numberofchildren", "1.5", "expected a whole number, found 1.5"),
        ("numberofchildren", "1e999", "expected a whole number, found 1e999"),
        ("numberofchildren", r#""5""#, r#"expected a whole number, found "5""#),
        (
            "annualincome",
            "[1,2]",
            "expected a decimal number of at most 28 digits, found [1,2]",
        ),
        (
            "annualincome",
            "0.12345678901234567890123456789",
            "expected a decimal number of at most 28 digits, found 0.12345678901234567890123456789",
        ),
        ("address1_latitude", "1e999", "expected a number, found 1e999"),
        (
            "gendercode",
            "3000000000",
            "expected the value of an option, found 3000000000",
        ),
        (
            "new_games",
            r#""2,x""#,
            r#"expected the values of options, found "2,x""#,
        ),
        ("birthdate", r#""1990-02-30""#, r#"expected a date, found "1990-02-30""#),
        (
            "birthdate",
            r#""1990-01-31T00:00:00Z""#,
            r#"expected a date, found "1990-01-31T00:00:00Z""#,
        ),
        (
            "modifiedon",
            r#""2026-01-31""#,
            r#"expected a date and time with its offset, found "2026-01-31""#,
        ),
        (
            "parentcustomerid",
            r#""Contoso""#,
            r#"expected a GUID, found "Contoso""#,
        ),
        ("parentcustomerid", "true", "expected a GUID, found true"),
    ] {
        assert_eq!(read(column, json).unwrap_err(), expected, "{column} {json}");
    }
}

#[test]
fn rejection_quotes_little_of_a_long_value() {
    let reason = read("birthdate", &format!("\"{}\"", "ж".repeat(100_000))).unwrap_err();
    assert!(reason.chars().count() < 100 && reason.ends_with('…'), "{reason}");
}

proptest! {
    #[test]
    fn any_text_comes_through(value in ".*") {
        let json = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(read("firstname", &json), Ok(text(&value)));
    }

    #[test]
    fn every_digit_of_a_decimal_comes_through(mantissa in -(1_i128 << 92)..(1_i128 << 92), scale in 0_u32..=10) {
        let number = Decimal::from_i128_with_scale(mantissa, scale);
        let Ok(Value::Decimal(read)) = read("annualincome", &number.to_string()) else { panic!("not a decimal") };
        prop_assert_eq!((read.mantissa(), read.scale()), (number.mantissa(), number.scale()));
    }
}

#[test]
fn options_that_the_metadata_does_not_have_are_told_once_each() {
    let selection = selection(&["gendercode", "new_games"]);
    let rows = [
        // Known without a label, known with one.
        r#"{"gendercode":3,"new_games":"2"#,
        r#"{"gendercode":9,"new_games":"3,7,9"#,
        r#"{"gendercode":9,"new_games":"7"#,
    ];
    let rows = rows.map(|row| format!(r#"{row}","contactid":"{ADA}"}}"#)).join(",");
    let body = format!(r#"{{"value":[{rows}],"@odata.nextLink":"https://contoso/next"}}"#);
    let page = Page::parse(body.as_bytes(), &selection).unwrap();
    let told: Vec<(&str, i32)> = page
        .unknown_options
        .iter()
        .map(|option| (&*option.column, option.value))
        .collect();
    assert_eq!(page.changes.len(), 3);
    assert_eq!(told, [("gendercode", 9), ("new_games", 7), ("new_games", 9)]);
}
