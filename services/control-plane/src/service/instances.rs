//! `Instances`.

use std::sync::Arc;

use crosswalk_core::{
    InstanceId, ResourceName, SealedSecret, WorkflowId,
    control::{
        CampaignSettings, Change, DynamicsSettings, InstanceSettings, Refusal, State, campaign_secret_purpose,
        dynamics_secret_purpose,
    },
};
use crosswalk_proto::{
    api,
    v1::{
        ConnectionTest, CreateInstanceRequest, DeleteInstanceRequest, GetInstanceRequest, Instance,
        ListInstancesRequest, ListInstancesResponse, TestConnectionsRequest, TestConnectionsResponse,
        UpdateInstanceRequest, instances_server::Instances,
    },
};
use pbjson_types::Empty;
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status, async_trait};

use super::cut;
use crate::{
    error::ApiError,
    parse::{
        InstanceDraft, SecretText, instance_draft, instance_id, instance_name, next_page_token, page, required_etag,
    },
    shared::{Shared, already_exists, instance},
    system::SystemFailure,
};

pub(crate) struct InstancesService(pub(crate) Arc<Shared>);

#[async_trait]
impl Instances for InstancesService {
    async fn get_instance(&self, request: Request<GetInstanceRequest>) -> Result<Response<Instance>, Status> {
        let id = instance_name("name", &request.get_ref().name)?;
        Ok(Response::new(shown(&*self.0.state().await?, &id)?))
    }

    async fn list_instances(
        &self,
        request: Request<ListInstancesRequest>,
    ) -> Result<Response<ListInstancesResponse>, Status> {
        Ok(Response::new(self.list(request.get_ref()).await?))
    }

    async fn create_instance(&self, request: Request<CreateInstanceRequest>) -> Result<Response<Instance>, Status> {
        Ok(Response::new(self.create(request.into_inner()).await?))
    }

    async fn update_instance(&self, request: Request<UpdateInstanceRequest>) -> Result<Response<Instance>, Status> {
        Ok(Response::new(self.update(request.into_inner()).await?))
    }

    async fn delete_instance(&self, request: Request<DeleteInstanceRequest>) -> Result<Response<Empty>, Status> {
        self.delete(request.get_ref()).await?;
        Ok(Response::new(Empty {}))
    }

    async fn test_connections(
        &self,
        request: Request<TestConnectionsRequest>,
    ) -> Result<Response<TestConnectionsResponse>, Status> {
        let id = instance_name("name", &request.get_ref().name)?;
        let state = self.0.state().await?;
        let instance = instance(&state, &id)?;
        let systems = &self.0.systems;
        let (dynamics, campaign) = tokio::join!(
            systems.test_dynamics(&id, instance),
            systems.test_campaign(&id, instance)
        );
        let answer = TestConnectionsResponse {
            dynamics: Some(outcome(dynamics)),
            campaign: Some(outcome(campaign)),
        };
        Ok(Response::new(answer))
    }
}

impl InstancesService {
    async fn list(&self, request: &ListInstancesRequest) -> Result<ListInstancesResponse, ApiError> {
        const LIST: &str = "instances";
        let page = page(LIST, request.page_size, &request.page_token)?;
        let state = self.0.state().await?;
        let after = page.after.as_deref();
        let rest = state
            .instances()
            .filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
        let (shown, more) = cut(rest.take(page.size + 1).collect(), page.size);
        let last = shown.last().filter(|_| more);
        Ok(ListInstancesResponse {
            next_page_token: last
                .map(|(id, _)| next_page_token(LIST, id.as_str()))
                .unwrap_or_default(),
            instances: shown
                .into_iter()
                .map(|(id, instance)| api::instance(id, instance))
                .collect(),
        })
    }

    async fn create(&self, request: CreateInstanceRequest) -> Result<Instance, ApiError> {
        let id = instance_id("instance_id", &request.instance_id)?;
        let resource = ResourceName::Instance(id.clone());
        if self.0.state().await?.instance(&id).is_some() {
            return Err(already_exists(&resource));
        }
        let draft = instance_draft(request.instance.unwrap_or_default(), None)?;
        let settings = self.seal(&id, draft, None)?;
        let state = self
            .0
            .append(resource, None, Change::PutInstance(Box::new(settings)))
            .await?;
        shown(&state, &id)
    }

