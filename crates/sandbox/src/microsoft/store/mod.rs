//! Rows in memory: values, their compact encoding, tables with change history, the organization that holds them all, and
//! its journal for writes that are all or nothing.

mod derive;
mod encoding;
mod error;
mod journal;
mod organization;
mod state;
mod table;
mod value;

pub use self::derive::{Deriving, derive_columns};
pub use self::encoding::{CellOffsets, EncodedRow};
pub use self::error::WriteError;
pub use self::organization::{Actor, CellChange, Organization};
pub use self::table::{ChangeEntry, Row, Table};
pub use self::value::{Cell, CellRef, MONEY_SCALE};
