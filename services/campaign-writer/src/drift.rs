//! Watching the resources of a run: a field that is removed or retyped ends the run before records are lost to it; what does
//! no harm, such as a new value of an enumeration, is taken over.

use std::sync::Arc;

use crosswalk_campaign::Client;
use crosswalk_core::{Class, Classify, mapping::validate_target};
use crosswalk_runtime::error::chain;
use jiff::Timestamp;
use tokio::time::MissedTickBehavior;

use crate::{
    failure::RunError,
    proof::Target,
    settings::WritingSettings,
    table::{Fitted, MappedTable},
};

/// Compares the resources with what they were, again and again; ends only with a change that the mappings do not fit.
pub(crate) async fn watch(target: &Target, settings: &WritingSettings) -> RunError {
    let mut checks = tokio::time::interval(settings.schema_check_interval);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first comes at once, and the resources have just been read.
    checks.tick().await;
    loop {
        checks.tick().await;
        for table in &target.tables {
            match fitted_since(&target.client, table, Timestamp::now()).await {
                Err(error) if error.class() == Class::Fatal => return error,
                // Whoever writes has the same trouble and says so.
                Err(error) => tracing::debug!(error = %chain(&error), "a resource could not be compared"),
                Ok(_) => {}
            }
        }
    }
}

/// The mapping fitted to the resource as it was at `time` or later: what it refuses by older knowledge it may not refuse any
/// more. However many records ask for it, the resource is read once.
pub(crate) async fn fitted_since(
    client: &Client,
    table: &MappedTable,
    time: Timestamp,
) -> Result<Arc<Fitted>, RunError> {
    let mut looked_at = table.looked_at.lock().await;
    // Whoever read the record may have a clock that is ahead of ours.
    if *looked_at < time.min(Timestamp::now()) {
        let begun = Timestamp::now();
        compare(client, table).await?;
        *looked_at = begun;
    }
    Ok(table.fitted())
}

async fn compare(client: &Client, table: &MappedTable) -> Result<(), RunError> {
    let name = &table.definition().target_resource;
    let resource = client.resource(name).await?;
    let before = table.fitted();
    if resource == before.resource {
        return Ok(());
    }
    let problems = validate_target(table.definition(), &resource);
    if !problems.is_empty() {
        return Err(RunError::SchemaChanged {
            resource: name.clone(),
            problems,
        });
    }
    tracing::info!(resource = name, "the resource has changed; the mapping fits it still");
    table.fit(resource)
}
