//! Watching the resources of a run: a field that is removed or retyped ends the run before records are lost to it; what does
//! no harm, such as a new value of an enumeration, is taken over.

use crosswalk_core::{
    Class, Classify,
    mapping::{retyped_fields, validate_target},
};
use crosswalk_runtime::error::chain;
use tokio::time::MissedTickBehavior;

use crate::{failure::RunError, proof::Target, settings::WritingSettings};

/// Compares the resources with what they were, again and again; ends only with a change that the mappings do not fit.
pub(crate) async fn watch(target: &Target, settings: &WritingSettings) -> RunError {
    let mut checks = tokio::time::interval(settings.schema_check_interval);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first comes at once, and the resources have just been read.
    checks.tick().await;
    loop {
        checks.tick().await;
        if let Err(error) = check(target).await {
            match error.class() {
                Class::Fatal => return error,
                // Whoever writes has the same trouble and says so.
                _ => tracing::debug!(error = %chain(&error), "the resources could not be compared"),
            }
        }
    }
}

async fn check(target: &Target) -> Result<(), RunError> {
    for table in &target.tables {
        let name = &table.definition().target_resource;
        let resource = target.client.resource(name).await?;
        let before = table.fitted();
        if resource == before.resource {
            continue;
        }
        let mut problems = validate_target(table.definition(), &resource);
        problems.extend(retyped_fields(table.definition(), &before.resource, &resource));
        if !problems.is_empty() {
            return Err(RunError::SchemaChanged {
                resource: name.clone(),
                problems,
            });
        }
        tracing::info!(resource = name, "the resource has changed; the mapping fits it still");
        table.fit(resource)?;
    }
    Ok(())
}
