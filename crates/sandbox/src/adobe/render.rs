//! Records as JSON, written straight into a buffer (contracts/campaign.md §2.5 and §2.8).

use super::computed;
use super::definition::{Definition, FieldId, Visibility};
use super::field::{Computed, Field, FieldKind, Source};
use super::opaque::Context;
use super::organisation::{Organisation, Resource};
use super::row::{Cell, Row};
use super::table::RowId;
use super::time::{self, Milliseconds};

/// How a request looks at records.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) visibility: Visibility<'a>,
    /// Scheme and host of absolute URLs, without a slash at the end.
    pub(super) base_url: &'a str,
    /// Where the records are met.
    pub(super) context: Context,
    /// The collection of another record that is looked at, if it is one.
    pub(super) collection: Option<Collection<'a>>,
}

/// The rows that are linked to one row, below that row's URL.
#[derive(Clone, Copy)]
pub(super) struct Collection<'a> {
    /// What stands in place of the resource's name in URLs.
    pub(super) path: &'a str,
    /// The link.
    pub(super) link: FieldId,
    /// The row all rows are linked to.
    pub(super) row: RowId,
}

impl<'a> View<'a> {
    /// What stands between endpoint and key in the URLs of a resource's records.
    pub(super) fn path(&self, definition: &Definition) -> &'a str {
        self.collection.map_or(definition.name, |collection| collection.path)
    }

    /// Whether the row is in the collection looked at.
    pub(super) fn holds(&self, row: &Row) -> bool {
        self.collection
            .is_none_or(|Collection { link, row: to, .. }| row.get(link) == Some(Cell::Integer(i64::from(to))))
    }
}

/// Writes records of one resource.
pub(super) struct RecordWriter<'a> {
    organisation: &'a Organisation,
    resource: &'a Resource,
    view: View<'a>,
    now: Milliseconds,
    /// The members of a record, in order.
    fields: Vec<FieldId>,
}

impl<'a> RecordWriter<'a> {
    pub(super) fn new(organisation: &'a Organisation, resource: &'a Resource, view: View<'a>) -> Self {
        let shown = |(_, field): &(FieldId, &Field)| !field.is_member() && view.visibility.shows(field);
        let fields = resource.definition.fields().filter(shown).map(|(id, _)| id).collect();
        Self {
            organisation,
            resource,
            view,
            now: time::now(),
            fields,
        }
    }

    /// Appends the whole record as a JSON object with its members in alphabetical order.
    pub(super) fn write(&self, out: &mut Vec<u8>, id: RowId, row: &Row) {
        let record = self.record(id, row);
        let mut separator = b'{';
        for &field in &self.fields {
            out.push(separator);
            separator = b',';
            write_name(out, self.resource.definition.field(field).name);
            record.write_value(out, field);
        }
        if self.view.visibility.hidden && self.organisation.is_hidden(self.resource, row) {
            // Behind the others, since no product says it.
            out.extend_from_slice(br#","hidden":true"#);
        }
        out.push(b'}');
    }

    /// Appends the value of one field only.
    pub(super) fn write_field(&self, out: &mut Vec<u8>, id: RowId, row: &Row, field: FieldId) {
        self.record(id, row).write_value(out, field);
    }

    /// The PKey of a row as this view shows it.
    pub(super) fn primary_key(&self, id: RowId) -> String {
        self.organisation
            .sealer
            .primary_key(self.resource.number, id, self.view.context)
    }

    /// The URL of a row.
    pub(super) fn href(&self, primary_key: &str) -> String {
        self.organisation
            .url(&self.view, self.view.path(&self.resource.definition), primary_key)
    }

    fn record<'b>(&'b self, id: RowId, row: &'b Row) -> Record<'b> {
        let mut cells = vec![None; self.resource.definition.field_count()];
        for (field, cell) in row.cells() {
            cells[usize::from(field)] = Some(cell);
        }
        Record {
            writer: self,
            definition: &self.resource.definition,
            id,
            row,
            cells,
            primary_key: self.primary_key(id),
        }
    }
}

/// One row, unpacked.
pub(super) struct Record<'a> {
    writer: &'a RecordWriter<'a>,
    definition: &'a Definition,
    id: RowId,
    row: &'a Row,
    cells: Vec<Option<Cell<'a>>>,
    primary_key: String,
}

