//! Which column types can go into which field types, before any value is seen.

use crate::schema::{ColumnType, FieldType};

/// Whether the values of a column can go into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compatibility {
    /// Every value can, but for the limits no type tells: the length of a text, characters Campaign cannot carry,
    /// options without a label, numbers that are infinite, years beyond 1 to 9999.
    Always,
    /// Some values can and some cannot: each is checked when it comes.
    Checked,
    /// No value but the empty one can, for the reason given.
    Impossible(&'static str),
}

/// Whether values of a column type can go into fields of a field type by the rules of [`convert`](super::convert()).
#[must_use]
pub const fn compatible(from: ColumnType, to: FieldType) -> Compatibility {
    use ColumnType as From;
    use Compatibility::{Always, Checked, Impossible};
    use FieldType as To;
    match (from, to) {
        (From::Unsupported, _) => Impossible("the values of such a column are not part of its row"),
        (_, To::Unsupported) => Impossible("a link, collection or group of fields takes no value"),
        (_, To::String | To::Memo) => Always,
        (From::String | From::Memo, _) | (From::EntityName, To::Enumeration) => Checked,
        (From::EntityName, _) => Impossible("the name of a table goes into a string, memo or enumeration field only"),
        (From::DateTime | From::DateOnly, To::Date | To::DateTime) => Always,
        (From::DateTime | From::DateOnly, _) => {
            Impossible("a date or time goes into a date, datetime, string or memo field only")
        }
        (_, To::Date | To::DateTime) => Impossible("only dates, times and texts that spell one go into such a field"),
        (From::Uniqueidentifier | From::Lookup | From::Customer | From::Owner, _) => {
            Impossible("an id goes into a string or memo field only")
        }
        (From::MultiSelectPicklist, _) => Impossible("a list of options goes into a string or memo field only"),
        (From::Boolean, To::Enumeration) => Checked,
        (From::Boolean, _) => Always,
        (From::Integer | From::Picklist | From::State | From::Status, To::Integer | To::Integer64)
        | (From::BigInt, To::Integer64)
        | (
            From::Integer | From::Picklist | From::State | From::Status | From::BigInt | From::Decimal | From::Money,
            To::Float | To::Double,
        )
        | (From::Double, To::Double) => Always,
        (From::Decimal | From::Money | From::Double, To::Enumeration) => {
            Impossible("a number with decimals is not one of a list of names")
        }
        (
            From::Integer
            | From::BigInt
            | From::Picklist
            | From::State
            | From::Status
            | From::Decimal
            | From::Money
            | From::Double,
            _,
        ) => Checked,
    }
}
