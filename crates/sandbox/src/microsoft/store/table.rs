//! One table: its rows in key order, the history of changes, the indices of its alternate keys.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use super::encoding::EncodedRow;
use super::journal::Before;
use crate::microsoft::schema::TableDefinition;

/// A stored row.
#[derive(Debug, Clone)]
pub struct Row {
    /// Rises with every change of the row; unique in the organization.
    pub version: u64,
    /// The cells.
    pub cells: EncodedRow,
}

/// One entry of the change history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeEntry {
    /// Version the change got.
    pub version: u64,
    /// The changed row.
    pub id: Uuid,
    /// The row was deleted.
    pub deleted: bool,
}

/// A table and its history. Seeded rows have no history: a tracked read starts at or after them.
#[derive(Debug)]
pub struct Table {
    definition: Arc<TableDefinition>,
    rows: BTreeMap<Uuid, Row>,
    /// Changes since the start, oldest first, versions rising.
    history: VecDeque<ChangeEntry>,
    /// Versions of the last deletion of rows that are gone.
    deleted: HashMap<Uuid, u64>,
    /// Delta tokens of this version or older are expired.
    expired_through: u64,
    /// For each alternate key, encoded key values to row id.
    key_indices: Vec<HashMap<Box<[u8]>, Uuid>>,
}

impl Table {
    /// Longest history kept; the oldest half goes when it is exceeded, and tokens that old expire.
    const HISTORY_LIMIT: usize = 8_000_000;

    pub(super) fn new(definition: TableDefinition) -> Self {
        let keys = definition.keys.len();
        Self {
            definition: Arc::new(definition),
            rows: BTreeMap::new(),
            history: VecDeque::new(),
            deleted: HashMap::new(),
            expired_through: 0,
            key_indices: (0..keys).map(|_| HashMap::new()).collect(),
        }
    }

    /// The definition in force.
    pub fn definition(&self) -> &Arc<TableDefinition> {
        &self.definition
    }

    pub(super) fn definition_mut(&mut self) -> &mut TableDefinition {
        Arc::make_mut(&mut self.definition)
    }

    /// All rows by id.
    pub fn rows(&self) -> &BTreeMap<Uuid, Row> {
        &self.rows
    }

