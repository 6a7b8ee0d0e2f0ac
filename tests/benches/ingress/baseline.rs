//! The baselines: what the bare sandbox gives and takes, in the same run and on the same machine, with nothing else running.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::{
    arguments::Arguments,
    contacts::Contacts,
    generator::{PROFILES, Request, send},
    sandbox::Sandbox,
    stream::Stream,
};

/// New profiles per second that a sandbox takes, over `--connections` connections.
pub(crate) async fn inserts(arguments: &Arguments, contacts: &Contacts, latency: Duration) -> anyhow::Result<f64> {
    let directory = tempfile::tempdir()?;
    // No contacts: nobody reads Dynamics here.
    let mut sandbox = Sandbox::start(0, arguments.seed, directory.path()).await?;
    sandbox.set_latency(latency).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let lane = |_| {
        let (bodies, next) = (contacts.bodies.clone(), Arc::clone(&next));
        std::iter::from_fn(move || bodies.get(next.fetch_add(1, Ordering::Relaxed)).cloned().map(insert))
    };
    let took = send(&sandbox, (0..arguments.connections).map(lane).collect()).await?;
    let profiles = usize::try_from(sandbox.profiles().await?)?;
    anyhow::ensure!(
        profiles == contacts.bodies.len(),
        "the baseline made {profiles} profiles of {} bodies",
        contacts.bodies.len()
    );
    sandbox.process.kill().await?;
    Ok(profiles as f64 / took.as_secs_f64())
}

/// Updates per second that a sandbox takes: those of a stream, the updates of a profile in order, over as many connections as a
/// writer has calls in flight at most, but never more than there are profiles.
pub(crate) async fn updates(stream: &Arc<Stream>, calls_in_flight: u64, latency: Duration) -> anyhow::Result<f64> {
    let directory = tempfile::tempdir()?;
    let mut sandbox = Sandbox::start(0, 0, directory.path()).await?;
    let lanes = calls_in_flight.min(stream.keys);
    let (keys, step) = (stream.keys, usize::try_from(lanes)?);
    // A contact has one lane, in which its changes come in order.
    let of_lane = move |lane: u64, count: u64| {
        (0..count)
            .step_by(keys as usize)
            .flat_map(move |round| (lane..keys).step_by(step).map(move |key| round + key))
            .filter(move |sequence| *sequence < count)
    };
    let inserts = |lane| {
        let stream = Arc::clone(stream);
        of_lane(lane, stream.keys).map(move |sequence| insert(stream.body(sequence)))
    };
    send(&sandbox, (0..lanes).map(inserts).collect()).await?;

    sandbox.keep_journal(Some(stream.records)).await?;
    sandbox.set_latency(latency).await?;
    let updates = |lane| {
        let stream = Arc::clone(stream);
        of_lane(lane, stream.records).map(move |sequence| Request {
            method: Method::PATCH,
            target: format!("{PROFILES}{}", stream.id(sequence)),
            body: stream.body(sequence),
            status: StatusCode::OK,
        })
    };
    let took = send(&sandbox, (0..lanes).map(updates).collect()).await?;
    sandbox.process.kill().await?;
    Ok(stream.records as f64 / took.as_secs_f64())
}

/// Rows per second that come out of a sandbox: the pages of a read with change tracking, one after the other, each parsed.
pub(crate) async fn pages(sandbox: &Sandbox, columns: &[&str]) -> anyhow::Result<f64> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let token = sandbox.dynamics_token().await?;
    let select = columns.join(",");
    let mut next = Some(format!(
        "{}/api/data/v9.2/contacts?$select={select}",
        sandbox.microsoft()
    ));
    let (begin, mut rows) = (Instant::now(), 0);
    while let Some(url) = next {
        let request = client
            .get(url)
            .bearer_auth(&token)
            .header("Prefer", "odata.track-changes,odata.maxpagesize=5000");
        let body = request.send().await?.error_for_status()?.bytes().await?;
        let page: Value = serde_json::from_slice(&body)?;
        rows += page["value"].as_array().context("a page without rows")?.len();
        next = page["@odata.nextLink"].as_str().map(str::to_owned);
    }
    Ok(rows as f64 / begin.elapsed().as_secs_f64())
}

fn insert(body: bytes::Bytes) -> Request {
    Request {
        method: Method::POST,
        target: PROFILES.to_owned(),
        body,
        status: StatusCode::CREATED,
    }
}
