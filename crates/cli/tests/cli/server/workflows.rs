//! Workflows whose watch follows a script.

use std::{collections::VecDeque, pin::Pin};

use crosswalk_proto::v1::{
    Difference, GetDiffRequest, GetDiffResponse, GetWorkflowRequest, ListRevisionsRequest, ListRevisionsResponse,
    ListWorkflowsRequest, ListWorkflowsResponse, Progress, Revision, StartWorkflowRequest, StopWorkflowRequest,
    WatchWorkflowsRequest, WatchWorkflowsResponse, Worker, Workflow, watch_workflows_response::Content,
    workflow::Status as WorkflowStatus, workflows_server::Workflows,
};
use parking_lot::Mutex;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status};

use super::{error, seconds_ago};

/// What one call of WatchWorkflows sends.
pub(crate) struct Script {
    messages: Vec<Result<WatchWorkflowsResponse, Status>>,
    /// Whether the stream ends after its messages; else it stays open and silent.
    ends: bool,
}

impl Script {
    /// Sends the messages, then nothing.
    pub(crate) fn open(messages: impl IntoIterator<Item = WatchWorkflowsResponse>) -> Self {
        Self {
            messages: messages.into_iter().map(Ok).collect(),
            ends: false,
        }
    }

    /// Sends the messages, then the error.
    pub(crate) fn broken(messages: impl IntoIterator<Item = WatchWorkflowsResponse>, status: Status) -> Self {
        Self {
            messages: messages.into_iter().map(Ok).chain([Err(status)]).collect(),
            ends: true,
        }
    }
}

/// The state of the workflows service.
#[derive(Default)]
pub(crate) struct WorkflowsState {
    /// What the calls of WatchWorkflows send, in order. A call too many is UNAVAILABLE.
    pub(crate) scripts: Mutex<VecDeque<Script>>,
    /// What StartWorkflow answers, if it is an error.
    pub(crate) refusal: Mutex<Option<Status>>,
}

impl WorkflowsState {
    /// Adds what the next call of WatchWorkflows sends.
    pub(crate) fn script(&self, script: Script) {
        self.scripts.lock().push_back(script);
    }
}

/// A message with one workflow.
pub(crate) fn workflow(workflow: Workflow) -> WatchWorkflowsResponse {
    WatchWorkflowsResponse {
        content: Some(Content::Workflow(workflow)),
    }
}

/// The message that all workflows have been sent.
pub(crate) fn synchronized() -> WatchWorkflowsResponse {
    WatchWorkflowsResponse {
        content: Some(Content::Synchronized(true)),
    }
}

/// The message that says only that the connection lives.
pub(crate) fn alive() -> WatchWorkflowsResponse {
    WatchWorkflowsResponse { content: None }
}

fn running(name: &str) -> Workflow {
    let progress = Progress {
        records_read: 5_210,
        records_written: 1_200,
        records_rejected: 3,
        records_expected: Some(50_000),
        initial_read: true,
        last_progress_time: seconds_ago(1),
        ..Progress::default()
    };
    let worker = |id: &str, role: &str, in_flight| Worker {
        worker_id: id.to_owned(),
        role: role.to_owned(),
        phase: "RUNNING".to_owned(),
        in_flight,
    };
    Workflow {
        name: name.to_owned(),
        display_name: "Microsoft Dynamics 365 to Campaign".to_owned(),
        status: WorkflowStatus::Running.into(),
        status_time: seconds_ago(190),
        backlog: Some(4_007),
        pending_changes: true,
        progress: Some(progress),
        run_id: "run-1".to_owned(),
        revision: 12,
        last_actor: "anna".to_owned(),
        etag: "12".to_owned(),
        workers: vec![
            worker("reader-1", "dynamics-reader", 0),
            worker("writer-1", "campaign-writer", 64),
        ],
        ..Workflow::default()
    }
}

fn stopped(name: &str, display_name: &str) -> Workflow {
    Workflow {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        status: WorkflowStatus::Stopped.into(),
        backlog: Some(0),
        ..Workflow::default()
    }
}

