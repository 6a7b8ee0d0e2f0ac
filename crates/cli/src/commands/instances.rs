//! `crosswalk instances`.

use crosswalk_proto::v1::{
    ConnectionTest, CreateInstanceRequest, DeleteInstanceRequest, GetInstanceRequest, Instance, ListInstancesRequest,
    TestConnectionsRequest, TestConnectionsResponse, UpdateInstanceRequest,
};
use jiff::Timestamp;

use super::{
    apply::{Action, Applied},
    instance_file,
};
use crate::{
    arguments::{GlobalArguments, InstancesCommand, SettingsArguments},
    changes::{changes, instance_settings},
    connection::Connection,
    failure::Failure,
    names::{InstanceName, id_of},
    output::{DASH, Output, ago_or_dash, details, notice, table},
};

/// Runs a command on instances.
pub(crate) async fn instances(
    arguments: &GlobalArguments,
    output: Output,
    command: InstancesCommand,
) -> Result<(), Failure> {
    match command {
        InstancesCommand::List => list(&Connection::open(arguments).await?, output).await,
        InstancesCommand::Get { id } => get(&Connection::open(arguments).await?, output, id.as_deref()).await,
        InstancesCommand::Create(settings) => create(arguments, output, &settings).await,
        InstancesCommand::Update(settings) => update(arguments, output, &settings).await,
        InstancesCommand::Delete { id } => delete(&Connection::open(arguments).await?, &id).await,
        InstancesCommand::Test { id } => test(&Connection::open(arguments).await?, output, id.as_deref()).await,
    }
}

/// The name of the instance with this id, or that of `--instance`.
fn name(connection: &Connection, id: Option<&str>) -> String {
    id.map_or_else(|| connection.instance().clone(), InstanceName::new)
        .to_string()
}

/// The instance as it is now.
async fn present(connection: &Connection, name: String) -> Result<Instance, Failure> {
    let response = connection.instances().get_instance(GetInstanceRequest { name }).await;
    Ok(response.map_err(|status| connection.failure(&status))?.into_inner())
}

async fn list(connection: &Connection, output: Output) -> Result<(), Failure> {
    let mut request = ListInstancesRequest {
        page_size: 1000,
        page_token: String::new(),
    };
    let mut instances = Vec::new();
    loop {
        let response = connection.instances().list_instances(request.clone()).await;
        let page = response.map_err(|status| connection.failure(&status))?.into_inner();
        instances.extend(page.instances);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    output.write(&instances, |instances| instances_table(instances))
}

fn instances_table(instances: &[Instance]) -> String {
    let now = Timestamp::now();
    let row = |instance: &Instance| {
        let dynamics = instance
            .dynamics
            .as_ref()
            .map_or(DASH, |dynamics| &dynamics.environment_url);
        let campaign = instance
            .campaign
            .as_ref()
            .map_or(DASH, |campaign| &campaign.organization);
        [
            id_of(&instance.name).to_owned(),
            instance.display_name.clone(),
            dynamics.to_owned(),
            campaign.to_owned(),
            ago_or_dash(instance.update_time.as_ref(), now),
        ]
    };
    table(
        ["INSTANCE", "NAME", "DYNAMICS 365", "CAMPAIGN", "UPDATED"],
        instances.iter().map(row),
    )
}

async fn get(connection: &Connection, output: Output, id: Option<&str>) -> Result<(), Failure> {
    output.write(&present(connection, name(connection, id)).await?, whole)
}

fn whole(instance: &Instance) -> String {
    let now = Timestamp::now();
    let head = details([
        ("Instance", id_of(&instance.name).to_owned()),
        ("Created", ago_or_dash(instance.create_time.as_ref(), now)),
        ("Updated", ago_or_dash(instance.update_time.as_ref(), now)),
    ]);
    let settings = table(
        ["SETTING", "VALUE"],
        instance_settings(instance)
            .into_iter()
            .map(|(path, value)| [path, value]),
    );
    format!("{head}\n\n{settings}")
}

async fn create(arguments: &GlobalArguments, output: Output, settings: &SettingsArguments) -> Result<(), Failure> {
    let (instance_id, instance) = instance_file::read(settings, &arguments.instance)?;
    let connection = Connection::open(arguments).await?;
    let request = CreateInstanceRequest {
        instance_id: instance_id.clone(),
        instance: Some(instance),
    };
    let response = connection.instances().create_instance(request).await;
    let resource = response.map_err(|status| connection.failure(&status))?.into_inner();
    let changes = changes(&Vec::new(), &instance_settings(&resource));
    Applied {
        action: Action::Created,
        changes,
        resource,
    }
    .write(output, &format!("instance {instance_id}"))
}

async fn update(arguments: &GlobalArguments, output: Output, settings: &SettingsArguments) -> Result<(), Failure> {
    let (instance_id, mut instance) = instance_file::read(settings, &arguments.instance)?;
    let connection = Connection::open(arguments).await?;
    let present = present(&connection, name(&connection, Some(&instance_id))).await?;
    if instance.etag.is_empty() {
        instance.etag.clone_from(&present.etag);
    }
    let sent_secrets = instance_settings(&instance)
        .into_iter()
        .filter(|(path, _)| path.ends_with(".clientSecret"));
    let sent_secrets: Vec<_> = sent_secrets.collect();
    let response = connection
        .instances()
        .update_instance(UpdateInstanceRequest {
            instance: Some(instance),
        })
        .await;
    let resource = response.map_err(|status| connection.failure(&status))?.into_inner();
    let mut after = instance_settings(&resource);
    after.extend(sent_secrets);
    let changes = changes(&instance_settings(&present), &after);
    let action = if changes.is_empty() {
        Action::Unchanged
    } else {
        Action::Updated
    };
    Applied {
        action,
        changes,
        resource,
    }
    .write(output, &format!("instance {instance_id}"))
}

async fn delete(connection: &Connection, id: &str) -> Result<(), Failure> {
    let name = name(connection, Some(id));
    let etag = present(connection, name.clone()).await?.etag;
    let response = connection
        .instances()
        .delete_instance(DeleteInstanceRequest { name, etag })
        .await;
    response.map_err(|status| connection.failure(&status))?;
    notice(format_args!("deleted instance {id}"));
    Ok(())
}

async fn test(connection: &Connection, output: Output, id: Option<&str>) -> Result<(), Failure> {
    let request = TestConnectionsRequest {
        name: name(connection, id),
    };
    let response = connection.instances().test_connections(request).await;
    let results = response.map_err(|status| connection.failure(&status))?.into_inner();
    output.write(&results, test_table)?;
    let works = |test: &Option<ConnectionTest>| test.as_ref().is_some_and(|test| test.ok);
    match [&results.dynamics, &results.campaign]
        .into_iter()
        .filter(|test| !works(test))
        .count()
    {
        0 => Ok(()),
        failed => Err(Failure::ConnectionTest(failed)),
    }
}

fn test_table(results: &TestConnectionsResponse) -> String {
    let row = |system: &str, test: &Option<ConnectionTest>| {
        let test = test.clone().unwrap_or_default();
        let result = if test.ok { "ok" } else { "failed" };
        let code = if test.code.is_empty() {
            DASH.to_owned()
        } else {
            test.code
        };
        [system.to_owned(), result.to_owned(), code, test.message]
    };
    let rows = [
        row("Dynamics 365", &results.dynamics),
        row("Campaign", &results.campaign),
    ];
    table(["SYSTEM", "RESULT", "CODE", "MESSAGE"], rows)
}
