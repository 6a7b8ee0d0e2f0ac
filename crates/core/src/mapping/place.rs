//! Finding a column in row after row.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Row, Value};

/// A column and where it stood in the last row. The place is a hint only, so that relaxed access by many threads is enough.
#[derive(Debug)]
pub(super) struct ColumnPlace {
    name: Box<str>,
    place: AtomicUsize,
}

impl ColumnPlace {
    /// A column of rows that have these columns, sorted by name.
    pub(super) fn new(name: &str, columns: &[&str]) -> Self {
        Self {
            name: name.into(),
            place: AtomicUsize::new(columns.partition_point(|column| *column < name)),
        }
    }

    /// The column's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The column's value in a row, looked for first where it stood last time.
    pub(super) fn find<'a>(&self, row: &'a Row) -> Option<&'a Value> {
        let hint = self.place.load(Ordering::Relaxed);
        let (place, value) = row.get_near(&self.name, hint)?;
        if place != hint {
            self.place.store(place, Ordering::Relaxed);
        }
        Some(value)
    }
}
