//! Whether a row matches a filter. Comparisons with null never hold, except `eq null` and `ne` with a value.

use std::cmp::Ordering;

use rust_decimal::prelude::ToPrimitive;

use super::filter::{Comparison, Filter, Function, Operand};
use crate::microsoft::store::{CellRef, EncodedRow};

/// Whether `row` matches.
pub(crate) fn matches(filter: &Filter, row: &EncodedRow) -> bool {
    match filter {
        Filter::And(left, right) => matches(left, row) && matches(right, row),
        Filter::Or(left, right) => matches(left, row) || matches(right, row),
        Filter::Not(inner) => !matches(inner, row),
        Filter::Compare(column, comparison, operand) => compare(row.cell(*column), *comparison, operand),
        Filter::Call(column, function, text) => row
            .cell(*column)
            .and_then(|cell| cell.as_text().map(str::to_lowercase))
            .is_some_and(|value| match function {
                Function::Contains => value.contains(text),
                Function::StartsWith => value.starts_with(text),
                Function::EndsWith => value.ends_with(text),
            }),
    }
}

fn compare(cell: Option<CellRef<'_>>, comparison: Comparison, operand: &Operand) -> bool {
    match (cell, operand) {
        (None, Operand::Null) => comparison == Comparison::Equal,
        (Some(_), Operand::Null) => comparison == Comparison::NotEqual,
        (None, Operand::Value(_)) => comparison == Comparison::NotEqual,
        (Some(cell), Operand::Value(value)) => {
            let Some(ordering) = compare_cells(&cell, &value.as_ref()) else {
                return false;
            };
            match comparison {
                Comparison::Equal => ordering.is_eq(),
                Comparison::NotEqual => ordering.is_ne(),
                Comparison::Greater => ordering.is_gt(),
                Comparison::GreaterOrEqual => ordering.is_ge(),
                Comparison::Less => ordering.is_lt(),
                Comparison::LessOrEqual => ordering.is_le(),
            }
        }
    }
}

/// The order of two values of one column; text without regard to case.
pub(super) fn compare_cells(left: &CellRef<'_>, right: &CellRef<'_>) -> Option<Ordering> {
    match (left, right) {
        (CellRef::Text(left), CellRef::Text(right)) => Some(
            left.chars()
                .flat_map(char::to_lowercase)
                .cmp(right.chars().flat_map(char::to_lowercase)),
        ),
        (CellRef::Integer(left), CellRef::Integer(right)) => Some(left.cmp(right)),
        (CellRef::Boolean(left), CellRef::Boolean(right)) => Some(left.cmp(right)),
        (CellRef::Double(left), CellRef::Double(right)) => left.partial_cmp(right),
        (CellRef::Decimal(left), CellRef::Decimal(right)) => Some(left.cmp(right)),
        (CellRef::Guid(left) | CellRef::Reference(_, left), CellRef::Guid(right) | CellRef::Reference(_, right)) => {
            Some(left.cmp(right))
        }
        (CellRef::Decimal(left), CellRef::Double(right)) => left.to_f64()?.partial_cmp(right),
        _ => None,
    }
}
