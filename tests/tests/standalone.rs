//! All of Crosswalk in one process, killed and started again on its data directory.

use std::{net::TcpListener, path::Path};

use anyhow::Context as _;
use crosswalk_proto::v1::{ListInstancesRequest, Workflow, workflow::Status};
use crosswalk_tests::{Api, PATIENCE, Process, TestKafka, command, eventually};
use rand::Rng as _;
use serde_json::Value;

const CONTACTS: u64 = 200;

const EMBEDDED: &str = "embedded";

/// A free port with two free ones behind it, for the sandbox's three listeners.
fn three_ports() -> anyhow::Result<u16> {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut tried = std::iter::repeat_with(|| rand::rng().random_range(20_000..32_000)).take(1_000);
    tried
        .find(|port| (*port..port + 3).all(is_free))
        .context("no three free ports in a row")
}

fn start(directory: &Path, sandbox: u16, kafka: &str) -> anyhow::Result<Process> {
    let mut command = command("crosswalk-standalone")?;
    command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    command.args([
        "--sandbox-listen",
        &format!("127.0.0.1:{sandbox}"),
        "--broker-port",
        "0",
        "--kafka",
        kafka,
    ]);
    command.args([
        "--contacts",
        &CONTACTS.to_string(),
        "--poll-interval",
        "300ms",
        "--data-dir",
    ]);
    command.arg(directory.join("data"));
    Process::spawn(command, &directory.join("standalone.log"))
}

/// A client of the process that was started last, once it answers.
async fn api(process: &mut Process, starts: usize) -> anyhow::Result<Api> {
    eventually("the API", PATIENCE, || {
        let printed = process.check().and_then(|()| process.output());
        async move {
            let printed = printed?;
            let addresses: Vec<&str> = printed
                .lines()
                .filter_map(|line| line.trim_start().strip_prefix("API "))
                .filter_map(|line| line.split_whitespace().next())
                .collect();
            anyhow::ensure!(addresses.len() == starts, "it printed {printed}");
            let mut api = Api::new(addresses[starts - 1].to_owned())?;
            api.instances.list_instances(ListInstancesRequest::default()).await?;
            Ok(api)
        }
    })
    .await
}

async fn profiles(sandbox: u16) -> anyhow::Result<u64> {
    let url = format!("http://127.0.0.1:{sandbox}/campaign/resources/profile/count");
    let client = reqwest::Client::builder().no_proxy().build()?;
    let count: Value = client.get(url).send().await?.json().await?;
    count["count"].as_u64().context("no count")
}

fn is_settled(workflow: &Workflow) -> bool {
    let progress = workflow.progress.unwrap_or_default();
    let ended = progress.records_written + progress.records_rejected;
    workflow.status() == Status::Running && workflow.backlog == Some(0) && ended.unsigned_abs() >= CONTACTS
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_goes_on_by_itself_and_fills_the_campaign_of_its_new_sandbox() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let sandbox = three_ports()?;
    let mut process = start(directory.path(), sandbox, EMBEDDED)?;
    let mut first = api(&mut process, 1).await?;
    assert_eq!(profiles(sandbox).await?, 0);
    first.start().await?;
    first.until("all contacts written", PATIENCE, is_settled).await?;
    let written = profiles(sandbox).await?;
    assert!(written > 0);

    process.kill().await?;
    let mut process = start(directory.path(), sandbox, EMBEDDED)?;
    // Nobody starts the workflow: that it is wanted stands in the log.
    let second = api(&mut process, 2).await?;
    second.until("all contacts written again", PATIENCE, is_settled).await?;
    assert_eq!(profiles(sandbox).await?, written);
    process.check()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_on_a_kafka_of_ones_own_and_makes_none() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let sandbox = three_ports()?;
    let kafka = TestKafka::start_process(directory.path()).await?;
    let mut process = start(directory.path(), sandbox, &kafka.settings().bootstrap)?;
    let mut api = api(&mut process, 1).await?;
    api.start().await?;
    api.until("all contacts written", PATIENCE, is_settled).await?;
    assert!(profiles(sandbox).await? > 0);
    let data: Vec<_> = std::fs::read_dir(directory.path().join("data"))?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<std::io::Result<_>>()?;
    assert!(
        data.iter().all(|file| file == "lock" || file == "sealing.key"),
        "{data:?}"
    );
    process.check()
}
