//! The whole conversion matrix: every kind of value against every type of field.

use super::fixtures::{choice, enumeration_field, field, json_of, text};
use crate::{
    Value,
    schema::{Field, FieldType},
};

// In the tables a cell is the JSON that is sent or the code of the error; `–` stands for INCOMPATIBLE_TYPES, `␠` for a
// blank and `…` for what has been left out.

/// Texts, booleans and enumerations.
const TEXTS: &str = r#"
                | string                                     | boolean       | enumeration
null            | ""                                         | false         | "none"
empty text      | ""                                         | false         | "none"
no option       | ""                                         | false         | "none"
true            | "true"                                     | true          | "true"
false           | "false"                                    | false         | UNKNOWN_ENUMERATION_VALUE
integer 1       | "1"                                        | true          | UNKNOWN_ENUMERATION_VALUE
integer 42      | "42"                                       | NOT_A_BOOLEAN | "42"
integer -128    | "-128"                                     | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
integer 128     | "128"                                      | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
integer 2^15    | "32768"                                    | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
integer 2^31    | "2147483648"                               | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
decimal 0.00    | "0"                                        | false         | –
decimal 12.50   | "12.5"                                     | NOT_A_BOOLEAN | –
decimal -12.00  | "-12"                                      | NOT_A_BOOLEAN | –
decimal 2^64    | "18446744073709551616"                     | NOT_A_BOOLEAN | –
double -0       | "0"                                        | false         | –
double 0.1      | "0.1"                                      | NOT_A_BOOLEAN | –
double 1e20     | "100000000000000000000"                    | NOT_A_BOOLEAN | –
double 1e39     | "1000000000000000000000000000000000000000" | NOT_A_BOOLEAN | –
double -2^63    | "-9223372036854776000"                     | NOT_A_BOOLEAN | –
double 2^63     | "9223372036854776000"                      | NOT_A_BOOLEAN | –
double NaN      | NOT_FINITE                                 | NOT_A_BOOLEAN | –
double inf      | NOT_FINITE                                 | NOT_A_BOOLEAN | –
text Ann        | "Ann"                                      | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text TRUE       | "TRUE"                                     | true          | "true"
text yes        | "yes"                                      | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text woman      | "woman"                                    | NOT_A_BOOLEAN | "female"
text 1          | "1"                                        | true          | UNKNOWN_ENUMERATION_VALUE
text -12.50     | "-12.50"                                   | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text 12.0       | "12.0"                                     | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text 1e5        | "1e5"                                      | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text ␠1         | " 1"                                       | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text +1         | "+1"                                       | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text 1,5        | "1,5"                                      | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text 2^64       | "18446744073709551616"                     | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text 2026-01-31 | "2026-01-31"                               | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text 2026-02-30 | "2026-02-30"                               | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text 31.01.2026 | "31.01.2026"                               | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text T…+02:00   | "2026-01-31T01:30:00+02:00"                | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text ␠…Z        | "2026-01-31 18:30:00.1239Z"                | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text T…Z[UTC]   | "2026-01-31T18:30:00Z[UTC]"                | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
text T…         | "2026-01-31T18:30:00"                      | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
timestamp       | "2026-01-31 23:59:59.987Z"                 | –             | –
timestamp 1969  | "1969-12-31 23:59:59.999Z"                 | –             | –
date            | "1984-02-29"                               | –             | –
date 9999       | "9999-12-31"                               | –             | –
date 0000       | DATE_OUT_OF_RANGE                          | –             | –
guid            | "a1b2c3d4-0000-4000-8000-0000000000ff"     | –             | –
choice 2 Female | "2"                                        | NOT_A_BOOLEAN | "female"
choice 42 Frau  | "42"                                       | NOT_A_BOOLEAN | "42"
choice 1        | "1"                                        | true          | UNKNOWN_ENUMERATION_VALUE
choice 300      | "300"                                      | NOT_A_BOOLEAN | UNKNOWN_ENUMERATION_VALUE
choices 2, 42   | "2,42"                                     | –             | –
"#;

/// Numbers.
const NUMBERS: &str = r#"
                | byte          | short         | integer       | integer64            | float         | double
