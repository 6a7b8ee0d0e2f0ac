//! Instances in memory. Secrets go in and never come out.

use std::collections::BTreeMap;

use crosswalk_proto::v1::{
    CampaignConnection, ConnectionTest, CreateInstanceRequest, DeleteInstanceRequest, DynamicsConnection,
    GetInstanceRequest, Instance, ListInstancesRequest, ListInstancesResponse, TestConnectionsRequest,
    TestConnectionsResponse, UpdateInstanceRequest, instances_server::Instances,
};
use parking_lot::Mutex;
use tonic::{Code, Request, Response, Status};

use super::{error, seconds_ago};

/// The state of the instances service, as it was sent: with secrets.
pub(crate) struct InstancesState {
    pub(crate) stored: Mutex<BTreeMap<String, Instance>>,
}

impl Default for InstancesState {
    fn default() -> Self {
        let demo = Instance {
            name: "instances/demo".to_owned(),
            display_name: "Demo".to_owned(),
            dynamics: Some(DynamicsConnection {
                environment_url: "https://contoso.api.crm4.dynamics.com".to_owned(),
                tenant_id: "contoso.onmicrosoft.com".to_owned(),
                client_id: "5b0ad6a4-6f9f-4bb4-93c1-7d5d1d2e0f11".to_owned(),
                client_secret: "present dynamics secret".to_owned(),
                ..DynamicsConnection::default()
            }),
            campaign: Some(CampaignConnection {
                organization: "contoso-mkt-stage".to_owned(),
                client_id: "3f2b8f0f8a7f4d0db2d1".to_owned(),
                client_secret: "present campaign secret".to_owned(),
                ..CampaignConnection::default()
            }),
            create_time: seconds_ago(90_000),
            update_time: seconds_ago(90_000),
            etag: "3".to_owned(),
        };
        Self {
            stored: Mutex::new([(demo.name.clone(), demo)].into()),
        }
    }
}

impl InstancesState {
    fn present(&self, name: &str) -> Result<Instance, Status> {
        let found = self.stored.lock().get(name).cloned();
        found.ok_or_else(|| error(Code::NotFound, "INSTANCE_NOT_FOUND", &format!("there is no {name}")))
    }
}

fn without_secrets(mut instance: Instance) -> Instance {
    instance.dynamics.get_or_insert_default().client_secret.clear();
    instance.campaign.get_or_insert_default().client_secret.clear();
    instance
}

#[tonic::async_trait]
impl Instances for InstancesState {
    async fn get_instance(&self, request: Request<GetInstanceRequest>) -> Result<Response<Instance>, Status> {
        self.present(&request.into_inner().name)
            .map(|instance| Response::new(without_secrets(instance)))
    }

    async fn list_instances(
        &self,
        _request: Request<ListInstancesRequest>,
    ) -> Result<Response<ListInstancesResponse>, Status> {
        let instances = self.stored.lock().values().cloned().map(without_secrets).collect();
        Ok(Response::new(ListInstancesResponse {
            instances,
            next_page_token: String::new(),
        }))
    }

    async fn create_instance(&self, request: Request<CreateInstanceRequest>) -> Result<Response<Instance>, Status> {
        let CreateInstanceRequest { instance_id, instance } = request.into_inner();
        let name = format!("instances/{instance_id}");
        if self.stored.lock().contains_key(&name) {
            return Err(error(Code::AlreadyExists, "INSTANCE_EXISTS", &format!("{name} exists")));
        }
        let instance = Instance {
            name: name.clone(),
            etag: "4".to_owned(),
            ..instance.unwrap_or_default()
        };
        self.stored.lock().insert(name, instance.clone());
        Ok(Response::new(without_secrets(instance)))
    }

    async fn update_instance(&self, request: Request<UpdateInstanceRequest>) -> Result<Response<Instance>, Status> {
        let sent = request.into_inner().instance.unwrap_or_default();
        if self.present(&sent.name)?.etag != sent.etag {
            return Err(error(
                Code::Aborted,
                "ETAG_MISMATCH",
                &format!("{} has been changed", sent.name),
            ));
        }
        let stored = Instance {
            etag: "5".to_owned(),
            ..sent
        };
        self.stored.lock().insert(stored.name.clone(), stored.clone());
        Ok(Response::new(without_secrets(stored)))
    }

    async fn delete_instance(
        &self,
        request: Request<DeleteInstanceRequest>,
    ) -> Result<Response<pbjson_types::Empty>, Status> {
        let name = request.into_inner().name;
        if name == "instances/demo" {
            return Err(error(
                Code::FailedPrecondition,
                "WORKFLOWS_NOT_STOPPED",
                "ingress is RUNNING; stop it first",
            ));
        }
        self.stored.lock().remove(&name);
        Ok(Response::new(pbjson_types::Empty {}))
    }

    async fn test_connections(
        &self,
        request: Request<TestConnectionsRequest>,
    ) -> Result<Response<TestConnectionsResponse>, Status> {
        let ok = |message: &str| ConnectionTest {
            ok: true,
            message: message.to_owned(),
            ..ConnectionTest::default()
        };
        let campaign = match request.into_inner().name.as_str() {
            "instances/demo" => ok("signed in as contoso-mkt-stage"),
            _ => ConnectionTest {
                ok: false,
                code: "CAMPAIGN_AUTHENTICATION_FAILED".to_owned(),
                message: "the client secret is wrong; make a new one in the Adobe Developer Console".to_owned(),
            },
        };
        let dynamics = ok("signed in as # Crosswalk");
        Ok(Response::new(TestConnectionsResponse {
            dynamics: Some(dynamics),
            campaign: Some(campaign),
        }))
    }
}
