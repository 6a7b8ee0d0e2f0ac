//! `crosswalk workflows`.

use crosswalk_proto::v1::{
    Difference, GetDiffRequest, GetWorkflowRequest, ListRevisionsRequest, ListWorkflowsRequest, Revision,
    StartWorkflowRequest, StopWorkflowRequest,
};
use jiff::Timestamp;

use super::{watching, workflow_view};
use crate::{
    arguments::{GlobalArguments, StartArguments, StopArguments, WaitFor, WorkflowId, WorkflowsCommand},
    connection::Connection,
    failure::Failure,
    output::{DASH, Output, ago_or_dash, notice, table},
    wait::{Goal, wait},
};

/// Runs a command on workflows.
pub(crate) async fn workflows(
    arguments: &GlobalArguments,
    output: Output,
    command: WorkflowsCommand,
) -> Result<(), Failure> {
    let connection = &Connection::open(arguments).await?;
    match command {
        WorkflowsCommand::List => list(connection, output).await,
        WorkflowsCommand::Get { workflow } => get(connection, output, workflow).await,
        WorkflowsCommand::Start(arguments) => start(connection, output, &arguments).await,
        WorkflowsCommand::Stop(arguments) => stop(connection, output, &arguments).await,
        WorkflowsCommand::Watch { workflow } => watching::watch(connection, output, workflow).await,
        WorkflowsCommand::Diff { workflow } => diff(connection, output, workflow).await,
        WorkflowsCommand::Revisions { workflow } => revisions(connection, output, workflow).await,
    }
}

async fn list(connection: &Connection, output: Output) -> Result<(), Failure> {
    let request = ListWorkflowsRequest {
        parent: connection.instance().into(),
    };
    let response = connection.workflows().list_workflows(request).await;
    let workflows = response
        .map_err(|status| connection.failure(&status))?
        .into_inner()
        .workflows;
    output.write(&workflows, |workflows| workflow_view::list(workflows, Timestamp::now()))
}

async fn get(connection: &Connection, output: Output, workflow: WorkflowId) -> Result<(), Failure> {
    let request = GetWorkflowRequest {
        name: connection.instance().workflow(workflow),
    };
    let response = connection.workflows().get_workflow(request).await;
    let workflow = response.map_err(|status| connection.failure(&status))?.into_inner();
    output.write(&workflow, |workflow| workflow_view::whole(workflow, Timestamp::now()))
}

async fn start(connection: &Connection, output: Output, arguments: &StartArguments) -> Result<(), Failure> {
    let name = connection.instance().workflow(arguments.workflow);
    let request = StartWorkflowRequest {
        name,
        etag: String::new(),
    };
    let response = connection.workflows().start_workflow(request).await;
    let mut workflow = response.map_err(|status| connection.failure(&status))?.into_inner();
    notice(format_args!(
        "started {} as run {}",
        arguments.workflow.as_str(),
        workflow.run_id
    ));
    if let Some(wait_for) = arguments.wait {
        let goal = match wait_for {
            WaitFor::Running => Goal::Running,
            WaitFor::Loaded => Goal::Loaded,
        };
        workflow = wait(connection, workflow, goal, arguments.timeout).await?;
    }
    output.write(&workflow, |workflow| workflow_view::whole(workflow, Timestamp::now()))
}

async fn stop(connection: &Connection, output: Output, arguments: &StopArguments) -> Result<(), Failure> {
    let name = connection.instance().workflow(arguments.workflow);
    let request = StopWorkflowRequest {
        name,
        etag: String::new(),
    };
    let response = connection.workflows().stop_workflow(request).await;
    let mut workflow = response.map_err(|status| connection.failure(&status))?.into_inner();
    notice(format_args!("stopped {}", arguments.workflow.as_str()));
    if arguments.wait {
        workflow = wait(connection, workflow, Goal::Stopped, arguments.timeout).await?;
    }
    output.write(&workflow, |workflow| workflow_view::whole(workflow, Timestamp::now()))
}

async fn diff(connection: &Connection, output: Output, workflow: WorkflowId) -> Result<(), Failure> {
    let request = GetDiffRequest {
        name: connection.instance().workflow(workflow),
    };
    let response = connection.workflows().get_diff(request).await;
    let differences = response
        .map_err(|status| connection.failure(&status))?
        .into_inner()
        .differences;
    if differences.is_empty() {
        notice(format_args!(
            "{} runs what the draft says, or is stopped",
            workflow.as_str()
        ));
    }
    output.write(&differences, |differences| differences_table(differences))
}

fn differences_table(differences: &[Difference]) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| DASH.to_owned());
    let row = |difference: &Difference| {
        [
            difference.path.clone(),
            shown(&difference.running),
            shown(&difference.draft),
        ]
    };
    table(["SETTING", "RUNNING", "DRAFT"], differences.iter().map(row))
}

async fn revisions(connection: &Connection, output: Output, workflow: WorkflowId) -> Result<(), Failure> {
    let mut request = ListRevisionsRequest {
        parent: connection.instance().workflow(workflow),
        page_size: 1000,
        page_token: String::new(),
    };
    let mut revisions = Vec::new();
    loop {
        let response = connection.workflows().list_revisions(request.clone()).await;
        let page = response.map_err(|status| connection.failure(&status))?.into_inner();
        revisions.extend(page.revisions);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    output.write(&revisions, |revisions| revisions_table(revisions))
}

fn revisions_table(revisions: &[Revision]) -> String {
    let now = Timestamp::now();
    let row = |revision: &Revision| {
        [
            revision.revision.to_string(),
            ago_or_dash(revision.time.as_ref(), now),
            revision.actor.clone(),
            revision.action.clone(),
            revision.resource.clone(),
        ]
    };
    table(
        ["REVISION", "TIME", "ACTOR", "ACTION", "RESOURCE"],
        revisions.iter().map(row),
    )
}
