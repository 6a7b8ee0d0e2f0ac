//! `crosswalk workflows`, without `watch`.

use crosswalk_proto::v1::{Failure, Progress, Workflow, workflow::Status as WorkflowStatus};
use insta::assert_snapshot;
use serde_json::json;
use tonic::{Code, Status};

use crate::{
    run::run,
    server::{Script, Server, error, synchronized, workflow},
};

fn state(status: WorkflowStatus) -> Workflow {
    let run = matches!(
        status,
        WorkflowStatus::Running | WorkflowStatus::Starting | WorkflowStatus::Failed
    );
    Workflow {
        name: "instances/demo/workflows/ingress".to_owned(),
        display_name: "Microsoft Dynamics 365 to Campaign".to_owned(),
        status: status.into(),
        run_id: if run { "run-1".to_owned() } else { String::new() },
        revision: if run { 12 } else { 0 },
        last_actor: "boris".to_owned(),
        ..Workflow::default()
    }
}

fn loading(read: i64, written: i64, expected: Option<i64>) -> Workflow {
    let progress = Progress {
        records_read: read,
        records_written: written,
        records_expected: expected,
        ..Progress::default()
    };
    Workflow {
        progress: Some(progress),
        backlog: Some(read - written),
        ..state(WorkflowStatus::Running)
    }
}

