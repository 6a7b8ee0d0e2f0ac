//! The JSON body of a write, as validated changes of cells (contracts/dataverse.md §5.1, §5.5).

use serde_json::{Map, Value};
use uuid::Uuid;

use super::errors::ApiError;
use super::keys::resolve_reference;
use super::schema::{ColumnKind, LookupKind, TableDefinition};
use super::store::{Cell, CellChange, Organization};
use super::validate::cell_of_json;

/// What kind of write a payload is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteKind {
    /// The row is new.
    Create,
    /// The row exists.
    Update,
}

/// A validated payload.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Payload {
    /// The primary id the payload names.
    pub id: Option<Uuid>,
    /// Changes of cells.
    pub changes: Vec<CellChange>,
}

/// Reads a payload. Columns that are not valid for the operation are dropped silently, as the product does.
pub(crate) fn parse_payload(
    organization: &Organization,
    table: usize,
    payload: &Map<String, Value>,
    kind: WriteKind,
) -> Result<Payload, ApiError> {
    let definition = organization.table(table).definition();
    let mut result = Payload {
        id: None,
        changes: Vec::with_capacity(payload.len()),
    };
    for (name, value) in payload {
        if let Some(navigation) = name.strip_suffix("@odata.bind") {
            result
                .changes
                .push(bind(organization, definition, navigation, value, kind)?);
        } else if name.contains('@') {
            // Control information and annotations of a row that was read: not data.
        } else if let Some(change) = property(definition, name, value, kind, &mut result.id)? {
            result.changes.push(change);
        }
    }
    Ok(result)
}

fn bind(
    organization: &Organization,
    definition: &TableDefinition,
    navigation: &str,
    value: &Value,
    kind: WriteKind,
) -> Result<CellChange, ApiError> {
    let (column, target) = definition
        .navigation(navigation)
        .ok_or_else(|| undeclared(definition, navigation))?;
    let ColumnKind::Lookup { kind: lookup, targets } = &definition.columns[column].kind else {
        return Err(undeclared(definition, navigation));
    };
    match value {
        Value::Null if kind == WriteKind::Update => Ok((column, None)),
        Value::String(reference) => {
            let (table, id) = resolve_reference(organization, reference)?;
            let allowed = |name: &str| match lookup {
                LookupKind::Owner => targets.iter().any(|target| target.table == name),
                _ => target.table == name,
            };
            if !allowed(&table) {
                return Err(ApiError::payload(
                    &definition.entity_set_name,
                    &format!(
                        "Microsoft.OData.ODataException: The entity reference '{reference}' does not match the type of \
                         the navigation property '{navigation}'."
                    ),
                ));
            }
            let position = targets.iter().position(|target| target.table == table).unwrap_or(0);
            Ok((column, Some(Cell::Reference(position as u8, id))))
        }
        _ => Err(ApiError::payload(
            &definition.entity_set_name,
            "Microsoft.OData.ODataException: The 'odata.bind' property or instance annotation has a null value. In OData, \
             the 'odata.bind' property or instance annotation must have a non-null string value.",
        )),
    }
}

fn property(
    definition: &TableDefinition,
    name: &str,
    value: &Value,
    kind: WriteKind,
    id: &mut Option<Uuid>,
) -> Result<Option<CellChange>, ApiError> {
    if let Some(lookup) = definition.property(name).or_else(|| definition.column(name))
        && matches!(definition.columns[lookup].kind, ColumnKind::Lookup { .. })
    {
        // `"parentcustomerid_account": null` clears; names like `transactioncurrencyid` are columns and navigation at once.
        if value.is_null() && definition.navigation(name).is_some() {
            return Ok(Some((lookup, None)));
        }
        return Err(direct_reference_write(name, value));
    }
    if let Some((column, _)) = definition.navigation(name) {
        return match value {
            Value::Null => Ok(Some((column, None))),
            _ => Err(ApiError::not_implemented(format!(
                "Deep insert through '{name}' is not supported."
            ))),
        };
    }
    let column = definition
        .column(name)
        .ok_or_else(|| invalid_property(definition, name))?;
    if column == TableDefinition::PRIMARY_ID {
        let text = value.as_str().and_then(super::literal::parse_guid);
        *id = Some(text.ok_or_else(|| super::validate::cannot_convert(definition, value, "Edm.Guid"))?);
        return Ok(None);
    }
    let columns = &definition.columns[column];
    let valid = match kind {
        WriteKind::Create => columns.creatable,
        WriteKind::Update => columns.updatable,
    };
    let cell = cell_of_json(definition, columns, value)?;
    Ok(valid.then_some((column, cell)))
}

fn direct_reference_write(name: &str, value: &Value) -> ApiError {
    ApiError::bad_request(if value.is_null() {
        format!("Property {name} cannot be updated to null. The reference property can only be deleted")
    } else {
        "CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.".to_owned()
    })
}

fn undeclared(definition: &TableDefinition, navigation: &str) -> ApiError {
    ApiError::payload(
        &definition.entity_set_name,
        &format!(
            "Microsoft.OData.ODataException: An undeclared property '{navigation}' which only has property annotations \
             in the payload but no property value was found in the payload. In OData, only declared navigation \
             properties and declared named streams can be represented as properties without values."
        ),
    )
}

fn invalid_property(definition: &TableDefinition, name: &str) -> ApiError {
    let table = &definition.logical_name;
    ApiError::payload(
        &definition.entity_set_name,
        &format!(
            "Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table}'. \
             ---> Microsoft.OData.ODataException: The property '{name}' does not exist on type \
             'Microsoft.Dynamics.CRM.{table}'. Make sure to only use property names that are defined by the type."
        ),
    )
}
