//! Proving that a run can write: credentials, resources, fields (design §5).

use std::sync::{Arc, atomic::AtomicBool};

use crosswalk_campaign::{Client, Connection};
use crosswalk_core::{
    InstanceId,
    control::{Configuration, EntryId, campaign_secret_purpose},
    mapping::{CompiledMapping, TableMapping},
};

use crate::{failure::RunError, metrics, run::Shared};

/// What a run writes to, proved to be there.
pub(crate) struct Target {
    pub(crate) client: Client,
    /// By the index of the queue topic.
    pub(crate) tables: Vec<MappedTable>,
}

/// One mapping, ready to be applied.
pub(crate) struct MappedTable {
    pub(crate) uid: EntryId,
    pub(crate) definition: Arc<TableMapping>,
    pub(crate) compiled: CompiledMapping,
    /// Whether a record that this run inserted was found again by its key. Campaign tells of its keys in no other way
    /// (contracts/campaign.md §4).
    pub(crate) key_proved: AtomicBool,
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
        let definition = Arc::clone(&mapping.definition);
        let resource = client.resource(&definition.target_resource).await?;
        let compiled = CompiledMapping::new(&definition, &resource).map_err(|problems| RunError::Mapping {
            resource: definition.target_resource.clone(),
            problems,
        })?;
        tables.push(MappedTable {
            uid: mapping.uid,
            definition,
            compiled,
            key_proved: AtomicBool::new(false),
        });
    }
    Ok(Target { client, tables })
}
