//! The same environment without HTTP and tokens: for tests, the admin listener and live activity. Writes pass the same
//! validation as the Web API's.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::errors::ApiError;
use super::query::{Preferences, Selection};
use super::render::RowRenderer;
use super::schema::{KeyDefinition, TableDefinition};
use super::store::{Organization, Row, Table};
use super::write::Writing;
use super::{Dynamics, now};

impl Dynamics {
    /// Creates a row and returns its id.
    pub fn create(&self, table: &str, row: &Map<String, Value>) -> Result<Uuid, ApiError> {
        self.write_directly(table, |writing| writing.create(row))
    }

    /// Creates the rows of lines of JSON, one object a line, under one lock; empty lines are passed over.
    ///
    /// # Errors
    /// The first line that is no row, with its number; the lines before it have been created.
    pub fn import(&self, table: &str, lines: &[u8]) -> Result<usize, ApiError> {
        let lines = lines.split(|byte| *byte == b'\n').enumerate();
        let rows = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
        self.write_directly(table, |writing| {
            let mut created = 0;
            for (number, line) in rows {
                let refused = |problem: String| ApiError::bad_request(format!("line {}: {problem}", number + 1));
                let row: Map<String, Value> =
                    serde_json::from_slice(line).map_err(|error| refused(error.to_string()))?;
                writing.create(&row).map_err(|error| refused(error.to_string()))?;
                created += 1;
            }
            Ok(created)
        })
    }

    /// Changes a row.
    pub fn update(&self, table: &str, id: Uuid, changes: &Map<String, Value>) -> Result<(), ApiError> {
        self.write_directly(table, |writing| writing.update(id, changes))
    }

    /// Deletes a row.
    pub fn delete(&self, table: &str, id: Uuid) -> Result<(), ApiError> {
        self.write_directly(table, |writing| writing.delete(id))
    }

    /// A row with all its columns, as the Web API would show it.
    pub fn row(&self, table: &str, id: Uuid) -> Result<Value, ApiError> {
        let organization = self.organization.read();
        let index = table_named(&organization, table)?;
        let definition = organization.table(index).definition();
        let row = organization
            .table(index)
            .row(id)
            .ok_or_else(|| ApiError::row_not_found(definition, id))?;
        let mut buffer = Vec::new();
        write_rows(&organization, index, [row], |json| buffer.extend_from_slice(json))?;
        Ok(serde_json::from_slice(&buffer).expect("rendered rows are JSON"))
    }

    /// Rows by rising id.
    pub fn rows(&self, table: &str, limit: usize, offset: usize) -> Result<Vec<Value>, ApiError> {
        let organization = self.organization.read();
        let index = table_named(&organization, table)?;
        let rows = organization.table(index).rows().values().skip(offset).take(limit);
        let mut values = Vec::new();
        write_rows(&organization, index, rows, |json| {
            values.push(serde_json::from_slice(json).expect("rendered rows are JSON"));
        })?;
        Ok(values)
    }

    /// Up to `limit` rows behind `after`, each as one line of JSON appended to `lines`; returns the last id, `None` at the
    /// end. The tables are locked for this call only, so an export of many calls shows each row at its own moment.
    pub fn export(
        &self,
        table: &str,
        after: Option<Uuid>,
        limit: usize,
        lines: &mut Vec<u8>,
    ) -> Result<Option<Uuid>, ApiError> {
        let organization = self.organization.read();
        let index = table_named(&organization, table)?;
        let mut last = None;
        let rows = organization
            .table(index)
            .rows_after(after)
            .take(limit)
            .map(|(id, row)| {
                last = Some(*id);
                row
            });
        write_rows(&organization, index, rows, |json| {
            lines.extend_from_slice(json);
            lines.push(b'\n');
        })?;
        Ok(last)
    }

    /// Ids of up to `limit` rows from a pivot on, by rising id: for picking rows at random.
    pub fn ids_from(&self, table: &str, pivot: Uuid, limit: usize) -> Result<Vec<Uuid>, ApiError> {
        let organization = self.organization.read();
        let index = table_named(&organization, table)?;
        Ok(organization
            .table(index)
            .rows()
            .range(pivot..)
            .take(limit)
            .map(|(id, _)| *id)
            .collect())
    }

    /// Number of rows.
    pub fn count(&self, table: &str) -> Result<usize, ApiError> {
        let organization = self.organization.read();
        Ok(organization.table(table_named(&organization, table)?).rows().len())
    }

    /// Logical names of all tables.
    pub fn table_names(&self) -> Vec<String> {
        self.organization
            .read()
            .tables()
            .iter()
            .map(|table| table.definition().logical_name.clone())
            .collect()
    }

    /// Makes all delta tokens issued so far expired; `None`: of all tables.
    pub fn expire_delta_tokens(&self, table: Option<&str>) -> Result<(), ApiError> {
        let mut organization = self.organization.write();
        let index = table.map(|table| table_named(&organization, table)).transpose()?;
        organization.expire_tokens(index);
        Ok(())
    }

