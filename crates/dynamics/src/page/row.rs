//! Rows: from the members of a JSON object to a change or a rejected row.

use std::fmt;

use crosswalk_core::{ChangeKind, Row, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use uuid::Uuid;

use super::json::{Look, Shape};
use super::value::{Misfit, TypedSeed};
use super::{RejectedRow, SourceChange, UnknownOption};
use crate::Selection;

/// Most unknown options that a page tells of.
const UNKNOWN_OPTIONS: usize = 100;

/// Collects the rows of a page; its buffers are reused from row to row.
pub(super) struct Rows<'s> {
    selection: &'s Selection,
    pub(super) changes: Vec<SourceChange>,
    pub(super) rejected: Vec<RejectedRow>,
    pub(super) unknown_options: Vec<UnknownOption>,
    /// Which field stood where in the rows so far. The service writes all rows of a page in one order, so that a
    /// name is mostly compared once.
    order: Vec<usize>,
    current: Current,
}

/// What is known of the row being read.
#[derive(Default)]
struct Current {
    /// How many selected properties have been met.
    met: usize,
    /// The values, by the place of their field.
    values: Vec<Option<Value>>,
    /// The first value that does not fit, with the place of its field.
    misfit: Option<(usize, Misfit)>,
    version: Option<u64>,
    is_deleted: bool,
    /// The `id` member of a deleted row.
    deleted_id: Option<Uuid>,
}

/// What a member of a row is.
enum Member {
    Field(usize),
    Etag,
    Context,
    Id,
    Other,
}

impl<'s> Rows<'s> {
    pub(super) fn new(selection: &'s Selection) -> Self {
        let mut values = Vec::new();
        values.resize_with(selection.fields().len(), || None);
        let current = Current {
            values,
            ..Current::default()
        };
        Self {
            selection,
            changes: Vec::new(),
            rejected: Vec::new(),
            unknown_options: Vec::new(),
            order: Vec::new(),
            current,
        }
    }

    fn member(&mut self, name: &str) -> Member {
        let fields = self.selection.fields();
        let expected = self.order.get(self.current.met).copied();
        let place = match expected.filter(|place| *fields[*place].property == *name) {
            Some(place) => place,
            None => match name {
                "@odata.etag" => return Member::Etag,
                "@odata.context" => return Member::Context,
                _ if name.contains('@') => return Member::Other,
                _ => match fields.iter().position(|field| *field.property == *name) {
                    Some(place) => place,
                    None if name == "id" => return Member::Id,
                    None => return Member::Other,
                },
            },
        };
        match self.order.get_mut(self.current.met) {
            Some(known) => *known = place,
            None => self.order.push(place),
        }
        self.current.met += 1;
        Member::Field(place)
    }

    fn set(&mut self, place: usize, value: Result<Value, Misfit>) {
        match value {
            Ok(value) => {
                self.note_unknown_options(place, &value);
                self.current.values[place] = Some(value);
            }
            Err(misfit) => {
                self.current.misfit.get_or_insert((place, misfit));
            }
        }
    }

    fn note_unknown_options(&mut self, place: usize, value: &Value) {
        let choices = match value {
            Value::Choice(choice) => std::slice::from_ref(choice),
            Value::Choices(choices) => choices,
            _ => return,
        };
        // A label shows that the option is known, so that hardly ever anything has to be looked up.
        for choice in choices.iter().filter(|choice| choice.label.is_none()) {
            let field = &self.selection.fields()[place];
            if !field.kind.knows_option(choice.value) && self.unknown_options.len() < UNKNOWN_OPTIONS {
                let unknown = UnknownOption {
                    column: field.column.clone(),
                    value: choice.value,
                };
                if !self.unknown_options.contains(&unknown) {
                    self.unknown_options.push(unknown);
                }
            }
        }
    }

    fn begin(&mut self) {
        let mut values = std::mem::take(&mut self.current.values);
        values.fill(None);
        self.current = Current {
            values,
            ..Current::default()
        };
    }

