//! `Workflows`.

use std::sync::Arc;

use crosswalk_core::{
    InstanceId, ResourceName, WorkflowId, WorkflowName,
    control::{Change, Etag, Instance, RunId, State, differences},
    status::Status as WorkflowStatus,
};
use crosswalk_proto::{
    api,
    v1::{
        GetDiffRequest, GetDiffResponse, GetWorkflowRequest, ListRevisionsRequest, ListRevisionsResponse,
        ListWorkflowsRequest, ListWorkflowsResponse, StartWorkflowRequest, StopWorkflowRequest, WatchWorkflowsRequest,
        WatchWorkflowsResponse, Workflow, workflows_server::Workflows,
    },
};
use futures::{StreamExt as _, stream::BoxStream};
use tonic::{Request, Response, Status, async_trait};
use uuid::Uuid;

use super::revisions;
use crate::{
    error::ApiError,
    parse::{instance_name, optional_etag, workflow_name},
    shared::{Shared, instance},
    view, watch,
};

pub(crate) struct WorkflowsService(pub(crate) Arc<Shared>);

#[async_trait]
impl Workflows for WorkflowsService {
    type WatchWorkflowsStream = BoxStream<'static, Result<WatchWorkflowsResponse, Status>>;

    async fn get_workflow(&self, request: Request<GetWorkflowRequest>) -> Result<Response<Workflow>, Status> {
        let name = workflow_name("name", &request.get_ref().name)?;
        let state = self.0.state().await?;
        Ok(Response::new(
            view::fresh_workflow(self.0.connected()?, &state, &name).await?,
        ))
    }

    async fn list_workflows(
        &self,
        request: Request<ListWorkflowsRequest>,
    ) -> Result<Response<ListWorkflowsResponse>, Status> {
        Ok(Response::new(
            self.list(instance_name("parent", &request.get_ref().parent)?).await?,
        ))
    }

    async fn start_workflow(&self, request: Request<StartWorkflowRequest>) -> Result<Response<Workflow>, Status> {
        let request = request.get_ref();
        let name = workflow_name("name", &request.name)?;
        Ok(Response::new(self.switch(&name, &request.etag, Switch::Start).await?))
    }

    async fn stop_workflow(&self, request: Request<StopWorkflowRequest>) -> Result<Response<Workflow>, Status> {
        let request = request.get_ref();
        let name = workflow_name("name", &request.name)?;
        Ok(Response::new(self.switch(&name, &request.etag, Switch::Stop).await?))
    }

    async fn watch_workflows(
        &self,
        request: Request<WatchWorkflowsRequest>,
    ) -> Result<Response<Self::WatchWorkflowsStream>, Status> {
        let instance = instance_name("parent", &request.get_ref().parent)?;
        Ok(Response::new(
            watch::watch(Arc::clone(&self.0), instance).await?.boxed(),
        ))
    }

    async fn list_revisions(
        &self,
        request: Request<ListRevisionsRequest>,
    ) -> Result<Response<ListRevisionsResponse>, Status> {
        Ok(Response::new(revisions::list(&self.0, request.get_ref()).await?))
    }

    async fn get_diff(&self, request: Request<GetDiffRequest>) -> Result<Response<GetDiffResponse>, Status> {
        let name = workflow_name("name", &request.get_ref().name)?;
        let state = self.0.state().await?;
        let instance = instance(&state, &name.instance)?;
        let found = match instance.workflow(name.workflow).run() {
            Some(run) => differences(&instance.draft(name.workflow), &run.configuration),
            None => Vec::new(),
        };
        Ok(Response::new(GetDiffResponse {
            differences: found.into_iter().map(api::difference).collect(),
        }))
    }
}

/// How often a start or stop without an etag is tried again behind somebody else's.
const SWITCH_ATTEMPTS: usize = 4;

/// Which way to switch a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Switch {
    Start,
    Stop,
}

impl WorkflowsService {
    async fn list(&self, id: InstanceId) -> Result<ListWorkflowsResponse, ApiError> {
        let state = self.0.state().await?;
        let connected = self.0.connected()?;
        let mut workflows = Vec::new();
        for workflow in WorkflowId::ALL {
            let name = WorkflowName {
                instance: id.clone(),
                workflow,
            };
            workflows.push(view::fresh_workflow(connected, &state, &name).await?);
        }
        Ok(ListWorkflowsResponse { workflows })
    }

    /// Starts or stops. Who names no etag wants the change in whatever state he finds the workflow: if somebody else is
    /// first, it is looked at once more whether the change still makes sense.
    async fn switch(&self, name: &WorkflowName, etag: &str, switch: Switch) -> Result<Workflow, ApiError> {
        // Who sent no etag wants the change whatever others do meanwhile; each conflict means that one of them succeeded.
        for _ in 0..SWITCH_ATTEMPTS {
            match self.switch_once(name, etag, switch).await {
                Err(ApiError::Conflict { .. }) if etag.is_empty() => {}
                result => return result,
            }
        }
        self.switch_once(name, etag, switch).await
    }