    /// Changes the metadata version and makes all delta tokens expired, as a change of definitions can in the product.
    pub fn touch_metadata(&self) {
        let mut organization = self.organization.write();
        organization.change_definition(0, |_| {});
        organization.expire_tokens(None);
    }

    /// Switches change tracking of a table on or off.
    pub fn set_change_tracking(&self, table: &str, enabled: bool) -> Result<(), ApiError> {
        self.change_definition(table, |definition| definition.change_tracking_enabled = enabled)
    }

    /// The tables with change tracking off that could have it.
    pub fn change_tracking_off(&self) -> BTreeSet<String> {
        let organization = self.organization.read();
        let definitions = organization.tables().iter().map(Table::definition);
        definitions
            .filter(|definition| !definition.change_tracking_enabled && definition.capabilities.create)
            .map(|definition| definition.logical_name.clone())
            .collect()
    }

    /// Takes a column away, or brings it back; its values stay.
    pub fn set_column_removed(&self, table: &str, column: &str, removed: bool) -> Result<(), ApiError> {
        let known = self.with_definition(table, |definition| {
            definition.columns.iter().position(|known| known.logical_name == column)
        })?;
        let index = known.ok_or_else(|| {
            ApiError::bad_request(format!(
                "'{table}' entity doesn't contain attribute with Name = '{column}'"
            ))
        })?;
        self.change_definition(table, |definition| definition.columns[index].removed = removed)
    }

    /// The columns taken away, as pairs of table and column.
    pub fn removed_columns(&self) -> Vec<(String, String)> {
        let organization = self.organization.read();
        let mut removed = Vec::new();
        for definition in organization.tables().iter().map(Table::definition) {
            let columns = definition.columns.iter().filter(|column| column.removed);
            removed.extend(columns.map(|column| (definition.logical_name.clone(), column.logical_name.clone())));
        }
        removed
    }

    /// Declares an alternate key on columns of a table; refused if rows already share its value.
    pub fn declare_key(&self, table: &str, schema_name: &str, columns: &[&str]) -> Result<(), ApiError> {
        let mut organization = self.organization.write();
        let index = table_named(&organization, table)?;
        let definition = organization.table(index).definition().clone();
        let find = |name: &&str| {
            definition
                .column(name)
                .ok_or_else(|| ApiError::unknown_property(name, &definition))
        };
        let columns = columns.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let key = KeyDefinition {
            schema_name: schema_name.to_owned(),
            display_name: schema_name.to_owned(),
            columns,
        };
        if organization.declare_key(index, key) {
            Ok(())
        } else {
            Err(ApiError::duplicate())
        }
    }

    /// Adds rows as the state the environment starts with: no history, no delta.
    pub(crate) fn load(&self, table: &str, build: impl FnOnce(&mut Organization, usize) -> Vec<(Uuid, Row)>) {
        let mut organization = self.organization.write();
        if let Some(index) = organization.table_named(table) {
            let rows = build(&mut organization, index);
            organization.load(index, rows);
        }
    }

    /// Looks at the definition of a standard table.
    pub(crate) fn with_table<Read>(&self, table: &str, read: impl FnOnce(&TableDefinition) -> Read) -> Read {
        self.with_definition(table, read).expect("standard tables always exist")
    }

    fn write_directly<Written>(
        &self,
        table: &str,
        run: impl FnOnce(&mut Writing<'_>) -> Result<Written, ApiError>,
    ) -> Result<Written, ApiError> {
        let mut organization = self.organization.write();
        let table = table_named(&organization, table)?;
        run(&mut Writing {
            organization: &mut organization,
            table,
            actor: self.actor_of(self.config.application_user_id),
            now: now(),
        })
    }

    fn with_definition<Read>(
        &self,
        table: &str,
        read: impl FnOnce(&TableDefinition) -> Read,
    ) -> Result<Read, ApiError> {
        let organization = self.organization.read();
        Ok(read(
            organization.table(table_named(&organization, table)?).definition(),
        ))
    }

    fn change_definition(&self, table: &str, change: impl FnOnce(&mut TableDefinition)) -> Result<(), ApiError> {
        let mut organization = self.organization.write();
        let index = table_named(&organization, table)?;
        organization.change_definition(index, change);
        Ok(())
    }
}

fn table_named(organization: &Organization, table: &str) -> Result<usize, ApiError> {
    organization
        .table_named(table)
        .ok_or_else(|| ApiError::unknown_segment(table))
}

fn write_rows<'rows>(
    organization: &Organization,
    table: usize,
    rows: impl IntoIterator<Item = &'rows Row>,
    mut take: impl FnMut(&[u8]),
) -> Result<(), ApiError> {
    let definition = organization.table(table).definition();
    let selection = Selection::parse(None, definition)?;
    let mut renderer = RowRenderer::new(organization, definition, &selection, &Preferences::default());
    let mut buffer = Vec::new();
    for row in rows {
        buffer.clear();
        renderer.write(&mut buffer, row, None);
        take(&buffer);
    }
    Ok(())
}
