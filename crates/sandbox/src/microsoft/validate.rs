//! Checks one JSON value against its column (contracts/dataverse.md §4.5, §6.2).

use std::str::FromStr;

use http::StatusCode;
use rust_decimal::Decimal;
use serde_json::Value;

use super::errors::ApiError;
use super::literal::{EARLIEST_MOMENT, money_of_decimal, parse_date, parse_guid, parse_moment};
use super::schema::{Behavior, ColumnDefinition, ColumnKind, OptionSet, TableDefinition};
use super::store::{Cell, MONEY_SCALE};

/// Largest amount of a money column, in currency units.
const MONEY_LIMIT: i64 = 922_337_203_685_477;

/// The cell a JSON value makes; `null` and empty text make none.
pub(crate) fn cell_of_json(
    table: &TableDefinition,
    column: &ColumnDefinition,
    value: &Value,
) -> Result<Option<Cell>, ApiError> {
    if value.is_null() {
        return Ok(None);
    }
    let mismatch = || cannot_convert(table, value, column.kind.edm_type());
    let cell = match &column.kind {
        ColumnKind::Text { max_length, .. } | ColumnKind::Memo { max_length } => {
            let text = value.as_str().ok_or_else(mismatch)?;
            check_length(table, column, text, *max_length)?;
            // The product stores empty text as null.
            return Ok((!text.is_empty()).then(|| Cell::text(text)));
        }
        ColumnKind::Boolean { .. } => Cell::Boolean(value.as_bool().ok_or_else(mismatch)?),
        ColumnKind::Picklist(set) | ColumnKind::State(set) | ColumnKind::Status(set) => {
            let number = value.as_i64().ok_or_else(mismatch)?;
            check_choice(table, column, set, number)?;
            Cell::Integer(number)
        }
        ColumnKind::MultiSelect(set) => return multi_select(table, column, set, value.as_str().ok_or_else(mismatch)?),
        ColumnKind::DateTime { behavior, .. } => date_time(*behavior, value.as_str().ok_or_else(mismatch)?, mismatch)?,
        ColumnKind::UniqueIdentifier | ColumnKind::Lookup { .. } => {
            Cell::Guid(value.as_str().and_then(parse_guid).ok_or_else(mismatch)?)
        }
        ColumnKind::Image => Cell::text(value.as_str().ok_or_else(mismatch)?),
        ColumnKind::Integer { .. }
        | ColumnKind::BigInt
        | ColumnKind::Decimal { .. }
        | ColumnKind::Money { .. }
        | ColumnKind::Double { .. } => number(table, column, value)?,
    };
    Ok(Some(cell))
}

fn number(table: &TableDefinition, column: &ColumnDefinition, value: &Value) -> Result<Cell, ApiError> {
    let mismatch = || cannot_convert(table, value, column.kind.edm_type());
    let cell = match &column.kind {
        ColumnKind::Integer { min, max } => {
            let number = value.as_i64().ok_or_else(mismatch)?;
            check_range(table, column, "0x8004432f", &number, &i64::from(*min), &i64::from(*max))?;
            Cell::Integer(number)
        }
        ColumnKind::Decimal { min, max, .. } => {
            let number = decimal(value).ok_or_else(mismatch)?;
            check_range(
                table,
                column,
                "0x80044330",
                &number,
                &Decimal::from(*min),
                &Decimal::from(*max),
            )?;
            Cell::Decimal(number)
        }
        ColumnKind::Money { .. } => {
            let number = decimal(value).ok_or_else(mismatch)?;
            let limit = Decimal::from(MONEY_LIMIT);
            check_range(table, column, "0x80044330", &number, &-limit, &limit)?;
            Cell::Integer(money_of_decimal(number.round_dp(MONEY_SCALE)).ok_or_else(mismatch)?)
        }
        ColumnKind::Double { min, max, precision } => {
            let number = value.as_f64().ok_or_else(mismatch)?;
            check_range(table, column, "0x80044330", &number, min, max)?;
            let scale = 10_f64.powi(i32::try_from(*precision).unwrap_or(0));
            Cell::Double((number * scale).round() / scale)
        }
        _ => Cell::Integer(value.as_i64().ok_or_else(mismatch)?),
    };
    Ok(cell)
}

/// The payload error for a value of the wrong type.
pub(crate) fn cannot_convert(table: &TableDefinition, value: &Value, edm_type: &str) -> ApiError {
    let literal = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    ApiError::payload(
        &table.entity_set_name,
        &format!(
            "Microsoft.OData.ODataException: Cannot convert the literal '{literal}' to the expected type '{edm_type}'."
        ),
    )
}

fn decimal(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    Decimal::from_str(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .ok()
}

fn check_length(
    table: &TableDefinition,
    column: &ColumnDefinition,
    text: &str,
    max_length: u32,
) -> Result<(), ApiError> {
    if text.len() <= max_length as usize || text.encode_utf16().count() <= max_length as usize {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::BAD_REQUEST,
        "0x80044331",
        format!(
            "A validation error occurred.  The length of the '{}' attribute of the '{}' entity exceeded the maximum \
             allowed length of '{max_length}'.",
            column.logical_name, table.logical_name
        ),
    ))
}

fn check_range<Number: PartialOrd + std::fmt::Display>(
    table: &TableDefinition,
    column: &ColumnDefinition,
    code: &'static str,
    number: &Number,
    min: &Number,
    max: &Number,
) -> Result<(), ApiError> {
    if number >= min && number <= max {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::BAD_REQUEST,
        code,
        format!(
            "A validation error occurred. The value {number} of '{}' on record of type '{}' is outside the valid range. \
             Accepted Values: {min} to {max}",
            column.logical_name, table.logical_name
        ),
    ))
}

fn check_choice(
    table: &TableDefinition,
    column: &ColumnDefinition,
    set: &OptionSet,
    number: i64,
) -> Result<(), ApiError> {
    if i32::try_from(number).is_ok_and(|number| set.choice(number).is_some()) {
        return Ok(());
    }
    let accepted: Vec<String> = set.options.iter().map(|option| option.value.to_string()).collect();
    Err(ApiError::new(
        StatusCode::BAD_REQUEST,
        "0x8004431a",
        format!(
            "A validation error occurred. The value {number} of '{}' on record of type '{}' is outside the valid range. \
             Accepted Values: {}",
            column.logical_name,
            table.logical_name,
            accepted.join(",")
        ),
    ))
}

fn multi_select(
    table: &TableDefinition,
    column: &ColumnDefinition,
    set: &OptionSet,
    text: &str,
) -> Result<Option<Cell>, ApiError> {
    let mut values = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let value = part
            .parse()
            .map_err(|_| cannot_convert(table, &text.into(), "Edm.String"))?;
        check_choice(table, column, set, value)?;
        values.push(value.to_string());
    }
    Ok((!values.is_empty()).then(|| Cell::Text(values.join(",").into())))
}

fn date_time(behavior: Behavior, text: &str, mismatch: impl Fn() -> ApiError) -> Result<Cell, ApiError> {
    let (value, seconds) = match behavior {
        Behavior::DateOnly => {
            let days = parse_date(text).ok_or_else(mismatch)?;
            (days, days * 86_400)
        }
        Behavior::UserLocal => {
            let seconds = parse_moment(text).ok_or_else(mismatch)?;
            (seconds, seconds)
        }
    };
    if seconds < EARLIEST_MOMENT {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "0x80040239",
            format!(
                "DateTime is less than minumum value supported by CrmDateTime. Actual value: {text}, Minimum value \
                 supported: 01/01/1753 00:00:00"
            ),
        ));
    }
    Ok(Cell::Integer(value))
}
