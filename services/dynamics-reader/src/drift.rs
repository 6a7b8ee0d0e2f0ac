//! Watching the table of a unit: a column that is removed or retyped ends the unit before records are lost to it; what does no
//! harm, such as a new option, is taken over.

use crosswalk_core::mapping::{retyped_columns, validate_source};
use crosswalk_dynamics::Selection;

use crate::{
    failure::UnitError,
    proof::Source,
    read::{Opened, Unit},
};

impl Unit {
    /// Compares the table with what it was when it was last looked at.
    pub(crate) async fn check_schema(&self, opened: &Opened) -> Result<(), UnitError> {
        let before = opened.source();
        let definition = &*self.mapping.definition;
        let table = before.client.table(&definition.source_table).await?;
        if table == before.table {
            return Ok(());
        }
        let mut problems = validate_source(definition, &table);
        problems.extend(retyped_columns(definition, &before.table, &table));
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
        Ok(())
    }
}
