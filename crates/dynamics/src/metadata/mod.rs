//! Tables, columns and options (contracts/dataverse.md §4).

#[cfg(test)]
mod tests;
mod wire;

use std::collections::HashMap;

use crosswalk_core::schema::Table;
use futures::future::try_join_all;

use crate::observer::Operation;
use crate::{Client, Error};
use wire::{AttributeBase, AttributeDetails, Collection, Definition, RecordCounts};

/// What is asked of every table.
const DEFINITION: &str = "$select=LogicalName,EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled,DisplayName";

/// What is asked of one table beside that. Expanding keys makes no further request.
const KEYS: &str = "$expand=Keys($select=LogicalName,KeyAttributes,EntityKeyIndexStatus)";

/// What is asked of every column; all that can be had without a cast.
const BASE: &str = "$select=LogicalName,AttributeTypeName,AttributeOf,IsValidForRead,DisplayName";

/// Casts and what is asked of each: one request per concrete type (contracts/dataverse.md §4.2). A lookup cast covers
/// Customer and Owner columns too.
const DETAILS: [(&str, &str); 9] = [
    ("StringAttributeMetadata", "$select=LogicalName,MaxLength"),
    ("MemoAttributeMetadata", "$select=LogicalName,MaxLength"),
    ("DateTimeAttributeMetadata", "$select=LogicalName,DateTimeBehavior"),
    ("LookupAttributeMetadata", "$select=LogicalName,Targets"),
    ("BooleanAttributeMetadata", "$select=LogicalName&$expand=OptionSet"),
    ("PicklistAttributeMetadata", "$select=LogicalName&$expand=OptionSet"),
    (
        "MultiSelectPicklistAttributeMetadata",
        "$select=LogicalName&$expand=OptionSet",
    ),
    ("StateAttributeMetadata", "$select=LogicalName&$expand=OptionSet"),
    ("StatusAttributeMetadata", "$select=LogicalName&$expand=OptionSet"),
];

pub(crate) async fn tables(client: &Client) -> Result<Vec<Table>, Error> {
    let definitions: Collection<Definition> = client
        .get_json(Operation::Metadata, &["EntityDefinitions"], Some(DEFINITION))
        .await?;
    let mut tables: Vec<Table> = definitions
        .value
        .into_iter()
        .filter_map(Definition::into_table)
        .collect();
    tables.sort_by(|one, other| one.logical_name.cmp(&other.logical_name));
    Ok(tables)
}

pub(crate) async fn table(client: &Client, logical_name: &str) -> Result<Table, Error> {
    let not_found = || Error::TableNotFound {
        table: logical_name.to_owned(),
    };
    if !is_logical_name(logical_name) {
        return Err(not_found());
    }
    let address = format!("EntityDefinitions(LogicalName='{logical_name}')");
    let definition: Definition = client
        .get_json(Operation::Metadata, &[&address], Some(&format!("{DEFINITION}&{KEYS}")))
        .await
        .map_err(|error| match error {
            Error::Refused(answer) if answer.status == 404 || answer.is_unknown_table() => not_found(),
            other => other,
        })?;
    let mut table = definition.into_table().ok_or_else(not_found)?;

    let attributes = [address.as_str(), "Attributes"];
    let (base, details) = futures::future::try_join(
        client.get_json::<Collection<AttributeBase>>(Operation::Metadata, &attributes, Some(BASE)),
        try_join_all(
            DETAILS
                .iter()
                .map(|(cast, query)| details(client, &address, cast, query)),
        ),
    )
    .await?;
    let mut details: HashMap<String, AttributeDetails> = details
        .into_iter()
        .flatten()
        .map(|detail| (detail.logical_name().to_owned(), detail))
        .collect();
    table.columns = base
        .value
        .into_iter()
        .map(|base| {
            let details = details.remove(base.logical_name()).unwrap_or_default();
            base.into_column(details)
        })
        .collect();
    table
        .columns
        .sort_by(|one, other| one.logical_name.cmp(&other.logical_name));
    Ok(table)
}

async fn details(client: &Client, address: &str, cast: &str, query: &str) -> Result<Vec<AttributeDetails>, Error> {
    let cast = format!("Microsoft.Dynamics.CRM.{cast}");
    let segments = [address, "Attributes", &cast];
    let details: Collection<AttributeDetails> = client.get_json(Operation::Metadata, &segments, Some(query)).await?;
    Ok(details.value)
}

pub(crate) async fn total_record_count(client: &Client, table: &Table) -> Result<u64, Error> {
    let name = table.logical_name.as_str();
    let not_found = || Error::TableNotFound { table: name.to_owned() };
    if !is_logical_name(name) {
        return Err(not_found());
    }
    let function = format!("RetrieveTotalRecordCount(EntityNames=['{name}'])");
    let counts: Result<RecordCounts, Error> = client.get_json(Operation::Count, &[&function], None).await;
    match counts {
        Ok(counts) => counts.of(name).ok_or_else(not_found),
        Err(Error::Refused(answer)) if answer.is_unknown_table() => Err(not_found()),
        Err(error) => Err(error),
    }
}

/// Lower-case letters, digits and underscores; nothing else can be a table's logical name, nor needs escaping.
fn is_logical_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
}
