//! Which columns of a table to read, and how each of them is typed.

use std::sync::Arc;

use crosswalk_core::schema::{Column, ColumnType, Table};

use crate::Error;

/// Columns of one table, prepared for requests and for typing the rows that come back. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Selection {
    inner: Arc<SelectionInner>,
}

#[derive(Debug)]
struct SelectionInner {
    table: String,
    entity_set: String,
    fields: Vec<Field>,
    selected: usize,
    id_field: usize,
    version_field: Option<usize>,
}

/// One property of a row.
#[derive(Debug)]
pub(crate) struct Field {
    /// Logical name, the column's name in the row handed out.
    pub(crate) column: Box<str>,
    /// Name of the property in JSON and in `$select`; another one for lookups.
    pub(crate) property: Box<str>,
    /// How the value is typed.
    pub(crate) kind: Kind,
}

/// How a value is read from JSON (contracts/dataverse.md §4.5).
#[derive(Debug)]
pub(crate) enum Kind {
    Boolean,
    Integer,
    Decimal,
    Double,
    Text,
    Timestamp,
    Date,
    Guid,
    Choice(Labels),
    Choices(Labels),
}

/// The options of an option set with their labels, which all values read share.
#[derive(Debug)]
pub(crate) struct Labels {
    by_value: Vec<(i32, Option<Arc<str>>)>,
}

impl Selection {
    /// Prepares columns for reading. Repeated names count once; the order is that of the rows' columns.
    ///
    /// # Errors
    /// [`Error::ColumnNotFound`] and [`Error::ColumnUnreadable`] name a column that cannot be read, the primary key
    /// included.
    pub fn new(table: &Table, columns: &[String]) -> Result<Self, Error> {
        let mut fields: Vec<Field> = Vec::with_capacity(columns.len() + 1);
        for name in columns {
            if fields.iter().all(|field| *field.column != **name) {
                fields.push(Field::new(table, name)?);
            }
        }
        let selected = fields.len();
        let place_of = |fields: &[Field], name: &str| fields.iter().position(|field| &*field.column == name);
        let id_field = match place_of(&fields, &table.primary_id) {
            Some(place) => place,
            None => {
                fields.push(Field::new(table, &table.primary_id)?);
                selected
            }
        };
        let version_field = place_of(&fields, "versionnumber");
        let (table, entity_set) = (table.logical_name.clone(), table.entity_set.clone());
        let inner = SelectionInner {
            table,
            entity_set,
            fields,
            selected,
            id_field,
            version_field,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Logical name of the table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.inner.table
    }

    /// Logical names of the columns that every row holds, in their order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = &str> {
        self.selected_fields().iter().map(|field| &*field.column)
    }

    pub(crate) fn entity_set(&self) -> &str {
        &self.inner.entity_set
    }

    /// The `$select` option with its name.
    pub(crate) fn select_option(&self) -> String {
        let properties: Vec<&str> = self.fields().iter().map(|field| &*field.property).collect();
        format!("$select={}", properties.join(","))
    }

    /// All properties asked for: those of the selected columns, then the primary key if it is not among them.
    pub(crate) fn fields(&self) -> &[Field] {
        &self.inner.fields
    }

    /// The properties that make the row handed out.
    pub(crate) fn selected_fields(&self) -> &[Field] {
        &self.inner.fields[..self.inner.selected]
    }

    /// Place of the primary key among the fields.
    pub(crate) fn id_field(&self) -> usize {
        self.inner.id_field
    }

    /// Place of the row version among the fields, if it is selected.
    pub(crate) fn version_field(&self) -> Option<usize> {
        self.inner.version_field
    }
}

impl Field {
    fn new(table: &Table, name: &str) -> Result<Self, Error> {
        let column = table.column(name).ok_or_else(|| Error::ColumnNotFound {
            table: table.logical_name.clone(),
            column: name.to_owned(),
        })?;
        let unreadable = || Error::ColumnUnreadable {
            table: table.logical_name.clone(),
            column: name.to_owned(),
        };
        if !column.readable {
            return Err(unreadable());
        }
        let kind = Kind::new(column).ok_or_else(unreadable)?;
        let property = if column.column_type.is_lookup() {
            format!("_{name}_value")
        } else {
            name.to_owned()
        };
        Ok(Self {
            column: name.into(),
            property: property.into(),
            kind,
        })
    }
}

