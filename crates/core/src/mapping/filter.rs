//! A filter made ready to be applied to many rows.

use std::cmp::Ordering;

use super::{Combination, Condition, Filter, Literal, Operator, literal::Case, place::ColumnPlace};
use crate::{Row, Value};

/// A filter made ready to be applied to many rows, by any number of threads.
#[derive(Debug)]
pub(super) struct CompiledFilter {
    combination: Combination,
    conditions: Vec<CompiledCondition>,
}

#[derive(Debug)]
struct CompiledCondition {
    column: ColumnPlace,
    operator: Operator,
    values: Vec<Literal>,
}

impl CompiledFilter {
    /// Prepares a filter. `columns` are those of the rows, in their order.
    pub(super) fn new(filter: &Filter, columns: &[&str]) -> Self {
        let compile = |condition: &Condition| CompiledCondition {
            column: ColumnPlace::new(&condition.source, columns),
            operator: condition.operator,
            values: condition.values.iter().map(|value| Literal::new(value)).collect(),
        };
        Self {
            combination: filter.combination,
            conditions: filter.conditions.iter().map(compile).collect(),
        }
    }

    /// Whether a row passes.
    ///
    /// A condition on a column that the row does not have holds: the row was read for a mapping without it, and leaving a
    /// record out for what nobody knows would lose it.
    pub(super) fn passes(&self, row: &Row) -> bool {
        let mut conditions = self.conditions.iter();
        match self.combination {
            _ if self.conditions.is_empty() => true,
            Combination::And => conditions.all(|condition| condition.holds(row)),
            Combination::Or => conditions.any(|condition| condition.holds(row)),
        }
    }

    /// The places, in the filter, of the conditions that do not hold for a row.
    pub(super) fn failing(&self, row: &Row) -> Vec<usize> {
        let conditions = self.conditions.iter().enumerate();
        conditions
            .filter(|(_, condition)| !condition.holds(row))
            .map(|(place, _)| place)
            .collect()
    }
}

impl CompiledCondition {
    fn holds(&self, row: &Row) -> bool {
        self.column.find(row).is_none_or(|value| self.holds_for(value))
    }

    fn holds_for(&self, value: &Value) -> bool {
        let any = |holds: &dyn Fn(&Literal) -> bool| self.values.iter().any(holds);
        let ordered = |wanted: &dyn Fn(Ordering) -> bool| any(&|literal| literal.compare(value).is_some_and(wanted));
        match self.operator {
            Operator::IsEmpty => value.is_empty(),
            Operator::IsNotEmpty => !value.is_empty(),
            Operator::Equals => any(&|literal| literal.equals(value, Case::Insensitive)),
            Operator::NotEquals => !any(&|literal| literal.equals(value, Case::Insensitive)),
            Operator::Less => ordered(&Ordering::is_lt),
            Operator::LessOrEqual => ordered(&Ordering::is_le),
            Operator::Greater => ordered(&Ordering::is_gt),
            Operator::GreaterOrEqual => ordered(&Ordering::is_ge),
            Operator::Contains => any(&|literal| literal.is_contained_in(value)),
            Operator::BeginsWith => any(&|literal| literal.begins(value)),
            Operator::EndsWith => any(&|literal| literal.ends(value)),
            Operator::In => any(&|literal| match value {
                Value::Choices(_) => literal.is_contained_in(value),
                _ => literal.equals(value, Case::Insensitive),
            }),
        }
    }
}