#[tonic::async_trait]
impl Workflows for WorkflowsState {
    async fn get_workflow(&self, request: Request<GetWorkflowRequest>) -> Result<Response<Workflow>, Status> {
        Ok(Response::new(running(&request.into_inner().name)))
    }

    async fn list_workflows(
        &self,
        request: Request<ListWorkflowsRequest>,
    ) -> Result<Response<ListWorkflowsResponse>, Status> {
        let parent = request.into_inner().parent;
        if parent != "instances/demo" {
            return Err(error(
                Code::NotFound,
                "INSTANCE_NOT_FOUND",
                &format!("there is no {parent}"),
            ));
        }
        let workflows = vec![
            running("instances/demo/workflows/ingress"),
            stopped("instances/demo/workflows/egress", "Campaign to Microsoft Dynamics 365"),
            stopped("instances/demo/workflows/opt-in-out", "Opt-In/Out"),
        ];
        Ok(Response::new(ListWorkflowsResponse { workflows }))
    }

    async fn start_workflow(&self, request: Request<StartWorkflowRequest>) -> Result<Response<Workflow>, Status> {
        if let Some(refusal) = self.refusal.lock().clone() {
            return Err(refusal);
        }
        let starting = WorkflowStatus::Starting.into();
        let name = request.into_inner().name;
        Ok(Response::new(Workflow {
            status: starting,
            backlog: None,
            progress: None,
            workers: vec![],
            ..running(&name)
        }))
    }

    async fn stop_workflow(&self, request: Request<StopWorkflowRequest>) -> Result<Response<Workflow>, Status> {
        let stopped = stopped(&request.into_inner().name, "Microsoft Dynamics 365 to Campaign");
        Ok(Response::new(Workflow {
            stopping: true,
            ..stopped
        }))
    }

    type WatchWorkflowsStream = Pin<Box<dyn Stream<Item = Result<WatchWorkflowsResponse, Status>> + Send>>;

    async fn watch_workflows(
        &self,
        _request: Request<WatchWorkflowsRequest>,
    ) -> Result<Response<Self::WatchWorkflowsStream>, Status> {
        let Some(script) = self.scripts.lock().pop_front() else {
            return Err(error(Code::Unavailable, "DRAINING", "the server is going down"));
        };
        let messages = tokio_stream::iter(script.messages);
        Ok(Response::new(if script.ends {
            Box::pin(messages)
        } else {
            Box::pin(messages.chain(tokio_stream::pending()))
        }))
    }

    async fn list_revisions(
        &self,
        request: Request<ListRevisionsRequest>,
    ) -> Result<Response<ListRevisionsResponse>, Status> {
        let request = request.into_inner();
        let revision = |revision, action: &str, seconds| Revision {
            revision,
            resource: request.parent.clone(),
            actor: "anna".to_owned(),
            time: seconds_ago(seconds),
            action: action.to_owned(),
        };
        // Two pages, so that a client that reads only the first is found out.
        let (revisions, next_page_token) = match request.page_token.as_str() {
            "" => (vec![revision(12, "started", 190)], "older".to_owned()),
            _ => (vec![revision(9, "stopped", 7_300)], String::new()),
        };
        Ok(Response::new(ListRevisionsResponse {
            revisions,
            next_page_token,
        }))
    }

    async fn get_diff(&self, request: Request<GetDiffRequest>) -> Result<Response<GetDiffResponse>, Status> {
        if request.into_inner().name != "instances/demo/workflows/ingress" {
            return Ok(Response::new(GetDiffResponse::default()));
        }
        let differences = vec![
            Difference {
                path: "mappings/contact/fields/email".to_owned(),
                draft: Some("emailaddress2".to_owned()),
                running: Some("emailaddress1".to_owned()),
            },
            Difference {
                path: "mappings/contact/fields/phone".to_owned(),
                draft: Some("telephone1".to_owned()),
                running: None,
            },
        ];
        Ok(Response::new(GetDiffResponse { differences }))
    }
}
