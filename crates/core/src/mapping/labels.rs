//! Labels of yes/no columns in filters and replacements.

use super::TableMapping;
use crate::schema::{Column, ColumnType, Table};

/// Stores the labels of yes/no columns as the values they stand for: rows carry no labels of such columns, and labels may be
/// renamed. To be called once, when a definition is accepted.
#[must_use]
pub fn store_labels_as_values(mut mapping: TableMapping, table: &Table) -> TableMapping {
    let conditions = mapping.filter.conditions.iter_mut();
    let conditions = conditions.flat_map(|one| one.values.iter_mut().map(|value| (&one.source, value)));
    let replacements = mapping.replacements.iter_mut();
    let replacements = replacements.map(|one| (&one.source, &mut one.existing));
    for (source, value) in conditions.chain(replacements) {
        if let Some(stored) = table.column(source).and_then(|column| value_of_label(column, value)) {
            *value = stored.to_owned();
        }
    }
    mapping
}

fn value_of_label(column: &Column, label: &str) -> Option<&'static str> {
    if column.column_type != ColumnType::Boolean {
        return None;
    }
    let is_labelled = |option: &&crate::schema::ColumnOption| {
        let own = option.label.as_deref();
        own.is_some_and(|own| own.to_lowercase() == label.trim().to_lowercase())
    };
    let option = column.options.iter().find(is_labelled)?;
    Some(if option.value == 0 { "false" } else { "true" })
}
