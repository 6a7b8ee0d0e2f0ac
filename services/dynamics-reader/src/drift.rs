//! Watching the table of a unit: a column that is removed or retyped ends the unit before records are lost to it; what does no
//! harm, such as a new option, is taken over, at the latest when a row is met that holds it.

use std::collections::HashSet;

use crosswalk_core::{mapping::validate_source, schema::Table};
use crosswalk_dynamics::{Page, Selection, UnknownOption};
use parking_lot::Mutex;

use crate::{
    failure::UnitError,
    proof::Source,
    read::{Opened, Unit},
};

/// Most options that are remembered. A table with more that are taken out of its metadata and still held is looked at in the
/// usual intervals only.
const REMEMBERED_OPTIONS: usize = 1_000;

/// Options that rows hold and the table does not have, not even after it has been looked at for their sake.
#[derive(Default)]
pub(crate) struct AbsentOptions(Mutex<HashSet<UnknownOption>>);

impl AbsentOptions {
    /// Whether a page holds options for whose sake the table has not been looked at yet.
    fn are_new_in(&self, page: &Page) -> bool {
        let absent = self.0.lock();
        absent.len() < REMEMBERED_OPTIONS && page.unknown_options.iter().any(|option| !absent.contains(option))
    }

    fn remember(&self, page: &Page) {
        self.0.lock().extend(page.unknown_options.iter().cloned());
    }
}

/// Whether a table is what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    Same,
    Replaced,
}

impl Unit {
    /// Whether a page has to be read again: it holds options that have been added to the table since it was last looked at, so
    /// that their labels were not known.
    pub(crate) async fn has_labels_since(&self, opened: &Opened, page: &Page) -> Result<bool, UnitError> {
        if !opened.absent_options.are_new_in(page) {
            return Ok(false);
        }
        let schema = self.check_schema(opened).await?;
        opened.absent_options.remember(page);
        Ok(schema == Schema::Replaced)
    }

    /// Compares the table with what it was when it was last looked at.
    pub(crate) async fn check_schema(&self, opened: &Opened) -> Result<Schema, UnitError> {
        let before = opened.source();
        let definition = &*self.mapping.definition;
        let table = before.client.table(&definition.source_table).await?;
        if is_same(&table, &before.table) {
            return Ok(Schema::Same);
        }
        let problems = validate_source(definition, &table);
        if !problems.is_empty() {
            return Err(UnitError::SchemaChanged {
                table: definition.source_table.clone(),
                problems,
            });
        }
        if !table.change_tracking {
            return Err(UnitError::ChangeTrackingOff {
                table: definition.source_table.clone(),
            });
        }
        tracing::info!(
            unit = opened.position.unit(),
            "the table has changed; the mapping fits it still"
        );
        let columns: Vec<String> = before.selection.columns().map(str::to_owned).collect();
        opened.replace_source(Source {
            client: before.client.clone(),
            selection: Selection::new(&table, &columns)?,
            table,
        });
        Ok(Schema::Replaced)
    }
}

/// Whether a table is the same to a reader: its names for people and its alternate keys do not matter.
fn is_same(one: &Table, other: &Table) -> bool {
    one.entity_set == other.entity_set
        && one.primary_id == other.primary_id
        && one.change_tracking == other.change_tracking
        && one.columns == other.columns
}
