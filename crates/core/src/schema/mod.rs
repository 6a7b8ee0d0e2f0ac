//! What either side says of its tables: the catalog that mappings are checked against.

mod source;
mod target;

pub use source::{AlternateKey, Column, ColumnOption, ColumnType, Table};
pub use target::{EnumerationValue, Field, FieldType, Resource};
