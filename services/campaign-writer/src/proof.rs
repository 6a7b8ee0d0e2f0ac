//! Proving that a run can write: credentials, resources, fields (design §5).

use crosswalk_campaign::{Client, Connection};
use crosswalk_core::{
    InstanceId,
    control::{Configuration, campaign_secret_purpose},
};

use jiff::Timestamp;

use crate::{failure::RunError, metrics, run::Shared, table::MappedTable};

/// What a run writes to, proved to be there.
pub(crate) struct Target {
    pub(crate) client: Client,
    /// By the index of the queue topic.
    pub(crate) tables: Vec<MappedTable>,
}

/// Signs in, reads the resources' metadata, and checks the mappings against it.
pub(crate) async fn prove(
    shared: &Shared,
    instance: &InstanceId,
    configuration: &Configuration,
) -> Result<Target, RunError> {
    let settings = &configuration.settings.campaign;
    let secret = shared
        .keys
        .open_text(&settings.client_secret, campaign_secret_purpose(instance).as_bytes())?;
    let connection = Connection::of_instance(settings, secret)?;
    let client = Client::with_observer(&connection, &shared.settings.writing.client(), metrics::observer())?;
    client.authenticate().await?;
    let mut tables = Vec::with_capacity(configuration.mappings.len());
    for mapping in &configuration.mappings {
        let looked_at = Timestamp::now();
        let resource = client.resource(&mapping.definition.target_resource).await?;
        tables.push(MappedTable::new(mapping, configuration, resource, looked_at)?);
    }
    Ok(Target { client, tables })
}
