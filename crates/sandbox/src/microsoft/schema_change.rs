//! What a customizer publishes while the environment is in use: tables, and changes of their columns.

use serde::{Deserialize, Serialize};

use super::Dynamics;
use super::declared::{ColumnDeclaration, ColumnType, TableDeclaration};
use super::errors::ApiError;
use super::store::Organization;

/// Columns to add or change, and columns to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColumnChanges {
    /// Columns that are added, or take the place of those of the same name. Values of a column of another type are lost.
    pub put: Vec<ColumnDeclaration>,
    /// Logical names of columns that are removed.
    pub remove: Vec<String>,
}

impl Dynamics {
    /// Publishes a custom table.
    ///
    /// # Errors
    /// A declaration that does not fit in itself, a name that is taken, a lookup to a table that is not there.
    pub fn add_table(&self, declared: &TableDeclaration) -> Result<(), ApiError> {
        let mut organization = self.organization.write();
        let definition = declared.build(organization.tables().len())?;
        let taken = organization.table_named(&definition.logical_name).is_some()
            || organization.table_of_set(&definition.entity_set_name).is_some();
        if taken {
            return Err(ApiError::bad_request(format!(
                "there is a table {} already",
                definition.logical_name
            )));
        }
        check_targets(&organization, &definition.logical_name, &declared.columns)?;
        organization.add_table(definition);
        Ok(())
    }

    /// Publishes other columns of a table.
    ///
    /// # Errors
    /// An unknown table or column, and columns that cannot be. Then nothing is changed.
    pub fn change_columns(&self, table: &str, changes: &ColumnChanges) -> Result<(), ApiError> {
        let mut organization = self.organization.write();
        let index = organization
            .table_named(table)
            .ok_or_else(|| ApiError::unknown_segment(table))?;
        check_targets(&organization, table, &changes.put)?;
        let mut definition = organization.table(index).definition().as_ref().clone();
        for name in &changes.remove {
            let column = definition
                .column(name)
                .filter(|column| definition.columns[*column].updatable)
                .ok_or_else(|| ApiError::bad_request(format!("{table} has no column {name} that can be removed")))?;
            definition.columns[column].removed = true;
        }
        for column in &changes.put {
            column.put(&mut definition)?;
        }
        organization.change_definition(index, |present| *present = definition);
        Ok(())
    }
}

fn check_targets(organization: &Organization, table: &str, columns: &[ColumnDeclaration]) -> Result<(), ApiError> {
    for column in columns {
        let ColumnType::Lookup { targets } = &column.kind else {
            continue;
        };
        let is_unknown = |target: &&String| *target != table && organization.table_named(target).is_none();
        if let Some(target) = targets.iter().find(is_unknown) {
            return Err(ApiError::bad_request(format!(
                "{}: there is no table {target} to look up",
                column.name
            )));
        }
    }
    Ok(())
}
