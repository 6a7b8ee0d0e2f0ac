//! Conversion of one source value for one target field.
//!
//! Adobe publishes that its app converts between the primitive types and passes every other type on as text, but not
//! the rules (contracts/campaign.md §10.2). Ours lose nothing in silence:
//!
//! | from | string, memo | boolean | byte … integer64 | float, double | date | datetime | enumeration |
//! |---|---|---|---|---|---|---|---|
//! | boolean | `true`, `false` | as it is | 1, 0 | 1, 0 | – | – | its text |
//! | integer | its digits | 1, 0 only | within the range | nearest | – | – | its text |
//! | decimal | no trailing zeros | 1, 0 only | no fraction, within the range | nearest | – | – | – |
//! | double | shortest that reads back | 1, 0 only | no fraction, within the range | nearest, finite | – | – | – |
//! | text | as it is | `true`, `false` in any case, `1`, `0` | a number without fraction | a number | `YYYY-MM-DD`, or the UTC date of a moment | a moment, or midnight UTC of a date | a name, else a label |
//! | timestamp | `YYYY-MM-DD HH:MM:SS.mmmZ` | – | – | – | its date in UTC | as it is | – |
//! | date | `YYYY-MM-DD` | – | – | – | as it is | midnight UTC | – |
//! | guid | lower-case, hyphenated | – | – | – | – | – | – |
//! | choice | technical value or label | technical value 1, 0 | technical value | technical value | – | – | its label, else its technical value |
//! | choices | values joined by `,` or labels by `; ` | – | – | – | – | – | – |
//!
//! * **Numbers in texts** are an optional minus sign, digits, and optionally a point and digits; blanks, plus signs,
//!   separators and exponents are refused. **Moments in texts** are RFC 3339 with `T` or a blank, and with `Z` or an
//!   offset: a time without one would be a guess.
//! * **Floating point fields** take the nearest number they can hold, as is their nature; what lies beyond their largest
//!   one is refused.
//! * **Enumerations** are searched by name, then by label, in any case; the member's name as Campaign spells it is sent.
//! * **Lengths** count Unicode scalar values; a string field that tells no length holds [`DEFAULT_STRING_LENGTH`], a
//!   memo without one is unlimited. Under [`OverLong::Truncate`](super::OverLong) texts and labels are cut, at the last
//!   boundary of a user-perceived character (a grapheme cluster) that fits, or of a scalar value where not even one
//!   cluster does. A number, date, id or list of technical values would be another value when cut: it is refused.
//! * **Control characters**: tab, line feed and carriage return pass. All others below U+0020 and U+FFFE, U+FFFF are
//!   refused: PostgreSQL stores no NUL, Campaign's XML none of the rest, and an answer without a known error code would
//!   be taken for a passing fault and retried for ever (contracts/campaign.md §6.4).
//! * **Dates** are those of the years 1 to 9999, which four digits can write.
//! * **Empty values** (null, an empty text, no option) clear the field under [`EmptyValue::Clear`]: `""` for string,
//!   memo, date and datetime, 0 for numbers, `false` for booleans, and for enumerations the member called `none` or
//!   `unknown`, else `""` (contracts/campaign.md §2.5). Under [`EmptyValue::Leave`] they are left out.

mod enumeration;
mod error;
pub(super) mod moment;
mod number;
mod text;

pub use error::ConvertError;
pub use text::DEFAULT_STRING_LENGTH;

pub(super) use text::{longest, option_text, separator};

use super::{EmptyValue, MappingOptions, TargetValue};
use crate::{
    Value,
    schema::{Field, FieldType},
};

/// Converts a value for a field by the rules of this module; `None` means that the field is left as it is.
///
/// # Errors
/// A [`ConvertError`] where the value cannot go into the field unchanged in meaning.
pub fn convert<'a>(
    value: &'a Value,
    field: &'a Field,
    options: MappingOptions,
) -> Result<Option<TargetValue<'a>>, ConvertError> {
    if value.is_empty() {
        return match options.empty {
            EmptyValue::Clear => cleared(value, field).map(Some),
            EmptyValue::Leave => Ok(None),
        };
    }
    let converted = match field.field_type {
        FieldType::String | FieldType::Memo => TargetValue::Text(text::from_value(value, field, options)?),
        FieldType::Boolean => TargetValue::Boolean(number::boolean(value)?),
        FieldType::Byte | FieldType::Short | FieldType::Integer | FieldType::Integer64 => {
            TargetValue::Integer(number::integer(value, field.field_type)?)
        }
        FieldType::Float => TargetValue::Float(number::float(value)?),
        FieldType::Double => TargetValue::Double(number::double(value)?),
        FieldType::Date => TargetValue::Date(moment::date(value)?),
        FieldType::DateTime => TargetValue::DateTime(moment::date_time(value)?),
        FieldType::Enumeration => TargetValue::Text(enumeration::member(value, field)?.into()),
        FieldType::Unsupported => return Err(incompatible(value, FieldType::Unsupported)),
    };
    Ok(Some(converted))
}

/// The value that clears a field.
fn cleared<'a>(value: &Value, field: &'a Field) -> Result<TargetValue<'a>, ConvertError> {
    Ok(match field.field_type {
        FieldType::String | FieldType::Memo | FieldType::Date | FieldType::DateTime => TargetValue::EMPTY_TEXT,
        FieldType::Boolean => TargetValue::Boolean(false),
        FieldType::Byte | FieldType::Short | FieldType::Integer | FieldType::Integer64 => TargetValue::Integer(0),
        FieldType::Float => TargetValue::Float(0.0),
        FieldType::Double => TargetValue::Double(0.0),
        FieldType::Enumeration => TargetValue::Text(enumeration::empty_member(field).into()),
        FieldType::Unsupported => return Err(incompatible(value, FieldType::Unsupported)),
    })
}

/// The error for a pair of types that never meet.
const fn incompatible(value: &Value, to: FieldType) -> ConvertError {
    ConvertError::Incompatible {
        from: value.type_name(),
        to: to.name(),
    }
}
