//! Adobe's guardrails, as advice: nothing here breaks beyond them (contracts/campaign.md §10.3).

use std::collections::BTreeSet;

use super::TableMapping;

/// Records of the first load, over all tables.
pub const MAX_INITIAL_RECORDS: u64 = 15_000_000;
/// Custom tables of an instance.
pub const MAX_CUSTOM_TABLES: u64 = 20;
/// Columns of a custom table.
pub const MAX_COLUMNS: u64 = 50;
/// Linked columns of a custom resource.
pub const MAX_LINKS: u64 = 5;

/// Tables that Adobe's limits on custom tables do not count.
const STANDARD: &str = "contact";

/// A figure that is larger than Adobe's documentation allows for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable code, e.g. `GUARDRAIL_COLUMNS`.
    pub code: &'static str,
    /// What it means.
    pub message: String,
    /// The figure.
    pub actual: u64,
    /// Adobe's limit.
    pub limit: u64,
}

/// Warnings about one mapping.
#[must_use]
pub fn mapping_warnings(mapping: &TableMapping) -> Vec<Warning> {
    if mapping.source_table == STANDARD {
        return Vec::new();
    }
    let table = &mapping.source_table;
    // The key is a column as well.
    let columns = mapping.fields.len() as u64 + 1;
    let links = mapping
        .links
        .iter()
        .map(|link| &link.source)
        .collect::<BTreeSet<_>>()
        .len() as u64;
    let columns = above(columns, MAX_COLUMNS, "GUARDRAIL_COLUMNS", || {
        format!("{columns} columns of {table} are mapped; Adobe supports {MAX_COLUMNS} of a custom table")
    });
    let links = above(links, MAX_LINKS, "GUARDRAIL_LINKS", || {
        format!("{links} linked columns of {table} are mapped; Adobe supports {MAX_LINKS} of a custom table")
    });
    columns.into_iter().chain(links).collect()
}

/// Warnings about all mappings of a workflow together. `records` is how many rows their tables hold, where that is known.
#[must_use]
pub fn workflow_warnings<'a>(
    mappings: impl IntoIterator<Item = &'a TableMapping>,
    records: Option<u64>,
) -> Vec<Warning> {
    let custom = mappings
        .into_iter()
        .filter(|mapping| mapping.source_table != STANDARD)
        .count() as u64;
    let tables = above(custom, MAX_CUSTOM_TABLES, "GUARDRAIL_TABLES", || {
        format!("{custom} custom tables are mapped; Adobe supports {MAX_CUSTOM_TABLES}")
    });
    let records = records.and_then(|records| {
        above(records, MAX_INITIAL_RECORDS, "GUARDRAIL_RECORDS", || {
            format!("the first load has {records} records; Adobe supports {MAX_INITIAL_RECORDS}")
        })
    });
    tables.into_iter().chain(records).collect()
}

fn above(actual: u64, limit: u64, code: &'static str, message: impl FnOnce() -> String) -> Option<Warning> {
    (actual > limit).then(|| Warning {
        code,
        message: message(),
        actual,
        limit,
    })
}
