//! A client of the API, with the calls that tests make often.

use std::{collections::BTreeMap, time::Duration};

use crosswalk_proto::v1::{
    CreateInstanceRequest, CreateMappingRequest, DeadLetterFilter, FieldMapping, GetMappingRequest, GetWorkflowRequest,
    Instance, Mapping, MappingOptions, RedriveDeadLettersRequest, ReplayMappingRequest, StartWorkflowRequest,
    StopWorkflowRequest, SummarizeDeadLettersRequest, UpdateMappingRequest, Workflow, catalog_client::CatalogClient,
    dead_letters_client::DeadLettersClient, instances_client::InstancesClient, mappings_client::MappingsClient,
    workflow::Status, workflows_client::WorkflowsClient,
};
use crosswalk_standalone::demo_instance;
use tonic::transport::{Channel, Endpoint};

use crate::{eventually, watching::Watching, world::PATIENCE};

/// The instance every world has.
pub const INSTANCE: &str = "instances/demo";
/// Its ingress workflow.
pub const INGRESS: &str = "instances/demo/workflows/ingress";
/// Its mapping.
pub const MAPPING: &str = "instances/demo/workflows/ingress/mappings/contact";

/// A client of one control plane.
#[derive(Clone)]
pub struct Api {
    /// Instances.
    pub instances: InstancesClient<Channel>,
    /// Workflows.
    pub workflows: WorkflowsClient<Channel>,
    /// Mappings.
    pub mappings: MappingsClient<Channel>,
    /// Catalog.
    pub catalog: CatalogClient<Channel>,
    /// Dead letters.
    pub dead_letters: DeadLettersClient<Channel>,
}

