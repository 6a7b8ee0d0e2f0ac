//! The instance `demo`: the sandbox's two sides, and the mapping a new site would start from.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use crosswalk_core::mapping::{KeyMapping, default_contact_mapping};
use crosswalk_proto::v1::{
    CampaignConnection, CreateInstanceRequest, CreateMappingRequest, DeleteMappingRequest, DynamicsConnection,
    FieldMapping, GetInstanceRequest, GetWorkflowRequest, Instance, ListMappingsRequest, ListRevisionsRequest, Mapping,
    MappingOptions, Revision, StartWorkflowRequest, StopWorkflowRequest, UpdateInstanceRequest,
    instances_client::InstancesClient, mappings_client::MappingsClient, workflows_client::WorkflowsClient,
};
use tokio::time::Instant;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

const INSTANCE: &str = "instances/demo";
const INGRESS: &str = "instances/demo/workflows/ingress";
const MAPPINGS: &str = "instances/demo/workflows/ingress/mappings/";
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Creates the instance and its mapping through the API, as a user would. An instance that is there from an earlier start is
/// pointed at where the sandbox is now. What a user has changed or deleted stays so.
///
/// The sandbox is another one at each start: its Campaign is empty, whatever the ledger of an earlier start says.
///
/// # Errors
/// If the API does not come up, or refuses.
pub(crate) async fn ensure(api: SocketAddr, microsoft: &str, adobe: &str) -> anyhow::Result<()> {
    let channel = Endpoint::from_shared(format!("http://{api}"))?.connect_lazy();
    let wanted = demo_instance(microsoft, adobe);
    let before = ensure_instance(InstancesClient::new(channel.clone()), wanted)
        .await
        .context("the instance `demo` cannot be set up")?;
    ensure_mapping(channel.clone())
        .await
        .context("the mapping of the instance `demo` cannot be set up")?;
    if before == Before::Same && has_been_started(WorkflowsClient::new(channel.clone())).await? {
        begin_anew(MappingsClient::new(channel.clone()))
            .await
            .context("the mappings of the instance `demo` cannot be made anew")?;
    }
    if before != Before::None {
        restart(WorkflowsClient::new(channel))
            .await
            .context("the workflow of the instance `demo` cannot be started anew")?;
    }
    Ok(())
}

/// The instance as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// There was none.
    None,
    /// The sandbox was elsewhere then: what is known of its records is known of another Campaign.
    Moved,
    /// The sandbox was where it is now.
    Same,
}

async fn ensure_instance(mut instances: InstancesClient<Channel>, wanted: Instance) -> anyhow::Result<Before> {
    match present(&mut instances).await.context("the API did not come up")? {
        None => {
            let request = CreateInstanceRequest {
                instance_id: "demo".to_owned(),
                instance: Some(wanted),
            };
            instances.create_instance(request).await?;
            Ok(Before::None)
        }
        Some(present) if is_elsewhere(&present, &wanted) => {
            let instance = Some(Instance {
                name: INSTANCE.to_owned(),
                etag: present.etag,
                ..wanted
            });
            instances.update_instance(UpdateInstanceRequest { instance }).await?;
            Ok(Before::Moved)
        }
        Some(_) => Ok(Before::Same),
    }
}

/// Makes each mapping anew, as it is: what the ledger knows of a mapping that is gone tells nothing of one of the same name.
async fn begin_anew(mut mappings: MappingsClient<Channel>) -> Result<(), Status> {
    let request = ListMappingsRequest {
        parent: INGRESS.to_owned(),
        page_size: 1_000,
        page_token: String::new(),
    };
    for mapping in mappings.list_mappings(request).await?.into_inner().mappings {
        let (name, etag) = (mapping.name.clone(), mapping.etag.clone());
        mappings.delete_mapping(DeleteMappingRequest { name, etag }).await?;
        let mapping_id = mapping.name.strip_prefix(MAPPINGS).unwrap_or_default().to_owned();
        let request = CreateMappingRequest {
            parent: INGRESS.to_owned(),
            mapping_id,
            mapping: Some(mapping),
        };
        mappings.create_mapping(request).await?;
    }
    Ok(())
}

/// A workflow that has been started goes on with the addresses of now instead of those it was started with.
async fn restart(mut workflows: WorkflowsClient<Channel>) -> Result<(), Status> {
    let name = INGRESS.to_owned();
    let workflow = workflows
        .get_workflow(GetWorkflowRequest { name: name.clone() })
        .await?;
    if workflow.into_inner().run_id.is_empty() {
        return Ok(());
    }
    let etag = String::new();
    let stop = StopWorkflowRequest { name, etag };
    workflows.stop_workflow(stop.clone()).await?;
    let StopWorkflowRequest { name, etag } = stop;
    workflows.start_workflow(StartWorkflowRequest { name, etag }).await?;
    Ok(())
}