null            | 0             | 0             | 0             | 0                    | 0.0           | 0.0
empty text      | 0             | 0             | 0             | 0                    | 0.0           | 0.0
no option       | 0             | 0             | 0             | 0                    | 0.0           | 0.0
true            | 1             | 1             | 1             | 1                    | 1.0           | 1.0
false           | 0             | 0             | 0             | 0                    | 0.0           | 0.0
integer 1       | 1             | 1             | 1             | 1                    | 1.0           | 1.0
integer 42      | 42            | 42            | 42            | 42                   | 42.0          | 42.0
integer -128    | -128          | -128          | -128          | -128                 | -128.0        | -128.0
integer 128     | OUT_OF_RANGE  | 128           | 128           | 128                  | 128.0         | 128.0
integer 2^15    | OUT_OF_RANGE  | OUT_OF_RANGE  | 32768         | 32768                | 32768.0       | 32768.0
integer 2^31    | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE  | 2147483648           | 2147483600.0  | 2147483648.0
decimal 0.00    | 0             | 0             | 0             | 0                    | 0.0           | 0.0
decimal 12.50   | FRACTION_LOST | FRACTION_LOST | FRACTION_LOST | FRACTION_LOST        | 12.5          | 12.5
decimal -12.00  | -12           | -12           | -12           | -12                  | -12.0         | -12.0
decimal 2^64    | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE         | 1.8446744e+19 | 1.8446744073709552e+19
double -0       | 0             | 0             | 0             | 0                    | 0.0           | 0.0
double 0.1      | FRACTION_LOST | FRACTION_LOST | FRACTION_LOST | FRACTION_LOST        | 0.1           | 0.1
double 1e20     | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE         | 1e+20         | 1e+20
double 1e39     | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE         | OUT_OF_RANGE  | 1e+39
double -2^63    | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE  | -9223372036854775808 | -9.223372e+18 | -9.223372036854776e+18
double 2^63     | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE         | 9.223372e+18  | 9.223372036854776e+18
double NaN      | NOT_FINITE    | NOT_FINITE    | NOT_FINITE    | NOT_FINITE           | NOT_FINITE    | NOT_FINITE
double inf      | NOT_FINITE    | NOT_FINITE    | NOT_FINITE    | NOT_FINITE           | NOT_FINITE    | NOT_FINITE
text Ann        | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text TRUE       | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text yes        | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text woman      | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text 1          | 1             | 1             | 1             | 1                    | 1.0           | 1.0
text -12.50     | FRACTION_LOST | FRACTION_LOST | FRACTION_LOST | FRACTION_LOST        | -12.5         | -12.5
text 12.0       | 12            | 12            | 12            | 12                   | 12.0          | 12.0
text 1e5        | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text ␠1         | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text +1         | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text 1,5        | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text 2^64       | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE  | OUT_OF_RANGE         | 1.8446744e+19 | 1.8446744073709552e+19
text 2026-01-31 | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text 2026-02-30 | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text 31.01.2026 | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text T…+02:00   | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text ␠…Z        | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text T…Z[UTC]   | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
text T…         | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER  | NOT_A_NUMBER         | NOT_A_NUMBER  | NOT_A_NUMBER
timestamp       | –             | –             | –             | –                    | –             | –
timestamp 1969  | –             | –             | –             | –                    | –             | –
date            | –             | –             | –             | –                    | –             | –
date 9999       | –             | –             | –             | –                    | –             | –
date 0000       | –             | –             | –             | –                    | –             | –
guid            | –             | –             | –             | –                    | –             | –
choice 2 Female | 2             | 2             | 2             | 2                    | 2.0           | 2.0
choice 42 Frau  | 42            | 42            | 42            | 42                   | 42.0          | 42.0
choice 1        | 1             | 1             | 1             | 1                    | 1.0           | 1.0
choice 300      | OUT_OF_RANGE  | 300           | 300           | 300                  | 300.0         | 300.0
choices 2, 42   | –             | –             | –             | –                    | –             | –
"#;

/// Dates and moments.
const DATES: &str = r#"
                | date              | datetime
