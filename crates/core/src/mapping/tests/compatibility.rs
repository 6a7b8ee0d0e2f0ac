//! What is said of types beforehand holds for values.

use proptest::{prelude::*, sample};

use super::fixtures::{FIELD_TYPES, choice, enumeration_field, field, json_of, text};
use crate::{
    Value,
    mapping::{Compatibility, compatible},
    schema::{ColumnType, Field, FieldType},
};

/// Every column type whose values travel in rows.
const COLUMN_TYPES: [ColumnType; 19] = [
    ColumnType::Boolean,
    ColumnType::Integer,
    ColumnType::BigInt,
    ColumnType::Decimal,
    ColumnType::Double,
    ColumnType::Money,
    ColumnType::String,
    ColumnType::Memo,
    ColumnType::DateTime,
    ColumnType::DateOnly,
    ColumnType::Uniqueidentifier,
    ColumnType::Picklist,
    ColumnType::State,
    ColumnType::Status,
    ColumnType::MultiSelectPicklist,
    ColumnType::Lookup,
    ColumnType::Customer,
    ColumnType::Owner,
    ColumnType::EntityName,
];

/// The limits that [`Compatibility::Always`] documents.
const DOCUMENTED_LIMITS: [&str; 6] = [
    "TOO_LONG",
    "TOO_LONG_TO_CUT",
    "FORBIDDEN_CHARACTER",
    "NO_LABEL",
    "NOT_FINITE",
    "DATE_OUT_OF_RANGE",
];

fn target(field_type: FieldType) -> Field {
    match field_type {
        FieldType::Enumeration => enumeration_field("f", &["none", "1", "true", "contact:Contact", "male:Male"]),
        _ => field("f", field_type),
    }
}

/// Values as the reader types them for a column of that type (contracts/dataverse.md §4.5), none of them empty.
fn values_of(column_type: ColumnType) -> BoxedStrategy<Value> {
    let option = || {
        (any::<i32>(), proptest::option::of("[A-Za-z]{1,8}")).prop_map(|(value, label)| choice(value, label.as_deref()))
    };
    match column_type {
        ColumnType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        ColumnType::Integer => any::<i32>().prop_map(|value| Value::Integer(value.into())).boxed(),
        ColumnType::BigInt => any::<i64>().prop_map(Value::Integer).boxed(),
        ColumnType::Decimal | ColumnType::Money => (any::<i64>(), 0_u32..=10)
            .prop_map(|(digits, scale)| Value::Decimal(rust_decimal::Decimal::new(digits, scale)))
            .boxed(),
        ColumnType::Double => any::<f64>().prop_map(Value::Double).boxed(),
        ColumnType::String | ColumnType::Memo => any::<String>()
            .prop_filter("empty texts clear every field", |value| !value.is_empty())
            .prop_map(|value| text(&value))
            .boxed(),
        ColumnType::DateTime => any::<i32>()
            .prop_map(|seconds| {
                Value::Timestamp(jiff::Timestamp::from_second(seconds.into()).expect("between 1901 and 2038"))
            })
            .boxed(),
        ColumnType::DateOnly => (-9999_i16..=9999, 1_i8..=12, 1_i8..=28)
            .prop_map(|(year, month, day)| Value::Date(jiff::civil::date(year, month, day)))
            .boxed(),
        ColumnType::Uniqueidentifier | ColumnType::Lookup | ColumnType::Customer | ColumnType::Owner => any::<u128>()
            .prop_map(|bits| Value::Guid(uuid::Uuid::from_u128(bits)))
            .boxed(),
        ColumnType::Picklist | ColumnType::State | ColumnType::Status => option().prop_map(Value::Choice).boxed(),
        ColumnType::MultiSelectPicklist => proptest::collection::vec(option(), 1..4)
            .prop_map(Value::Choices)
            .boxed(),
        ColumnType::EntityName => sample::select(vec!["contact", "account", "new_order"])
            .prop_map(text)
            .boxed(),
        ColumnType::Unsupported => Just(Value::Null).boxed(),
    }
}