/// Creates the mapping unless the instance has had one: a start may have been cut short before it came to this.
async fn ensure_mapping(channel: Channel) -> anyhow::Result<()> {
    if has_been_mapped(WorkflowsClient::new(channel.clone())).await? {
        return Ok(());
    }
    let request = CreateMappingRequest {
        parent: INGRESS.to_owned(),
        mapping_id: "contact".to_owned(),
        mapping: Some(mapping()),
    };
    MappingsClient::new(channel).create_mapping(request).await?;
    Ok(())
}

/// Whether the history of the workflow knows of a mapping since the instance was created last.
async fn has_been_mapped(workflows: WorkflowsClient<Channel>) -> Result<bool, Status> {
    has_happened(workflows, |revision| revision.resource.starts_with(MAPPINGS)).await
}

/// Whether the workflow has been started since the instance was created last.
async fn has_been_started(workflows: WorkflowsClient<Channel>) -> Result<bool, Status> {
    has_happened(workflows, |revision| {
        revision.resource == INGRESS && revision.action == "started"
    })
    .await
}

async fn has_happened(
    mut workflows: WorkflowsClient<Channel>,
    wanted: impl Fn(&Revision) -> bool,
) -> Result<bool, Status> {
    let mut request = ListRevisionsRequest {
        parent: INGRESS.to_owned(),
        ..ListRevisionsRequest::default()
    };
    loop {
        let page = workflows.list_revisions(request.clone()).await?.into_inner();
        for revision in page.revisions {
            if wanted(&revision) {
                return Ok(true);
            }
            if revision.resource == INSTANCE && revision.action == "created" {
                return Ok(false);
            }
        }
        if page.next_page_token.is_empty() {
            return Ok(false);
        }
        request.page_token = page.next_page_token;
    }
}

/// The instance, if it is there. Waits for the API to have read the control log.
async fn present(instances: &mut InstancesClient<Channel>) -> Result<Option<Instance>, Status> {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        match instances
            .get_instance(GetInstanceRequest {
                name: INSTANCE.to_owned(),
            })
            .await
        {
            Ok(instance) => return Ok(Some(instance.into_inner())),
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) if status.code() == Code::Unavailable && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(status) => return Err(status),
        }
    }
}

/// An instance of a sandbox, by the addresses of its two sides. The credentials are the sandbox's stable ones; they open
/// nothing else.
#[must_use]
pub fn demo_instance(microsoft: &str, adobe: &str) -> Instance {
    Instance {
        display_name: "Demo (sandbox)".to_owned(),
        dynamics: Some(DynamicsConnection {
            environment_url: microsoft.to_owned(),
            authority_url: microsoft.to_owned(),
            tenant_id: "11111111-1111-4111-8111-111111111111".to_owned(),
            client_id: "22222222-2222-4222-8222-222222222222".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
        }),
        campaign: Some(CampaignConnection {
            api_url: adobe.to_owned(),
            organization: "sandbox".to_owned(),
            ims_url: adobe.to_owned(),
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            scopes: Vec::new(),
        }),
        ..Instance::default()
    }
}

fn is_elsewhere(present: &Instance, wanted: &Instance) -> bool {
    let addresses = |instance: &Instance| {
        let environment = instance
            .dynamics
            .as_ref()
            .map(|dynamics| dynamics.environment_url.trim_end_matches('/').to_owned());
        let api = instance
            .campaign
            .as_ref()
            .map(|campaign| campaign.api_url.trim_end_matches('/').to_owned());
        (environment, api)
    };
    addresses(present) != addresses(wanted)
}

fn mapping() -> Mapping {
    let definition = default_contact_mapping();
    let KeyMapping { source, target } = definition.key;
    let field = |source: String, target: String| FieldMapping {
        dynamics_field: source,
        campaign_field: target,
        apply_updates: None,
    };
    Mapping {
        dynamics_table: definition.source_table,
        campaign_resource: definition.target_resource,
        key: Some(field(source, target)),
        fields: definition
            .fields
            .into_iter()
            .map(|mapping| field(mapping.source, mapping.target))
            .collect(),
        options: Some(MappingOptions::default()),
        ..Mapping::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compose_stack_starts_from_the_same_mapping() {
        let composed = include_str!("../../../deploy/docker/demo/mapping.json");
        let composed: Mapping = serde_json::from_str(composed).unwrap();
        let ours = mapping();
        assert_eq!(composed.dynamics_table, ours.dynamics_table);
        assert_eq!(composed.campaign_resource, ours.campaign_resource);
        assert_eq!(composed.key, ours.key);
        assert_eq!(composed.fields, ours.fields);
    }
}
