//! Pages of rows and changes, typed straight from the bytes of the answer.
//!
//! Parsing a page is the reader's hot path: one pass over the text, no tree of JSON values, no map per row.

mod json;
mod row;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use crosswalk_core::ChangeKind;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use uuid::Uuid;

use crate::observer::Operation;
use crate::{Error, Selection};
use row::{Rows, RowsSeed};

/// One page of a tracked read (contracts/dataverse.md §3).
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Rows and deletes, in the order of the page.
    pub changes: Vec<SourceChange>,
    /// Rows with a value that does not fit its column; they are not among the changes.
    pub rejected: Vec<RejectedRow>,
    /// Options that rows hold and the selection's metadata does not have, each once, at most 100: added since it was read,
    /// or taken out while rows still held them. Such values come without a label.
    pub unknown_options: Vec<UnknownOption>,
    /// Where to go on.
    pub next: PageLink,
}

/// One change of one source row, as the service reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceChange {
    /// The row's primary key.
    pub id: Uuid,
    /// The row's version; deletes carry none.
    pub version: Option<u64>,
    /// The whole selected row, or that it was deleted.
    pub kind: ChangeKind,
}

/// An option that a row holds and the metadata does not have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnknownOption {
    /// Logical name of the column.
    pub column: Box<str>,
    /// The option's value.
    pub value: i32,
}

/// A row with a value that does not fit its column's type: the row's fault, not the page's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// The row's primary key.
    pub id: Uuid,
    /// The row's version.
    pub version: Option<u64>,
    /// Logical name of the first such column.
    pub column: String,
    /// What was expected and what was found. Quotes the value: not for logs.
    pub reason: String,
}

impl RejectedRow {
    /// Stable code of this fault.
    pub const CODE: &str = "DYNAMICS_VALUE_UNFIT";
}

impl fmt::Display for RejectedRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "column {} of record {}: {}",
            self.column, self.id, self.reason
        )
    }
}

/// Where a tracked read goes on: the position to keep. The addresses are opaque and used verbatim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageLink {
    /// The next page of this read (`@odata.nextLink`).
    Next(String),
    /// The changes since this read (`@odata.deltaLink`); this was its last page.
    Delta(String),
}

impl PageLink {
    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Next(address) | Self::Delta(address) => address,
        }
    }
}

impl Page {
    /// Reads the body of a page.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if it is not JSON or ends in the middle, [`Error::Unexpected`] if it is not a page of a
    /// tracked read: no rows, a row without primary key, neither of the links.
    pub fn parse(body: &[u8], selection: &Selection) -> Result<Self, Error> {
        let mut rows = Rows::new(selection);
        let links = deserialize(body, Operation::Page, PageSeed(&mut rows))?;
        let next = links.next.map(PageLink::Next).or(links.delta.map(PageLink::Delta));
        let next = next.ok_or_else(|| Error::Unexpected {
            operation: Operation::Page.name(),
            reason: "neither a next link nor a delta link".to_owned(),
        })?;
        Ok(Self {
            changes: rows.changes,
            rejected: rows.rejected,
            unknown_options: rows.unknown_options,
            next,
        })
    }
}

/// Reads the body of a single row.
///
/// # Errors
/// As [`Page::parse`], and [`Error::RejectedRow`] for a value that does not fit its column.
pub(crate) fn parse_row(body: &[u8], selection: &Selection) -> Result<SourceChange, Error> {
    let mut rows = Rows::new(selection);
    deserialize(body, Operation::Row, row::RowSeed(&mut rows))?;
    match (rows.changes.pop(), rows.rejected.pop()) {
        (Some(change), _) => Ok(change),
        (None, Some(row)) => Err(Error::RejectedRow(Box::new(row))),
        (None, None) => Err(Error::Unexpected {
            operation: Operation::Row.name(),
            reason: "no row".to_owned(),
        }),
    }
}

/// Checks the text's encoding once for the whole body, so that no string has to be checked by itself.
fn deserialize<'de, S: DeserializeSeed<'de>>(
    body: &'de [u8],
    operation: Operation,
    seed: S,
) -> Result<S::Value, Error> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body)
        .map_err(|error| Error::from_json(operation.name(), serde_json::Error::io(std::io::Error::other(error))))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    seed.deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| Error::from_json(operation.name(), error))
}

/// The links of a page; the rows go elsewhere.
#[derive(Default)]
struct Links {
    next: Option<String>,
    delta: Option<String>,
}

struct PageSeed<'a, 's>(&'a mut Rows<'s>);

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_> {
    type Value = Links;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Links, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_> {
    type Value = Links;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a page of rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Links, A::Error> {
        let mut links = Links::default();
        let mut has_rows = false;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "value" => {
                    map.next_value_seed(RowsSeed(&mut *self.0))?;
                    has_rows = true;
                }
                "@odata.nextLink" => links.next = map.next_value()?,
                "@odata.deltaLink" => links.delta = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if has_rows {
            Ok(links)
        } else {
            Err(A::Error::custom("no rows"))
        }
    }
}
