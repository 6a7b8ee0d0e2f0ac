//! Why a value cannot go into a field.

use crate::{Class, Classify};

/// Why one value cannot go into one field. The message says what to do about it and is meant for the people who look
/// after the CRM data; it never holds more of a text than its length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// Values of this type never become values of that type.
    #[error(
        "A value of type {from} cannot go into a Campaign field of type {to}. Map the column to a field of a fitting type, \
         such as a string field."
    )]
    Incompatible {
        /// Type of the value.
        from: &'static str,
        /// Type of the field.
        to: &'static str,
    },
    /// A text for a number field does not spell a number.
    #[error(
        "The text is not a number. In Dynamics, write digits only, with a minus sign in front and a point before \
         decimals where needed, or map the column to a string field."
    )]
    NotANumber,
    /// A floating point number is infinite or not a number.
    #[error("The number is infinite or undefined, which Campaign cannot hold. Correct it in Dynamics.")]
    NotFinite,
    /// A number has decimals, its field has none.
    #[error(
        "The number has decimals, the Campaign field holds whole numbers only. Round it in Dynamics, or map the column \
         to a float or double field."
    )]
    FractionLost,
    /// A number lies outside what its field can hold.
    #[error(
        "{value} does not fit: the Campaign field holds {min} to {max}. Correct it in Dynamics, or map the column to a \
         field of a larger type."
    )]
    OutOfRange {
        /// The number.
        value: String,
        /// The least number the field can hold.
        min: String,
        /// The greatest number the field can hold.
        max: String,
    },
    /// A value for a boolean field is neither of the two.
    #[error(
        "The value is neither yes nor no. Campaign takes true, false, 1 or 0 here: correct it in Dynamics, or map the \
         column to a field of another type."
    )]
    NotABoolean,
    /// A text for a date field does not spell a date.
    #[error(
        "The text is not a date. In Dynamics, write it as 2026-01-31 or, with a time, as 2026-01-31T18:30:00Z, or map \
         the column to a string field."
    )]
    NotADate,
    /// A date lies outside the years that can be written with four digits.
    #[error("The date lies outside the years 1 to 9999, which is all that Campaign holds. Correct it in Dynamics.")]
    DateOutOfRange,
    /// A text is longer than its field.
    #[error(
        "The text has {length} characters, the Campaign field holds {max}. Shorten it in Dynamics, lengthen the field in \
         Campaign, or let the mapping cut texts that are too long."
    )]
    TooLong {
        /// Length of the text, in characters.
        length: usize,
        /// Length of the field, in characters.
        max: usize,
    },
    /// A number, date, id or list of options is longer than its text field; it would mean something else when cut.
    #[error(
        "The value has {length} characters, the Campaign field holds {max}, and a value of this type is never cut. \
         Lengthen the field in Campaign or map the column to another one."
    )]
    TooLongToCut {
        /// Length of the value's canonical text, in characters.
        length: usize,
        /// Length of the field, in characters.
        max: usize,
    },
    /// A text holds a character that Campaign's database or XML cannot carry.
    #[error(
        "The text holds an invisible control character ({code_point}), which Campaign cannot store. It stands at \
         character {place}: delete it in Dynamics."
    )]
    ForbiddenCharacter {
        /// The character, written `U+0000`.
        code_point: String,
        /// Where it stands, counted in characters from 1.
        place: usize,
    },
    /// No member of the enumeration has this name or label.
    #[error(
        "The value is not one of the Campaign field's permitted values ({permitted}). Choose one of these in Dynamics, or \
         add the value to the enumeration in Campaign."
    )]
    UnknownEnumerationValue {
        /// The first names of the enumeration, separated by commas.
        permitted: String,
    },
    /// An option has no label, and the mapping asks for labels.
    #[error(
        "Option {option} has no label in Dynamics. Give it one in the base language, or let the mapping write technical \
         values."
    )]
    NoLabel {
        /// The option's technical value.
        option: i32,
    },
}

impl ConvertError {
    /// The stable code that dead letters carry.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Incompatible { .. } => "INCOMPATIBLE_TYPES",
            Self::NotANumber => "NOT_A_NUMBER",
            Self::NotFinite => "NOT_FINITE",
            Self::FractionLost => "FRACTION_LOST",
            Self::OutOfRange { .. } => "OUT_OF_RANGE",
            Self::NotABoolean => "NOT_A_BOOLEAN",
            Self::NotADate => "NOT_A_DATE",
            Self::DateOutOfRange => "DATE_OUT_OF_RANGE",
            Self::TooLong { .. } => "TOO_LONG",
            Self::TooLongToCut { .. } => "TOO_LONG_TO_CUT",
            Self::ForbiddenCharacter { .. } => "FORBIDDEN_CHARACTER",
            Self::UnknownEnumerationValue { .. } => "UNKNOWN_ENUMERATION_VALUE",
            Self::NoLabel { .. } => "NO_LABEL",
        }
    }
}

impl Classify for ConvertError {
    fn class(&self) -> Class {
        Class::Rejected
    }
}
