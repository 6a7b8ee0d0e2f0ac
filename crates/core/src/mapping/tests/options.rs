//! What the options of a mapping and the limits of a field do to single values.

use super::fixtures::{choice, enumeration_field, field, json_of, json_with, string_field, text};
use crate::{
    Value,
    mapping::{ChoiceForm, ConvertError, EmptyValue, MappingOptions, OverLong},
    schema::{Field, FieldType},
};

const TRUNCATE: MappingOptions = MappingOptions {
    over_long: OverLong::Truncate,
    apply_deletes: false,
    choices: ChoiceForm::Label,
    empty: EmptyValue::Clear,
};

const LABELS: MappingOptions = MappingOptions {
    over_long: OverLong::Reject,
    ..TRUNCATE
};

fn truncated(value: &str, max_length: u32) -> String {
    let json = json_with(&text(value), &string_field("f", max_length), TRUNCATE).expect("the text is cut");
    serde_json::from_str(&json).expect("a JSON string")
}

#[test]
fn length_counts_characters_not_bytes() {
    let four = string_field("f", 4);
    assert_eq!(json_of(&text("žluť"), &four).as_deref(), Ok("\"žluť\""));
    assert_eq!(json_of(&text("😀😀😀😀"), &four).as_deref(), Ok("\"😀😀😀😀\""));
    assert_eq!(
        json_of(&text("žluťý"), &four),
        Err(ConvertError::TooLong { length: 5, max: 4 })
    );
}

#[test]
fn string_without_a_length_holds_255_characters_and_memo_any_number() {
    let string = field("f", FieldType::String);
    assert!(json_of(&text(&"x".repeat(255)), &string).is_ok());
    assert_eq!(
        json_of(&text(&"x".repeat(256)), &string),
        Err(ConvertError::TooLong { length: 256, max: 255 })
    );
    assert!(json_of(&text(&"x".repeat(100_000)), &field("f", FieldType::Memo)).is_ok());

    let short_memo = Field {
        max_length: Some(3),
        ..field("f", FieldType::Memo)
    };
    assert_eq!(
        json_of(&text("four"), &short_memo),
        Err(ConvertError::TooLong { length: 4, max: 3 })
    );
}

#[test]
fn cutting_keeps_user_perceived_characters_whole() {
    assert_eq!(truncated("abcdef", 4), "abcd");
    assert_eq!(truncated("ab", 4), "ab");
    // e and a combining acute accent
    assert_eq!(truncated("cafe\u{301}!", 4), "caf");
    // a family of three: five scalar values
    assert_eq!(truncated("Hi 👨\u{200D}👩\u{200D}👧!", 7), "Hi ");
    assert_eq!(truncated("Hi 👨\u{200D}👩\u{200D}👧!", 8), "Hi 👨\u{200D}👩\u{200D}👧");
    assert_eq!(truncated("a\r\nb", 2), "a");
}

#[test]
fn cutting_within_the_first_user_perceived_character_keeps_what_fits() {
    assert_eq!(truncated("👨\u{200D}👩\u{200D}👧", 1), "👨");
}

#[test]
fn only_texts_and_labels_are_cut() {
    let short = string_field("f", 3);
    let female = Value::Choice(choice(2, Some("Female")));
    let several = Value::Choices(vec![choice(2, Some("Female")), choice(3, Some("Male"))]);
    assert_eq!(json_with(&female, &short, TRUNCATE).as_deref(), Ok("\"Fem\""));
    assert_eq!(json_with(&several, &short, TRUNCATE).as_deref(), Ok("\"Fem\""));

    let by_value = MappingOptions {
        choices: ChoiceForm::TechnicalValue,
        ..TRUNCATE
    };
    let options = Value::Choices(vec![choice(10, None), choice(11, None)]);
    assert_eq!(
        json_with(&options, &short, by_value),
        Err(ConvertError::TooLongToCut { length: 5, max: 3 })
    );
    for value in [
        Value::Integer(1234),
        Value::Double(0.25),
        Value::Boolean(true),
        Value::Date("2026-01-31".parse().expect("a date")),
        Value::Guid(uuid::Uuid::nil()),
    ] {
        let error = json_with(&value, &short, TRUNCATE).expect_err("the value is too long");
        assert_eq!(error.code(), "TOO_LONG_TO_CUT", "{value:?}");
    }
}

