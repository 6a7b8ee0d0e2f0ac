//! Links between mapped tables: which records have to be there before others (design §7).

use std::collections::{BTreeMap, BTreeSet};

use super::{Link, TableMapping};
use crate::schema::Table;

/// The links of a mapping: its mapped lookup columns with the tables they point to.
#[must_use]
pub fn links(mapping: &TableMapping, table: &Table) -> Vec<Link> {
    let lookups = mapping
        .fields
        .iter()
        .filter_map(|field| table.column(&field.source))
        .filter(|column| column.column_type.is_lookup());
    let links: BTreeSet<Link> = lookups
        .flat_map(|column| {
            column.targets.iter().map(|target| Link {
                source: column.logical_name.clone(),
                table: target.clone(),
            })
        })
        .collect();
    links.into_iter().collect()
}

/// For each mapped table, the mapped tables whose records come before its own in an initial load.
///
/// Links that lead in a circle, such as those between accounts and their primary contacts, cannot all be kept: of each
/// circle the link that closes it is left out, going through the tables by name. What such a link leads to may come later.
#[must_use]
pub fn parents<'a>(mappings: impl IntoIterator<Item = &'a TableMapping>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mappings: BTreeMap<&str, &TableMapping> = mappings
        .into_iter()
        .map(|mapping| (mapping.source_table.as_str(), mapping))
        .collect();
    let mut walk = Walk {
        mappings: &mappings,
        under_way: BTreeSet::new(),
        parents: BTreeMap::new(),
    };
    for table in mappings.keys() {
        walk.visit(table);
    }
    walk.parents
}

struct Walk<'a, 'm> {
    mappings: &'m BTreeMap<&'a str, &'a TableMapping>,
    under_way: BTreeSet<&'a str>,
    parents: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Walk<'a, '_> {
    fn visit(&mut self, table: &'a str) {
        if self.parents.contains_key(table) || !self.under_way.insert(table) {
            return;
        }
        let mut parents = BTreeSet::new();
        for link in self.mappings.get(table).iter().flat_map(|mapping| &mapping.links) {
            let parent = link.table.as_str();
            if self.under_way.contains(parent) || !self.mappings.contains_key(parent) {
                continue;
            }
            self.visit(parent);
            parents.insert(parent);
        }
        self.under_way.remove(table);
        self.parents.insert(table, parents);
    }
}
