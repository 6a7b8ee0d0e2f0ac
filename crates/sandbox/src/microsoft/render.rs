//! Rows as JSON, written straight into a byte buffer.

use std::io::Write;

use jiff::fmt::temporal::DateTimePrinter;
use uuid::Uuid;

use super::labels::FormattedValue;
use super::literal::{date_of_days, timestamp_of_seconds};
use super::query::{Preferences, Selection};
use super::schema::{Behavior, ColumnDefinition, ColumnKind, TableDefinition};
use super::store::{CellOffsets, CellRef, MONEY_SCALE, Organization, Row};

const MOMENTS: DateTimePrinter = DateTimePrinter::new();

/// Annotation with the display text of a value.
pub(crate) const FORMATTED_VALUE: &str = "OData.Community.Display.V1.FormattedValue";
/// Annotation with the table a lookup points to.
pub(crate) const LOOKUP_LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
/// Annotation with the navigation property that writes a lookup.
pub(crate) const NAVIGATION_PROPERTY: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";

/// Which annotations to write.
#[derive(Debug, Clone, Copy)]
struct Annotations {
    formatted: bool,
    logical_name: bool,
    navigation: bool,
}

/// Writes rows of one table with one selection.
pub(crate) struct RowRenderer<'read> {
    organization: &'read Organization,
    table: &'read TableDefinition,
    columns: Vec<RenderedColumn<'read>>,
    annotations: Annotations,
    offsets: CellOffsets,
}

struct RenderedColumn<'read> {
    index: usize,
    definition: &'read ColumnDefinition,
    /// `,"name":` - the comma is always right because the etag stands first.
    prefix: Vec<u8>,
    is_version: bool,
}

impl<'read> RowRenderer<'read> {
    /// A renderer for rows of `table`.
    pub(crate) fn new(
        organization: &'read Organization,
        table: &'read TableDefinition,
        selection: &Selection,
        preferences: &Preferences,
    ) -> Self {
        let column = |index: &usize| {
            let definition = &table.columns[*index];
            RenderedColumn {
                index: *index,
                definition,
                prefix: format!(",\"{}\":", definition.property).into_bytes(),
                is_version: definition.derivation == Some(super::schema::Derivation::Version),
            }
        };
        Self {
            organization,
            table,
            columns: selection.columns.iter().map(column).collect(),
            annotations: Annotations {
                formatted: preferences.includes(FORMATTED_VALUE),
                logical_name: preferences.includes(LOOKUP_LOGICAL_NAME),
                navigation: preferences.includes(NAVIGATION_PROPERTY),
            },
            offsets: CellOffsets::default(),
        }
    }

    /// Bytes a row takes, roughly: to size a buffer once instead of growing it.
    pub(crate) fn expected_row_size(&self) -> usize {
        const BYTES_BESIDE_THE_NAME: usize = 16;
        self.columns
            .iter()
            .map(|column| column.prefix.len() + BYTES_BESIDE_THE_NAME)
            .sum::<usize>()
            + 64
    }

    /// Appends the row as a JSON object; `context` is the `@odata.context` of a single row.
    pub(crate) fn write(&mut self, buffer: &mut Vec<u8>, row: &Row, context: Option<&str>) {
        buffer.push(b'{');
        if let Some(context) = context {
            buffer.extend_from_slice(b"\"@odata.context\":");
            write_json_string(buffer, context);
            buffer.push(b',');
        }
        buffer.extend_from_slice(b"\"@odata.etag\":\"W/\\\"");
        write_integer(buffer, row.version as i64);
        buffer.extend_from_slice(b"\\\"\"");
        self.offsets.locate(&row.cells, self.table.columns.len());
        for column in &self.columns {
            let cell = if column.is_version {
                Some(CellRef::Integer(row.version as i64))
            } else {
                self.offsets.cell(&row.cells, column.index)
            };
            buffer.extend_from_slice(&column.prefix);
            write_cell(buffer, &column.definition.kind, cell);
            if let Some(cell) = cell {
                self.annotate(buffer, column, cell, row);
            }
        }
        buffer.push(b'}');
    }