#[test]
fn characters_that_campaign_cannot_carry_are_refused_by_name_and_place() {
    let refused = |place: usize, code_point: &str| {
        Err(ConvertError::ForbiddenCharacter {
            code_point: code_point.to_owned(),
            place,
        })
    };
    let field = field("f", FieldType::String);
    assert_eq!(json_of(&text("a\0b"), &field), refused(2, "U+0000"));
    assert_eq!(json_of(&text("žž\u{B}"), &field), refused(3, "U+000B"));
    assert_eq!(json_of(&text("\u{FFFF}"), &field), refused(1, "U+FFFF"));
    assert_eq!(json_of(&text("a\tb\r\nc"), &field).as_deref(), Ok(r#""a\tb\r\nc""#));
}

#[test]
fn a_forbidden_character_that_is_cut_off_does_no_harm() {
    assert_eq!(truncated("ab\0", 2), "ab");
}

#[test]
fn options_go_into_texts_by_value_or_by_label() {
    let field = field("f", FieldType::String);
    let female = Value::Choice(choice(2, Some("Female")));
    let several = Value::Choices(vec![choice(2, Some("Female")), choice(3, Some("Male"))]);
    assert_eq!(json_of(&female, &field).as_deref(), Ok("\"2\""));
    assert_eq!(json_of(&several, &field).as_deref(), Ok("\"2,3\""));
    assert_eq!(json_with(&female, &field, LABELS).as_deref(), Ok("\"Female\""));
    assert_eq!(json_with(&several, &field, LABELS).as_deref(), Ok("\"Female; Male\""));

    let unlabelled = Value::Choices(vec![choice(2, Some("Female")), choice(4, Some(""))]);
    assert_eq!(
        json_with(&unlabelled, &field, LABELS),
        Err(ConvertError::NoLabel { option: 4 })
    );
}

#[test]
fn numbers_take_the_technical_value_whatever_form_texts_take() {
    let female = Value::Choice(choice(2, Some("Female")));
    assert_eq!(
        json_with(&female, &field("f", FieldType::Byte), LABELS).as_deref(),
        Ok("2")
    );
}

#[test]
fn empty_values_are_left_out_on_request() {
    let leave = MappingOptions {
        empty: EmptyValue::Leave,
        ..MappingOptions::default()
    };
    for value in [Value::Null, text(""), Value::Choices(Vec::new())] {
        for field_type in [
            FieldType::String,
            FieldType::Integer,
            FieldType::Boolean,
            FieldType::Date,
        ] {
            assert_eq!(json_with(&value, &field("f", field_type), leave).as_deref(), Ok(""));
        }
    }
}

#[test]
fn an_enumeration_is_cleared_with_its_none_member() {
    let cleared = |members: &[&str]| json_of(&Value::Null, &enumeration_field("f", members)).expect("it is cleared");
    assert_eq!(cleared(&["unknown", "male", "female"]), "\"unknown\"");
    assert_eq!(cleared(&["Europe_Paris", "none"]), "\"none\"");
    assert_eq!(cleared(&["unknown", "none"]), "\"none\"");
    assert_eq!(cleared(&["gold", "silver"]), "\"\"");
}

#[test]
fn enumerations_prefer_the_exact_name_then_any_case_then_labels() {
    let field = enumeration_field("f", &["ab", "AB", "female:Ab", "other:Weiß"]);
    assert_eq!(json_of(&text("AB"), &field).as_deref(), Ok("\"AB\""));
    assert_eq!(json_of(&text("aB"), &field).as_deref(), Ok("\"ab\""));
    assert_eq!(json_of(&text("WEIß"), &field).as_deref(), Ok("\"other\""));
    assert_eq!(
        json_of(&text("x"), &field),
        Err(ConvertError::UnknownEnumerationValue {
            permitted: "ab, AB, female, other".to_owned()
        })
    );
}

#[test]
fn a_float_is_the_nearest_one_not_the_neighbour_of_a_rounded_double() {
    // Just above the middle of two floats; as a double it would be the middle itself and round to the even one below.
    let digits = "9007199791611905";
    let float = field("f", FieldType::Float);
    for value in [
        Value::Integer(digits.parse().expect("an integer")),
        Value::Decimal(digits.parse().expect("a decimal")),
        text(digits),
    ] {
        let json = json_of(&value, &float).expect("it is within the range");
        assert_eq!(
            json.parse::<f32>().expect("a number"),
            9_007_200_328_482_816.0,
            "{value:?}"
        );
    }
}

#[test]
fn a_double_is_the_one_its_decimal_digits_spell() {
    // Here `Decimal::to_f64` ends at a neighbour.
    for digits in [
        "79228162514264.33759354395033",
        "0.3333333333333333333333333333",
        "8.98846567431158",
    ] {
        let value = Value::Decimal(digits.parse().expect("a decimal"));
        let json = json_of(&value, &field("f", FieldType::Double)).expect("it is within the range");
        assert_eq!(json.parse::<f64>(), digits.parse::<f64>(), "{digits}");
    }
}