null            | ""                | ""
empty text      | ""                | ""
no option       | ""                | ""
true            | –                 | –
false           | –                 | –
integer 1       | –                 | –
integer 42      | –                 | –
integer -128    | –                 | –
integer 128     | –                 | –
integer 2^15    | –                 | –
integer 2^31    | –                 | –
decimal 0.00    | –                 | –
decimal 12.50   | –                 | –
decimal -12.00  | –                 | –
decimal 2^64    | –                 | –
double -0       | –                 | –
double 0.1      | –                 | –
double 1e20     | –                 | –
double 1e39     | –                 | –
double -2^63    | –                 | –
double 2^63     | –                 | –
double NaN      | –                 | –
double inf      | –                 | –
text Ann        | NOT_A_DATE        | NOT_A_DATE
text TRUE       | NOT_A_DATE        | NOT_A_DATE
text yes        | NOT_A_DATE        | NOT_A_DATE
text woman      | NOT_A_DATE        | NOT_A_DATE
text 1          | NOT_A_DATE        | NOT_A_DATE
text -12.50     | NOT_A_DATE        | NOT_A_DATE
text 12.0       | NOT_A_DATE        | NOT_A_DATE
text 1e5        | NOT_A_DATE        | NOT_A_DATE
text ␠1         | NOT_A_DATE        | NOT_A_DATE
text +1         | NOT_A_DATE        | NOT_A_DATE
text 1,5        | NOT_A_DATE        | NOT_A_DATE
text 2^64       | NOT_A_DATE        | NOT_A_DATE
text 2026-01-31 | "2026-01-31"      | "2026-01-31 00:00:00.000Z"
text 2026-02-30 | NOT_A_DATE        | NOT_A_DATE
text 31.01.2026 | NOT_A_DATE        | NOT_A_DATE
text T…+02:00   | "2026-01-30"      | "2026-01-30 23:30:00.000Z"
text ␠…Z        | "2026-01-31"      | "2026-01-31 18:30:00.123Z"
text T…Z[UTC]   | NOT_A_DATE        | NOT_A_DATE
text T…         | NOT_A_DATE        | NOT_A_DATE
timestamp       | "2026-01-31"      | "2026-01-31 23:59:59.987Z"
timestamp 1969  | "1969-12-31"      | "1969-12-31 23:59:59.999Z"
date            | "1984-02-29"      | "1984-02-29 00:00:00.000Z"
date 9999       | "9999-12-31"      | "9999-12-31 00:00:00.000Z"
date 0000       | DATE_OUT_OF_RANGE | DATE_OUT_OF_RANGE
guid            | –                 | –
choice 2 Female | –                 | –
choice 42 Frau  | –                 | –
choice 1        | –                 | –
choice 300      | –                 | –
choices 2, 42   | –                 | –
"#;

fn values() -> Vec<(&'static str, Value)> {
    let decimal = |digits: &str| Value::Decimal(digits.parse().expect("a decimal"));
    vec![
        ("null", Value::Null),
        ("empty text", text("")),
        ("no option", Value::Choices(Vec::new())),
        ("true", Value::Boolean(true)),
        ("false", Value::Boolean(false)),
        ("integer 1", Value::Integer(1)),
        ("integer 42", Value::Integer(42)),
        ("integer -128", Value::Integer(-128)),
        ("integer 128", Value::Integer(128)),
        ("integer 2^15", Value::Integer(1 << 15)),
        ("integer 2^31", Value::Integer(1 << 31)),
        ("decimal 0.00", decimal("0.00")),
        ("decimal 12.50", decimal("12.50")),
        ("decimal -12.00", decimal("-12.00")),
        ("decimal 2^64", decimal("18446744073709551616")),
        ("double -0", Value::Double(-0.0)),
        ("double 0.1", Value::Double(0.1)),
        ("double 1e20", Value::Double(1e20)),
        ("double 1e39", Value::Double(1e39)),
        ("double -2^63", Value::Double(-9_223_372_036_854_775_808.0)),
        ("double 2^63", Value::Double(9_223_372_036_854_775_808.0)),
        ("double NaN", Value::Double(f64::NAN)),
        ("double inf", Value::Double(f64::INFINITY)),
        ("text Ann", text("Ann")),
        ("text TRUE", text("TRUE")),
        ("text yes", text("yes")),
        ("text woman", text("woman")),
        ("text 1", text("1")),
        ("text -12.50", text("-12.50")),
        ("text 12.0", text("12.0")),
        ("text 1e5", text("1e5")),
        ("text ␠1", text(" 1")),
        ("text +1", text("+1")),
        ("text 1,5", text("1,5")),
        ("text 2^64", text("18446744073709551616")),
        ("text 2026-01-31", text("2026-01-31")),
        ("text 2026-02-30", text("2026-02-30")),
        ("text 31.01.2026", text("31.01.2026")),
        ("text T…+02:00", text("2026-01-31T01:30:00+02:00")),
        ("text ␠…Z", text("2026-01-31 18:30:00.1239Z")),
        ("text T…Z[UTC]", text("2026-01-31T18:30:00Z[UTC]")),
        ("text T…", text("2026-01-31T18:30:00")),
        (
            "timestamp",
            Value::Timestamp("2026-01-31T23:59:59.987654Z".parse().expect("a moment")),
        ),
        (
            "timestamp 1969",
            Value::Timestamp("1969-12-31T23:59:59.9999Z".parse().expect("a moment")),
        ),
        ("date", Value::Date("1984-02-29".parse().expect("a date"))),
        ("date 9999", Value::Date("9999-12-31".parse().expect("a date"))),
        ("date 0000", Value::Date("0000-01-01".parse().expect("a date"))),
        (
            "guid",
            Value::Guid("A1B2C3D4-0000-4000-8000-0000000000FF".parse().expect("a GUID")),
        ),
        ("choice 2 Female", Value::Choice(choice(2, Some("Female")))),
        ("choice 42 Frau", Value::Choice(choice(42, Some("Frau")))),
        ("choice 1", Value::Choice(choice(1, None))),
        ("choice 300", Value::Choice(choice(300, None))),
        (
            "choices 2, 42",
            Value::Choices(vec![choice(2, Some("Female")), choice(42, None)]),
        ),
    ]
}

