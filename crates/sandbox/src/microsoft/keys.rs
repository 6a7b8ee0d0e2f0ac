//! Which row a key in a URL addresses (contracts/dataverse.md §5.4, §5.5).

use http::StatusCode;
use uuid::Uuid;

use super::errors::ApiError;
use super::literal::{cell_of_literal, parse_guid};
use super::request::SERVICE_ROOT;
use super::schema::TableDefinition;
use super::store::{Cell, Organization};
use super::uri::{Segment, key_parts, segments, unquote};

/// A row addressed by a URL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowKey {
    /// By primary id.
    Id(Uuid),
    /// By alternate key: position of the key, its columns with their values, and the text between the parentheses.
    Alternate {
        /// Position among the table's keys.
        key: usize,
        /// Columns and values in the order of the key's columns.
        values: Vec<(usize, Cell)>,
        /// The text between the parentheses, repeated in `OData-EntityId`.
        text: String,
    },
}

impl RowKey {
    /// Reads the key of a segment like `contacts(GUID)` or `accounts(accountnumber='A1')`.
    pub(crate) fn parse(table: &TableDefinition, key: &str) -> Result<Self, ApiError> {
        let parts = key_parts(key);
        if let [part] = parts.as_slice()
            && part
                .name
                .as_deref()
                .is_none_or(|name| name == table.primary_id().logical_name)
        {
            return parse_guid(&part.literal).map(Self::Id).ok_or_else(|| {
                ApiError::bad_request(format!(
                    "Bad Request - Error in query syntax: '{}' is not a valid key for resource '{}'.",
                    part.literal, table.entity_set_name
                ))
            });
        }
        let mut values = Vec::with_capacity(parts.len());
        for part in &parts {
            let column = part
                .name
                .as_deref()
                .and_then(|name| table.property(name))
                .ok_or_else(|| not_a_key(table))?;
            let (text, quoted) =
                unquote(&part.literal).map_or_else(|| (part.literal.clone(), false), |text| (text, true));
            let kind = &table.columns[column].kind;
            values.push((
                column,
                cell_of_literal(kind, &text, quoted).ok_or_else(|| not_a_key(table))?,
            ));
        }
        let columns: Vec<usize> = values.iter().map(|(column, _)| *column).collect();
        let position = table.key_of(&columns).ok_or_else(|| not_a_key(table))?;
        let order = &table.keys[position].columns;
        values.sort_by_key(|(column, _)| order.iter().position(|wanted| wanted == column));
        Ok(Self::Alternate {
            key: position,
            values,
            text: key.to_owned(),
        })
    }

    /// The id of the row, `None` if no row has the key.
    pub(crate) fn find(&self, organization: &Organization, table: usize) -> Option<Uuid> {
        match self {
            Self::Id(id) => organization.table(table).row(*id).map(|_| *id),
            Self::Alternate { key, values, .. } => {
                let values = values.iter().map(|(_, cell)| cell.clone()).collect();
                organization.row_of_key(table, *key, values)
            }
        }
    }

    /// The error if the row does not exist.
    pub(crate) fn not_found(&self, table: &TableDefinition) -> ApiError {
        match self {
            Self::Id(id) => ApiError::row_not_found(table, *id),
            Self::Alternate { .. } => ApiError::new(
                StatusCode::NOT_FOUND,
                "0x80060891",
                format!(
                    "A record with the specified key values does not exist in {} entity",
                    table.logical_name
                ),
            ),
        }
    }

    /// The text between the parentheses of `OData-EntityId`: an alternate key is repeated as it was asked.
    pub(crate) fn url_text(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Alternate { text, .. } => text.clone(),
        }
    }
}

/// The table (its index) and key of a reference like `/accounts(GUID)`, with or without leading slash or service root.
pub(crate) fn parse_reference(organization: &Organization, reference: &str) -> Result<(usize, RowKey), ApiError> {
    let path = reference.rsplit_once(SERVICE_ROOT).map_or(reference, |(_, path)| path);
    let parsed = segments(path)?;
    let [Segment { name, key: Some(key) }] = parsed.as_slice() else {
        return Err(ApiError::bad_request(format!(
            "'{reference}' is not a valid entity reference."
        )));
    };
    let table = organization
        .table_of_set(name)
        .ok_or_else(|| ApiError::unknown_segment(name))?;
    Ok((table, RowKey::parse(organization.table(table).definition(), key)?))
}

/// The table and id of the row behind a reference.
pub(crate) fn resolve_reference(organization: &Organization, reference: &str) -> Result<(String, Uuid), ApiError> {
    let (table, key) = parse_reference(organization, reference)?;
    let definition = organization.table(table).definition();
    let id = key.find(organization, table).ok_or_else(|| key.not_found(definition))?;
    Ok((definition.logical_name.clone(), id))
}

fn not_a_key(table: &TableDefinition) -> ApiError {
    let resource = format!("Microsoft.Dynamics.CRM.{}", table.logical_name);
    ApiError::bad_request(format!(
        "The key in the request URI is not valid for resource '{resource}'. Ensure that the names and number of key \
         properties match the declared or alternate key properties for the resource '{resource}'."
    ))
}
