//! The rows of one resource with their indexes, and the uniqueness rule.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::definition::{Definition, FieldId};
use super::row::{Cell, Changes, Row, Value};
use super::time::Milliseconds;

/// A row's number. Numbers start at 1 and are never used again.
pub(super) type RowId = u32;

/// Another row has the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    /// Position of the violated key among the resource's unique keys.
    pub(super) key: usize,
    /// The value both rows would have; the values of a composite key joined by `, `.
    pub(super) value: String,
}

/// The rows of one resource.
pub(super) struct Table {
    /// Row `id` is at `id - 1`; `None` once deleted.
    rows: Vec<Option<Row>>,
    live: usize,
    /// The unique keys in the order of the definition, then one index for each indexed field.
    indexes: Vec<Index>,
}

impl Table {
    pub(super) fn new(definition: &Definition) -> Self {
        let keys = definition.unique_keys.iter().map(|key| key.fields.clone());
        let indexed = definition
            .fields()
            .filter(|(_, field)| field.indexed)
            .map(|(id, _)| vec![id]);
        Self {
            rows: Vec::new(),
            live: 0,
            indexes: keys.chain(indexed).map(Index::new).collect(),
        }
    }

    /// A table of the same rows under another definition.
    pub(super) fn converted(&self, definition: &Definition, convert: impl Fn(&Row) -> Row) -> Self {
        let mut table = Self::new(definition);
        table.live = self.live;
        table.rows = self.rows.iter().map(|row| row.as_ref().map(&convert)).collect();
        for (slot, row) in table.rows.iter().enumerate() {
            if let Some(row) = row {
                table.indexes.iter_mut().for_each(|index| index.add(row, id_of(slot)));
            }
        }
        table
    }

