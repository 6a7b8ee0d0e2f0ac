//! The compact form of a row: one allocation that holds only the cells that are not null.
//!
//! A row is a sequence of cells in column order. A cell is the column index as a variable-length integer, one tag byte
//! and the value: whole numbers zigzag-coded in variable length, text with its length in front, everything else fixed.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::value::{Cell, CellRef};

const TEXT: u8 = 0;
const INTEGER: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const DOUBLE: u8 = 4;
const DECIMAL: u8 = 5;
const GUID: u8 = 6;
/// References take the tags from here on: this plus the position of the target table.
const REFERENCE: u8 = 16;

/// The cells of one row. Every value inside was written by [`EncodedRow::encode`], so reading cannot fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedRow {
    bytes: Box<[u8]>,
}

/// Where each column's cell starts in an encoded row; reused from row to row to avoid allocations.
#[derive(Debug, Default)]
pub struct CellOffsets {
    /// Offset of the tag byte plus one; zero for null.
    offsets: Vec<u32>,
}

impl EncodedRow {
    /// Encodes cells in column order; `None` is null and takes no space.
    pub fn encode(cells: &[Option<Cell>]) -> Self {
        let mut bytes = Vec::with_capacity(256);
        for (column, cell) in cells.iter().enumerate() {
            if let Some(cell) = cell {
                write_unsigned(&mut bytes, column as u64);
                write_cell(&mut bytes, cell);
            }
        }
        Self {
            bytes: bytes.into_boxed_slice(),
        }
    }

    /// All cells; `columns` is the number of columns of the table.
    pub fn decode(&self, columns: usize) -> Vec<Option<Cell>> {
        let mut cells = vec![None; columns];
        for (column, cell) in self.cells() {
            if let Some(place) = cells.get_mut(column) {
                *place = Some(cell.to_owned());
            }
        }
        cells
    }

    /// The cells that are not null, in column order.
    pub fn cells(&self) -> impl Iterator<Item = (usize, CellRef<'_>)> {
        let mut reader = Reader {
            bytes: &self.bytes,
            position: 0,
        };
        std::iter::from_fn(move || {
            (reader.position < reader.bytes.len()).then(|| {
                let column = reader.unsigned() as usize;
                (column, reader.cell())
            })
        })
    }

    /// One cell. Walks the row; use [`CellOffsets`] to read several.
    pub fn cell(&self, column: usize) -> Option<CellRef<'_>> {
        self.cells().find(|(found, _)| *found == column).map(|(_, cell)| cell)
    }

    /// The bytes of the cells, as a value that compares equal exactly for equal cells.
    pub(super) fn into_bytes(self) -> Box<[u8]> {
        self.bytes
    }

    /// Bytes the cells take.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

impl CellOffsets {
    /// Notes where the cells of `row` are; `columns` is the number of columns of the table.
    pub fn locate(&mut self, row: &EncodedRow, columns: usize) {
        self.offsets.clear();
        self.offsets.resize(columns, 0);
        let mut reader = Reader {
            bytes: &row.bytes,
            position: 0,
        };
        while reader.position < reader.bytes.len() {
            let column = reader.unsigned() as usize;
            if let Some(offset) = self.offsets.get_mut(column) {
                *offset = reader.position as u32 + 1;
            }
            reader.skip_cell();
        }
    }

    /// The cell of a column of the row located last; `None` for null.
    pub fn cell<'row>(&self, row: &'row EncodedRow, column: usize) -> Option<CellRef<'row>> {
        let offset = self.offsets.get(column).copied().filter(|offset| *offset > 0)?;
        Some(
            Reader {
                bytes: &row.bytes,
                position: offset as usize - 1,
            }
            .cell(),
        )
    }
}

