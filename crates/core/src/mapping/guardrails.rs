//! Adobe's guardrails, as advice: nothing here breaks beyond them (contracts/campaign.md §10.3).

use std::collections::{BTreeMap, BTreeSet};

use super::{TableMapping, links::parents};

/// Records of the first load, over all tables.
pub const MAX_INITIAL_RECORDS: u64 = 15_000_000;
/// Custom tables of an instance.
pub const MAX_CUSTOM_TABLES: u64 = 20;
/// Columns of a custom table.
pub const MAX_COLUMNS: u64 = 50;
/// Linked columns of a custom resource.
pub const MAX_LINKS: u64 = 5;
/// Links from one table to the next in a row.
pub const MAX_LINK_DEPTH: u64 = 2;

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
    let mappings: Vec<&TableMapping> = mappings.into_iter().collect();
    let custom = mappings
        .iter()
        .filter(|mapping| mapping.source_table != STANDARD)
        .count() as u64;
    let depth = link_depth(&mappings);
    let depth = above(depth, MAX_LINK_DEPTH, "GUARDRAIL_LINK_DEPTH", || {
        format!("tables are linked over {depth} links in a row; Adobe supports {MAX_LINK_DEPTH}")
    });
    let tables = above(custom, MAX_CUSTOM_TABLES, "GUARDRAIL_TABLES", || {
        format!("{custom} custom tables are mapped; Adobe supports {MAX_CUSTOM_TABLES}")
    });
    let records = records.and_then(|records| {
        above(records, MAX_INITIAL_RECORDS, "GUARDRAIL_RECORDS", || {
            format!("the first load has {records} records; Adobe supports {MAX_INITIAL_RECORDS}")
        })
    });
    tables.into_iter().chain(depth).chain(records).collect()
}

/// The most links from one mapped table to the next in a row, without those that close a circle.
fn link_depth(mappings: &[&TableMapping]) -> u64 {
    let parents = parents(mappings.iter().copied());
    let mut depths = BTreeMap::new();
    let depths = parents.keys().map(|table| depth_of(table, &parents, &mut depths));
    depths.max().unwrap_or_default()
}

fn depth_of<'a>(
    table: &'a str,
    parents: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    depths: &mut BTreeMap<&'a str, u64>,
) -> u64 {
    if let Some(depth) = depths.get(table) {
        return *depth;
    }
    let above = parents.get(table).into_iter().flatten();
    let depth = above.map(|parent| 1 + depth_of(parent, parents, depths)).max();
    let depth = depth.unwrap_or_default();
    depths.insert(table, depth);
    depth
}

fn above(actual: u64, limit: u64, code: &'static str, message: impl FnOnce() -> String) -> Option<Warning> {
    (actual > limit).then(|| Warning {
        code,
        message: message(),
        actual,
        limit,
    })
}
