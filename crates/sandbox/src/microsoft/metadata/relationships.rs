//! Alternate keys and relationships of a table (contracts/dataverse.md §4.4).

use serde_json::{Value, json};

use super::labels::{label, metadata_id};
use crate::microsoft::schema::{ColumnDefinition, ColumnKind, LookupTarget, TableDefinition};
use crate::microsoft::store::Organization;

/// `EntityKeyMetadata` of the table's alternate keys.
pub(super) fn keys(table: &TableDefinition) -> Vec<Value> {
    table
        .keys
        .iter()
        .map(|key| {
            let columns: Vec<&str> = key
                .columns
                .iter()
                .map(|column| table.columns[*column].logical_name.as_str())
                .collect();
            json!({
                "MetadataId": metadata_id(&["key", &table.logical_name, &key.schema_name]),
                "HasChanged": null,
                "SchemaName": key.schema_name,
                "LogicalName": key.schema_name.to_lowercase(),
                "EntityLogicalName": table.logical_name,
                "KeyAttributes": columns,
                "EntityKeyIndexStatus": "Active",
                "DisplayName": label(Some(&key.display_name)),
                "IsManaged": true,
            })
        })
        .collect()
}

/// Relationships through the table's own lookups: where the navigation names for writing are found.
pub(super) fn many_to_one(organization: &Organization, table: &TableDefinition) -> Vec<Value> {
    lookups(table)
        .filter_map(|(column, target)| {
            let referenced = organization
                .table(organization.table_named(&target.table)?)
                .definition();
            Some(relationship(table, column, target, referenced))
        })
        .collect()
}

/// Relationships through lookups of other tables to this one.
pub(super) fn one_to_many(organization: &Organization, table: &TableDefinition) -> Vec<Value> {
    organization
        .tables()
        .iter()
        .flat_map(|other| lookups(other.definition()).map(move |lookup| (other.definition(), lookup)))
        .filter(|(_, (_, target))| target.table == table.logical_name)
        .map(|(other, (column, target))| relationship(other, column, target, table))
        .collect()
}

fn lookups(table: &TableDefinition) -> impl Iterator<Item = (&ColumnDefinition, &LookupTarget)> {
    table.live_columns().flat_map(|(_, column)| {
        let targets = match &column.kind {
            ColumnKind::Lookup { targets, .. } => targets.as_slice(),
            _ => &[],
        };
        targets.iter().map(move |target| (column, target))
    })
}

fn relationship(
    table: &TableDefinition,
    column: &ColumnDefinition,
    target: &LookupTarget,
    referenced: &TableDefinition,
) -> Value {
    let schema_name = format!(
        "{}_{}_{}",
        referenced.logical_name, table.logical_name, target.navigation
    );
    json!({
        "MetadataId": metadata_id(&["relationship", &schema_name]),
        "HasChanged": null,
        "SchemaName": schema_name,
        "RelationshipType": "OneToManyRelationship",
        "IsCustomRelationship": table.is_custom,
        "IsManaged": !table.is_custom,
        "ReferencingEntity": table.logical_name,
        "ReferencingAttribute": column.logical_name,
        "ReferencingEntityNavigationPropertyName": target.navigation,
        "ReferencedEntity": referenced.logical_name,
        "ReferencedAttribute": referenced.primary_id().logical_name,
        "ReferencedEntityNavigationPropertyName": schema_name,
    })
}
