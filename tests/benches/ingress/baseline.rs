//! The baseline: what the bare sandbox takes from a plain load generator, in the same run and on the same machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use http::{
    Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet};

use crate::{arguments::Arguments, contacts::Contacts, sandbox::Sandbox};

/// What every connection does: take the next body, post it, wait for the answer.
struct Work {
    bodies: Vec<Bytes>,
    next: AtomicUsize,
    authority: String,
    token: String,
}

/// New profiles per second that a sandbox without Crosswalk takes, over `--connections` keep-alive connections.
pub(crate) async fn measure(arguments: &Arguments, contacts: &Contacts, latency: Duration) -> anyhow::Result<f64> {
    let directory = tempfile::tempdir()?;
    // No contacts: nobody reads Dynamics here.
    let mut sandbox = Sandbox::start(0, arguments.seed, directory.path()).await?;
    let authority = sandbox.adobe().trim_start_matches("http://").to_owned();
    let work = Arc::new(Work {
        bodies: contacts.bodies.clone(),
        next: AtomicUsize::new(0),
        token: token(&sandbox).await?,
        authority,
    });
    let mut connections = Vec::new();
    for _ in 0..arguments.connections {
        connections.push(connect(&work.authority).await?);
    }
    sandbox.set_latency(latency).await?;
    let begin = Instant::now();
    let mut lanes: JoinSet<anyhow::Result<()>> = connections
        .into_iter()
        .map(|connection| post_all(connection, work.clone()))
        .collect();
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    let seconds = begin.elapsed().as_secs_f64();
    let profiles = sandbox.profiles().await?;
    anyhow::ensure!(
        usize::try_from(profiles)? == contacts.bodies.len(),
        "the baseline made {profiles} profiles of {} bodies",
        contacts.bodies.len()
    );
    sandbox.process.kill().await?;
    Ok(contacts.bodies.len() as f64 / seconds)
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

async fn post_all(mut connection: SendRequest<Full<Bytes>>, work: Arc<Work>) -> anyhow::Result<()> {
    while let Some(body) = work.bodies.get(work.next.fetch_add(1, Ordering::Relaxed)) {
        let request = Request::post("/sandbox/campaign/profileAndServicesExt/profile/")
            .header(HOST, &work.authority)
            .header(AUTHORIZATION, format!("Bearer {}", work.token))
            .header("x-api-key", "sandbox-client")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body.clone()))?;
        connection.ready().await?;
        let response = connection.send_request(request).await?;
        let status = response.status();
        let answer = response.into_body().collect().await?.to_bytes();
        anyhow::ensure!(
            status == StatusCode::CREATED,
            "the sandbox answers the baseline with {status}: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    Ok(())
}