    /// One row.
    pub fn row(&self, id: Uuid) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// Rows behind an id, in key order; `None` starts at the beginning.
    pub fn rows_after(&self, id: Option<Uuid>) -> impl Iterator<Item = (&Uuid, &Row)> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.rows.range((id.map_or(Unbounded, Excluded), Unbounded))
    }

    /// The row of an alternate key.
    pub fn row_of_key(&self, key: usize, encoded: &[u8]) -> Option<Uuid> {
        self.key_indices.get(key)?.get(encoded).copied()
    }

    /// Whether a delta token of this version can no longer be answered.
    pub fn is_expired(&self, version: u64) -> bool {
        version < self.expired_through
    }

    /// Changes with `after < version <= through` that are still the latest of their row, by rising version; of one sort:
    /// deletions, or new and updated rows. Costs in proportion to the changes after `after`.
    pub fn changes(&self, after: u64, through: u64, deleted: bool) -> impl Iterator<Item = ChangeEntry> + '_ {
        let start = self.history.partition_point(|entry| entry.version <= after);
        self.history
            .range(start..)
            .take_while(move |entry| entry.version <= through)
            .filter(move |entry| entry.deleted == deleted && self.is_latest(entry))
            .copied()
    }

    fn is_latest(&self, entry: &ChangeEntry) -> bool {
        let latest = if entry.deleted {
            self.deleted.get(&entry.id).copied()
        } else {
            self.rows.get(&entry.id).map(|row| row.version)
        };
        latest == Some(entry.version)
    }

    /// Makes every delta token of this version or older expired.
    pub(super) fn expire_tokens(&mut self, through: u64) {
        self.expired_through = self.expired_through.max(through + 1);
    }

    /// Adds rows without history, as the state the organization started with. `rows` must be sorted by id for speed.
    pub(super) fn load(&mut self, rows: impl Iterator<Item = (Uuid, Row)>) {
        let newest = |table: &mut Self, version| table.expired_through = table.expired_through.max(version);
        if self.rows.is_empty() {
            self.rows = rows.collect();
        } else {
            self.rows.extend(rows);
        }
        if let Some(version) = self.rows.values().map(|row| row.version).max() {
            newest(self, version);
        }
        for key in 0..self.key_indices.len() {
            self.rebuild_key(key);
        }
    }

    /// Declares an alternate key and indexes the rows there are. Returns false, changing nothing, if two rows share it.
    pub(super) fn declare_key(&mut self, key: crate::microsoft::schema::KeyDefinition) -> bool {
        self.definition_mut().keys.push(key);
        self.key_indices.push(HashMap::new());
        let unique = self.rebuild_key(self.key_indices.len() - 1);
        if !unique {
            self.definition_mut().keys.pop();
            self.key_indices.pop();
        }
        unique
    }

    fn rebuild_key(&mut self, key: usize) -> bool {
        let columns = &self.definition.keys[key].columns;
        let entries = self
            .rows
            .iter()
            .filter_map(|(id, row)| Some((encode_key(&row.cells, columns)?, *id)));
        let mut index = HashMap::new();
        let unique = entries.fold(true, |unique, (value, id)| index.insert(value, id).is_none() && unique);
        self.key_indices[key] = index;
        unique
    }

    /// The alternate key another row already has, if `cells` would violate one.
    pub(super) fn violated_key(&self, id: Uuid, cells: &EncodedRow) -> Option<usize> {
        (0..self.key_indices.len()).find(|key| {
            encode_key(cells, &self.definition.keys[*key].columns)
                .and_then(|value| self.key_indices[*key].get(&value))
                .is_some_and(|holder| *holder != id)
        })
    }

    /// Writes a row and tells what was there before.
    pub(super) fn put(&mut self, id: Uuid, row: Row) -> Before {
        let version = row.version;
        self.unindex(id);
        self.index(id, &row.cells);
        let before = Before {
            row: self.rows.insert(id, row),
            deleted: self.deleted.remove(&id),
        };
        self.remember(ChangeEntry {
            version,
            id,
            deleted: false,
        });
        before
    }

    /// Removes a row and tells what was there before; `None` if nothing was.
    pub(super) fn remove(&mut self, id: Uuid, version: u64) -> Option<Before> {
        self.unindex(id);
        let row = Some(self.rows.remove(&id)?);
        let deleted = self.deleted.insert(id, version);
        self.remember(ChangeEntry {
            version,
            id,
            deleted: true,
        });
        Some(Before { row, deleted })
    }

    /// Takes the table's latest change back, which was of this row.
    pub(super) fn take_back(&mut self, id: Uuid, before: Before) {
        self.unindex(id);
        match before.row {
            Some(row) => {
                self.index(id, &row.cells);
                self.rows.insert(id, row);
            }
            None => {
                self.rows.remove(&id);
            }
        }
        match before.deleted {
            Some(version) => self.deleted.insert(id, version),
            None => self.deleted.remove(&id),
        };
        self.history.pop_back();
    }

    fn index(&mut self, id: Uuid, cells: &EncodedRow) {
        for (key, index) in self.key_indices.iter_mut().enumerate() {
            if let Some(value) = encode_key(cells, &self.definition.keys[key].columns) {
                index.insert(value, id);
            }
        }
    }

    fn unindex(&mut self, id: Uuid) {
        let Some(row) = self.rows.get(&id) else { return };
        for (key, index) in self.key_indices.iter_mut().enumerate() {
            if let Some(value) = encode_key(&row.cells, &self.definition.keys[key].columns) {
                index.remove(&value);
            }
        }
    }

    fn remember(&mut self, entry: ChangeEntry) {
        self.history.push_back(entry);
        if self.history.len() > Self::HISTORY_LIMIT {
            let dropped = self.history.drain(..Self::HISTORY_LIMIT / 2).next_back();
            if let Some(last) = dropped {
                self.expired_through = self.expired_through.max(last.version);
                self.deleted.retain(|_, version| *version > last.version);
            }
        }
    }
}

/// The values of a key's columns as bytes that compare as the product compares them: text without regard to case.
/// `None` if one is null: uniqueness is then not enforced (contracts/dataverse.md §5.4).
pub(super) fn encode_key(cells: &EncodedRow, columns: &[usize]) -> Option<Box<[u8]>> {
    use super::value::{Cell, CellRef};
    let values = columns
        .iter()
        .map(|column| {
            Some(Some(match cells.cell(*column)? {
                CellRef::Text(text) => Cell::Text(text.to_lowercase().into()),
                CellRef::Reference(_, id) => Cell::Guid(id),
                other => other.to_owned(),
            }))
        })
        .collect::<Option<Vec<_>>>()?;
    Some(EncodedRow::encode(&values).into_bytes())
}
