//! How failures are told, and their exit codes.

use insta::assert_snapshot;
use tokio::net::TcpListener;
use tonic::Code;

use crate::{
    run::{run, run_alone, run_with_input},
    server::{Server, error},
};

#[tokio::test]
async fn refusal_tells_message_code_reason_and_hint() {
    let server = Server::start().await;
    let ran = run(&server, &["--instance", "elsewhere", "workflows", "list"]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 1
    --- stdout
    --- stderr
    error: there is no instances/elsewhere (NOT_FOUND, INSTANCE_NOT_FOUND)
    hint: the `list` commands show what there is; is --instance the one you mean?
    ");
}

#[tokio::test]
async fn each_bad_field_is_told_with_its_reason() {
    let server = Server::start().await;
    let file = r#"{"dynamicsTable": "account", "fields": [
        {"dynamicsField": "name", "campaignField": "unknownOne"},
        {"dynamicsField": "city", "campaignField": "city"},
        {"dynamicsField": "fax", "campaignField": "unknownTwo"}
    ]}"#;
    let ran = run_with_input(&server, &["mappings", "apply", "--id", "account", "-f", "-"], file).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 1
    --- stdout
    --- stderr
    error: the mapping does not fit the two systems (INVALID_ARGUMENT, INVALID_FIELDS)
      mapping.fields[0].campaign_field: `unknownOne` is not a field of profile
      mapping.fields[2].campaign_field: `unknownTwo` is not a field of profile
    hint: correct the fields named above and try again
    ");
}

#[tokio::test]
async fn unavailable_told_by_the_server_is_not_an_absent_server() {
    let server = Server::start().await;
    let refusal = error(
        Code::Unavailable,
        "KAFKA_UNAVAILABLE",
        "no broker answers at kafka:9092",
    );
    *server.workflows.refusal.lock() = Some(refusal);
    let ran = run(&server, &["workflows", "start", "ingress"]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 1
    --- stdout
    --- stderr
    error: no broker answers at kafka:9092 (UNAVAILABLE, KAFKA_UNAVAILABLE)
    hint: this passes by itself when Kafka or the other system answers again; try again then
    ");
}

#[tokio::test]
async fn absent_server_is_told_with_its_address_and_how_to_start_one() {
    // Bound and let go: nothing listens there now.
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free")
        .local_addr()
        .expect("is bound");
    let endpoint = format!("http://{address}");
    let ran = run_alone(&["--endpoint", &endpoint, "workflows", "list"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (5, ""));
    assert!(
        ran.stderr
            .starts_with(&format!("error: no Crosswalk server answers at {endpoint}: ")),
        "{ran:?}"
    );
    assert!(
        ran.stderr.contains("`make up`") && ran.stderr.contains("--endpoint"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn wrong_usage_ends_with_2_before_anything_is_sent() {
    for arguments in [
        &["workflows", "start", "sideways"][..],
        &["workflows", "start", "ingress", "--timeout", "5m"],
        &["workflows", "start", "ingress", "--wait", "--timeout", "soon"],
        &["--instance", "Not An Id", "workflows", "list"],
        &["--endpoint", "ftp://127.0.0.1", "workflows", "list"],
        &["--endpoint", "https://crosswalk.example", "workflows", "list"],
        &["mappings", "apply", "-f", "/does/not/exist.json"],
        &["instances", "delete"],
        &[],
    ] {
        let ran = run_alone(arguments).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?} says nothing");
    }
}

#[tokio::test]
async fn completions_are_written_without_a_server() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run_alone(&["completions", shell]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.stdout.contains("revisions"),
            "the script for {shell} does not know the commands"
        );
    }
}

#[tokio::test]
async fn reader_that_goes_away_is_no_failure() {
    let mut child = crate::run::command(&["completions", "bash"]).spawn().expect("starts");
    drop(child.stdout.take());
    let output = tokio::time::timeout(crate::run::PATIENCE, child.wait_with_output());
    let output = output.await.expect("ends in time").expect("is waited for");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn help_teaches_with_examples() {
    for (arguments, example) in [
        (&["--help"][..], "crosswalk workflows start ingress --wait"),
        (&["workflows", "start", "--help"], "--wait=running"),
        (&["mappings", "apply", "--help"], "\"dynamicsTable\": \"contact\""),
        (&["instances", "create", "--help"], "CROSSWALK_CAMPAIGN_SECRET"),
    ] {
        let ran = run_alone(arguments).await;
        assert_eq!(ran.code, 0);
        assert!(
            ran.stdout.contains(example),
            "{arguments:?} lacks `{example}`:\n{}",
            ran.stdout
        );
    }
}