    async fn update(&self, request: UpdateInstanceRequest) -> Result<Instance, ApiError> {
        let message = request.instance.unwrap_or_default();
        let id = instance_name("instance.name", &message.name)?;
        let resource = ResourceName::Instance(id.clone());
        let state = self.0.state().await?;
        let present = instance(&state, &id)?;
        let etag = required_etag("instance.etag", &message.etag, &resource, present.etag)?;
        let draft = instance_draft(message, Some(&present.settings))?;
        let settings = self.seal(&id, draft, Some(&present.settings))?;
        let state = self
            .0
            .append(resource, Some(etag), Change::PutInstance(Box::new(settings)))
            .await?;
        shown(&state, &id)
    }

    async fn delete(&self, request: &DeleteInstanceRequest) -> Result<(), ApiError> {
        let id = instance_name("name", &request.name)?;
        let resource = ResourceName::Instance(id.clone());
        let state = self.0.state().await?;
        let present = instance(&state, &id)?;
        let etag = required_etag("etag", &request.etag, &resource, present.etag)?;
        if WorkflowId::ALL
            .iter()
            .any(|workflow| present.workflow(*workflow).run().is_some())
        {
            return Err(ApiError::refused(Refusal::WorkflowStarted, &resource));
        }
        self.0.append(resource, Some(etag), Change::DeleteInstance).await?;
        Ok(())
    }

    /// The settings to be stored. Secrets that are kept are so in both senses.
    fn seal(
        &self,
        id: &InstanceId,
        draft: InstanceDraft,
        present: Option<&InstanceSettings>,
    ) -> Result<InstanceSettings, ApiError> {
        let dynamics_present = present.map(|settings| &settings.dynamics.client_secret);
        let campaign_present = present.map(|settings| &settings.campaign.client_secret);
        let dynamics_secret = self.seal_one(&draft.dynamics_secret, &dynamics_secret_purpose(id), dynamics_present)?;
        let campaign_secret = self.seal_one(&draft.campaign_secret, &campaign_secret_purpose(id), campaign_present)?;
        let display_name = if draft.display_name.is_empty() {
            id.to_string()
        } else {
            draft.display_name
        };
        Ok(InstanceSettings {
            display_name,
            dynamics: DynamicsSettings {
                environment_url: draft.dynamics.environment_url,
                authority_url: draft.dynamics.authority_url,
                tenant_id: draft.dynamics.tenant_id,
                client_id: draft.dynamics.client_id,
                client_secret: dynamics_secret,
            },
            campaign: CampaignSettings {
                api_url: draft.campaign.api_url,
                organization: draft.campaign.organization,
                ims_url: draft.campaign.ims_url,
                client_id: draft.campaign.client_id,
                client_secret: campaign_secret,
                scopes: draft.campaign.scopes,
            },
        })
    }

    fn seal_one(
        &self,
        secret: &SecretText,
        purpose: &str,
        present: Option<&SealedSecret>,
    ) -> Result<SealedSecret, ApiError> {
        match (secret, present) {
            (SecretText::Replace(text), _) => {
                Ok(self.0.keys.seal(text.expose_secret().as_bytes(), purpose.as_bytes())?)
            }
            (SecretText::Keep, Some(present)) => Ok(present.clone()),
            (SecretText::Keep, None) => Err(ApiError::field("instance", "REQUIRED", "a client secret must be set")),
        }
    }
}

fn shown(state: &State, id: &InstanceId) -> Result<Instance, ApiError> {
    Ok(api::instance(id, instance(state, id)?))
}

fn outcome(result: Result<String, SystemFailure>) -> ConnectionTest {
    match result {
        Ok(message) => ConnectionTest {
            ok: true,
            code: String::new(),
            message,
        },
        Err(failure) => ConnectionTest {
            ok: false,
            code: failure.code.to_owned(),
            message: failure.message,
        },
    }
}