    /// Whether rows are found by this field alone without a look at all of them.
    pub(super) fn is_indexed(&self, field: FieldId) -> bool {
        self.indexes.iter().any(|index| index.fields == [field])
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    pub(super) fn row(&self, id: RowId) -> Option<&Row> {
        self.rows.get(slot(id)?)?.as_ref()
    }

    /// All rows from this number on, oldest first.
    pub(super) fn from(&self, first: RowId) -> impl DoubleEndedIterator<Item = (RowId, &Row)> {
        let start = slot(first).unwrap_or(0).min(self.rows.len());
        self.rows[start..]
            .iter()
            .enumerate()
            .filter_map(move |(offset, row)| Some((id_of(start + offset), row.as_ref()?)))
    }

    /// Numbers of the rows whose `field` is exactly `value`, oldest first, or `None` if there is no index for it.
    pub(super) fn find(&self, field: FieldId, value: Cell<'_>) -> Option<Vec<RowId>> {
        let index = self.indexes.iter().find(|index| index.fields == [field])?;
        let hash = hash_of([Some(value)].into_iter())?;
        let is_hit = |id: &RowId| self.row(*id).and_then(|row| row.get(field)) == Some(value);
        let mut hits: Vec<RowId> = index.rows(hash).filter(is_hit).collect();
        hits.sort_unstable();
        Some(hits)
    }

    /// Adds a row unless an `enforced` unique key forbids it.
    pub(super) fn insert(&mut self, row: Row, enforced: &[bool]) -> Result<RowId, Duplicate> {
        for position in (0..self.indexes.len()).filter(|&position| is_enforced(enforced, position)) {
            self.refuse_duplicate(position, &row, None)?;
        }
        let id = id_of(self.rows.len());
        for index in &mut self.indexes {
            index.add(&row, id);
        }
        self.rows.push(Some(row));
        self.live += 1;
        Ok(id)
    }

    /// Changes a row and stamps the fields that say when another changed, unless an `enforced` unique key forbids it.
    /// False if there is no such row.
    pub(super) fn update(
        &mut self,
        id: RowId,
        changes: &Changes,
        definition: &Definition,
        now: Milliseconds,
        enforced: &[bool],
    ) -> Result<bool, Duplicate> {
        let Some(old) = self.row(id) else { return Ok(false) };
        let new = match stamped(old, changes, definition, now) {
            Some(changes) => old.changed(&changes, now),
            None => old.changed(changes, now),
        };
        let differs = |index: &Index| index.fields.iter().any(|&field| old.get(field) != new.get(field));
        let moved: Vec<usize> = (0..self.indexes.len())
            .filter(|&position| differs(&self.indexes[position]))
            .collect();
        for &position in moved.iter().filter(|&&position| is_enforced(enforced, position)) {
            self.refuse_duplicate(position, &new, Some(id))?;
        }
        let Self { rows, indexes, .. } = self;
        let Some(row) = slot(id).and_then(|slot| rows[slot].as_mut()) else {
            return Ok(false);
        };
        let old = std::mem::replace(row, new);
        for position in moved {
            indexes[position].remove(&old, id);
            indexes[position].add(row, id);
        }
        Ok(true)
    }

    /// Removes a row and returns it.
    pub(super) fn delete(&mut self, id: RowId) -> Option<Row> {
        let row = self.rows.get_mut(slot(id)?)?.take()?;
        self.live -= 1;
        for index in &mut self.indexes {
            index.remove(&row, id);
        }
        Some(row)
    }

    fn refuse_duplicate(&self, position: usize, row: &Row, itself: Option<RowId>) -> Result<(), Duplicate> {
        let index = &self.indexes[position];
        let Some(hash) = index.hash(row) else { return Ok(()) };
        let same_key = |other: &Row| index.fields.iter().all(|&field| other.get(field) == row.get(field));
        let is_other = |id: RowId| Some(id) != itself && self.row(id).is_some_and(same_key);
        if index.rows(hash).any(is_other) {
            let values: Vec<String> = index.fields.iter().map(|&field| shown(row.get(field))).collect();
            return Err(Duplicate {
                key: position,
                value: values.join(", "),
            });
        }
        Ok(())
    }
}

fn slot(id: RowId) -> Option<usize> {
    (id as usize).checked_sub(1)
}

fn id_of(slot: usize) -> RowId {
    RowId::try_from(slot + 1).expect("a table holds fewer than four billion rows")
}

fn shown(cell: Option<Cell<'_>>) -> String {
    match cell {
        None => String::new(),
        Some(Cell::Text(text)) => text.to_owned(),
        Some(Cell::Integer(integer)) => integer.to_string(),
        Some(Cell::Number(number)) => number.to_string(),
    }
}

fn is_enforced(enforced: &[bool], position: usize) -> bool {
    enforced.get(position).copied().unwrap_or(false)
}

/// `changes` and the stamps they cause; `None` if they cause none. A stamp moves only if its flag's value changes
/// (contracts/campaign.md §5.4).
pub(super) fn stamped(old: &Row, changes: &Changes, definition: &Definition, now: Milliseconds) -> Option<Changes> {
    let moved = |(field, value): &&(FieldId, Option<Value>)| {
        !definition.stamps(*field).is_empty() && old.get(*field) != value.as_ref().map(Value::as_cell)
    };
    let stamps: Vec<FieldId> = changes
        .iter()
        .filter(moved)
        .flat_map(|(field, _)| definition.stamps(*field))
        .copied()
        .collect();
    if stamps.is_empty() {
        return None;
    }
    let mut all = changes.clone();
    all.extend(stamps.into_iter().map(|stamp| (stamp, Some(Value::Integer(now)))));
    all.sort_unstable_by_key(|(field, _)| *field);
    Some(all)
}

/// Finds rows by the hash of some of their fields. Keeps hashes instead of keys, which halves its size; whoever looks
/// something up compares the rows themselves. Rows whose fields are all empty are not in it.
struct Index {
    fields: Vec<FieldId>,
    first: HashMap<u64, RowId>,
    /// Rows beyond the first of a hash: rare for keys, as frequent as duplicates for other fields.
    others: HashMap<u64, Vec<RowId>>,
}

impl Index {
    fn new(fields: Vec<FieldId>) -> Self {
        Self {
            fields,
            first: HashMap::new(),
            others: HashMap::new(),
        }
    }

    fn hash(&self, row: &Row) -> Option<u64> {
        hash_of(self.fields.iter().map(|&field| row.get(field)))
    }

    fn rows(&self, hash: u64) -> impl Iterator<Item = RowId> {
        self.first
            .get(&hash)
            .into_iter()
            .chain(self.others.get(&hash).into_iter().flatten())
            .copied()
    }

    fn add(&mut self, row: &Row, id: RowId) {
        let Some(hash) = self.hash(row) else { return };
        if let Some(&first) = self.first.get(&hash) {
            debug_assert_ne!(first, id);
            self.others.entry(hash).or_default().push(id);
        } else {
            self.first.insert(hash, id);
        }
    }

