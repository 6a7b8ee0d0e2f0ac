//! How a condition of a filter compares, and which columns it can compare.

use crate::schema::ColumnType;

/// How a condition compares a column's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// It is the value. Texts are compared in any case, as Dataverse compares them (contracts/dataverse.md §2.5).
    Equals,
    /// It is another value, or empty.
    NotEquals,
    /// It is less, or earlier.
    Less,
    /// It is less or the same.
    LessOrEqual,
    /// It is greater, or later.
    Greater,
    /// It is greater or the same.
    GreaterOrEqual,
    /// The text contains the value in any case; of a multi-select option set, the option is among those selected.
    Contains,
    /// The text begins with the value, in any case.
    BeginsWith,
    /// The text ends with the value, in any case.
    EndsWith,
    /// There is no value.
    IsEmpty,
    /// There is a value.
    IsNotEmpty,
    /// It is one of the values; of a multi-select option set, one of those selected is.
    In,
}

/// How many values an operator takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// None.
    None,
    /// Exactly one.
    One,
    /// At least one.
    Many,
}

impl Operator {
    /// All operators.
    pub const ALL: [Self; 12] = [
        Self::Equals,
        Self::NotEquals,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Contains,
        Self::BeginsWith,
        Self::EndsWith,
        Self::IsEmpty,
        Self::IsNotEmpty,
        Self::In,
    ];

    /// The name shown to users.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equals => "equals",
            Self::NotEquals => "not equals",
            Self::Less => "less",
            Self::LessOrEqual => "less or equal",
            Self::Greater => "greater",
            Self::GreaterOrEqual => "greater or equal",
            Self::Contains => "contains",
            Self::BeginsWith => "begins with",
            Self::EndsWith => "ends with",
            Self::IsEmpty => "is empty",
            Self::IsNotEmpty => "is not empty",
            Self::In => "in list",
        }
    }

    /// How many values it takes.
    #[must_use]
    pub const fn arity(self) -> Arity {
        match self {
            Self::IsEmpty | Self::IsNotEmpty => Arity::None,
            Self::In => Arity::Many,
            _ => Arity::One,
        }
    }

    /// Whether values of a column type can be compared so.
    #[must_use]
    pub const fn applies_to(self, column_type: ColumnType) -> bool {
        use ColumnType as Type;
        match self {
            Self::IsEmpty | Self::IsNotEmpty | Self::Equals | Self::NotEquals | Self::In => {
                !matches!(column_type, Type::Unsupported)
            }
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => matches!(
                column_type,
                Type::Integer
                    | Type::BigInt
                    | Type::Decimal
                    | Type::Double
                    | Type::Money
                    | Type::DateTime
                    | Type::DateOnly
            ),
            Self::Contains => matches!(
                column_type,
                Type::String | Type::Memo | Type::EntityName | Type::MultiSelectPicklist
            ),
            Self::BeginsWith | Self::EndsWith => {
                matches!(column_type, Type::String | Type::Memo | Type::EntityName)
            }
        }
    }
}