impl Api {
    /// A client of the control plane at a URL; connects with the first call.
    ///
    /// # Errors
    /// If it is no URL.
    pub fn new(url: String) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(url)?
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(30))
            .connect_lazy();
        Ok(Self {
            instances: InstancesClient::new(channel.clone()),
            workflows: WorkflowsClient::new(channel.clone()),
            mappings: MappingsClient::new(channel.clone()),
            catalog: CatalogClient::new(channel.clone()),
            dead_letters: DeadLettersClient::new(channel),
        })
    }

    /// Creates the instance, pointed at the sandbox.
    ///
    /// # Errors
    /// What the API says.
    pub async fn create_instance(&mut self, microsoft: &str, adobe: &str) -> anyhow::Result<Instance> {
        let request = CreateInstanceRequest {
            instance_id: "demo".to_owned(),
            instance: Some(demo_instance(microsoft, adobe)),
        };
        Ok(self.instances.create_instance(request).await?.into_inner())
    }

    /// Creates the mapping of contacts to profiles.
    ///
    /// # Errors
    /// What the API says.
    pub async fn create_mapping(&mut self, fields: &[(&str, &str)], apply_deletes: bool) -> anyhow::Result<Mapping> {
        let mapping = Mapping {
            dynamics_table: "contact".to_owned(),
            campaign_resource: "profile".to_owned(),
            key: Some(field("contactid", "externalId")),
            fields: fields.iter().map(|(source, target)| field(source, target)).collect(),
            options: Some(MappingOptions {
                apply_deletes,
                ..MappingOptions::default()
            }),
            ..Mapping::default()
        };
        Ok(self.add_mapping(mapping).await?)
    }

    /// Creates any mapping; its id is the table's name.
    ///
    /// # Errors
    /// What the API says.
    pub async fn add_mapping(&mut self, mapping: Mapping) -> Result<Mapping, tonic::Status> {
        let request = CreateMappingRequest {
            parent: INGRESS.to_owned(),
            mapping_id: mapping.dynamics_table.replace('_', "-"),
            mapping: Some(mapping),
        };
        Ok(self.mappings.create_mapping(request).await?.into_inner())
    }

    /// The mapping as it is.
    ///
    /// # Errors
    /// What the API says.
    pub async fn mapping(&mut self) -> Result<Mapping, tonic::Status> {
        self.mapping_named(MAPPING).await
    }

    async fn mapping_named(&mut self, name: &str) -> Result<Mapping, tonic::Status> {
        let request = GetMappingRequest { name: name.to_owned() };
        Ok(self.mappings.get_mapping(request).await?.into_inner())
    }

    /// Changes the mapping.
    ///
    /// # Errors
    /// What the API says.
    pub async fn edit_mapping(&mut self, edit: impl FnOnce(&mut Mapping)) -> Result<Mapping, tonic::Status> {
        self.edit(MAPPING, edit).await
    }

    /// Changes any mapping.
    ///
    /// # Errors
    /// What the API says.
    pub async fn edit(&mut self, name: &str, edit: impl FnOnce(&mut Mapping)) -> Result<Mapping, tonic::Status> {
        let mut mapping = self.mapping_named(name).await?;
        edit(&mut mapping);
        let request = UpdateMappingRequest { mapping: Some(mapping) };
        Ok(self.mappings.update_mapping(request).await?.into_inner())
    }

    /// The ingress workflow as it is.
    ///
    /// # Errors
    /// What the API says.
    pub async fn ingress(&mut self) -> Result<Workflow, tonic::Status> {
        let request = GetWorkflowRequest {
            name: INGRESS.to_owned(),
        };
        Ok(self.workflows.get_workflow(request).await?.into_inner())
    }

    /// Starts the ingress workflow.
    ///
    /// # Errors
    /// What the API says.
    pub async fn start(&mut self) -> Result<Workflow, tonic::Status> {
        let request = StartWorkflowRequest {
            name: INGRESS.to_owned(),
            etag: String::new(),
        };
        Ok(self.workflows.start_workflow(request).await?.into_inner())
    }

    /// Stops the ingress workflow.
    ///
    /// # Errors
    /// What the API says.
    pub async fn stop(&mut self) -> Result<Workflow, tonic::Status> {
        let request = StopWorkflowRequest {
            name: INGRESS.to_owned(),
            etag: String::new(),
        };
        Ok(self.workflows.stop_workflow(request).await?.into_inner())
    }

    /// Stops the ingress workflow and waits until its workers have left it.
    ///
    /// # Errors
    /// What the API says, or if they do not leave it in time.
    pub async fn stop_and_wait(&mut self) -> anyhow::Result<Workflow> {
        self.stop().await?;
        self.until("STOPPED", PATIENCE, |workflow| {
            workflow.status() == Status::Stopped && !workflow.stopping
        })
        .await
    }

    /// Asks for a replay of the mapping at the next start.
    ///
    /// # Errors
    /// What the API says.
    pub async fn replay(&mut self, force: bool) -> Result<Mapping, tonic::Status> {
        let request = ReplayMappingRequest {
            name: MAPPING.to_owned(),
            etag: String::new(),
            force,
        };
        Ok(self.mappings.replay_mapping(request).await?.into_inner())
    }

    /// How many records are set aside, by the code of their reason.
    ///
    /// # Errors
    /// What the API says.
    pub async fn set_aside(&mut self) -> Result<BTreeMap<String, u64>, tonic::Status> {
        let request = SummarizeDeadLettersRequest {
            parent: INGRESS.to_owned(),
            filter: None,
        };
        let summary = self.dead_letters.summarize_dead_letters(request).await?.into_inner();
        let mut counts = BTreeMap::new();
        for group in summary.groups {
            *counts.entry(group.code).or_default() += group.count;
        }
        Ok(counts)
    }

    /// Waits until that many records are set aside for that reason, and none for another.
    ///
    /// # Errors
    /// If it does not come to that in time.
    pub async fn until_set_aside(&self, code: &str, count: u64) -> anyhow::Result<()> {
        eventually("the dead letters", PATIENCE, || {
            let mut api = self.clone();
            async move {
                let counts = api.set_aside().await?;
                let of_code = counts.get(code).copied().unwrap_or_default();
                anyhow::ensure!(of_code == count && counts.values().sum::<u64>() == count, "{counts:?}");
                Ok(())
            }
        })
        .await
    }

    /// Has all records that are set aside read and queued anew.
    ///
    /// # Errors
    /// What the API says.
    pub async fn redrive_all(&mut self) -> Result<u64, tonic::Status> {
        let request = RedriveDeadLettersRequest {
            parent: INGRESS.to_owned(),
            names: Vec::new(),
            filter: Some(DeadLetterFilter::default()),
        };
        Ok(self
            .dead_letters
            .redrive_dead_letters(request)
            .await?
            .into_inner()
            .count)
    }

    /// Begins to keep all states that the ingress workflow goes through.
    ///
    /// # Errors
    /// What the API says.
    pub async fn watch(&mut self) -> anyhow::Result<Watching> {
        Watching::begin(self).await
    }

    /// Waits until the ingress workflow has a status, and returns it.
    ///
    /// # Errors
    /// If it does not come to it in time.
    pub async fn until_status(&self, status: Status, deadline: Duration) -> anyhow::Result<Workflow> {
        self.until(&format!("{status:?}"), deadline, |workflow| workflow.status() == status)
            .await
    }

    /// Waits until the ingress workflow is as wanted, and returns it.
    ///
    /// # Errors
    /// If it does not come to it in time.
    pub async fn until(
        &self,
        what: &str,
        deadline: Duration,
        wanted: impl Fn(&Workflow) -> bool,
    ) -> anyhow::Result<Workflow> {
        eventually(what, deadline, || {
            let mut api = self.clone();
            let wanted = &wanted;
            async move {
                let workflow = api.ingress().await?;
                anyhow::ensure!(wanted(&workflow), "{workflow:?}");
                Ok(workflow)
            }
        })
        .await
    }
}

/// A field mapping.
#[must_use]
pub fn field(source: &str, target: &str) -> FieldMapping {
    FieldMapping {
        dynamics_field: source.to_owned(),
        campaign_field: target.to_owned(),
        apply_updates: None,
    }
}