    async fn switch_once(&self, name: &WorkflowName, etag: &str, switch: Switch) -> Result<Workflow, ApiError> {
        let state = self.0.state().await?;
        let expected = self.check(&state, name, etag, switch)?;
        let change = match switch {
            Switch::Start => Change::StartWorkflow(RunId(Uuid::new_v4())),
            Switch::Stop => Change::StopWorkflow,
        };
        let state = self
            .0
            .append(ResourceName::Workflow(name.clone()), Some(expected), change)
            .await?;
        view::workflow(self.0.connected()?, &state, name)
    }

    /// Whether the state allows the change; the etag it must still have then.
    fn check(&self, state: &State, name: &WorkflowName, etag: &str, switch: Switch) -> Result<Etag, ApiError> {
        let instance = instance(state, &name.instance)?;
        let present = instance.workflow(name.workflow).etag;
        let expected = optional_etag(etag, &ResourceName::Workflow(name.clone()), present)?;
        let status = view::status_now(self.0.connected()?, instance, name).status;
        match switch {
            Switch::Start => check_start(instance, name, status)?,
            Switch::Stop => check_stop(name, status)?,
        }
        Ok(expected)
    }
}

fn check_start(instance: &Instance, name: &WorkflowName, status: WorkflowStatus) -> Result<(), ApiError> {
    let display_name = name.workflow.display_name();
    if !view::is_available(name.workflow) {
        let message = format!("the workflow \"{display_name}\" is not available yet in this release");
        return Err(ApiError::precondition("WORKFLOW_NOT_AVAILABLE", message));
    }
    if matches!(status, WorkflowStatus::Starting | WorkflowStatus::Running) {
        let message = format!("the workflow \"{display_name}\" is started already; stop it first to start it anew");
        return Err(ApiError::precondition("WORKFLOW_ALREADY_STARTED", message));
    }
    if instance.mappings().next().is_none() {
        let message = format!("the workflow \"{display_name}\" has no mapping; create one first");
        return Err(ApiError::precondition("NO_MAPPINGS", message));
    }
    Ok(())
}

fn check_stop(name: &WorkflowName, status: WorkflowStatus) -> Result<(), ApiError> {
    if status == WorkflowStatus::Stopped {
        let message = format!("the workflow \"{}\" is stopped already", name.workflow.display_name());
        return Err(ApiError::precondition("WORKFLOW_ALREADY_STOPPED", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ingress, stopped_state};

    fn reason(result: Result<(), ApiError>) -> Option<&'static str> {
        match result {
            Ok(()) => None,
            Err(ApiError::Precondition { reason, .. }) => Some(reason),
            Err(other) => panic!("expected a precondition, got {other:?}"),
        }
    }

    #[test]
    fn a_workflow_is_started_only_from_stopped_and_failed() {
        let state = stopped_state(&["contact"]);
        let instance = instance(&state, &ingress().instance).unwrap();
        for (status, expected) in [
            (WorkflowStatus::Stopped, None),
            (WorkflowStatus::Failed, None),
            (WorkflowStatus::Starting, Some("WORKFLOW_ALREADY_STARTED")),
            (WorkflowStatus::Running, Some("WORKFLOW_ALREADY_STARTED")),
        ] {
            assert_eq!(
                reason(check_start(instance, &ingress(), status)),
                expected,
                "{status:?}"
            );
        }
    }

    #[test]
    fn a_workflow_is_stopped_from_everything_but_stopped() {
        for (status, expected) in [
            (WorkflowStatus::Stopped, Some("WORKFLOW_ALREADY_STOPPED")),
            (WorkflowStatus::Failed, None),
            (WorkflowStatus::Starting, None),
            (WorkflowStatus::Running, None),
        ] {
            assert_eq!(reason(check_stop(&ingress(), status)), expected, "{status:?}");
        }
    }

    #[test]
    fn nothing_is_started_that_has_nothing_to_do_or_is_not_there_yet() {
        let state = stopped_state(&[]);
        let instance = instance(&state, &ingress().instance).unwrap();
        for (workflow, expected) in [
            (WorkflowId::Ingress, "NO_MAPPINGS"),
            (WorkflowId::Egress, "WORKFLOW_NOT_AVAILABLE"),
            (WorkflowId::OptInOut, "WORKFLOW_NOT_AVAILABLE"),
        ] {
            let name = WorkflowName { workflow, ..ingress() };
            assert_eq!(
                reason(check_start(instance, &name, WorkflowStatus::Stopped)),
                Some(expected)
            );
        }
    }
}
