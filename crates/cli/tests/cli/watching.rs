//! `crosswalk workflows watch` into a pipe.

use std::process::Stdio;

use crosswalk_proto::v1::{Workflow, workflow::Status as WorkflowStatus};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
    time::timeout,
};
use tonic::Status;

use crate::{
    run::{PATIENCE, command},
    server::{Script, Server, alive, synchronized, workflow},
};

fn state(id: &str, status: WorkflowStatus, backlog: i64) -> Workflow {
    Workflow {
        name: format!("instances/demo/workflows/{id}"),
        status: status.into(),
        backlog: Some(backlog),
        ..Workflow::default()
    }
}

/// Starts a watch; it is killed when the child is dropped.
fn watch(server: &Server, arguments: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut command = command(&[&["workflows", "watch"], arguments].concat());
    let mut child = command
        .env("CROSSWALK_ENDPOINT", server.endpoint())
        .stdin(Stdio::null())
        .spawn()
        .expect("starts");
    let stdout = child.stdout.take().expect("is piped");
    (child, BufReader::new(stdout).lines())
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = timeout(PATIENCE, lines.next_line())
        .await
        .expect("a line comes in time")
        .expect("can be read");
    line.expect("the watch goes on")
}

#[tokio::test]
async fn json_watch_writes_a_line_for_each_state_across_a_reconnect() {
    let server = Server::start().await;
    let first = [
        workflow(state("ingress", WorkflowStatus::Starting, 0)),
        synchronized(),
        alive(),
    ];
    server
        .workflows
        .script(Script::broken(first, Status::unavailable("the server is going down")));
    server.workflows.script(Script::open([
        workflow(state("ingress", WorkflowStatus::Running, 12)),
        synchronized(),
    ]));

    let (mut child, mut lines) = watch(&server, &["--output", "json"]);
    let mut states = Vec::new();
    for _ in 0..2 {
        let line: serde_json::Value = serde_json::from_str(&next(&mut lines).await).expect("a line is JSON");
        states.push((line["status"].clone(), line["backlog"].clone()));
    }
    assert_eq!(
        states,
        [
            ("STATUS_STARTING".into(), "0".into()),
            ("STATUS_RUNNING".into(), "12".into())
        ]
    );

    let mut messages = BufReader::new(child.stderr.take().expect("is piped")).lines();
    let mut message = async || {
        timeout(PATIENCE, messages.next_line())
            .await
            .expect("in time")
            .expect("can be read")
    };
    assert_eq!(
        message().await.as_deref(),
        Some("connection lost: the server is going down; trying again in 500ms")
    );
    assert_eq!(message().await.as_deref(), Some("connected again"));
}

#[tokio::test]
async fn plain_watch_writes_a_line_only_for_what_changed_and_was_asked_for() {
    let server = Server::start().await;
    server.workflows.script(Script::open([
        workflow(state("ingress", WorkflowStatus::Running, 12)),
        workflow(state("egress", WorkflowStatus::Stopped, 0)),
        synchronized(),
        workflow(state("ingress", WorkflowStatus::Running, 12)),
        workflow(state("ingress", WorkflowStatus::Running, 1_300)),
    ]));
    let (_child, mut lines) = watch(&server, &["ingress"]);
    let mut told = Vec::new();
    for _ in 0..2 {
        let line = next(&mut lines).await;
        let (time, rest) = line.split_once(' ').expect("begins with the time");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{line}");
        told.push(rest.to_owned());
    }
    assert_eq!(told, ["ingress RUNNING backlog 12", "ingress RUNNING backlog 1,300"]);
}

#[tokio::test]
async fn watch_ends_quietly_when_its_reader_goes_away() {
    let server = Server::start().await;
    let states = (0..10_000).map(|backlog| workflow(state("ingress", WorkflowStatus::Running, backlog)));
    server.workflows.script(Script::open(states));
    let (mut child, mut lines) = watch(&server, &["--output", "json"]);
    next(&mut lines).await;
    drop(lines);
    let code = timeout(PATIENCE, child.wait())
        .await
        .expect("ends in time")
        .expect("is waited for")
        .code();
    assert_eq!(code, Some(0));
}
