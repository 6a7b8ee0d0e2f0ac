//! Checks of a filter.

use super::{Fault, MAX_CONDITIONS, MAX_VALUE_LENGTH, MAX_VALUES, check_column, check_name};
use crate::{
    mapping::{Arity, Condition, Filter, Literal, Operator, Problem, ProblemCode},
    schema::{Column, ColumnType, Table},
};

/// What is wrong with a filter in view of its table.
pub(super) fn check(filter: &Filter, table: &Table) -> Vec<Problem> {
    if filter.conditions.len() > MAX_CONDITIONS {
        let count = filter.conditions.len();
        return vec![Problem {
            field: "filter.conditions".to_owned(),
            code: ProblemCode::TooManyConditions,
            message: format!("The filter has {count} conditions, at most {MAX_CONDITIONS} are possible."),
        }];
    }
    let mut problems = Vec::new();
    for (place, condition) in filter.conditions.iter().enumerate() {
        let mut add = |member: &str, (code, message): Fault| {
            problems.push(Problem {
                field: format!("filter.conditions[{place}].{member}"),
                code,
                message,
            });
        };
        match check_name(&condition.source).or_else(|| check_column(&condition.source, table)) {
            Some(fault) => add("source", fault),
            None => {
                let column = table.column(&condition.source);
                if let Some(fault) = column.and_then(|column| check_operator(condition, column)) {
                    add("operator", fault);
                }
                for (member, fault) in check_values(condition, column.map(|column| column.column_type)) {
                    add(&member, fault);
                }
            }
        }
    }
    problems
}

/// Options that the columns do not have. Not asked again at Start: a condition on an option that is no more is harmless.
pub(super) fn check_options(filter: &Filter, table: &Table) -> Vec<Problem> {
    let conditions = filter.conditions.iter().enumerate();
    conditions
        .filter_map(|(place, condition)| Some((place, condition, table.column(&condition.source)?)))
        .flat_map(|(place, condition, column)| {
            let values = condition.values.iter().enumerate();
            // These look for one option among those selected.
            let several = !matches!(condition.operator, Operator::Contains | Operator::In);
            values.filter_map(move |(nth, value)| {
                let (code, message) = missing_option(value, column, several)?;
                Some(Problem {
                    field: format!("filter.conditions[{place}].values[{nth}]"),
                    code,
                    message,
                })
            })
        })
        .collect()
}

/// The fault of a value that names no option of an option set. `several`: of a multi-select one it may name more than one.
pub(super) fn missing_option(value: &str, column: &Column, several: bool) -> Option<Fault> {
    use ColumnType::{MultiSelectPicklist, Picklist, State, Status};
    if !matches!(column.column_type, Picklist | State | Status | MultiSelectPicklist) || value.is_empty() {
        return None;
    }
    let whole = Literal::new(value);
    let has = |literal: &Literal| {
        column.options.iter().any(|option| {
            literal.is_choice(&crate::Choice {
                value: option.value,
                label: option.label.as_deref().map(Into::into),
            })
        })
    };
    let takes_several = several && column.column_type == MultiSelectPicklist;
    let found = has(&whole) || (takes_several && value.split(',').all(|part| has(&Literal::new(part.trim()))));
    if found {
        return None;
    }
    let shown: Vec<String> = column
        .options
        .iter()
        .take(10)
        .map(|option| match &option.label {
            Some(label) => format!("{} ({label})", option.value),
            None => option.value.to_string(),
        })
        .collect();
    let more = if column.options.len() > shown.len() {
        ", …"
    } else {
        ""
    };
    let message = format!(
        "Column {} has no option `{value}`. It has {}{more}.",
        column.logical_name,
        shown.join(", ")
    );
    Some((ProblemCode::OptionNotFound, message))
}

fn check_operator(condition: &Condition, column: &Column) -> Option<Fault> {
    (!condition.operator.applies_to(column.column_type)).then(|| {
        let message = format!(
            "{} is of type {}, which cannot be compared by `{}`. Choose another operator.",
            column.logical_name,
            column.column_type.name(),
            condition.operator.name()
        );
        (ProblemCode::OperatorUnsuited, message)
    })
}

fn check_values(condition: &Condition, column_type: Option<ColumnType>) -> Vec<(String, Fault)> {
    let count = condition.values.len();
    let expected = match condition.operator.arity() {
        Arity::None if count != 0 => Some("no value".to_owned()),
        Arity::One if count != 1 => Some("one value".to_owned()),
        Arity::Many if count == 0 || count > MAX_VALUES => Some(format!("1 to {MAX_VALUES} values")),
        _ => None,
    };
    if let Some(expected) = expected {
        let operator = condition.operator.name();
        let message = format!("`{operator}` takes {expected}, {count} are given.");
        return vec![("values".to_owned(), (ProblemCode::ValueCount, message))];
    }
    let values = condition.values.iter().enumerate();
    values
        .filter_map(|(nth, value)| {
            let fault = empty_value(condition.operator, value).or_else(|| check_value(value, column_type))?;
            Some((format!("values[{nth}]"), fault))
        })
        .collect()
}

/// The fault of an empty value for an operator that nothing fits then.
fn empty_value(operator: Operator, value: &str) -> Option<Fault> {
    let takes_empty = matches!(operator, Operator::Equals | Operator::NotEquals | Operator::In);
    (value.is_empty() && !takes_empty).then(|| {
        let message = format!(
            "`{}` needs a value. To look for records without one, choose `{}`.",
            operator.name(),
            Operator::IsEmpty.name()
        );
        (ProblemCode::ValueUnreadable, message)
    })
}

/// The fault of a value that is too long, or spells nothing of the column's type.
pub(super) fn check_value(value: &str, column_type: Option<ColumnType>) -> Option<Fault> {
    let length = value.chars().count();
    if length > MAX_VALUE_LENGTH {
        let message = format!("The value has {length} characters, at most {MAX_VALUE_LENGTH} are possible.");
        return Some((ProblemCode::ValueTooLong, message));
    }
    let column_type = column_type?;
    (!Literal::new(value).spells(column_type)).then(|| {
        let message = format!(
            "`{value}` is not a value of a column of type {}. Write {}.",
            column_type.name(),
            spelling(column_type)
        );
        (ProblemCode::ValueUnreadable, message)
    })
}

/// How values of a column type are written.
const fn spelling(column_type: ColumnType) -> &'static str {
    use ColumnType as Type;
    match column_type {
        Type::Boolean => "true or false",
        Type::Integer | Type::BigInt | Type::Decimal | Type::Double | Type::Money => {
            "a number, with a point before decimals"
        }
        Type::DateTime => "a time such as 2026-01-31T18:30:00Z, or a date such as 2026-01-31",
        Type::DateOnly => "a date such as 2026-01-31",
        Type::Uniqueidentifier | Type::Lookup | Type::Customer | Type::Owner => "the GUID of a record",
        _ => "a text",
    }
}
