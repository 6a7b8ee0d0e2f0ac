//! What holds for every value and every row.

use proptest::{prelude::*, sample};

use super::fixtures::{
    FIELD_TYPES, ID, choice, enumeration_field, field, json_of, json_with, mapping, profile, row, string_field, text,
};
use crate::{
    Row, Value,
    mapping::{ChoiceForm, CompiledMapping, EmptyValue, MappingOptions, OverLong, Part, TargetValue, convert},
    schema::{Field, FieldType},
};

const TRUNCATE: MappingOptions = MappingOptions {
    over_long: OverLong::Truncate,
    apply_deletes: false,
    choices: ChoiceForm::TechnicalValue,
    empty: EmptyValue::Clear,
};

/// Texts with everything that could go wrong: quotes, control characters, emoji and their joiners, combining marks.
fn texts() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        any::<String>(),
        sample::select(vec![
            "\"", "\\", "/", "\n", "\t", "\r\n", "\u{1F}", "\0", "\u{7F}", "\u{2028}"
        ])
        .prop_map(str::to_owned),
        sample::select(vec![
            "👨\u{200D}👩\u{200D}👧",
            "🇩🇪",
            "e\u{301}",
            "한국",
            "👍🏽",
            "\u{FFFF}"
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(fragment, 0..6).prop_map(|fragments| fragments.concat())
}

fn options() -> impl Strategy<Value = MappingOptions> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(truncate, labels, leave)| MappingOptions {
        apply_deletes: false,
        over_long: if truncate { OverLong::Truncate } else { OverLong::Reject },
        choices: if labels {
            ChoiceForm::Label
        } else {
            ChoiceForm::TechnicalValue
        },
        empty: if leave { EmptyValue::Leave } else { EmptyValue::Clear },
    })
}

fn values() -> impl Strategy<Value = Value> {
    let option =
        || (any::<i32>(), proptest::option::of(texts())).prop_map(|(value, label)| choice(value, label.as_deref()));
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Integer),
        decimals().prop_map(Value::Decimal),
        any::<f64>().prop_map(Value::Double),
        texts().prop_map(|value| text(&value)),
        timestamps().prop_map(Value::Timestamp),
        (-9999_i16..=9999, 1_i8..=12, 1_i8..=28)
            .prop_map(|(year, month, day)| Value::Date(jiff::civil::date(year, month, day))),
        any::<u128>().prop_map(|bits| Value::Guid(uuid::Uuid::from_u128(bits))),
        option().prop_map(Value::Choice),
        proptest::collection::vec(option(), 0..4).prop_map(Value::Choices),
    ]
}

fn decimals() -> impl Strategy<Value = rust_decimal::Decimal> {
    let limit = 79_228_162_514_264_337_593_543_950_335_i128;
    (-limit..=limit, 0_u32..=28).prop_map(|(digits, scale)| rust_decimal::Decimal::from_i128_with_scale(digits, scale))
}

fn timestamps() -> impl Strategy<Value = jiff::Timestamp> {
    let (min, max) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
    (min..max, 0_i32..1_000_000_000).prop_map(|(second, nanosecond)| {
        jiff::Timestamp::new(second, 0).expect("within the limits")
            + jiff::SignedDuration::from_nanos(nanosecond.into())
    })
}

/// A value's canonical text.
fn canonical(value: &Value) -> Option<String> {
    let memo = field("f", FieldType::Memo);
    match convert(value, &memo, MappingOptions::default()) {
        Ok(Some(TargetValue::Text(text))) => Some(text.into_owned()),
        _ => None,
    }
}

/// What a value's canonical text becomes in a field of a type.
fn back(value: &Value, field_type: FieldType) -> String {
    let canonical = canonical(value).expect("the value has a canonical text");
    json_of(&text(&canonical), &field("f", field_type)).expect("the canonical text is read back")
}

fn compiled(options: MappingOptions) -> CompiledMapping {
    let mut definition = mapping(&[
        ("a", "firstName"),
        ("b", "location.city"),
        ("c", "cusIncome"),
        ("d", "gender"),
        ("e", "birthDate"),
        ("f", "blackListEmail"),
        ("g", "cusChildren"),
        ("h", "location.zipCode"),
    ]);
    definition.options = options;
    CompiledMapping::new(&definition, &profile()).expect("the mapping is valid")
}

/// Values that mostly fit the field their column is mapped to, so that many rows are written and some rejected.
fn mostly_fitting(column: &'static str) -> BoxedStrategy<Value> {
    let fitting = match column {
        "c" => any::<i64>().prop_map(Value::Integer).boxed(),
        "d" => sample::select(vec!["male", "FEMALE", "unknown"]).prop_map(text).boxed(),
        "e" => (1_i16..=9999, 1_i8..=12, 1_i8..=28)
            .prop_map(|(year, month, day)| Value::Date(jiff::civil::date(year, month, day)))
            .boxed(),
        "f" => any::<bool>().prop_map(Value::Boolean).boxed(),
        "g" => any::<i8>().prop_map(|value| Value::Integer(value.into())).boxed(),
        _ => "[\"a-zß\\\\😀\n]{0,20}".prop_map(|value| text(&value)).boxed(),
    };
    prop_oneof![40 => fitting, 2 => Just(Value::Null), 1 => values()].boxed()
}

