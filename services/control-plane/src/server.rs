//! The port: gRPC, gRPC-web, reflection, health, and a page that says what this is.

use std::{sync::Arc, time::Duration};

use axum::{Router, middleware, routing::get};
use crosswalk_proto::v1::{
    catalog_server::CatalogServer, dead_letters_server::DeadLettersServer, instances_server::InstancesServer,
    mappings_server::MappingsServer, workflows_server::WorkflowsServer,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::server::{HealthReporter, HealthService};
use tonic_web::GrpcWebLayer;

use crate::{
    ApiSettings,
    call_metrics::CallMetrics,
    host_guard::loopback_only,
    service::{CatalogService, DeadLettersService, InstancesService, MappingsService, WorkflowsService},
    shared::Shared,
};

/// How often a silent connection is asked whether it lives, and how long it may take to answer.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Calls under way on one connection. A browser page has a handful.
const MAX_CONCURRENT_STREAMS: u32 = 256;

/// How long calls under way may take to end once told to stop. Streams of ours end at once; others, such as a watch of the
/// health service, are cut.
const DRAIN: Duration = Duration::from_secs(5);

const ABOUT: &str = "This is the control plane of Crosswalk. Its API is gRPC and gRPC-web on this port, with reflection:\n\
                     try `crosswalk workflows list`, or `grpcurl -plaintext HOST:PORT list`.\n";

/// Everything the port answers.
pub(crate) fn router(shared: &Arc<Shared>, health: HealthReporter, settings: &ApiSettings) -> anyhow::Result<Router> {
    let limit = settings.max_request_bytes;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(crosswalk_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let health = tonic_health::pb::health_server::HealthServer::new(HealthService::from_health_reporter(health));
    let instances = InstancesServer::new(InstancesService(Arc::clone(shared))).max_decoding_message_size(limit);
    let workflows = WorkflowsServer::new(WorkflowsService(Arc::clone(shared))).max_decoding_message_size(limit);
    let mappings = MappingsServer::new(MappingsService(Arc::clone(shared))).max_decoding_message_size(limit);
    let catalog = CatalogServer::new(CatalogService(Arc::clone(shared))).max_decoding_message_size(limit);
    let dead_letters = DeadLettersServer::new(DeadLettersService(Arc::clone(shared))).max_decoding_message_size(limit);
    let grpc = Routes::new(instances)
        .add_service(workflows)
        .add_service(mappings)
        .add_service(catalog)
        .add_service(dead_letters)
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .into_axum_router()
        .layer(CallMetrics)
        .layer(GrpcWebLayer::new());
    // Pages come beside the calls, not through the layer of gRPC-web, which refuses whatever is not a call.
    let router = Router::new().route("/", get(async || ABOUT)).fallback_service(grpc);
    Ok(if settings.insecure_non_loopback {
        router
    } else {
        router.layer(middleware::from_fn(loopback_only))
    })
}

/// Answers until told to stop, then lets the calls under way end.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> anyhow::Result<()> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_routes(Routes::from(router))
        .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
    let cut = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = server => Ok(served?),
        () = cut => {
            tracing::info!("calls under way were cut");
            Ok(())
        }
    }
}
