//! Proving that a unit can run: credentials, table, columns, change tracking (design §5).

use crosswalk_core::{
    control::{InstanceSettings, dynamics_secret_purpose},
    mapping::{TableMapping, columns, validate_source},
    schema::Table,
};
use crosswalk_dynamics::{Client, ClientSettings, Connection, Selection};

use crate::{failure::UnitError, metrics, run::Shared};

/// What a unit reads from, proved to be there.
pub(crate) struct Source {
    /// The client.
    pub(crate) client: Client,
    /// The table.
    pub(crate) table: Table,
    /// The columns.
    pub(crate) selection: Selection,
}

/// Signs in, reads the table's metadata, and checks the mapping against it.
pub(crate) async fn prove(
    shared: &Shared,
    instance: &crosswalk_core::InstanceId,
    settings: &InstanceSettings,
    mapping: &TableMapping,
) -> Result<Source, UnitError> {
    let secret = shared.keys.open_text(
        &settings.dynamics.client_secret,
        dynamics_secret_purpose(instance).as_bytes(),
    )?;
    let connection = Connection::of_instance(&settings.dynamics, secret)?;
    let client_settings = ClientSettings {
        page_size: shared.settings.reading.page_size,
        ..ClientSettings::default()
    };
    let client = Client::new(connection, &client_settings)?.with_observer(metrics::observer());
    client.who_am_i().await?;
    let table = client.table(&mapping.source_table).await?;
    let problems = validate_source(mapping, &table);
    if !problems.is_empty() {
        return Err(UnitError::Mapping {
            table: mapping.source_table.clone(),
            problems,
        });
    }
    if !table.change_tracking {
        return Err(UnitError::ChangeTrackingOff {
            table: mapping.source_table.clone(),
        });
    }
    let columns: Vec<String> = columns(mapping).into_iter().map(str::to_owned).collect();
    let selection = Selection::new(&table, &columns)?;
    Ok(Source {
        client,
        table,
        selection,
    })
}
