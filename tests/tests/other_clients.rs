//! What clients other than ours rely on: gRPC-web for browsers, reflection for grpcurl and its like, health for orchestrators.

use anyhow::Context as _;
use bytes::{Buf as _, BufMut as _, Bytes};
use crosswalk_proto::v1::{GetInstanceRequest, GetWorkflowRequest, Workflow, workflow::Status};
use crosswalk_tests::{INGRESS, PATIENCE, World, WorldOptions, eventually};
use futures::StreamExt as _;
use prost::Message;
use tonic::{Code, transport::Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

/// The services of the API, by their full names.
const SERVICES: [&str; 5] = [
    "crosswalk.v1.Catalog",
    "crosswalk.v1.DeadLetters",
    "crosswalk.v1.Instances",
    "crosswalk.v1.Mappings",
    "crosswalk.v1.Workflows",
];

/// Frames of gRPC-web: a flag, a length, the bytes.
const HEADER: usize = 5;
const TRAILERS: u8 = 0x80;

async fn world() -> anyhow::Result<World> {
    World::start(WorldOptions {
        contacts: 1,
        ..WorldOptions::default()
    })
    .await
}

/// One call as a browser makes it: over HTTP/1.1, with the status in a frame behind the message.
async fn call_as_a_browser<A: Message + Default>(
    endpoint: &str,
    method: &str,
    request: &impl Message,
) -> anyhow::Result<(Option<A>, String)> {
    let message = request.encode_to_vec();
    let mut body = Vec::with_capacity(HEADER + message.len());
    body.put_u8(0);
    body.put_u32(u32::try_from(message.len())?);
    body.extend_from_slice(&message);
    let client = reqwest::Client::builder().no_proxy().http1_only().build()?;
    let answer = client
        .post(format!("{endpoint}/{method}"))
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1")
        .body(body)
        .send()
        .await?
        .error_for_status()?;
    let in_headers = answer.headers().get("grpc-status").cloned();
    let mut frames = answer.bytes().await?;
    if let Some(status) = in_headers {
        return Ok((None, format!("grpc-status:{}", status.to_str()?)));
    }
    let (mut message, mut trailers) = (None, String::new());
    while frames.remaining() >= HEADER {
        let flag = frames.get_u8();
        let length = usize::try_from(frames.get_u32())?;
        let frame: Bytes = frames.split_to(length);
        if flag == TRAILERS {
            trailers = String::from_utf8(frame.to_vec())?;
        } else {
            message = Some(A::decode(frame)?);
        }
    }
    Ok((message, trailers))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_calls_the_api_over_grpc_web_and_reads_its_errors() -> anyhow::Result<()> {
    let world = world().await?;
    let endpoint = world.endpoint(0)?;
    let request = GetWorkflowRequest {
        name: INGRESS.to_owned(),
    };
    let (workflow, trailers) =
        call_as_a_browser::<Workflow>(&endpoint, "crosswalk.v1.Workflows/GetWorkflow", &request).await?;
    let workflow = workflow.context("an answer")?;
    assert_eq!((workflow.name.as_str(), workflow.status()), (INGRESS, Status::Stopped));
    assert!(trailers.contains("grpc-status:0"), "{trailers}");

    let nobody = GetInstanceRequest {
        name: "instances/nobody".to_owned(),
    };
    let (instance, trailers) =
        call_as_a_browser::<Workflow>(&endpoint, "crosswalk.v1.Instances/GetInstance", &nobody).await?;
    assert_eq!(instance, None);
    let expected = format!("grpc-status:{}", Code::NotFound as i32);
    assert!(trailers.contains(&expected), "{trailers}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_names_every_service_and_describes_its_messages() -> anyhow::Result<()> {
    let world = world().await?;
    let channel = Endpoint::from_shared(world.endpoint(0)?)?.connect().await?;
    let mut reflection = ServerReflectionClient::new(channel);
    let ask = |message_request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message_request),
    };
    let symbol = "crosswalk.v1.Workflow".to_owned();
    let questions = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(symbol)),
    ];
    let mut answers = reflection
        .server_reflection_info(futures::stream::iter(questions))
        .await?
        .into_inner();

    let answer = answers.next().await.context("an answer")??;
    let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
        anyhow::bail!("{answer:?}");
    };
    let names: Vec<&str> = listed.service.iter().map(|service| service.name.as_str()).collect();
    for service in SERVICES {
        assert!(names.contains(&service), "{service} is not in {names:?}");
    }
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");

    let answer = answers.next().await.context("an answer")??;
    let Some(MessageResponse::FileDescriptorResponse(files)) = answer.message_response else {
        anyhow::bail!("{answer:?}");
    };
    let file = files.file_descriptor_proto.first().context("a file")?;
    let file = prost_types::FileDescriptorProto::decode(file.as_slice())?;
    let mut messages = file.message_type.iter();
    let workflow = messages
        .find(|message| message.name() == "Workflow")
        .context("the message Workflow")?;
    assert!(workflow.field.iter().any(|field| field.name() == "backlog"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_when_the_api_can_be_used() -> anyhow::Result<()> {
    let world = World::start_empty(WorldOptions {
        contacts: 1,
        ..WorldOptions::default()
    })
    .await?;
    let channel = Endpoint::from_shared(world.endpoint(0)?)?.connect_lazy();
    let health = HealthClient::new(channel);
    for service in SERVICES.into_iter().chain([""]) {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        eventually("it serves", PATIENCE, || {
            let (mut health, request) = (health.clone(), request.clone());
            async move {
                let status = health.check(request).await?.into_inner().status();
                anyhow::ensure!(status == ServingStatus::Serving, "{status:?}");
                Ok(())
            }
        })
        .await?;
    }
    let unknown = HealthCheckRequest {
        service: "crosswalk.v1.Nothing".to_owned(),
    };
    let refused = health.clone().check(unknown).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    Ok(())
}