/// For a pair that is checked value by value: one value that goes in, and one that does not.
fn witnesses(column_type: ColumnType, field_type: FieldType) -> (Value, Value) {
    let decimal = |digits: &str| Value::Decimal(digits.parse().expect("a decimal"));
    match (column_type, field_type) {
        (ColumnType::String | ColumnType::Memo, FieldType::Date | FieldType::DateTime) => {
            (text("2026-01-31"), text("soon"))
        }
        (ColumnType::String | ColumnType::Memo, _) => (text("1"), text("Ann")),
        (ColumnType::EntityName, _) => (text("contact"), text("account")),
        (ColumnType::Boolean, _) => (Value::Boolean(true), Value::Boolean(false)),
        (ColumnType::Integer, _) => (Value::Integer(1), Value::Integer(70_000)),
        (ColumnType::BigInt, _) => (Value::Integer(1), Value::Integer(1 << 40)),
        (ColumnType::Decimal | ColumnType::Money, _) => (decimal("1.00"), decimal("1.50")),
        (ColumnType::Double, FieldType::Float) => (Value::Double(1.0), Value::Double(1e300)),
        (ColumnType::Double, _) => (Value::Double(1.0), Value::Double(1.5)),
        (ColumnType::Picklist | ColumnType::State | ColumnType::Status, _) => {
            (Value::Choice(choice(1, None)), Value::Choice(choice(70_000, None)))
        }
        _ => panic!("{column_type:?} into {field_type:?} is not checked value by value"),
    }
}

#[test]
fn a_checked_pair_has_values_that_fit_and_values_that_do_not() {
    let mut checked = 0;
    for column_type in COLUMN_TYPES {
        for field_type in FIELD_TYPES {
            if compatible(column_type, field_type) == Compatibility::Checked {
                let field = target(field_type);
                let (fits, fails) = witnesses(column_type, field_type);
                assert!(
                    json_of(&fits, &field).is_ok(),
                    "{column_type:?} into {field_type:?}: {fits:?}"
                );
                assert!(
                    json_of(&fails, &field).is_err(),
                    "{column_type:?} into {field_type:?}: {fails:?}"
                );
                checked += 1;
            }
        }
    }
    assert_eq!(
        checked,
        20 + 1 + 1 + 4 + 5 + 5 * 2 + 6 + 4 * 3,
        "pairs that are checked value by value"
    );
}

#[test]
fn unsupported_types_go_nowhere() {
    for field_type in FIELD_TYPES {
        assert!(matches!(
            compatible(ColumnType::Unsupported, field_type),
            Compatibility::Impossible(_)
        ));
    }
    for column_type in COLUMN_TYPES {
        assert!(matches!(
            compatible(column_type, FieldType::Unsupported),
            Compatibility::Impossible(_)
        ));
    }
    assert!(json_of(&Value::Null, &target(FieldType::Unsupported)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_of_types_holds_for_their_values(
        (column_type, value) in sample::select(COLUMN_TYPES.to_vec())
            .prop_flat_map(|column_type| (Just(column_type), values_of(column_type))),
        field_type in sample::select(FIELD_TYPES.to_vec()),
    ) {
        let outcome = json_of(&value, &target(field_type));
        match (compatible(column_type, field_type), outcome) {
            (Compatibility::Impossible(_), Ok(json)) => prop_assert!(false, "{value:?} became {json}"),
            (Compatibility::Always, Err(error)) => {
                prop_assert!(DOCUMENTED_LIMITS.contains(&error.code()), "{value:?}: {error:?}");
            }
            (Compatibility::Checked, Err(error)) => prop_assert_ne!(error.code(), "INCOMPATIBLE_TYPES"),
            _ => {}
        }
    }
}
