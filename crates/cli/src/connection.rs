//! The connection to the API.

use std::time::Duration;

use crosswalk_proto::v1::{
    catalog_client::CatalogClient, dead_letters_client::DeadLettersClient, instances_client::InstancesClient,
    mappings_client::MappingsClient, workflows_client::WorkflowsClient,
};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use crate::{
    arguments::GlobalArguments,
    failure::{Failure, root_cause},
    names::InstanceName,
};

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call may take until its answer, or its stream, begins. Testing connections and starting a workflow make
/// the server call the other systems, which have 30 seconds each.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);

/// Largest answer; a Dynamics table with all its columns and option sets can exceed the default of 4 MiB.
const MAXIMUM_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// A connection to the API of one control plane, and the instance that commands are about.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    endpoint: String,
    instance: InstanceName,
    channel: Channel,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the endpoint is no address, [`Failure::Unreachable`] if nothing answers there.
    pub(crate) async fn open(arguments: &GlobalArguments) -> Result<Self, Failure> {
        let endpoint = arguments.endpoint.trim_end_matches('/').to_owned();
        if !endpoint.starts_with("http://") {
            return Err(Failure::Usage(format!(
                "the endpoint `{endpoint}` must begin with http://, e.g. http://127.0.0.1:8080; \
                 reach a server behind TLS through a tunnel on the loopback interface, e.g. `kubectl port-forward`"
            )));
        }
        let address = Endpoint::from_shared(endpoint.clone()).map_err(|error| {
            Failure::Usage(format!(
                "the endpoint `{endpoint}` is no address: {}",
                root_cause(&error)
            ))
        })?;
        let has_user = address
            .uri()
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'));
        if has_user || !matches!(address.uri().path(), "" | "/") || address.uri().query().is_some() {
            return Err(Failure::Usage(format!(
                "the endpoint `{endpoint}` must be host and port alone, e.g. http://127.0.0.1:8080"
            )));
        }
        let channel = address
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .connect()
            .await
            .map_err(|error| Failure::Unreachable {
                endpoint: endpoint.clone(),
                reason: root_cause(&error),
            })?;
        Ok(Self {
            endpoint,
            instance: InstanceName::new(&arguments.instance),
            channel,
        })
    }

    /// The instance of `--instance`.
    pub(crate) fn instance(&self) -> &InstanceName {
        &self.instance
    }

    /// The failure that a call ended with.
    pub(crate) fn failure(&self, status: &Status) -> Failure {
        Failure::from_status(status, &self.endpoint, CALL_TIMEOUT)
    }

    /// A client of the workflows service.
    pub(crate) fn workflows(&self) -> WorkflowsClient<Channel> {
        WorkflowsClient::new(self.channel.clone()).max_decoding_message_size(MAXIMUM_ANSWER_BYTES)
    }

    /// A client of the mappings service.
    pub(crate) fn mappings(&self) -> MappingsClient<Channel> {
        MappingsClient::new(self.channel.clone()).max_decoding_message_size(MAXIMUM_ANSWER_BYTES)
    }

    /// A client of the instances service.
    pub(crate) fn instances(&self) -> InstancesClient<Channel> {
        InstancesClient::new(self.channel.clone()).max_decoding_message_size(MAXIMUM_ANSWER_BYTES)
    }

    /// A client of the service of dead letters.
    pub(crate) fn dead_letters(&self) -> DeadLettersClient<Channel> {
        DeadLettersClient::new(self.channel.clone()).max_decoding_message_size(MAXIMUM_ANSWER_BYTES)
    }

    /// A client of the catalog service.
    pub(crate) fn catalog(&self) -> CatalogClient<Channel> {
        CatalogClient::new(self.channel.clone()).max_decoding_message_size(MAXIMUM_ANSWER_BYTES)
    }
}
