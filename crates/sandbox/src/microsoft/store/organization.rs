//! The organization: all tables behind one version counter. Rules that need more than one cell live here: defaults,
//! computed columns, states, references, keys.

use std::collections::HashMap;

use uuid::Uuid;

use super::derive::{Deriving, derive_columns};
use super::encoding::EncodedRow;
use super::error::{WriteError, duplicate_key, not_found};
use super::journal::Undo;
use super::state::{set_defaults, set_state};
use super::table::{Row, Table, encode_key};
use super::value::{Cell, CellRef};
use crate::microsoft::schema::{ColumnKind, KeyDefinition, TableDefinition};

/// Who writes: the application user and its business unit.
#[derive(Debug, Clone, Copy)]
pub struct Actor {
    /// `systemuserid`.
    pub user: Uuid,
    /// `businessunitid`.
    pub business_unit: Uuid,
}

/// A change of one cell; `None` clears it.
pub type CellChange = (usize, Option<Cell>);

/// All tables of the environment. Callers hold it behind one lock, so every method is atomic.
#[derive(Debug)]
pub struct Organization {
    pub(super) tables: Vec<Table>,
    by_logical_name: HashMap<String, usize>,
    by_set: HashMap<String, usize>,
    version: u64,
    /// How many lookups point at a row; absent for none. Rows nothing points at are deleted without a scan.
    pub(super) references: HashMap<Uuid, u32>,
    /// What can be taken back; `None` outside of [`Organization::all_or_nothing`].
    pub(super) journal: Option<Vec<Undo>>,
    /// Changes with every change of metadata.
    metadata_version: u64,
    /// When it was made, in seconds since 1970. What was known of it before, an earlier environment knew.
    created: i64,
}

impl Organization {
    /// Version of the first change.
    const FIRST_VERSION: u64 = 900_000;

    /// An organization with empty tables, made at `created`, in seconds since 1970.
    pub fn new(definitions: Vec<TableDefinition>, created: i64) -> Self {
        let tables: Vec<Table> = definitions.into_iter().map(Table::new).collect();
        let names = |name: fn(&TableDefinition) -> &String| {
            tables
                .iter()
                .enumerate()
                .map(|(index, table)| (name(table.definition()).clone(), index))
                .collect()
        };
        Self {
            by_logical_name: names(|definition| &definition.logical_name),
            by_set: names(|definition| &definition.entity_set_name),
            tables,
            version: Self::FIRST_VERSION,
            references: HashMap::new(),
            journal: None,
            metadata_version: Self::FIRST_VERSION,
            created,
        }
    }

    /// When it was made, in seconds since 1970.
    pub fn created(&self) -> i64 {
        self.created
    }

    /// All tables.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table at an index obtained from this organization.
    pub fn table(&self, index: usize) -> &Table {
        &self.tables[index]
    }

    /// Index of a table by logical name.
    pub fn table_named(&self, logical_name: &str) -> Option<usize> {
        self.by_logical_name.get(logical_name).copied()
    }

    /// Index of a table by entity set name.
    pub fn table_of_set(&self, entity_set_name: &str) -> Option<usize> {
        self.by_set.get(entity_set_name).copied()
    }

    /// Version of the latest change anywhere.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Changes whenever metadata changes.
    pub fn metadata_version(&self) -> u64 {
        self.metadata_version
    }

    /// Takes the next version. Versions rise but are not consecutive (contracts/dataverse.md §8.2).
    fn next_version(&mut self) -> u64 {
        self.version += 1 + (self.version & 1);
        self.version
    }

    /// Takes a version for a row that will be loaded with [`Organization::load`].
    pub fn reserve_version(&mut self) -> u64 {
        self.next_version()
    }

    /// Loads rows as the state the organization starts with: no history, no change events, no validation.
    pub fn load(&mut self, table: usize, rows: Vec<(Uuid, Row)>) {
        let lookups = lookup_columns(self.tables[table].definition());
        for (_, row) in &rows {
            for target in references_of(&row.cells, &lookups) {
                *self.references.entry(target).or_default() += 1;
            }
        }
        self.tables[table].load(rows.into_iter());
    }

    /// Changes a definition and with it the metadata version.
    pub fn change_definition(&mut self, table: usize, change: impl FnOnce(&mut TableDefinition)) {
        change(self.tables[table].definition_mut());
        self.metadata_version = self.next_version();
    }

