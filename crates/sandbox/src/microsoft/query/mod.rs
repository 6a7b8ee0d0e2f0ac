//! System query options: parsing, filters, ordering.

mod evaluate;
mod filter;
pub(super) mod lexer;
mod options;
mod order;
mod select;

pub(crate) use self::evaluate::matches;
pub(crate) use self::filter::{Filter, parse_filter};
pub(crate) use self::options::{OPTIONS_REFUSED_UNDER_TRACKING, Preferences, QueryOptions};
pub(crate) use self::order::{Ordering, compare_rows, parse_order};
pub(crate) use self::select::Selection;
