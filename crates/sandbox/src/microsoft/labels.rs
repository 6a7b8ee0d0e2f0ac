//! Display texts of values, for the formatted-value annotation. US English, as the sandbox's only language.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::literal::{date_of_days, timestamp_of_seconds};
use super::schema::{ColumnDefinition, ColumnKind, DateFormat, OptionSet, TableDefinition};
use super::store::{CellRef, MONEY_SCALE, Organization, Row};

/// What the display text of a value depends on besides the value.
#[derive(Clone, Copy)]
pub(crate) struct FormattedValue<'read> {
    /// For names of referenced rows and currency symbols.
    pub organization: &'read Organization,
    /// The table of the row.
    pub table: &'read TableDefinition,
    /// The row, for its currency.
    pub row: &'read Row,
}

impl FormattedValue<'_> {
    /// The display text; `None` for kinds that have none (text, GUIDs).
    pub(crate) fn of(self, column: &ColumnDefinition, cell: CellRef<'_>) -> Option<String> {
        match (&column.kind, cell) {
            (
                ColumnKind::Boolean {
                    false_label,
                    true_label,
                    ..
                },
                CellRef::Boolean(value),
            ) => Some(if value { true_label } else { false_label }.clone()),
            (ColumnKind::Picklist(set) | ColumnKind::State(set) | ColumnKind::Status(set), CellRef::Integer(value)) => {
                choice_label(set, value)
            }
            (ColumnKind::MultiSelect(set), CellRef::Text(values)) => {
                let labels = values
                    .split(',')
                    .filter_map(|value| choice_label(set, value.trim().parse().ok()?));
                Some(labels.collect::<Vec<_>>().join("; "))
            }
            (ColumnKind::DateTime { behavior, format }, CellRef::Integer(value)) => {
                let is_date = *behavior == super::schema::Behavior::DateOnly;
                Some(if is_date {
                    us_date(date_of_days(value))
                } else {
                    us_moment(value, *format)
                })
            }
            (ColumnKind::Money { base_of, .. }, CellRef::Integer(value)) => Some(self.amount(value, base_of.is_some())),
            (ColumnKind::Integer { .. } | ColumnKind::BigInt, CellRef::Integer(value)) => {
                Some(grouped(&value.to_string()))
            }
            (ColumnKind::Double { precision, .. }, CellRef::Double(value)) => {
                Some(grouped(&format!("{value:.0$}", *precision as usize)))
            }
            (ColumnKind::Decimal { precision, .. }, CellRef::Decimal(value)) => {
                Some(grouped(&format!("{value:.0$}", *precision as usize)))
            }
            (ColumnKind::Lookup { targets, .. }, CellRef::Reference(target, id)) => {
                self.name_of_row(&targets.get(usize::from(target))?.table, id)
            }
            _ => None,
        }
    }

    fn amount(self, value: i64, base: bool) -> String {
        let amount = Decimal::new(value, MONEY_SCALE).round_dp(2);
        format!("{}{}", self.currency_symbol(base), grouped(&format!("{amount:.2}")))
    }

    fn name_of_row(self, table: &str, id: Uuid) -> Option<String> {
        let table = self.organization.table(self.organization.table_named(table)?);
        let name = table.row(id)?.cells.cell(table.definition().primary_name?)?;
        name.as_text().map(str::to_owned)
    }

    fn currency_symbol(self, base: bool) -> String {
        let symbol = || {
            let currencies = self
                .organization
                .table(self.organization.table_named("transactioncurrency")?);
            let column = self.table.column("transactioncurrencyid")?;
            let row = match self.row.cells.cell(column) {
                Some(CellRef::Reference(_, currency)) if !base => currencies.row(currency)?,
                _ => currencies.rows().values().next()?,
            };
            let symbol = row.cells.cell(currencies.definition().column("currencysymbol")?)?;
            symbol.as_text().map(str::to_owned)
        };
        symbol().unwrap_or_default()
    }
}

fn choice_label(set: &OptionSet, value: i64) -> Option<String> {
    set.choice(i32::try_from(value).ok()?)?.label.clone()
}

fn us_date(date: jiff::civil::Date) -> String {
    format!("{}/{}/{}", date.month(), date.day(), date.year())
}

fn us_moment(seconds: i64, format: DateFormat) -> String {
    let moment = timestamp_of_seconds(seconds).to_zoned(jiff::tz::TimeZone::UTC);
    let date = us_date(moment.date());
    match format {
        DateFormat::DateOnly => date,
        DateFormat::DateAndTime => {
            let hour = moment.hour();
            let half = if hour < 12 { "AM" } else { "PM" };
            let shown = if hour % 12 == 0 { 12 } else { hour % 12 };
            format!("{date} {shown}:{:02} {half}", moment.minute())
        }
    }
}

/// Adds thousands separators to a plain decimal number.
pub(crate) fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut result = sign.to_owned();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            result.push(',');
        }
        result.push(digit);
    }
    if let Some(fraction) = fraction {
        result.push('.');
        result.push_str(fraction);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped("1200.00"), "1,200.00");
        assert_eq!(grouped("-1234567"), "-1,234,567");
        assert_eq!(grouped("999"), "999");
    }
}