    /// # Errors
    /// The row has no primary key: nobody could say which row it is, so that the page is at fault.
    fn finish(&mut self) -> Result<(), &'static str> {
        if self.current.is_deleted {
            let id = self.current.deleted_id.ok_or("a deleted row without an id")?;
            self.changes.push(SourceChange {
                id,
                version: None,
                kind: ChangeKind::Delete,
            });
            return Ok(());
        }
        let Some(Value::Guid(id)) = self.current.values[self.selection.id_field()] else {
            return Err("a row without its primary key");
        };
        let version = self.version();
        match self.take_row() {
            Ok(row) => self.changes.push(SourceChange {
                id,
                version,
                kind: ChangeKind::Upsert(row),
            }),
            Err((column, reason)) => self.rejected.push(RejectedRow {
                id,
                version,
                column,
                reason,
            }),
        }
        Ok(())
    }

    fn version(&self) -> Option<u64> {
        self.current
            .version
            .or_else(|| match self.current.values[self.selection.version_field()?] {
                Some(Value::Integer(version)) => u64::try_from(version).ok(),
                _ => None,
            })
    }

    /// The row, or the column that spoils it with the reason.
    ///
    /// A selected property that is missing does not count as null: clearing the field on the other side is not what
    /// an incomplete answer means (contracts/dataverse.md §4.5: nulls are written out).
    fn take_row(&mut self) -> Result<Row, (String, String)> {
        let fields = self.selection.selected_fields();
        if let Some((place, reason)) = self.current.misfit.take() {
            return Err((self.selection.fields()[place].column.to_string(), reason));
        }
        let mut columns = Vec::with_capacity(fields.len());
        for (field, value) in fields.iter().zip(&mut self.current.values) {
            match value.take() {
                Some(value) => columns.push((field.column.clone(), value)),
                None => return Err((field.column.to_string(), "missing in the row".to_owned())),
            }
        }
        Ok(Row { columns })
    }
}

/// The version in `W/"915244"` (contracts/dataverse.md §2.7).
fn version_of_etag(etag: &str) -> Option<u64> {
    etag.strip_prefix("W/\"")?.strip_suffix('"')?.parse().ok()
}

/// Reads an array of rows.
pub(super) struct RowsSeed<'a, 's>(pub(super) &'a mut Rows<'s>);

impl<'de> DeserializeSeed<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(RowSeed(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// Reads one row.
pub(super) struct RowSeed<'a, 's>(pub(super) &'a mut Rows<'s>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let rows = self.0;
        let selection = rows.selection;
        rows.begin();
        while let Some(member) = map.next_key_seed(MemberSeed(&mut *rows))? {
            match member {
                Member::Field(place) => {
                    let value = map.next_value_seed(TypedSeed(&selection.fields()[place].kind))?;
                    rows.set(place, value);
                }
                Member::Etag => rows.current.version = map.next_value_seed(Look(text(version_of_etag)))?,
                Member::Context => {
                    let is_deleted = |context: &str| context.contains("$deletedEntity").then_some(());
                    rows.current.is_deleted = map.next_value_seed(Look(text(is_deleted)))?.is_some();
                }
                Member::Id => {
                    let id = |id: &str| Uuid::try_parse(id).ok();
                    rows.current.deleted_id = map.next_value_seed(Look(text(id)))?;
                }
                Member::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        rows.finish().map_err(A::Error::custom)
    }
}

/// Applies a function to a text; anything else gives none.
fn text<R>(read: impl FnOnce(&str) -> Option<R>) -> impl FnOnce(Shape<'_>) -> Option<R> {
    |shape| match shape {
        Shape::Text(text) => read(text),
        _ => None,
    }
}

/// Reads a member's name.
struct MemberSeed<'a, 's>(&'a mut Rows<'s>);

impl<'de> DeserializeSeed<'de> for MemberSeed<'_, '_> {
    type Value = Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Member, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberSeed<'_, '_> {
    type Value = Member;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Member, E> {
        Ok(self.0.member(name))
    }
}