fn fields() -> Vec<(&'static str, Field)> {
    let plain = |name: &'static str, field_type| (name, field("f", field_type));
    vec![
        plain("string", FieldType::String),
        plain("memo", FieldType::Memo),
        plain("boolean", FieldType::Boolean),
        (
            "enumeration",
            enumeration_field("f", &["none", "male:Man", "female:Woman", "42", "true"]),
        ),
        plain("byte", FieldType::Byte),
        plain("short", FieldType::Short),
        plain("integer", FieldType::Integer),
        plain("integer64", FieldType::Integer64),
        plain("float", FieldType::Float),
        plain("double", FieldType::Double),
        plain("date", FieldType::Date),
        plain("datetime", FieldType::DateTime),
    ]
}

fn cell(value: &Value, field: &Field) -> String {
    match json_of(value, field) {
        Ok(json) => json,
        Err(error) if error.code() == "INCOMPATIBLE_TYPES" => "–".to_owned(),
        Err(error) => error.code().to_owned(),
    }
}

/// The table of these fields as this module writes it down: one line a value.
fn table(names: &[&str]) -> String {
    let fields: Vec<Field> = fields()
        .into_iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(_, field)| field)
        .collect();
    assert_eq!(fields.len(), names.len());
    let mut lines = vec![
        std::iter::once("")
            .chain(names.iter().copied())
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    ];
    for (name, value) in values() {
        lines.push(
            std::iter::once(name.to_owned())
                .chain(fields.iter().map(|field| cell(&value, field)))
                .collect(),
        );
    }
    let width = |place: usize| lines.iter().map(|line| line[place].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=names.len()).map(width).collect();
    let render = |line: &Vec<String>| {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}", width = *width))
            .collect();
        cells.join(" | ").trim_end().to_owned()
    };
    lines.iter().map(render).collect::<Vec<_>>().join("\n")
}

#[test]
fn values_become_texts_booleans_and_enumeration_members() {
    assert_eq!(table(&["string", "boolean", "enumeration"]), TEXTS.trim_matches('\n'));
}

#[test]
fn values_become_numbers() {
    assert_eq!(
        table(&["byte", "short", "integer", "integer64", "float", "double"]),
        NUMBERS.trim_matches('\n')
    );
}

#[test]
fn values_become_dates_and_moments() {
    assert_eq!(table(&["date", "datetime"]), DATES.trim_matches('\n'));
}

#[test]
fn memo_fields_take_what_string_fields_take() {
    assert_eq!(table(&["memo"]).replace("memo", "string"), table(&["string"]));
}
