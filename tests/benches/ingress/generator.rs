//! A plain load generator: keep-alive connections that send one request after the other. What it gets through is what the bare
//! sandbox takes on this machine.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use http::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet};

use crate::sandbox::Sandbox;

/// Where profiles are written.
pub(crate) const PROFILES: &str = "/sandbox/campaign/profileAndServicesExt/profile/";

/// One request for Campaign.
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) body: Bytes,
    /// The status it must be answered with.
    pub(crate) status: StatusCode,
}

struct Access {
    authority: String,
    token: String,
}

/// Sends the requests of each lane in order, each lane over a connection of its own, and says how long that took.
pub(crate) async fn send<Lane>(sandbox: &Sandbox, lanes: Vec<Lane>) -> anyhow::Result<Duration>
where
    Lane: Iterator<Item = Request> + Send + 'static,
{
    let access = Arc::new(Access {
        authority: sandbox.adobe().trim_start_matches("http://").to_owned(),
        token: token(sandbox).await?,
    });
    let mut ready = Vec::with_capacity(lanes.len());
    for lane in lanes {
        ready.push((connect(&access.authority).await?, lane));
    }
    let begin = Instant::now();
    let mut sending: JoinSet<anyhow::Result<()>> = ready
        .into_iter()
        .map(|(connection, lane)| send_all(connection, lane, Arc::clone(&access)))
        .collect();
    while let Some(sent) = sending.join_next().await {
        sent??;
    }
    Ok(begin.elapsed())
}

async fn token(sandbox: &Sandbox) -> anyhow::Result<String> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "sandbox-client"),
        ("client_secret", "sandbox-secret"),
        ("scope", "openid,AdobeID,campaign_sdk"),
    ];
    let url = format!("{}/ims/token/v3", sandbox.adobe());
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer: Value = client
        .post(url)
        .form(&form)
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let token = answer["access_token"].as_str().context("the sandbox gives no token")?;
    Ok(token.to_owned())
}

async fn connect(authority: &str) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // Its error shows in the request that waits for it.
    tokio::spawn(connection);
    Ok(sender)
}

async fn send_all(
    mut connection: SendRequest<Full<Bytes>>,
    lane: impl Iterator<Item = Request>,
    access: Arc<Access>,
) -> anyhow::Result<()> {
    for wanted in lane {
        let request = http::Request::builder()
            .method(wanted.method)
            .uri(wanted.target)
            .header(HOST, &access.authority)
            .header(AUTHORIZATION, format!("Bearer {}", access.token))
            .header("x-api-key", "sandbox-client")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(wanted.body))?;
        connection.ready().await?;
        let response = connection.send_request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        anyhow::ensure!(
            status == wanted.status,
            "the sandbox answers the load generator with {status}: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    Ok(())
}
