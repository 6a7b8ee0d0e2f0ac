//! Values of cells.

use rust_decimal::Decimal;
use uuid::Uuid;

/// Money is kept as a whole number of this fraction of the currency unit (contracts/dataverse.md §4.5: four decimals).
pub const MONEY_SCALE: u32 = 4;

/// An owned value. Which variant a column holds follows from its kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Text, memo, multi-select ("2,3"), image (base64).
    Text(Box<str>),
    /// Integer, choice, state, status, 64-bit integer; money in units of 10^-[`MONEY_SCALE`]; a moment in seconds since
    /// 1970 UTC; a date in days since 1970-01-01.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// Floating point.
    Double(f64),
    /// Exact decimal.
    Decimal(Decimal),
    /// GUID.
    Guid(Uuid),
    /// Reference: position of the target table among the column's targets, and row id.
    Reference(u8, Uuid),
}

/// A borrowed value, as read out of an encoded row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CellRef<'row> {
    /// See [`Cell::Text`].
    Text(&'row str),
    /// See [`Cell::Integer`].
    Integer(i64),
    /// See [`Cell::Boolean`].
    Boolean(bool),
    /// See [`Cell::Double`].
    Double(f64),
    /// See [`Cell::Decimal`].
    Decimal(Decimal),
    /// See [`Cell::Guid`].
    Guid(Uuid),
    /// See [`Cell::Reference`].
    Reference(u8, Uuid),
}

impl Cell {
    /// Owned text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// The value without its ownership.
    pub fn as_ref(&self) -> CellRef<'_> {
        match self {
            Self::Text(text) => CellRef::Text(text),
            Self::Integer(value) => CellRef::Integer(*value),
            Self::Boolean(value) => CellRef::Boolean(*value),
            Self::Double(value) => CellRef::Double(*value),
            Self::Decimal(value) => CellRef::Decimal(*value),
            Self::Guid(id) => CellRef::Guid(*id),
            Self::Reference(target, id) => CellRef::Reference(*target, *id),
        }
    }
}

impl CellRef<'_> {
    /// The value with its own memory.
    pub fn to_owned(self) -> Cell {
        match self {
            Self::Text(text) => Cell::text(text),
            Self::Integer(value) => Cell::Integer(value),
            Self::Boolean(value) => Cell::Boolean(value),
            Self::Double(value) => Cell::Double(value),
            Self::Decimal(value) => Cell::Decimal(value),
            Self::Guid(id) => Cell::Guid(id),
            Self::Reference(target, id) => Cell::Reference(target, id),
        }
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}
