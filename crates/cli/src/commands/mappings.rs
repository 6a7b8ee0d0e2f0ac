//! `crosswalk mappings`.

use crosswalk_proto::v1::{DeleteMappingRequest, GetMappingRequest, ListMappingsRequest, Mapping, MappingOptions};
use jiff::Timestamp;
use tonic::Status;

use super::apply::apply;
use crate::{
    arguments::{GlobalArguments, MappingsCommand, WorkflowId},
    changes::mapping_settings,
    connection::Connection,
    failure::Failure,
    file::read_message,
    names::id_of,
    output::{Output, ago_or_dash, count, details, notice, table},
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
    output.write(&mapping.map_err(|status| connection.failure(&status))?, whole)
}

fn whole(mapping: &Mapping) -> String {
    let now = Timestamp::now();
    let head = details([
        ("Mapping", id_of(&mapping.name).to_owned()),
        ("Dynamics table", mapping.dynamics_table.clone()),
        ("Campaign resource", mapping.campaign_resource.clone()),
        ("Options", options(mapping)),
        ("Created", ago_or_dash(mapping.create_time.as_ref(), now)),
        ("Updated", ago_or_dash(mapping.update_time.as_ref(), now)),
    ]);
    let key = mapping.key.iter().map(|key| (key, "key"));
    let fields = mapping.fields.iter().map(|field| (field, ""));
    let rows = key.chain(fields).map(|(field, note)| {
        [
            field.dynamics_field.clone(),
            field.campaign_field.clone(),
            note.to_owned(),
        ]
    });
    format!("{head}\n\n{}", table(["DYNAMICS FIELD", "CAMPAIGN FIELD", ""], rows))
}

/// The options that are not at their defaults.
fn options(mapping: &Mapping) -> String {
    let defaults = mapping_settings(&Mapping {
        options: Some(MappingOptions::default()),
        ..mapping.clone()
    });
    let differing: Vec<_> = mapping_settings(mapping)
        .into_iter()
        .filter(|setting| !defaults.contains(setting))
        .map(|(path, value)| format!("{} = {value}", path.trim_start_matches("options.")))
        .collect();
    if differing.is_empty() {
        "defaults".to_owned()
    } else {
        differing.join("\n")
    }
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
