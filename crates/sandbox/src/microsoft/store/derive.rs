//! Columns the server computes when a row is written.

use super::organization::Actor;
use super::value::Cell;
use crate::microsoft::schema::{Derivation, TableDefinition};

/// The circumstances of a write.
#[derive(Debug, Clone, Copy)]
pub struct Deriving {
    /// Who writes.
    pub actor: Actor,
    /// When, in seconds since 1970 UTC.
    pub now: i64,
    /// The row is new.
    pub created: bool,
}

/// Computes every derived column of a row. `rate` is the exchange rate of its currency.
pub fn derive_columns(definition: &TableDefinition, cells: &mut [Option<Cell>], deriving: Deriving, rate: Option<f64>) {
    for (index, column) in definition.columns.iter().enumerate() {
        let Some(derivation) = &column.derivation else { continue };
        let value = match derivation {
            Derivation::FullName => joined(definition, cells, &["firstname", "middlename", "lastname"], " "),
            Derivation::AddressComposite { prefix } => composite(definition, cells, prefix),
            Derivation::CreatedOn if deriving.created => Some(created_on(definition, cells, deriving.now)),
            Derivation::CreatedBy if deriving.created => Some(Cell::Reference(0, deriving.actor.user)),
            Derivation::CreatedOn | Derivation::CreatedBy => continue,
            Derivation::ModifiedOn => Some(Cell::Integer(deriving.now)),
            Derivation::ModifiedBy => Some(Cell::Reference(0, deriving.actor.user)),
            Derivation::OwningUser => owning_user(definition, cells),
            Derivation::OwningBusinessUnit => Some(Cell::Reference(0, deriving.actor.business_unit)),
            Derivation::BaseAmount { of } => base_amount(definition, cells, of, rate),
            // Kept beside the cells.
            Derivation::Version => None,
        };
        cells[index] = value;
    }
}

/// `createdon`, or what `overriddencreatedon` says.
fn created_on(definition: &TableDefinition, cells: &mut [Option<Cell>], now: i64) -> Cell {
    let overridden = definition
        .column("overriddencreatedon")
        .filter(|column| cells[*column].is_some());
    match overridden {
        // The product swaps the two: the back-dated moment becomes createdon, the real one is kept aside.
        Some(column) => cells[column].replace(Cell::Integer(now)).unwrap_or(Cell::Integer(now)),
        None => Cell::Integer(now),
    }
}

fn text<'cells>(definition: &TableDefinition, cells: &'cells [Option<Cell>], name: &str) -> Option<&'cells str> {
    match &cells[definition.column(name)?] {
        Some(Cell::Text(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn joined(definition: &TableDefinition, cells: &[Option<Cell>], names: &[&str], separator: &str) -> Option<Cell> {
    let parts: Vec<&str> = names.iter().filter_map(|name| text(definition, cells, name)).collect();
    (!parts.is_empty()).then(|| Cell::text(&parts.join(separator)))
}

/// Street lines, then "city, state postal code", then the country; lines joined as the product joins them.
fn composite(definition: &TableDefinition, cells: &[Option<Cell>], prefix: &str) -> Option<Cell> {
    let part = |name: &str| text(definition, cells, &format!("{prefix}{name}"));
    let region: Vec<&str> = [part("stateorprovince"), part("postalcode")]
        .into_iter()
        .flatten()
        .collect();
    let region = region.join(" ");
    let place: Vec<&str> = [part("city"), Some(region.as_str())]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    let place = place.join(", ");
    let lines: Vec<&str> = [
        part("line1"),
        part("line2"),
        part("line3"),
        Some(place.as_str()),
        part("country"),
    ]
    .into_iter()
    .flatten()
    .filter(|line| !line.is_empty())
    .collect();
    (!lines.is_empty()).then(|| Cell::text(&lines.join("\r\n")))
}

fn owning_user(definition: &TableDefinition, cells: &[Option<Cell>]) -> Option<Cell> {
    match &cells[definition.column("ownerid")?] {
        Some(Cell::Reference(0, user)) => Some(Cell::Reference(0, *user)),
        _ => None,
    }
}

fn base_amount(definition: &TableDefinition, cells: &[Option<Cell>], of: &str, rate: Option<f64>) -> Option<Cell> {
    match (&cells[definition.column(of)?], rate) {
        (Some(Cell::Integer(amount)), Some(rate)) if rate > 0.0 => {
            Some(Cell::Integer((*amount as f64 / rate).round() as i64))
        }
        (Some(Cell::Integer(amount)), _) => Some(Cell::Integer(*amount)),
        _ => None,
    }
}
