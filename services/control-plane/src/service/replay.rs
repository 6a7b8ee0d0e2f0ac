//! `Mappings.ReplayMapping`: refused where it would take too long, otherwise noted in the control log.

use crosswalk_core::{
    InstanceId, ResourceName,
    control::{Change, State},
};
use crosswalk_proto::v1::{Mapping, ReplayMappingRequest};

use super::mappings::{mapping, shown};
use crate::{
    error::ApiError,
    parse::{mapping_name, optional_etag},
    shared::{Shared, instance},
};

pub(super) async fn request(shared: &Shared, request: &ReplayMappingRequest) -> Result<Mapping, ApiError> {
    let (instance_id, id) = mapping_name("name", &request.name)?;
    let state = shared.state().await?;
    let present = mapping(&state, &instance_id, &id)?;
    let resource = ResourceName::Mapping {
        instance: instance_id.clone(),
        mapping: id.clone(),
    };
    let etag = optional_etag(&request.etag, &resource, present.etag)?;
    check_table(shared, &state, &instance_id, &present.definition.source_table).await?;
    check_backlog(shared, &instance_id).await?;
    let change = Change::RequestReplay { force: request.force };
    let state = shared.append(resource, Some(etag), change).await?;
    shown(shared, &state, &instance_id, &id).await
}

async fn check_table(shared: &Shared, state: &State, id: &InstanceId, table: &str) -> Result<(), ApiError> {
    let rows = shared
        .systems
        .ask_dynamics(state, id, instance(state, id)?, async |client| {
            let table = client.table(table).await?;
            client.total_record_count(&table).await
        });
    let (rows, limit) = (rows.await?, shared.replay_limit);
    let counts = &shared.connected()?.record_counts;
    counts.note(id, instance(state, id)?, table, rows);
    if rows < limit {
        return Ok(());
    }
    let message = format!(
        "the table {table} has {rows} rows; a table of {limit} rows or more is not replayed. Delete the mapping and add it \
         again to load it anew"
    );
    Err(ApiError::precondition("REPLAY_TABLE_TOO_LARGE", message))
}

async fn check_backlog(shared: &Shared, id: &InstanceId) -> Result<(), ApiError> {
    let limit = shared.replay_limit;
    let backlog = shared.connected()?.backlogs.fresh(id).await.ok_or_else(|| {
        ApiError::precondition(
            "BACKLOG_UNKNOWN",
            "the backlog cannot be measured at the moment; try again",
        )
    })?;
    if backlog < limit {
        return Ok(());
    }
    let message = format!(
        "{backlog} changes wait to be written; with {limit} or more, no replay can be asked for. Wait until the backlog is \
         smaller"
    );
    Err(ApiError::precondition("REPLAY_BACKLOG_TOO_LARGE", message))
}