#[tokio::test]
async fn list_shows_status_backlog_and_counts() {
    let server = Server::start().await;
    let ran = run(&server, &["workflows", "list"]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 0
    --- stdout
    WORKFLOW    STATUS   SINCE      BACKLOG  WRITTEN          REJECTED  NOTE
    ingress     RUNNING  3 min ago  4,007    1,200 of 50,000  3         edited since it was started; stop and start to apply
    egress      STOPPED  –          0        –                –
    opt-in-out  STOPPED  –          0        –                –
    --- stderr
    ");
}

#[tokio::test]
async fn get_shows_workers_too() {
    let server = Server::start().await;
    let ran = run(&server, &["workflows", "get", "ingress"]).await;
    assert_eq!(ran.code, 0);
    for part in [
        "3 min ago",
        "1,200 of 50,000",
        "4,007",
        "run-1, revision 12",
        "campaign-writer",
        "stop and start",
    ] {
        assert!(ran.stdout.contains(part), "`{part}` is missing:\n{}", ran.stdout);
    }
}

#[tokio::test]
async fn json_is_proto3_json_and_a_list_is_an_array() {
    let server = Server::start().await;
    let list = run(&server, &["workflows", "list", "--output", "json"]).await.json();
    let names: Vec<_> = list
        .as_array()
        .expect("is an array")
        .iter()
        .map(|entry| entry["name"].clone())
        .collect();
    assert_eq!(
        names,
        ["ingress", "egress", "opt-in-out"].map(|id| json!(format!("instances/demo/workflows/{id}")))
    );
    assert_eq!(list[0]["status"], "STATUS_RUNNING");
    assert_eq!(list[0]["backlog"], "4007");
    let time = list[0]["statusTime"].as_str().expect("is text");
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");

    let one = run(&server, &["-o", "json", "workflows", "get", "egress"]).await.json();
    assert_eq!(one["name"], "instances/demo/workflows/egress");
}

#[tokio::test]
async fn diff_shows_running_against_draft() {
    let server = Server::start().await;
    let ran = run(&server, &["workflows", "diff", "ingress"]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 0
    --- stdout
    SETTING                        RUNNING        DRAFT
    mappings/contact/fields/email  emailaddress1  emailaddress2
    mappings/contact/fields/phone  –              telephone1
    --- stderr
    ");
    let none = run(&server, &["-o", "json", "workflows", "diff", "egress"]).await;
    assert_eq!(none.json(), json!([]));
}

#[tokio::test]
async fn revisions_come_from_all_pages() {
    let server = Server::start().await;
    let ran = run(&server, &["workflows", "revisions", "ingress"]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 0
    --- stdout
    REVISION  TIME       ACTOR  ACTION   RESOURCE
    12        3 min ago  anna   started  instances/demo/workflows/ingress
    9         2 h ago    anna   stopped  instances/demo/workflows/ingress
    --- stderr
    ");
}

#[tokio::test]
async fn start_without_wait_returns_at_once() {
    let server = Server::start().await;
    let ran = run(&server, &["workflows", "start", "ingress", "-o", "json"]).await;
    assert_eq!(ran.json()["status"], "STATUS_STARTING");
    assert_eq!(ran.stderr, "started ingress as run run-1\n");
}

#[tokio::test]
async fn start_wait_returns_when_the_initial_load_is_through() {
    let server = Server::start().await;
    server.workflows.script(Script::open([
        workflow(state(WorkflowStatus::Stopped)),
        synchronized(),
        workflow(state(WorkflowStatus::Starting)),
        workflow(loading(2_000, 0, Some(5_000))),
        workflow(loading(5_000, 4_000, Some(5_000))),
        workflow(loading(5_000, 5_000, None)),
    ]));
    let ran = run(&server, &["workflows", "start", "ingress", "--wait", "-o", "json"]).await;
    let workflow = ran.json();
    assert_eq!(
        (&workflow["status"], &workflow["backlog"]),
        (&json!("STATUS_RUNNING"), &json!("0"))
    );
    assert_eq!(workflow["progress"]["recordsWritten"], "5000");
    assert!(
        ran.stderr
            .contains("ingress is RUNNING: 0 of 5,000 records written, 2,000 waiting"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn wait_for_running_does_not_wait_for_the_load() {
    let server = Server::start().await;
    server
        .workflows
        .script(Script::open([synchronized(), workflow(loading(2_000, 0, Some(5_000)))]));
    let ran = run(
        &server,
        &["workflows", "start", "ingress", "--wait=running", "-o", "json"],
    )
    .await;
    assert_eq!(ran.json()["backlog"], "2000");
}

#[tokio::test]
async fn wait_ends_with_3_on_a_failed_workflow_and_says_why() {
    let server = Server::start().await;
    let failure = Failure {
        code: "DYNAMICS_AUTHENTICATION_FAILED".to_owned(),
        message: "the client secret has expired; make a new one in Entra and update the instance".to_owned(),
        time: None,
    };
    let failed = Workflow {
        failure: Some(failure),
        ..state(WorkflowStatus::Failed)
    };
    server.workflows.script(Script::open([
        synchronized(),
        workflow(state(WorkflowStatus::Starting)),
        workflow(failed),
    ]));
    let ran = run(&server, &["workflows", "start", "ingress", "--wait"]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 3
    --- stdout
    --- stderr
    started ingress as run run-1
    ingress is STARTING
    ingress is FAILED
    error: workflow ingress is FAILED
      DYNAMICS_AUTHENTICATION_FAILED: the client secret has expired; make a new one in Entra and update the instance
    hint: mend the cause, then `crosswalk workflows start ingress`; details: `crosswalk workflows get ingress`
    ");
}

#[tokio::test]
async fn wait_ends_with_4_when_the_time_is_up() {
    let server = Server::start().await;
    server
        .workflows
        .script(Script::open([synchronized(), workflow(loading(10, 0, Some(5_000)))]));
    let ran = run(
        &server,
        &["workflows", "start", "ingress", "--wait", "--timeout", "300ms"],
    )
    .await;
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
    assert!(
        ran.stderr
            .contains("error: workflow ingress is RUNNING and not through its initial load after 300ms"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn wait_outlives_a_broken_stream() {
    let server = Server::start().await;
    let draining = error(Code::Unavailable, "DRAINING", "the server is going down");
    server.workflows.script(Script::broken(
        [workflow(state(WorkflowStatus::Starting)), synchronized()],
        draining,
    ));
    server
        .workflows
        .script(Script::open([workflow(loading(0, 0, None)), synchronized()]));
    let ran = run(&server, &["workflows", "start", "ingress", "--wait=running"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stderr
            .contains("connection lost: the server is going down; trying again in 500ms"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn wait_ends_when_somebody_else_stops_the_workflow() {
    let server = Server::start().await;
    let states = [WorkflowStatus::Starting, WorkflowStatus::Stopped].map(|status| workflow(state(status)));
    server.workflows.script(Script::open(states));
    let ran = run(&server, &["workflows", "start", "ingress", "--wait"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(
        ran.stderr
            .contains("error: workflow ingress was stopped by boris meanwhile"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn wait_ends_when_the_instance_is_deleted() {
    let server = Server::start().await;
    server.workflows.script(Script::broken(
        [synchronized()],
        Status::not_found("there is no instances/demo"),
    ));
    let ran = run(&server, &["workflows", "start", "ingress", "--wait"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains("error: there is no instances/demo (NOT_FOUND)"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn stop_wait_returns_when_the_last_worker_has_left() {
    let server = Server::start().await;
    server.workflows.script(Script::open([
        workflow(state(WorkflowStatus::Running)),
        synchronized(),
        workflow(Workflow {
            stopping: true,
            ..state(WorkflowStatus::Stopped)
        }),
        workflow(Workflow {
            backlog: Some(17),
            ..state(WorkflowStatus::Stopped)
        }),
    ]));
    let ran = run(&server, &["workflows", "stop", "ingress", "--wait", "-o", "json"]).await;
    assert_eq!(
        (ran.json()["status"].clone(), ran.json()["backlog"].clone()),
        (json!("STATUS_STOPPED"), json!("17"))
    );
    assert!(
        ran.stderr.contains("ingress is STOPPED, workers are still ending"),
        "{ran:?}"
    );
}
