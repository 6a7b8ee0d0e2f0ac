//! `$orderby`.

use std::cmp::Ordering as Order;

use super::evaluate::compare_cells;
use crate::microsoft::errors::ApiError;
use crate::microsoft::schema::TableDefinition;
use crate::microsoft::store::EncodedRow;

/// One column to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ordering {
    /// The column.
    pub column: usize,
    /// `desc`.
    pub descending: bool,
}

/// Parses a `$orderby`.
pub(crate) fn parse_order(text: &str, table: &TableDefinition) -> Result<Vec<Ordering>, ApiError> {
    text.split(',')
        .map(|part| {
            let mut words = part.split_whitespace();
            let property = words.next().unwrap_or_default();
            let column = table
                .property(property)
                .ok_or_else(|| ApiError::unknown_property(property, table))?;
            match words.next() {
                None | Some("asc") => Ok(Ordering {
                    column,
                    descending: false,
                }),
                Some("desc") => Ok(Ordering {
                    column,
                    descending: true,
                }),
                Some(_) => Err(ApiError::bad_request(format!(
                    "Syntax error at position 0 in '{text}'."
                ))),
            }
        })
        .collect()
}

/// The order of two rows; null comes first, as in the product's database.
pub(crate) fn compare_rows(orderings: &[Ordering], left: &EncodedRow, right: &EncodedRow) -> Order {
    orderings
        .iter()
        .map(|ordering| {
            let order = match (left.cell(ordering.column), right.cell(ordering.column)) {
                (None, None) => Order::Equal,
                (None, Some(_)) => Order::Less,
                (Some(_), None) => Order::Greater,
                (Some(left), Some(right)) => compare_cells(&left, &right).unwrap_or(Order::Equal),
            };
            if ordering.descending { order.reverse() } else { order }
        })
        .find(|order| order.is_ne())
        .unwrap_or(Order::Equal)
}