    fn annotate(&self, buffer: &mut Vec<u8>, column: &RenderedColumn<'_>, cell: CellRef<'_>, row: &Row) {
        let property = &column.definition.property;
        let mut annotation = |name: &str, value: &str| {
            buffer.extend_from_slice(b",\"");
            buffer.extend_from_slice(property.as_bytes());
            buffer.push(b'@');
            buffer.extend_from_slice(name.as_bytes());
            buffer.extend_from_slice(b"\":");
            write_json_string(buffer, value);
        };
        if self.annotations.formatted {
            let text = FormattedValue {
                organization: self.organization,
                table: self.table,
                row,
            };
            if let Some(text) = text.of(column.definition, cell) {
                annotation(FORMATTED_VALUE, &text);
            }
        }
        if let (ColumnKind::Lookup { targets, .. }, CellRef::Reference(target, _)) = (&column.definition.kind, cell)
            && let Some(target) = targets.get(usize::from(target))
        {
            if self.annotations.navigation {
                annotation(NAVIGATION_PROPERTY, &target.navigation);
            }
            if self.annotations.logical_name {
                annotation(LOOKUP_LOGICAL_NAME, &target.table);
            }
        }
    }
}

/// Appends a value; `None` is null.
pub(crate) fn write_cell(buffer: &mut Vec<u8>, kind: &ColumnKind, cell: Option<CellRef<'_>>) {
    match cell {
        None => buffer.extend_from_slice(b"null"),
        Some(CellRef::Text(text)) => write_json_string(buffer, text),
        Some(CellRef::Boolean(value)) => buffer.extend_from_slice(if value { b"true" } else { b"false" }),
        Some(CellRef::Double(value)) => infallible(serde_json::to_writer(buffer, &value)),
        Some(CellRef::Decimal(value)) => infallible(write!(buffer, "{value}")),
        Some(CellRef::Guid(id) | CellRef::Reference(_, id)) => write_guid(buffer, id),
        Some(CellRef::Integer(value)) => match kind {
            ColumnKind::Money { .. } => write_money(buffer, value),
            ColumnKind::DateTime {
                behavior: Behavior::DateOnly,
                ..
            } => {
                buffer.push(b'"');
                infallible(MOMENTS.print_date(&date_of_days(value), &mut *buffer));
                buffer.push(b'"');
            }
            ColumnKind::DateTime { .. } => {
                buffer.push(b'"');
                infallible(MOMENTS.print_timestamp(&timestamp_of_seconds(value), &mut *buffer));
                buffer.push(b'"');
            }
            _ => write_integer(buffer, value),
        },
    }
}

/// Appends a JSON string, escaped.
pub(crate) fn write_json_string(buffer: &mut Vec<u8>, text: &str) {
    let needs_escape = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    if text.as_bytes().iter().any(needs_escape) {
        infallible(serde_json::to_writer(buffer, text));
        return;
    }
    buffer.push(b'"');
    buffer.extend_from_slice(text.as_bytes());
    buffer.push(b'"');
}

/// Appends a whole number.
pub(crate) fn write_integer(buffer: &mut Vec<u8>, value: i64) {
    infallible(serde_json::to_writer(buffer, &value));
}

fn write_guid(buffer: &mut Vec<u8>, id: Uuid) {
    let mut text = Uuid::encode_buffer();
    buffer.push(b'"');
    buffer.extend_from_slice(id.hyphenated().encode_lower(&mut text).as_bytes());
    buffer.push(b'"');
}

/// Amounts keep their four decimals: `5000000.0000`.
fn write_money(buffer: &mut Vec<u8>, value: i64) {
    let unit = 10_u64.pow(MONEY_SCALE);
    let sign = if value < 0 { "-" } else { "" };
    let amount = value.unsigned_abs();
    infallible(write!(buffer, "{sign}{}.{:04}", amount / unit, amount % unit));
}

fn infallible<Value, Error: std::fmt::Debug>(result: Result<Value, Error>) {
    result.map(drop).expect("writing to memory does not fail");
}
