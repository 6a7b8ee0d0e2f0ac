//! Labels of options in filters and replacements.

use super::{Literal, TableMapping};
use crate::{
    Choice,
    schema::{Column, ColumnOption, ColumnType, Table},
};

/// Stores the labels of options and of yes/no values as the values they stand for. Labels may be renamed at any time, which is
/// no change of what a condition means. To be called once, when a definition is accepted.
#[must_use]
pub fn store_labels_as_values(mut mapping: TableMapping, table: &Table) -> TableMapping {
    let conditions = mapping.filter.conditions.iter_mut();
    let conditions = conditions.flat_map(|one| one.values.iter_mut().map(|value| (&one.source, value)));
    let replacements = mapping.replacements.iter_mut();
    let replacements = replacements.map(|one| (&one.source, &mut one.existing));
    for (source, value) in conditions.chain(replacements) {
        if let Some(stored) = table.column(source).and_then(|column| stored_value(column, value)) {
            *value = stored;
        }
    }
    mapping
}

/// What is stored for a spelling; `None` if it is stored as it is.
fn stored_value(column: &Column, spelled: &str) -> Option<String> {
    match column.column_type {
        ColumnType::Boolean => {
            let option = labelled(column, spelled)?;
            Some(if option.value == 0 { "false" } else { "true" }.to_owned())
        }
        ColumnType::Picklist | ColumnType::State | ColumnType::Status => only_option(column, spelled),
        ColumnType::MultiSelectPicklist => only_option(column, spelled).or_else(|| {
            let options = spelled.split(',').map(|part| only_option(column, part.trim()));
            Some(options.collect::<Option<Vec<_>>>()?.join(","))
        }),
        _ => None,
    }
}

/// The value of the one option that is spelled, by its value or its label; `None` if there is none, or several.
fn only_option(column: &Column, spelled: &str) -> Option<String> {
    let literal = Literal::new(spelled);
    let mut spelled = column.options.iter().filter(|option| {
        literal.is_choice(&Choice {
            value: option.value,
            label: option.label.as_deref().map(Into::into),
        })
    });
    let option = spelled.next()?;
    spelled.next().is_none().then(|| option.value.to_string())
}

fn labelled<'a>(column: &'a Column, label: &str) -> Option<&'a ColumnOption> {
    let folded = label.trim().to_lowercase();
    let is_labelled = |option: &&ColumnOption| option.label.as_ref().is_some_and(|own| own.to_lowercase() == folded);
    column.options.iter().find(is_labelled)
}
