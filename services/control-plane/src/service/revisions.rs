//! Revisions of a workflow: what took effect in the control log for it and for the draft it would start with.

use crosswalk_core::{ResourceName, WorkflowId, WorkflowName};
use crosswalk_kafka::{Action, Revision};
use crosswalk_proto::{
    api,
    v1::{self, ListRevisionsRequest, ListRevisionsResponse},
};

use super::cut;
use crate::{
    error::ApiError,
    parse::{next_page_token, page, workflow_name},
    shared::{Shared, instance},
};

pub(super) async fn list(shared: &Shared, request: &ListRevisionsRequest) -> Result<ListRevisionsResponse, ApiError> {
    let name = workflow_name("parent", &request.parent)?;
    let list = format!("{name}/revisions");
    let page = page(&list, request.page_size, &request.page_token)?;
    let before = match page.after.as_deref().map(str::parse::<u64>) {
        None => u64::MAX,
        Some(Ok(offset)) => offset,
        Some(Err(_)) => {
            return Err(ApiError::field(
                "page_token",
                "TOKEN_INVALID",
                "is not one of this list",
            ));
        }
    };
    let state = shared.state().await?;
    instance(&state, &name.instance)?;
    let wanted = |revision: &Revision| revision.offset.0 < before && concerns(&revision.resource, &name);
    let (shown, more) = cut(shared.connected()?.control.revisions(page.size + 1, wanted), page.size);
    let last = shown.last().filter(|_| more);
    Ok(ListRevisionsResponse {
        next_page_token: last
            .map(|last| next_page_token(&list, &last.offset.0.to_string()))
            .unwrap_or_default(),
        revisions: shown.into_iter().map(message).collect(),
    })
}

/// Whether a change of a resource is one of the workflow or of the draft it would start with.
fn concerns(resource: &ResourceName, workflow: &WorkflowName) -> bool {
    match resource {
        ResourceName::Instance(instance) => *instance == workflow.instance,
        ResourceName::Workflow(name) | ResourceName::DeadLetters(name) => name == workflow,
        ResourceName::Mapping { instance, .. } => {
            workflow.workflow == WorkflowId::Ingress && *instance == workflow.instance
        }
    }
}

fn message(revision: Revision) -> v1::Revision {
    let action = match revision.action {
        Action::Created => "created",
        Action::Updated => "updated",
        Action::Deleted => "deleted",
        Action::Started => "started",
        Action::Stopped => "stopped",
        Action::ReplayRequested => "replay-requested",
        Action::RedriveRequested => "redrive-requested",
    };
    v1::Revision {
        revision: i64::try_from(revision.offset.0).unwrap_or(i64::MAX),
        resource: revision.resource.to_string(),
        actor: revision.actor,
        time: Some(api::timestamp(revision.time)),
        action: action.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_is_concerned_by_its_own_switches_and_by_its_draft() {
        let workflow = |workflow| WorkflowName {
            instance: "demo".parse().unwrap(),
            workflow,
        };
        let (ingress, egress) = (workflow(WorkflowId::Ingress), workflow(WorkflowId::Egress));
        for (resource, of_ingress, of_egress) in [
            ("instances/demo", true, true),
            ("instances/other", false, false),
            ("instances/demo/workflows/ingress", true, false),
            ("instances/demo/workflows/egress", false, true),
            ("instances/demo/workflows/ingress/mappings/contact", true, false),
            ("instances/other/workflows/ingress/mappings/contact", false, false),
        ] {
            let resource = resource.parse().unwrap();
            assert_eq!(
                (concerns(&resource, &ingress), concerns(&resource, &egress)),
                (of_ingress, of_egress)
            );
        }
    }
}