impl Kind {
    fn new(column: &Column) -> Option<Self> {
        Some(match column.column_type {
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Integer | ColumnType::BigInt => Self::Integer,
            ColumnType::Decimal | ColumnType::Money => Self::Decimal,
            ColumnType::Double => Self::Double,
            ColumnType::String | ColumnType::Memo | ColumnType::EntityName => Self::Text,
            ColumnType::DateTime => Self::Timestamp,
            ColumnType::DateOnly => Self::Date,
            ColumnType::Uniqueidentifier | ColumnType::Lookup | ColumnType::Customer | ColumnType::Owner => Self::Guid,
            ColumnType::Picklist | ColumnType::State | ColumnType::Status => Self::Choice(Labels::new(column)),
            ColumnType::MultiSelectPicklist => Self::Choices(Labels::new(column)),
            ColumnType::Unsupported => return None,
        })
    }

    /// What the column holds, for messages.
    pub(crate) const fn description(&self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::Decimal => "a decimal number of at most 28 digits",
            Self::Double => "a number",
            Self::Text => "a text",
            Self::Timestamp => "a date and time with its offset",
            Self::Date => "a date",
            Self::Guid => "a GUID",
            Self::Choice(_) => "the value of an option",
            Self::Choices(_) => "the values of options",
        }
    }

    /// Whether an option of the column was there when the metadata was read.
    pub(crate) fn knows_option(&self, value: i32) -> bool {
        match self {
            Self::Choice(labels) | Self::Choices(labels) => labels.knows(value),
            _ => true,
        }
    }

    /// Whether the JSON value is a number, read from its text so that no digit is lost.
    pub(crate) const fn is_numeric(&self) -> bool {
        matches!(self, Self::Integer | Self::Decimal | Self::Double | Self::Choice(_))
    }
}

impl Labels {
    fn new(column: &Column) -> Self {
        let mut by_value: Vec<(i32, Option<Arc<str>>)> = column
            .options
            .iter()
            .map(|option| (option.value, option.label.as_deref().map(Arc::from)))
            .collect();
        by_value.sort_by_key(|(value, _)| *value);
        Self { by_value }
    }

    /// The label of an option; none for an option that has none or was added since the metadata was read.
    pub(crate) fn of(&self, value: i32) -> Option<Arc<str>> {
        self.by_value[self.place(value)?].1.clone()
    }

    /// Whether the option was there when the metadata was read.
    pub(crate) fn knows(&self, value: i32) -> bool {
        self.place(value).is_some()
    }

    fn place(&self, value: i32) -> Option<usize> {
        self.by_value.binary_search_by_key(&value, |(value, _)| *value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{contact, selection};

    #[test]
    fn lookups_are_selected_by_their_value_property() {
        let selection = selection(&["firstname", "parentcustomerid", "firstname"]);
        assert_eq!(
            selection.select_option(),
            "$select=firstname,_parentcustomerid_value,contactid"
        );
        assert_eq!(
            selection.columns().collect::<Vec<_>>(),
            ["firstname", "parentcustomerid"]
        );
    }

    #[test]
    fn primary_key_is_asked_for_once() {
        assert_eq!(
            selection(&["contactid", "lastname"]).select_option(),
            "$select=contactid,lastname"
        );
    }

    #[test]
    fn columns_that_cannot_be_read_are_refused_by_name() {
        for (name, expected) in [
            ("shoesize", "there is no column shoesize in table contact"),
            ("entityimage", "column entityimage of table contact cannot be read"),
            (
                "parentcustomeridname",
                "column parentcustomeridname of table contact cannot be read",
            ),
        ] {
            let error = Selection::new(&contact(), &["firstname".to_owned(), name.to_owned()]).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
