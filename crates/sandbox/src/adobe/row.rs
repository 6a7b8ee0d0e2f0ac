//! Rows as they are kept: only what is not empty, packed into bytes.
//!
//! A row is a sequence of cells in the order of their field ids. A cell is a variable-length number holding field id
//! and class, then a variable-length number, eight bytes, or a length and text. A profile with 25 values takes about
//! 300 bytes.

use std::cmp::Ordering;

use super::definition::FieldId;
use super::time::Milliseconds;

/// A value that is not empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(Box<str>),
    /// Whole numbers, `true` as 1, dates as `yyyymmdd`, moments in milliseconds, enumeration positions, linked row ids.
    Integer(i64),
    Number(f64),
}

/// A value as it stands in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    Integer(i64),
    Number(f64),
}

impl Value {
    pub(super) fn as_cell(&self) -> Cell<'_> {
        match self {
            Self::Text(text) => Cell::Text(text),
            Self::Integer(integer) => Cell::Integer(*integer),
            Self::Number(number) => Cell::Number(*number),
        }
    }
}

impl<'a> Cell<'a> {
    /// The value by itself.
    pub(super) fn to_value(self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.into()),
            Self::Integer(integer) => Value::Integer(integer),
            Self::Number(number) => Value::Number(number),
        }
    }

    /// The text; empty for other classes.
    pub(super) fn text(self) -> &'a str {
        if let Self::Text(text) = self { text } else { "" }
    }

    /// The whole number; 0 for other classes.
    pub(super) fn integer(self) -> i64 {
        if let Self::Integer(integer) = self { integer } else { 0 }
    }

    /// An order within one class, for sorted lists.
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Integer(left), Self::Integer(right)) => left.cmp(&right),
            (Self::Number(left), Self::Number(right)) => left.total_cmp(&right),
            _ => Ordering::Equal,
        }
    }
}

/// What a write changes: fields in ascending order, each once; `None` empties the field.
pub(super) type Changes = Vec<(FieldId, Option<Value>)>;

const CLASS_BITS: u32 = 2;
const CLASS_INTEGER: u64 = 0;
const CLASS_NUMBER: u64 = 1;
const CLASS_TEXT: u64 = 2;

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) created: Milliseconds,
    pub(super) last_modified: Milliseconds,
    cells: Box<[u8]>,
}

impl Row {
    /// A new row of the given values.
    pub(super) fn new(changes: &Changes, now: Milliseconds) -> Self {
        // A fresh row's `created` is a little later than its `lastModified` (contracts/campaign.md §2.8).
        Self {
            created: now + 2,
            last_modified: now,
            cells: Packer::merge(&[], changes),
        }
    }

    /// The row after `changes`.
    pub(super) fn changed(&self, changes: &Changes, now: Milliseconds) -> Self {
        Self {
            created: self.created,
            last_modified: now.max(self.last_modified),
            cells: Packer::merge(&self.cells, changes),
        }
    }

    /// The same row with other values.
    pub(super) fn with_values(&self, values: &Changes) -> Self {
        Self {
            created: self.created,
            last_modified: self.last_modified,
            cells: Packer::merge(&[], values),
        }
    }

    /// All cells, by ascending field id.
    pub(super) fn cells(&self) -> Cells<'_> {
        Cells { rest: &self.cells }
    }

    /// The value of a field, `None` if it is empty.
    pub(super) fn get(&self, field: FieldId) -> Option<Cell<'_>> {
        let mut cells = self.cells();
        while let Some((id, class)) = cells.take_head() {
            match id.cmp(&field) {
                Ordering::Less => cells.skip_value(class),
                Ordering::Equal => return Some(cells.take_value(class)),
                Ordering::Greater => return None,
            }
        }
        None
    }
}

struct Packer(Vec<u8>);

impl Packer {
    fn merge(old: &[u8], changes: &Changes) -> Box<[u8]> {
        let mut packer = Self(Vec::with_capacity(old.len() + changes.len() * 16));
        let mut old = Cells { rest: old }.peekable();
        for (field, value) in changes {
            while let Some((id, cell)) = old.next_if(|(id, _)| id < field) {
                packer.put(id, cell);
            }
            old.next_if(|(id, _)| id == field);
            if let Some(value) = value {
                packer.put(*field, value.as_cell());
            }
        }
        old.for_each(|(id, cell)| packer.put(id, cell));
        packer.0.into_boxed_slice()
    }

