//! An API server with canned but realistic state.

mod catalog;
mod dead_letters;
mod instances;
mod mappings;
mod workflows;

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use crosswalk_proto::v1::{
    catalog_server::CatalogServer, dead_letters_server::DeadLettersServer, instances_server::InstancesServer,
    mappings_server::MappingsServer, workflows_server::WorkflowsServer,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Code, Status, transport};
use tonic_types::{ErrorDetails, StatusExt as _};

pub(crate) use self::{
    dead_letters::DeadLettersState,
    instances::InstancesState,
    mappings::{CONTACT, MappingsState},
    workflows::{Script, WorkflowsState, alive, synchronized, workflow},
};

/// A running server; it ends with the runtime of its test.
pub(crate) struct Server {
    address: SocketAddr,
    pub(crate) workflows: Arc<WorkflowsState>,
    pub(crate) mappings: Arc<MappingsState>,
    pub(crate) instances: Arc<InstancesState>,
    pub(crate) dead_letters: Arc<DeadLettersState>,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("is bound");
        let (workflows, mappings, instances) =
            <(Arc<WorkflowsState>, Arc<MappingsState>, Arc<InstancesState>)>::default();
        let dead_letters: Arc<DeadLettersState> = Arc::default();
        let serving = transport::Server::builder()
            .add_service(WorkflowsServer::from_arc(Arc::clone(&workflows)))
            .add_service(MappingsServer::from_arc(Arc::clone(&mappings)))
            .add_service(InstancesServer::from_arc(Arc::clone(&instances)))
            .add_service(DeadLettersServer::from_arc(Arc::clone(&dead_letters)))
            .add_service(CatalogServer::new(catalog::Catalogs))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        Self {
            address,
            workflows,
            mappings,
            instances,
            dead_letters,
        }
    }

    /// Its address, as for `--endpoint`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// An error as Crosswalk sends them.
pub(crate) fn error(code: Code, reason: &str, message: &str) -> Status {
    Status::with_error_details(
        code,
        message,
        ErrorDetails::with_error_info(reason, "crosswalk", HashMap::new()),
    )
}

/// An error that names fields.
pub(crate) fn bad_fields(message: &str, violations: &[(&str, &str)]) -> Status {
    let mut details = ErrorDetails::with_error_info("INVALID_FIELDS", "crosswalk", HashMap::new());
    for (field, description) in violations {
        details.add_bad_request_violation(*field, *description);
    }
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The moment some seconds ago.
pub(crate) fn seconds_ago(seconds: i64) -> Option<pbjson_types::Timestamp> {
    let moment = jiff::Timestamp::now().as_second() - seconds;
    Some(pbjson_types::Timestamp {
        seconds: moment,
        nanos: 0,
    })
}
