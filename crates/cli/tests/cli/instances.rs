//! `crosswalk instances`.

use std::path::PathBuf;

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::{
    run::{command, run, run_with_input},
    server::Server,
};

const STAGE: &str = r#"
displayName = "Contoso, stage"

[dynamics]
environmentUrl = "https://contoso-stage.api.crm4.dynamics.com"
tenantId = "contoso.onmicrosoft.com"
clientId = "5b0ad6a4-6f9f-4bb4-93c1-7d5d1d2e0f11"

[campaign]
organization = "contoso-mkt-stage"
clientId = "3f2b8f0f8a7f4d0db2d1"
"#;

fn secret_file(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("is written");
    path
}

#[tokio::test]
async fn list_and_get_show_settings_without_secrets() {
    let server = Server::start().await;
    let list = run(&server, &["instances", "list"]).await;
    let get = run(&server, &["instances", "get"]).await;
    assert_snapshot!(format!("{}\n{}", list.transcript(), get.transcript()), @r"
    exit 0
    --- stdout
    INSTANCE  NAME  DYNAMICS 365                           CAMPAIGN           UPDATED
    demo      Demo  https://contoso.api.crm4.dynamics.com  contoso-mkt-stage  25 h ago
    --- stderr

    exit 0
    --- stdout
    Instance:  demo
    Created:   25 h ago
    Updated:   25 h ago

    SETTING                  VALUE
    displayName              Demo
    dynamics.environmentUrl  https://contoso.api.crm4.dynamics.com
    dynamics.tenantId        contoso.onmicrosoft.com
    dynamics.clientId        5b0ad6a4-6f9f-4bb4-93c1-7d5d1d2e0f11
    campaign.organization    contoso-mkt-stage
    campaign.clientId        3f2b8f0f8a7f4d0db2d1
    --- stderr
    ");
}

#[tokio::test]
async fn create_takes_secrets_from_a_file_and_the_environment_and_shows_none() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().expect("is made");
    let settings = secret_file(&directory, "stage.toml", STAGE);
    let secret = secret_file(&directory, "dynamics.secret", "s3cret~dynamics\n");
    let mut command = command(&["instances", "create", "stage", "-f"]);
    command.arg(settings).arg("--dynamics-secret-file").arg(secret);
    command
        .env("CROSSWALK_CAMPAIGN_SECRET", "s3cret~campaign")
        .env("CROSSWALK_ENDPOINT", server.endpoint());
    let output = command.output().await.expect("runs");
    let written = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8(bytes).expect("is UTF-8"))
        .concat();
    assert_eq!(output.status.code(), Some(0), "{written}");
    assert!(
        written.contains("created instance stage") && !written.contains("s3cret"),
        "{written}"
    );

    let stored = server
        .instances
        .stored
        .lock()
        .get("instances/stage")
        .cloned()
        .expect("is there");
    assert_eq!(stored.dynamics.expect("is set").client_secret, "s3cret~dynamics");
    assert_eq!(stored.campaign.expect("is set").client_secret, "s3cret~campaign");
}

#[tokio::test]
async fn update_sends_the_present_etag_and_tells_what_changed() {
    let server = Server::start().await;
    let file = run(&server, &["instances", "get", "-o", "json"]).await.json();
    let mut edited = file.clone();
    edited["displayName"] = "Demo, renamed".into();
    edited["etag"] = "".into();
    let ran = run_with_input(&server, &["instances", "update", "-f", "-"], &edited.to_string()).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 0
    --- stdout
    SETTING      BEFORE  AFTER
    displayName  Demo    Demo, renamed
    --- stderr
    updated instance demo
    ");

    // The file still has the etag of before.
    let stale = run_with_input(&server, &["instances", "update", "-f", "-"], &file.to_string()).await;
    assert_eq!(stale.code, 1, "{stale:?}");
    assert!(stale.stderr.contains("(ABORTED, ETAG_MISMATCH)"), "{stale:?}");
}

#[tokio::test]
async fn new_secret_counts_as_a_change_but_is_not_shown() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().expect("is made");
    let secret = secret_file(&directory, "secret", "s3cret");
    let file = run(&server, &["instances", "get", "-o", "json"]).await.stdout;
    let secret = secret.to_str().expect("is UTF-8");
    let arguments = [
        "instances",
        "update",
        "-f",
        "-",
        "--campaign-secret-file",
        secret,
        "-o",
        "json",
    ];
    let ran = run_with_input(&server, &arguments, &file).await;
    assert_eq!(ran.json()["changes"][0]["path"], "campaign.clientSecret");
    assert!(!ran.stdout.contains("s3cret"), "{ran:?}");
}

#[tokio::test]
async fn empty_secret_file_is_wrong_usage() {
    let server = Server::start().await;
    let directory = tempfile::tempdir().expect("is made");
    let secret = secret_file(&directory, "secret", "\n");
    let secret = secret.to_str().expect("is UTF-8");
    let arguments = [
        "instances",
        "create",
        "stage",
        "-f",
        "-",
        "--dynamics-secret-file",
        secret,
    ];
    let ran = run_with_input(&server, &arguments, STAGE).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("is empty"), "{ran:?}");
}

#[tokio::test]
async fn test_tells_each_system_and_fails_if_one_does() {
    let server = Server::start().await;
    assert_eq!(run(&server, &["instances", "test"]).await.code, 0);
    let ran = run(&server, &["instances", "test", "stage"]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 1
    --- stdout
    SYSTEM        RESULT  CODE                            MESSAGE
    Dynamics 365  ok      –                               signed in as # Crosswalk
    Campaign      failed  CAMPAIGN_AUTHENTICATION_FAILED  the client secret is wrong; make a new one in the Adobe Developer Console
    --- stderr
    error: 1 of 2 connections failed the test
    ");
    let json = run(&server, &["instances", "test", "stage", "-o", "json"]).await;
    assert_eq!(json.code, 1);
    let results: serde_json::Value = serde_json::from_str(&json.stdout).expect("is JSON");
    assert_eq!(results["campaign"]["code"], "CAMPAIGN_AUTHENTICATION_FAILED");
}

#[tokio::test]
async fn instance_that_runs_is_not_deleted() {
    let server = Server::start().await;
    let ran = run(&server, &["instances", "delete", "demo"]).await;
    assert_snapshot!(ran.transcript(), @r"
    exit 1
    --- stdout
    --- stderr
    error: ingress is RUNNING; stop it first (FAILED_PRECONDITION, WORKFLOWS_NOT_STOPPED)
    hint: `crosswalk workflows list` shows the state the workflows are in
    ");
    assert!(server.instances.stored.lock().contains_key("instances/demo"));
}