    fn put(&mut self, field: FieldId, cell: Cell<'_>) {
        let head = u64::from(field) << CLASS_BITS;
        match cell {
            Cell::Integer(integer) => {
                self.put_number(head | CLASS_INTEGER);
                // Zigzag: small numbers of either sign stay short.
                self.put_number(((integer << 1) ^ (integer >> 63)).cast_unsigned());
            }
            Cell::Number(number) => {
                self.put_number(head | CLASS_NUMBER);
                self.0.extend_from_slice(&number.to_le_bytes());
            }
            Cell::Text(text) => {
                self.put_number(head | CLASS_TEXT);
                self.put_number(text.len() as u64);
                self.0.extend_from_slice(text.as_bytes());
            }
        }
    }

    fn put_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

/// Iterator over the cells of a row.
pub(super) struct Cells<'a> {
    rest: &'a [u8],
}

impl<'a> Cells<'a> {
    fn take_number(&mut self) -> u64 {
        let mut number = 0;
        let mut shift = 0;
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
            shift += 7;
        }
        number
    }

    fn take_bytes(&mut self, length: usize) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at(length);
        self.rest = rest;
        bytes
    }
}

impl<'a> Cells<'a> {
    fn take_head(&mut self) -> Option<(FieldId, u64)> {
        if self.rest.is_empty() {
            return None;
        }
        let head = self.take_number();
        Some(((head >> CLASS_BITS) as FieldId, head & ((1 << CLASS_BITS) - 1)))
    }

    fn take_value(&mut self, class: u64) -> Cell<'a> {
        match class {
            CLASS_INTEGER => {
                let zigzag = self.take_number();
                Cell::Integer((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
            }
            CLASS_NUMBER => {
                let bytes = self.take_bytes(8);
                Cell::Number(f64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")))
            }
            _ => {
                let length = self.take_number() as usize;
                Cell::Text(std::str::from_utf8(self.take_bytes(length)).expect("the bytes were packed from text"))
            }
        }
    }

    fn skip_value(&mut self, class: u64) {
        match class {
            CLASS_INTEGER => {
                self.take_number();
            }
            CLASS_NUMBER => {
                self.take_bytes(8);
            }
            _ => {
                let length = self.take_number() as usize;
                self.take_bytes(length);
            }
        }
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = (FieldId, Cell<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (field, class) = self.take_head()?;
        Some((field, self.take_value(class)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.into()))
    }

    #[test]
    fn values_of_every_class_come_back() {
        let changes = vec![
            (0, Some(Value::Integer(-1))),
            (1, Some(Value::Integer(i64::MIN))),
            (2, Some(Value::Integer(i64::MAX))),
            (31, Some(Value::Number(-0.5))),
            (32, text("žluťoučký 😀")),
            (1000, text(&"x".repeat(300))),
        ];
        let row = Row::new(&changes, 5);
        let cells: Vec<_> = row.cells().collect();
        let expected: Vec<_> = changes
            .iter()
            .map(|(id, value)| (*id, value.as_ref().unwrap().as_cell()))
            .collect();
        assert_eq!(cells, expected);
        for (id, cell) in expected {
            assert_eq!(row.get(id), Some(cell));
            assert_eq!(row.get(id + 500), None);
        }
    }

    #[test]
    fn change_replaces_adds_and_empties_and_keeps_the_rest() {
        let row = Row::new(&vec![(1, text("a")), (3, text("c")), (5, text("e"))], 10);
        let changed = row.changed(&vec![(0, text("z")), (3, None), (5, text("E")), (9, None)], 20);
        let cells: Vec<_> = changed.cells().map(|(id, cell)| (id, cell.text().to_owned())).collect();
        assert_eq!(cells, [(0, "z".to_owned()), (1, "a".to_owned()), (5, "E".to_owned())]);
        assert_eq!((changed.created, changed.last_modified), (12, 20));
    }

    #[test]
    fn time_of_modification_never_goes_back() {
        let row = Row::new(&vec![], 10);
        assert_eq!(row.changed(&vec![], 5).last_modified, 10);
    }
}
