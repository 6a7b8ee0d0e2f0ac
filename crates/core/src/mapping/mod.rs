//! The crosswalk: which field of the source is which field of the target.
//!
//! A user edits a [`TableMapping`]. [`validate()`] checks it against what both sides say of their tables and reports all
//! problems at once; [`validate_source`] and [`validate_target`] repeat one side's part at Start, against live metadata.
//! A writer turns it into a [`CompiledMapping`] once and applies that to every row; [`mod@convert`] has the rules for a
//! single value and [`compatible`] says beforehand which types can meet.
//!
//! Invariants:
//! * A row is mapped whole or rejected whole, with every fault in it named.
//! * The same row and mapping always give the same bytes, so a hash of them tells whether anything changed.
//! * Nothing is guessed: a value that does not fit its field is an error, never another value.

mod compatibility;
mod compiled;
pub mod convert;
mod default_contact;
mod definition;
mod filter;
pub mod guardrails;
mod key;
mod labels;
mod links;
mod literal;
mod operator;
mod payload;
mod place;
mod preview;
mod problem;
mod rejected;
mod replacement;
mod target_value;
#[cfg(test)]
mod tests;
mod types;
mod validate;
mod wire_name;

pub use compatibility::{Compatibility, compatible};
pub use compiled::{CompiledMapping, columns};
pub use convert::{ConvertError, DEFAULT_STRING_LENGTH, convert};
pub use default_contact::default_contact_mapping;
pub use definition::{
    ChoiceForm, Combination, Condition, EmptyValue, FieldMapping, Filter, KeyMapping, Link, MappingOptions, OverLong,
    Replacement, TableMapping,
};
pub use key::{KEY_LENGTH, key_text, parse_key};
pub use labels::store_labels_as_values;
pub use links::{links, parents};
pub use literal::{Case, Literal};
pub use operator::{Arity, Operator};
pub use payload::{Part, Payload};
pub use preview::{FieldDifference, held_differences};
pub use problem::{Problem, ProblemCode, list_problems};
pub use rejected::{FieldError, RejectedRow, shown_value};
pub use target_value::TargetValue;
pub use types::{MappedType, MappedTypes};
pub use validate::{
    MAX_CONDITIONS, MAX_FIELDS, MAX_NAME_LENGTH, MAX_REPLACEMENTS, MAX_VALUE_LENGTH, MAX_VALUES, validate,
    validate_source, validate_target,
};
pub use wire_name::wire_name;
