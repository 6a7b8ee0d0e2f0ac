//! `GET|PATCH /switches`: the named switches of the Microsoft side. Those of Campaign are at `/campaign/switches`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::json::{AdminError, ok, read};
use crate::microsoft::Dynamics;
use crate::sandbox::Shared;

/// A change of switches. What is absent stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    entra: EntraChange,
    #[serde(default)]
    dynamics: DynamicsChange,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EntraChange {
    /// The client secret has expired.
    secret_expired: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DynamicsChange {
    /// Tables the application user may not read.
    privilege_revoked: Option<BTreeSet<String>>,
    /// Tables without change tracking.
    change_tracking_off: Option<BTreeSet<String>>,
    /// Columns taken away, by table.
    columns_removed: Option<BTreeMap<String, BTreeSet<String>>>,
    /// Action: all delta tokens issued so far expire.
    expire_delta_tokens: bool,
    /// Action: the metadata version changes, and all delta tokens issued so far expire.
    metadata_changed: bool,
    /// Action: all access tokens issued so far become invalid.
    revoke_access_tokens: bool,
}

/// `GET /switches`.
pub(super) async fn show(State(shared): State<Arc<Shared>>) -> Response {
    ok(&state(&shared.dynamics))
}

/// `PATCH /switches`.
pub(super) async fn change(State(shared): State<Arc<Shared>>, body: Bytes) -> Result<Response, AdminError> {
    let Change {
        entra,
        dynamics: change,
    } = read(&body)?;
    let dynamics = &shared.dynamics;
    check_tables(dynamics, &change)?;
    if let Some(expired) = entra.secret_expired {
        dynamics.switches().set_secret_expired(expired);
    }
    if let Some(tables) = change.privilege_revoked {
        dynamics.switches().set_revoked_privileges(tables);
    }
    if let Some(off) = change.change_tracking_off {
        for table in dynamics.change_tracking_off().difference(&off) {
            dynamics.set_change_tracking(table, true)?;
        }
        for table in &off {
            dynamics.set_change_tracking(table, false)?;
        }
    }
    if let Some(removed) = change.columns_removed {
        set_removed_columns(dynamics, &removed)?;
    }
    if change.expire_delta_tokens {
        dynamics.expire_delta_tokens(None)?;
    }
    if change.metadata_changed {
        dynamics.touch_metadata();
    }
    if change.revoke_access_tokens {
        dynamics.revoke_access_tokens();
    }
    Ok(ok(&state(dynamics)))
}

fn set_removed_columns(dynamics: &Dynamics, removed: &BTreeMap<String, BTreeSet<String>>) -> Result<(), AdminError> {
    let wanted = |table: &str, column: &str| removed.get(table).is_some_and(|columns| columns.contains(column));
    for (table, column) in dynamics.removed_columns() {
        if !wanted(&table, &column) {
            dynamics.set_column_removed(&table, &column, false)?;
        }
    }
    for (table, columns) in removed {
        for column in columns {
            dynamics.set_column_removed(table, column, true)?;
        }
    }
    Ok(())
}

/// Refuses a change that names a table there is not, before any of it takes effect.
fn check_tables(dynamics: &Dynamics, change: &DynamicsChange) -> Result<(), AdminError> {
    let known = dynamics.table_names();
    let sets = [
        ("privilege_revoked", &change.privilege_revoked),
        ("change_tracking_off", &change.change_tracking_off),
    ];
    let named = sets
        .into_iter()
        .flat_map(|(field, tables)| tables.iter().flatten().map(move |table| (field, table)));
    let removed = change
        .columns_removed
        .iter()
        .flat_map(BTreeMap::keys)
        .map(|table| ("columns_removed", table));
    match named.chain(removed).find(|(_, table)| !known.contains(table)) {
        Some((field, table)) => Err(AdminError::invalid(format!(
            "dynamics.{field}: there is no table '{table}'"
        ))),
        None => Ok(()),
    }
}

fn state(dynamics: &Dynamics) -> Value {
    let mut removed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in dynamics.removed_columns() {
        removed.entry(table).or_default().push(column);
    }
    json!({
        "entra": {"secret_expired": dynamics.switches().secret_expired()},
        "dynamics": {
            "privilege_revoked": dynamics.switches().revoked_privileges(),
            "change_tracking_off": dynamics.change_tracking_off(),
            "columns_removed": removed,
        },
    })
}