fn write_unsigned(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn write_cell(bytes: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Text(text) => {
            bytes.push(TEXT);
            write_unsigned(bytes, text.len() as u64);
            bytes.extend_from_slice(text.as_bytes());
        }
        Cell::Integer(value) => {
            bytes.push(INTEGER);
            write_unsigned(bytes, ((value << 1) ^ (value >> 63)) as u64);
        }
        Cell::Boolean(value) => bytes.push(if *value { TRUE } else { FALSE }),
        Cell::Double(value) => {
            bytes.push(DOUBLE);
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        Cell::Decimal(value) => {
            bytes.push(DECIMAL);
            bytes.extend_from_slice(&value.serialize());
        }
        Cell::Guid(id) => {
            bytes.push(GUID);
            bytes.extend_from_slice(id.as_bytes());
        }
        Cell::Reference(target, id) => {
            bytes.push(REFERENCE + target);
            bytes.extend_from_slice(id.as_bytes());
        }
    }
}

struct Reader<'row> {
    bytes: &'row [u8],
    position: usize,
}

impl<'row> Reader<'row> {
    fn byte(&mut self) -> u8 {
        let byte = self.bytes[self.position];
        self.position += 1;
        byte
    }

    fn unsigned(&mut self) -> u64 {
        let mut value = 0;
        let mut shift = 0;
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
            shift += 7;
        }
    }

    fn take(&mut self, length: usize) -> &'row [u8] {
        let taken = &self.bytes[self.position..self.position + length];
        self.position += length;
        taken
    }

    fn array<const LENGTH: usize>(&mut self) -> [u8; LENGTH] {
        self.take(LENGTH)
            .try_into()
            .expect("take returns exactly the asked length")
    }

    fn cell(&mut self) -> CellRef<'row> {
        match self.byte() {
            TEXT => {
                let length = self.unsigned() as usize;
                CellRef::Text(std::str::from_utf8(self.take(length)).expect("text was encoded from a str"))
            }
            INTEGER => {
                let value = self.unsigned();
                CellRef::Integer((value >> 1) as i64 ^ -((value & 1) as i64))
            }
            FALSE => CellRef::Boolean(false),
            TRUE => CellRef::Boolean(true),
            DOUBLE => CellRef::Double(f64::from_le_bytes(self.array())),
            DECIMAL => CellRef::Decimal(Decimal::deserialize(self.array())),
            GUID => CellRef::Guid(Uuid::from_bytes(self.array())),
            reference => CellRef::Reference(reference - REFERENCE, Uuid::from_bytes(self.array())),
        }
    }

    fn skip_cell(&mut self) {
        let length = match self.byte() {
            TEXT => self.unsigned() as usize,
            INTEGER => {
                self.unsigned();
                0
            }
            FALSE | TRUE => 0,
            DOUBLE => 8,
            _ => 16,
        };
        self.position += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Option<Cell>> {
        let mut cells = vec![
            Some(Cell::Guid(Uuid::from_u128(7))),
            None,
            Some(Cell::text("Łódź 🎉")),
            Some(Cell::Integer(-1)),
            Some(Cell::Integer(i64::MAX)),
            Some(Cell::Boolean(true)),
            Some(Cell::Boolean(false)),
            Some(Cell::Double(47.63877)),
            Some(Cell::Decimal(Decimal::new(125, 1))),
            Some(Cell::Reference(1, Uuid::from_u128(9))),
            Some(Cell::text("")),
        ];
        cells.resize(200, None);
        cells[180] = Some(Cell::Integer(i64::MIN));
        cells
    }

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        let cells = sample();
        assert_eq!(EncodedRow::encode(&cells).decode(cells.len()), cells);
    }

    #[test]
    fn located_cells_equal_walked_cells() {
        let cells = sample();
        let row = EncodedRow::encode(&cells);
        let mut offsets = CellOffsets::default();
        offsets.locate(&row, cells.len());
        for (column, cell) in cells.iter().enumerate() {
            assert_eq!(
                offsets.cell(&row, column),
                cell.as_ref().map(Cell::as_ref),
                "column {column}"
            );
            assert_eq!(row.cell(column), cell.as_ref().map(Cell::as_ref), "column {column}");
        }
    }

    #[test]
    fn null_cells_take_no_space() {
        let mut cells = vec![None; 150];
        cells[149] = Some(Cell::Boolean(true));
        assert_eq!(EncodedRow::encode(&cells).size(), 3);
    }
}