/// Rows with some of the columns, in any order.
fn rows() -> impl Strategy<Value = Row> {
    let columns = sample::subsequence(vec!["a", "b", "c", "d", "e", "f", "g", "h", "other"], 0..=9).prop_shuffle();
    columns
        .prop_flat_map(|columns| {
            let values: Vec<_> = columns.iter().map(|column| mostly_fitting(column)).collect();
            (Just(columns), values)
        })
        .prop_map(|(columns, values)| row(columns.into_iter().zip(values).collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn canonical_texts_of_numbers_and_booleans_read_back_the_same(
        boolean: bool, integer: i64, decimal in decimals(), double in proptest::num::f64::NORMAL | proptest::num::f64::ZERO,
    ) {
        prop_assert_eq!(back(&Value::Boolean(boolean), FieldType::Boolean), boolean.to_string());
        prop_assert_eq!(back(&Value::Integer(integer), FieldType::Integer64), integer.to_string());
        let decimal_text = canonical(&Value::Decimal(decimal)).expect("decimals have a text");
        prop_assert_eq!(decimal_text.parse::<rust_decimal::Decimal>().expect("a decimal"), decimal);
        prop_assert!(!decimal_text.contains('.') || !decimal_text.ends_with('0'), "{}", decimal_text);
        let double_back: f64 = back(&Value::Double(double), FieldType::Double).parse().expect("a number");
        prop_assert_eq!(double_back, double);
    }

    #[test]
    fn canonical_texts_of_dates_and_moments_read_back_the_same(timestamp in timestamps()) {
        for (value, field_type) in [
            (Value::Timestamp(timestamp), FieldType::DateTime),
            (Value::Date(jiff::tz::Offset::UTC.to_datetime(timestamp).date()), FieldType::Date),
        ] {
            match json_of(&value, &field("f", field_type)) {
                Ok(json) => prop_assert_eq!(back(&value, field_type), json),
                Err(error) => {
                    prop_assert_eq!(error.code(), "DATE_OUT_OF_RANGE");
                    prop_assert_eq!(canonical(&value), None);
                }
            }
        }
    }

    #[test]
    fn a_cut_text_is_a_prefix_that_fits(value in texts(), max in 0_u32..12) {
        let original = text(&value);
        if let Ok(json) = json_with(&original, &string_field("f", max), TRUNCATE) {
            let sent: String = serde_json::from_str(&json).expect("a JSON string");
            prop_assert!(value.starts_with(&sent));
            prop_assert!(sent.chars().count() <= max as usize);
            if value.chars().count() <= max as usize {
                prop_assert_eq!(sent, value);
            } else if max > 0 {
                prop_assert!(!sent.is_empty(), "a cut text must not clear its field");
            }
        }
    }

    #[test]
    fn json_means_what_the_text_says(value in texts()) {
        match json_of(&text(&value), &field("f", FieldType::Memo)) {
            Ok(json) => prop_assert_eq!(serde_json::from_str::<String>(&json).expect("a JSON string"), value),
            Err(error) => prop_assert_eq!(error.code(), "FORBIDDEN_CHARACTER"),
        }
    }

    #[test]
    fn every_converted_value_is_valid_json(
        value in values(), field_type in sample::select(FIELD_TYPES.to_vec()), options in options(),
    ) {
        let target: Field = match field_type {
            FieldType::Enumeration => enumeration_field("f", &["none", "\"quoted\"", "true"]),
            _ => field("f", field_type),
        };
        if let Ok(json) = json_with(&value, &target, options) {
            let valid = json.is_empty() || serde_json::from_str::<serde_json::Value>(&json).is_ok();
            prop_assert!(valid, "{}", json);
        }
    }

    #[test]
    fn any_row_is_either_valid_json_or_rejected_with_reasons(row in rows(), options in options(), key in texts()) {
        let mapping = compiled(options);
        for key in [ID, key.as_str()] {
            match mapping.apply(key, &row) {
                Err(rejected) => prop_assert!(!rejected.errors.is_empty()),
                Ok(payload) => {
                    let mut out = Vec::new();
                    payload.write_json(Part::All, &mut out);
                    let parsed: serde_json::Value = serde_json::from_slice(&out).expect("valid JSON");
                    prop_assert_eq!(&parsed["externalId"], ID);
                    let mut members = 0;
                    for (path, value) in payload.values() {
                        let mut json = Vec::new();
                        value.write_json(&mut json);
                        let expected: serde_json::Value = serde_json::from_slice(&json).expect("valid JSON");
                        let pointer = format!("/{}", path.replace('.', "/"));
                        prop_assert_eq!(parsed.pointer(&pointer), Some(&expected));
                        members += 1;
                    }
                    prop_assert_eq!(leaves(&parsed), members + 1);
                }
            }
        }
    }

    #[test]
    fn the_same_row_gives_the_same_bytes_whatever_its_column_order(row in rows(), rotation in 0_usize..9) {
        let mapping = compiled(TRUNCATE);
        let mut rotated = row.clone();
        let length = rotated.columns.len().max(1);
        rotated.columns.rotate_left(rotation % length);
        let bytes = |mapping: &CompiledMapping, row: &Row| {
            mapping.apply(ID, row).map(|payload| {
                let mut out = Vec::new();
                payload.write_json(Part::All, &mut out);
                out
            })
        };
        let expected = bytes(&mapping, &row);
        prop_assert_eq!(&bytes(&mapping, &rotated), &expected);
        prop_assert_eq!(&bytes(&mapping, &row), &expected);
        prop_assert_eq!(&bytes(&compiled(TRUNCATE), &rotated), &expected);
    }
}

/// How many values, at any depth, an object holds.
fn leaves(value: &serde_json::Value) -> usize {
    value
        .as_object()
        .map_or(1, |members| members.values().map(leaves).sum())
}