    /// Adds a table without rows.
    pub fn add_table(&mut self, definition: TableDefinition) {
        let index = self.tables.len();
        self.by_logical_name.insert(definition.logical_name.clone(), index);
        self.by_set.insert(definition.entity_set_name.clone(), index);
        self.tables.push(Table::new(definition));
        self.metadata_version = self.next_version();
    }

    /// Declares an alternate key; false if two rows already share its value.
    pub fn declare_key(&mut self, table: usize, key: KeyDefinition) -> bool {
        let declared = self.tables[table].declare_key(key);
        self.metadata_version = self.next_version();
        declared
    }

    /// Makes all delta tokens issued so far expired, on one table or all.
    pub fn expire_tokens(&mut self, table: Option<usize>) {
        let through = self.version;
        self.next_version();
        match table {
            Some(table) => self.tables[table].expire_tokens(through),
            None => self.tables.iter_mut().for_each(|table| table.expire_tokens(through)),
        }
    }

    /// The row an alternate key's values address. `values` are in the order of the key's columns.
    pub fn row_of_key(&self, table: usize, key: usize, values: Vec<Cell>) -> Option<Uuid> {
        let columns: Vec<usize> = (0..values.len()).collect();
        let cells = EncodedRow::encode(&values.into_iter().map(Some).collect::<Vec<_>>());
        self.tables[table].row_of_key(key, &encode_key(&cells, &columns)?)
    }

    /// Creates a row. `changes` have been validated cell by cell, their references looked up.
    pub fn create(
        &mut self,
        table: usize,
        id: Uuid,
        changes: Vec<CellChange>,
        actor: Actor,
        now: i64,
    ) -> Result<u64, WriteError> {
        if self.tables[table].row(id).is_some() {
            return Err(WriteError::DuplicateId);
        }
        let definition = self.tables[table].definition().clone();
        let mut cells = vec![None; definition.columns.len()];
        cells[TableDefinition::PRIMARY_ID] = Some(Cell::Guid(id));
        set_defaults(&definition, &mut cells, actor);
        self.apply(
            table,
            id,
            cells,
            changes,
            Deriving {
                actor,
                now,
                created: true,
            },
        )
    }

    /// Changes a row.
    pub fn update(
        &mut self,
        table: usize,
        id: Uuid,
        changes: Vec<CellChange>,
        actor: Actor,
        now: i64,
    ) -> Result<u64, WriteError> {
        let definition = self.tables[table].definition();
        let row = self.tables[table].row(id).ok_or_else(|| not_found(definition, id))?;
        let cells = row.cells.decode(definition.columns.len());
        self.apply(
            table,
            id,
            cells,
            changes,
            Deriving {
                actor,
                now,
                created: false,
            },
        )
    }

    /// Deletes a row; lookups to it are cleared, which changes the rows that hold them.
    pub fn delete(&mut self, table: usize, id: Uuid, actor: Actor, now: i64) -> Result<u64, WriteError> {
        let definition = self.tables[table].definition().clone();
        let row = self.tables[table].row(id).ok_or_else(|| not_found(&definition, id))?;
        let targets: Vec<Uuid> = references_of(&row.cells, &lookup_columns(&definition)).collect();
        for target in targets {
            self.forget_reference(target);
        }
        if self.references.contains_key(&id) {
            self.clear_references_to(id, actor, now);
        }
        let version = self.next_version();
        if let Some(before) = self.tables[table].remove(id, version) {
            self.note(table, id, before);
        }
        Ok(version)
    }

    fn apply(
        &mut self,
        table: usize,
        id: Uuid,
        mut cells: Vec<Option<Cell>>,
        changes: Vec<CellChange>,
        deriving: Deriving,
    ) -> Result<u64, WriteError> {
        let definition = self.tables[table].definition().clone();
        let lookups = lookup_columns(&definition);
        let before: Vec<Uuid> = self.tables[table]
            .row(id)
            .map(|row| references_of(&row.cells, &lookups).collect())
            .unwrap_or_default();
        set_state(&definition, id, &mut cells, &changes)?;
        for (column, cell) in changes {
            if !matches!(
                definition.columns[column].kind,
                ColumnKind::State(_) | ColumnKind::Status(_)
            ) {
                cells[column] = cell;
            }
        }
        self.set_currency(&definition, &mut cells);
        let rate = self.exchange_rate(&definition, &cells);
        derive_columns(&definition, &mut cells, deriving, rate);
        let encoded = EncodedRow::encode(&cells);
        if let Some(key) = self.tables[table].violated_key(id, &encoded) {
            return Err(duplicate_key(&definition, key));
        }
        for target in references_of(&encoded, &lookups) {
            *self.references.entry(target).or_default() += 1;
        }
        for target in before {
            self.forget_reference(target);
        }
        let version = self.next_version();
        let cells = encoded;
        let before = self.tables[table].put(id, Row { version, cells });
        self.note(table, id, before);
        Ok(version)
    }

