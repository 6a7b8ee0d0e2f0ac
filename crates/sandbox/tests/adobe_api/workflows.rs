//! Workflows and their signal activity (contracts/campaign.md §2.1 and §6.3, case 10).

use crosswalk_sandbox::faults::{Operation, Side};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Server};

const WORKFLOW: &str = "workflow/execution/WKF1";

async fn workflow(server: &Server) -> Value {
    server.get(WORKFLOW).await.expect(200)
}

async fn command(server: &Server, command: &str) -> Answer {
    server
        .post(&format!("{WORKFLOW}/commands"), &json!({"method": command}))
        .await
}

async fn trigger(server: &Server, body: &Value) -> Answer {
    let workflow = workflow(server).await;
    let url = workflow["activities"]["activity"]["signal1"]["trigger"]["href"]
        .as_str()
        .unwrap();
    assert!(url.contains("/activities/activity/@") && url.ends_with("/trigger/"));
    server.call_url(Method::POST, url, Some(body)).await
}

/// Asserts that a signal is refused as case 10, with this reason.
async fn misused(server: &Server, body: &Value, reason: &str) {
    let answer = trigger(server, body).await.expect(500);
    assert_eq!(answer["error_code"], "RST-360011");
    let message = answer["message"].as_str().unwrap();
    for fragment in ["RST-360011", reason, "XTK-170006", "RST-360000"] {
        assert!(message.contains(fragment), "{fragment} in {message}");
    }
}

#[tokio::test]
async fn undeclared_parameter_of_a_signal_is_case_10() {
    let server = Server::start().await;
    let body = json!({"source": "API", "parameters": {"audience": "a", "contentURL": "http://www.adobe.com"}});
    misused(
        &server,
        &body,
        "'contentURL' parameter isn't defined in signal activity.",
    )
    .await;
}

#[tokio::test]
async fn other_misuse_of_a_signal_is_case_10_as_well() {
    let server = Server::start().await;
    misused(&server, &json!({}), "'source' parameter is missing.").await;
    misused(
        &server,
        &json!({"source": "API", "parameters": {"limit": "many"}}),
        "'limit' parameter is not of type 'number'.",
    )
    .await;
    let long = json!({"source": "API", "parameters": {"audience": "x".repeat(64 * 1024)}});
    misused(&server, &long, "longer than 65536 bytes").await;
    command(&server, "stop").await.expect(200);
    misused(&server, &json!({"source": "API"}), "is not running").await;
}

#[tokio::test]
async fn signal_is_taken_once_in_ten_minutes() {
    let server = Server::start().await;
    let body = json!({"source": "API", "parameters": {"audience": "a", "test": "true", "limit": 5,
        "since": "2019-04-03 08:17:19.100Z"}});
    trigger(&server, &body).await.expect(200);
    misused(&server, &body, "one signal in 600 seconds").await;
    server
        .adobe
        .change_switches(|switches| switches.signal_interval_seconds = 0);
    trigger(&server, &body).await.expect(200);
}

#[tokio::test]
async fn commands_change_the_status_of_the_workflow() {
    let server = Server::start().await;
    for (method, status) in [
        ("pause", "paused"),
        ("resume", "started"),
        ("stop", "stopped"),
        ("resume", "stopped"),
        ("start", "started"),
    ] {
        command(&server, method).await.expect(200);
        assert_eq!(workflow(&server).await["status"], status, "after {method}");
    }
    command(&server, "delete").await.expect(500);
    let commands = workflow(&server).await["commands"]["href"].as_str().unwrap().to_owned();
    let body = json!({"method": "stop"});
    server.call_url(Method::POST, &commands, Some(&body)).await.expect(200);
    assert_eq!(workflow(&server).await["status"], "stopped");
}

#[tokio::test]
async fn unknown_workflows_are_cases_1_and_3() {
    let server = Server::start().await;
    let key = workflow(&server).await["PKey"].as_str().unwrap().to_owned();
    server.get(&format!("workflow/execution/{key}")).await.expect(200);
    let missing = server.get("workflow/execution/WKF9").await.expect(404);
    assert!(missing["message"].as_str().unwrap().contains("from key 'WKF9:0'"));
    let garbled = server.get("workflow/execution/@garbled").await.expect(500);
    assert_eq!(garbled["error_code"], "XTK-170036");
    server.get("workflow/other").await.expect(404);
    server.get(&format!("{WORKFLOW}/commands")).await.expect(405);
    let stage = format!("{}/sandbox-mkt-stage/campaign/workflow/execution/{key}", server.url);
    server.call_url(Method::GET, &stage, None).await.expect(500);
}

#[tokio::test]
async fn calls_of_workflows_are_no_engine_calls() {
    let server = Server::start().await;
    command(&server, "pause").await.expect(200);
    workflow(&server).await;
    assert_eq!(server.adobe.engine_calls(), Default::default());
    assert_eq!(server.counters.calls(Side::Campaign, Operation::Other), 2);
}
