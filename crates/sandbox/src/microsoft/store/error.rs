//! Why the store refuses a write.

use uuid::Uuid;

use crate::microsoft::schema::TableDefinition;

/// Why a write was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// No row of that id.
    #[error("{table} With Id = {id} Does Not Exist")]
    NotFound {
        /// Logical name.
        table: String,
        /// The id asked for.
        id: Uuid,
    },
    /// A row of that id exists.
    #[error("A record with matching key values already exists.")]
    DuplicateId,
    /// An alternate key is taken.
    #[error(
        "Entity Key {key} violated. A record with the same value for {column} already exists. A duplicate record \
         cannot be created. Select one or more unique values and try again."
    )]
    DuplicateKey {
        /// Display name of the key.
        key: String,
        /// Display names of its columns.
        column: String,
    },
    /// The status reason does not belong to the state.
    #[error("{status} is not a valid status code for state code {state} on {table} with Id {id}.")]
    StatusOfOtherState {
        /// `statuscode` asked for.
        status: i64,
        /// Label of the state.
        state: String,
        /// Logical name.
        table: String,
        /// The row.
        id: Uuid,
    },
}

/// No row of that id in the table.
pub(super) fn not_found(definition: &TableDefinition, id: Uuid) -> WriteError {
    WriteError::NotFound {
        table: definition.logical_name.clone(),
        id,
    }
}

/// The error of a violated key, by its position among the table's keys.
pub(super) fn duplicate_key(definition: &TableDefinition, key: usize) -> WriteError {
    let key = &definition.keys[key];
    let labels = key.columns.iter().map(|column| {
        let column = &definition.columns[*column];
        column
            .display_name
            .clone()
            .unwrap_or_else(|| column.schema_name.clone())
    });
    WriteError::DuplicateKey {
        key: key.display_name.clone(),
        column: labels.collect::<Vec<_>>().join(", "),
    }
}