    fn remove(&mut self, row: &Row, id: RowId) {
        let Some(hash) = self.hash(row) else { return };
        let mut others = self.others.remove(&hash).unwrap_or_default();
        if self.first.get(&hash) == Some(&id) {
            match others.pop() {
                Some(heir) => self.first.insert(hash, heir),
                None => self.first.remove(&hash),
            };
        } else {
            others.retain(|&other| other != id);
        }
        if !others.is_empty() {
            self.others.insert(hash, others);
        }
    }
}

fn hash_of<'a>(cells: impl Iterator<Item = Option<Cell<'a>>>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let mut empty = true;
    for cell in cells {
        empty &= cell.is_none();
        match cell {
            None => 0_u8.hash(&mut hasher),
            Some(Cell::Text(text)) => text.hash(&mut hasher),
            Some(Cell::Integer(integer)) => integer.hash(&mut hasher),
            Some(Cell::Number(number)) => number.to_bits().hash(&mut hasher),
        }
    }
    (!empty).then(|| hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adobe::field::{Field, FieldKind};

    fn definition() -> Definition {
        let fields = vec![
            Field::text("code", "Code", 10),
            Field::text("country", "Country", 2),
            Field::new("flag", "Flag", FieldKind::Boolean).stamps(&["flagLastModified"]),
            Field::new("flagLastModified", "Change", FieldKind::DateTime),
            Field::text("mail", "Mail", 10).indexed(),
        ];
        Definition::new(("thing", "Thing", "cus:thing"), "", fields).with_unique_key("codes", &["code", "country"])
    }

    fn changes(definition: &Definition, values: &[(&str, &str)]) -> Changes {
        let value = |text: &str| (!text.is_empty()).then(|| Value::Text(text.into()));
        let mut changes: Changes = values
            .iter()
            .map(|(name, text)| (definition.id(name).unwrap(), value(text)))
            .collect();
        changes.sort_by_key(|(field, _)| *field);
        changes
    }

    #[test]
    fn composite_key_forbids_the_combination_only() {
        let definition = definition();
        let mut table = Table::new(&definition);
        let row = |code, country| Row::new(&changes(&definition, &[("code", code), ("country", country)]), 1);
        table.insert(row("1", "US"), &[true]).unwrap();
        table.insert(row("1", "DE"), &[true]).unwrap();
        table.insert(row("2", "US"), &[true]).unwrap();
        let duplicate = || Duplicate {
            key: 0,
            value: "1, US".to_owned(),
        };
        assert_eq!(table.insert(row("1", "US"), &[true]), Err(duplicate()));
        assert_eq!(
            table.insert(row("1", "US"), &[false]),
            Ok(4),
            "an undeclared key forbids nothing"
        );
        assert_eq!(
            table.update(3, &changes(&definition, &[("code", "1")]), &definition, 2, &[true]),
            Err(duplicate())
        );
        assert_eq!(
            table.update(1, &changes(&definition, &[("code", "1")]), &definition, 2, &[false]),
            Ok(true)
        );
    }

    #[test]
    fn rows_without_a_key_do_not_exclude_each_other() {
        let mut table = Table::new(&definition());
        table.insert(Row::new(&vec![], 1), &[true]).unwrap();
        table.insert(Row::new(&vec![], 1), &[true]).unwrap();
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn index_follows_changes_and_deletes() {
        let definition = definition();
        let mail = definition.id("mail").unwrap();
        let mut table = Table::new(&definition);
        for _ in 0..3 {
            table
                .insert(Row::new(&changes(&definition, &[("mail", "a")]), 1), &[])
                .unwrap();
        }
        assert_eq!(table.find(mail, Cell::Text("a")), Some(vec![1, 2, 3]));
        table
            .update(2, &changes(&definition, &[("mail", "b")]), &definition, 2, &[])
            .unwrap();
        table.delete(1).unwrap();
        assert_eq!(table.find(mail, Cell::Text("a")), Some(vec![3]));
        assert_eq!(table.find(mail, Cell::Text("b")), Some(vec![2]));
        table
            .update(2, &changes(&definition, &[("mail", "")]), &definition, 3, &[])
            .unwrap();
        assert_eq!(table.find(mail, Cell::Text("b")), Some(vec![]));
        assert_eq!(table.delete(1).map(|row| row.created), None, "it is gone already");
        assert_eq!(
            table.insert(Row::new(&vec![], 1), &[]),
            Ok(4),
            "numbers are not used again"
        );
    }

    #[test]
    fn stamp_moves_only_when_its_flag_changes() {
        let definition = definition();
        let (flag, stamp) = (
            definition.id("flag").unwrap(),
            definition.id("flagLastModified").unwrap(),
        );
        let mut table = Table::new(&definition);
        let id = table.insert(Row::new(&vec![], 1), &[]).unwrap();
        let mut set = |value: Option<i64>, now| {
            table
                .update(id, &vec![(flag, value.map(Value::Integer))], &definition, now, &[])
                .unwrap();
            table.row(id).unwrap().get(stamp).map(Cell::integer)
        };
        assert_eq!(set(None, 5), None);
        assert_eq!(set(Some(1), 6), Some(6));
        assert_eq!(set(Some(1), 7), Some(6));
        assert_eq!(set(None, 8), Some(8));
    }
}
