//! `crosswalk mappings`.

use crosswalk_proto::v1::{
    DeleteMappingRequest, GetMappingRequest, ListMappingsRequest, Mapping, ReplayMappingRequest,
};
use jiff::Timestamp;
use tonic::Status;

use super::{
    apply::apply,
    mapping_view::{FieldTypes, whole},
    trial,
};
use crate::{
    arguments::{Format, GlobalArguments, MappingsCommand, WorkflowId},
    connection::Connection,
    failure::Failure,
    file::read_message,
    names::id_of,
    output::{Output, ago_or_dash, count, notice, table},
};

/// Runs a command on mappings.
pub(crate) async fn mappings(
    arguments: &GlobalArguments,
    output: Output,
    command: MappingsCommand,
) -> Result<(), Failure> {
    match command {
        MappingsCommand::List => list(&Connection::open(arguments).await?, output).await,
        MappingsCommand::Get { mapping } => get(&Connection::open(arguments).await?, output, &mapping).await,
        MappingsCommand::Apply(apply_arguments) => {
            // Before connecting, so that a mistake in the file is told even if no server runs.
            let mapping: Mapping = read_message(&apply_arguments.file)?;
            apply(
                &Connection::open(arguments).await?,
                output,
                mapping,
                apply_arguments.id.as_deref(),
            )
            .await
        }
        MappingsCommand::Replay { mapping, force } => {
            replay(&Connection::open(arguments).await?, output, &mapping, force).await
        }
        MappingsCommand::Preview(preview) => {
            let unsaved = trial::unsaved(preview.file.as_deref())?;
            trial::preview(&Connection::open(arguments).await?, output, preview, unsaved).await
        }
        MappingsCommand::Estimate { mapping } => {
            trial::estimate(&Connection::open(arguments).await?, output, &mapping).await
        }
        MappingsCommand::Delete { mapping } => delete(&Connection::open(arguments).await?, &mapping).await,
    }
}

/// The mapping as it is now.
pub(super) async fn present(connection: &Connection, name: &str) -> Result<Mapping, Status> {
    let request = GetMappingRequest { name: name.to_owned() };
    Ok(connection.mappings().get_mapping(request).await?.into_inner())
}

async fn list(connection: &Connection, output: Output) -> Result<(), Failure> {
    let parent = connection.instance().workflow(WorkflowId::Ingress);
    let mut request = ListMappingsRequest {
        parent,
        page_size: 1000,
        page_token: String::new(),
    };
    let mut mappings = Vec::new();
    loop {
        let response = connection.mappings().list_mappings(request.clone()).await;
        let page = response.map_err(|status| connection.failure(&status))?.into_inner();
        mappings.extend(page.mappings);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    output.write(&mappings, |mappings| mappings_table(mappings))
}

fn mappings_table(mappings: &[Mapping]) -> String {
    let now = Timestamp::now();
    let row = |mapping: &Mapping| {
        let key = mapping.key.clone().unwrap_or_default();
        [
            id_of(&mapping.name).to_owned(),
            mapping.dynamics_table.clone(),
            mapping.campaign_resource.clone(),
            format!("{} → {}", key.dynamics_field, key.campaign_field),
            count(i64::try_from(mapping.fields.len()).unwrap_or(i64::MAX)),
            ago_or_dash(mapping.update_time.as_ref(), now),
        ]
    };
    let header = [
        "MAPPING",
        "DYNAMICS TABLE",
        "CAMPAIGN RESOURCE",
        "KEY",
        "FIELDS",
        "UPDATED",
    ];
    table(header, mappings.iter().map(row))
}

async fn get(connection: &Connection, output: Output, id: &str) -> Result<(), Failure> {
    let mapping = present(connection, &connection.instance().mapping(id)).await;
    let mapping = mapping.map_err(|status| connection.failure(&status))?;
    let types = match output.format() {
        Format::Table => FieldTypes::of(connection, &mapping).await,
        Format::Json => FieldTypes::default(),
    };
    output.write(&mapping, |mapping| whole(mapping, &types))
}

async fn replay(connection: &Connection, output: Output, id: &str, force: bool) -> Result<(), Failure> {
    let request = ReplayMappingRequest {
        name: connection.instance().mapping(id),
        etag: String::new(),
        force,
    };
    let response = connection.mappings().replay_mapping(request).await;
    let mapping = response.map_err(|status| connection.failure(&status))?.into_inner();
    notice(format_args!("mapping {id} is replayed at the next start of ingress"));
    output.write(&mapping, |_| String::new())
}

async fn delete(connection: &Connection, id: &str) -> Result<(), Failure> {
    let name = connection.instance().mapping(id);
    let mapping = present(connection, &name)
        .await
        .map_err(|status| connection.failure(&status))?;
    let request = DeleteMappingRequest {
        name,
        etag: mapping.etag,
    };
    connection
        .mappings()
        .delete_mapping(request)
        .await
        .map_err(|status| connection.failure(&status))?;
    notice(format_args!("deleted mapping {id}"));
    Ok(())
}