    pub(super) fn forget_reference(&mut self, target: Uuid) {
        if let Some(count) = self.references.get_mut(&target) {
            *count -= 1;
            if *count == 0 {
                self.references.remove(&target);
            }
        }
    }

    fn clear_references_to(&mut self, target: Uuid, actor: Actor, now: i64) {
        for table in 0..self.tables.len() {
            let lookups = lookup_columns(self.tables[table].definition());
            let holders: Vec<(Uuid, Vec<CellChange>)> = self.tables[table]
                .rows()
                .iter()
                .filter_map(|(id, row)| {
                    let points = |column: &usize| {
                        matches!(row.cells.cell(*column), Some(CellRef::Reference(_, found)) if found == target)
                    };
                    let changes: Vec<CellChange> =
                        lookups.iter().filter(|column| points(column)).map(|column| (*column, None)).collect();
                    (!changes.is_empty() && *id != target).then_some((*id, changes))
                })
                .collect();
            for (id, changes) in holders {
                self.update(table, id, changes, actor, now)
                    .expect("clearing a lookup violates no rule");
            }
        }
    }

    /// Gives a row with an amount but no currency the base currency: the one whose exchange rate is 1.
    fn set_currency(&self, definition: &TableDefinition, cells: &mut [Option<Cell>]) {
        let Some(column) = definition
            .column("transactioncurrencyid")
            .filter(|column| cells[*column].is_none())
        else {
            return;
        };
        let has_amount = definition
            .columns
            .iter()
            .zip(cells.iter())
            .any(|(column, cell)| cell.is_some() && matches!(column.kind, ColumnKind::Money { .. }));
        let Some(currencies) = self.table_named("transactioncurrency").filter(|_| has_amount) else {
            return;
        };
        let currencies = &self.tables[currencies];
        let rate = currencies.definition().column("exchangerate");
        let is_base = |row: &Row| rate.and_then(|rate| row.cells.cell(rate)) == Some(CellRef::Decimal(1.into()));
        let base = currencies.rows().iter().find(|(_, row)| is_base(row));
        cells[column] = base.map(|(id, _)| Cell::Reference(0, *id));
    }

    /// Exchange rate of the row's currency, for amounts in base currency.
    fn exchange_rate(&self, definition: &TableDefinition, cells: &[Option<Cell>]) -> Option<f64> {
        use rust_decimal::prelude::ToPrimitive;
        let Some(Cell::Reference(_, currency)) = &cells[definition.column("transactioncurrencyid")?] else {
            return None;
        };
        let table = &self.tables[self.table_named("transactioncurrency")?];
        let rate = table
            .row(*currency)?
            .cells
            .cell(table.definition().column("exchangerate")?)?;
        match rate {
            CellRef::Decimal(rate) => rate.to_f64(),
            _ => None,
        }
    }
}

/// Lookup columns whose target may be deleted, so whose references must be known.
pub(super) fn lookup_columns(definition: &TableDefinition) -> Vec<usize> {
    let deletable = |table: &str| !matches!(table, "systemuser" | "team" | "businessunit" | "transactioncurrency");
    definition
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| match &column.kind {
            ColumnKind::Lookup { targets, .. } => targets.iter().any(|target| deletable(&target.table)),
            _ => false,
        })
        .map(|(index, _)| index)
        .collect()
}

pub(super) fn references_of<'row>(
    cells: &'row EncodedRow,
    lookups: &'row [usize],
) -> impl Iterator<Item = Uuid> + 'row {
    cells
        .cells()
        .filter(|(column, _)| lookups.contains(column))
        .filter_map(|(_, cell)| match cell {
            CellRef::Reference(_, id) => Some(id),
            _ => None,
        })
}