impl Record<'_> {
    /// The text of a field; empty if it is empty or the resource has no such field.
    pub(super) fn text(&self, name: &str) -> &str {
        self.cell(name).map_or("", Cell::text)
    }

    fn cell(&self, name: &str) -> Option<Cell<'_>> {
        self.cells[usize::from(self.definition.id(name)?)]
    }

    fn write_value(&self, out: &mut Vec<u8>, field: FieldId) {
        let definition = self.definition.field(field);
        match definition.source {
            Source::Computed(computed) => self.write_computed(out, computed),
            Source::Stored => self.write_stored(out, field, definition),
        }
    }

    fn write_stored(&self, out: &mut Vec<u8>, id: FieldId, field: &Field) {
        let cell = self.cells[usize::from(id)];
        let integer = cell.map_or(0, Cell::integer);
        match &field.kind {
            FieldKind::Text { .. } | FieldKind::Memo | FieldKind::Duration => {
                write_text(out, cell.map_or(field.empty_text, Cell::text));
            }
            FieldKind::Byte | FieldKind::Short | FieldKind::Long | FieldKind::Int64 => write_json(out, &integer),
            FieldKind::Float => match cell {
                // Stored with less precision than it was sent with, as 32-bit columns do.
                Some(Cell::Number(number)) => write_json(out, &(number as f32)),
                _ => out.push(b'0'),
            },
            FieldKind::Double => match cell {
                Some(Cell::Number(number)) => write_json(out, &number),
                _ => out.push(b'0'),
            },
            FieldKind::Boolean => write_json(out, &(integer != 0)),
            FieldKind::Date => write_quoted(out, cell.is_some(), |out| time::write_date(out, integer)),
            FieldKind::DateTime => write_quoted(out, cell.is_some(), |out| time::write_datetime(out, integer)),
            FieldKind::Enumeration(enumeration) => {
                write_text(out, enumeration.member_name(usize::try_from(integer).unwrap_or(0)));
            }
            FieldKind::Link { target } => {
                let row = cell.and_then(|cell| RowId::try_from(cell.integer()).ok());
                self.write_link(out, field, target, row);
            }
            FieldKind::Join {
                target,
                field: key_field,
                target_field,
                ..
            } => {
                let row = self
                    .writer
                    .organisation
                    .joined_row(target, target_field, self.text(key_field));
                self.write_link(out, field, target, row);
            }
            FieldKind::Collection { .. } => self.write_collection(out, field.name),
            FieldKind::Item => self.write_item(out, id, field),
        }
    }

    fn write_item(&self, out: &mut Vec<u8>, item: FieldId, field: &Field) {
        let mut separator = b'{';
        for &member in self.definition.members(item) {
            let member_field = self.definition.field(member);
            if !self.writer.view.visibility.shows(member_field) {
                continue;
            }
            out.push(separator);
            separator = b',';
            write_name(out, &member_field.name[field.name.len() + 1..]);
            self.write_stored(out, member, member_field);
        }
        if separator == b'{' {
            out.push(separator);
        }
        out.push(b'}');
    }

    /// A link to a row that has gone reads as unset.
    fn write_link(&self, out: &mut Vec<u8>, field: &Field, target: &str, row: Option<RowId>) {
        let organisation = self.writer.organisation;
        let Some((id, resource)) = row.zip(organisation.resource(target)) else {
            out.extend_from_slice(b"null");
            return;
        };
        let table = resource.table.read_recursive();
        let Some(row) = table.row(id) else {
            out.extend_from_slice(b"null");
            return;
        };
        let primary_key = organisation.sealer.primary_key(resource.number, id, Context::Record);
        let mut separator = b'{';
        for &member in field.link_members {
            out.push(separator);
            separator = b',';
            write_name(out, member);
            match member {
                "PKey" => write_text(out, &primary_key),
                "href" => write_text(out, &organisation.link_url(&self.writer.view, &resource, &primary_key)),
                _ => write_text(out, &computed::text_of(&resource.definition, row, member)),
            }
        }
        out.push(b'}');
    }

    /// What a field of the row a link points to reads as; empty without such a row.
    fn linked_text(&self, link: &str, field: &str) -> String {
        let text = || {
            let link = self.definition.id(link)?;
            let FieldKind::Link { target } = self.definition.field(link).kind else {
                return None;
            };
            let id = RowId::try_from(self.cells[usize::from(link)]?.integer()).ok()?;
            let resource = self.writer.organisation.resource(target)?;
            let table = resource.table.read_recursive();
            Some(computed::text_of(&resource.definition, table.row(id)?, field))
        };
        text().unwrap_or_default()
    }

    /// Collections carry another token of the row than its PKey (contracts/campaign.md §2.6).
    fn write_collection(&self, out: &mut Vec<u8>, name: &str) {
        let organisation = self.writer.organisation;
        let token = organisation
            .sealer
            .primary_key(self.writer.resource.number, self.id, Context::Collection);
        let href = format!("{}/{name}/", self.writer.href(&token));
        out.extend_from_slice(br#"{"href":"#);
        write_text(out, &href);
        out.push(b'}');
    }

    fn write_computed(&self, out: &mut Vec<u8>, computed: Computed) {
        let writer = self.writer;
        let (sealer, number) = (&writer.organisation.sealer, writer.resource.number);
        match computed {
            Computed::PrimaryKey => write_text(out, &self.primary_key),
            Computed::Href => write_text(out, &writer.href(&self.primary_key)),
            Computed::AcsId => write_text(out, &sealer.acs_id(number, self.id).to_string()),
            Computed::CryptedId => write_text(out, &sealer.crypted_id(number, self.id)),
            Computed::Created => write_quoted(out, true, |out| time::write_datetime(out, self.row.created)),
            Computed::LastModified => write_quoted(out, true, |out| time::write_datetime(out, self.row.last_modified)),
            Computed::Age => {
                let birth_date = self.cell("birthDate").map(Cell::integer);
                write_json(
                    out,
                    &birth_date.map_or(0, |birth_date| time::age(birth_date, writer.now)),
                );
            }
            Computed::Domain => write_text(out, computed::domain(self)),
            Computed::PostalAddress => computed::write_postal_address(out, self),
            Computed::ProfileTitle => write_text(out, &computed::profile_title(self)),
            Computed::Title => write_text(out, &computed::row_title(self.definition, self.row)),
            Computed::Linked { link, field } => write_text(out, &self.linked_text(link, field)),
        }
    }
}

/// Appends `"name":`.
fn write_name(out: &mut Vec<u8>, name: &str) {
    // Field names are identifiers, so nothing needs escaping.
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a JSON string.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    write_json(out, text);
}

fn write_json(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    serde_json::to_writer(out, value).expect("texts, numbers and booleans always serialise, and a buffer takes them");
}

/// Appends a string of what `write` writes, or the empty string.
fn write_quoted(out: &mut Vec<u8>, present: bool, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    if present {
        write(out);
    }
    out.push(b'"');
}
