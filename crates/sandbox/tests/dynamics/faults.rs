//! Fault rules, latency and counters as a client meets them.

use std::time::{Duration, Instant};

use crosswalk_sandbox::faults::{Effect, Operation, Rule, Side};
use reqwest::Method;
use serde_json::json;

use crate::client::Environment;

fn rule(operation: Operation, effect: Effect) -> Rule {
    Rule::new(Side::Dynamics, operation, effect).times(1)
}

#[tokio::test]
async fn throttle_rule_answers_as_the_product_does() {
    let environment = Environment::with_contacts(1).await;
    environment
        .sandbox
        .faults()
        .add(rule(Operation::List, Effect::Throttle { retry_after_seconds: 7 }));
    let answer = environment.get("contacts").await;
    assert_eq!(answer.header("retry-after"), "7");
    answer.expect_error(429, "0x80072322");
    environment.get("contacts").await.expect(200);
}

#[tokio::test]
async fn status_rule_answers_html_for_gateway_errors_and_json_otherwise() {
    let environment = Environment::with_contacts(1).await;
    for status in [502, 503, 504] {
        environment
            .sandbox
            .faults()
            .add(rule(Operation::List, Effect::Status { status }));
        let answer = environment.get("contacts").await.expect(status);
        assert_eq!(answer.header("content-type"), "text/html");
    }
    environment
        .sandbox
        .faults()
        .add(rule(Operation::List, Effect::Status { status: 500 }));
    environment.get("contacts").await.expect_error(500, "0x80040216");
}

#[tokio::test]
async fn reset_drops_the_connection_without_effect() {
    let environment = Environment::start().await;
    environment.sandbox.faults().add(rule(Operation::Create, Effect::Reset));
    let request = environment
        .request(Method::POST, "contacts")
        .json(&json!({"firstname": "Ada"}));
    assert!(request.send().await.is_err());
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 0);
}

#[tokio::test]
async fn commit_then_reset_and_then_status_keep_the_effect() {
    let environment = Environment::start().await;
    environment
        .sandbox
        .faults()
        .add(rule(Operation::Create, Effect::CommitThenReset));
    let request = environment
        .request(Method::POST, "contacts")
        .json(&json!({"firstname": "Ada"}));
    assert!(request.send().await.is_err());
    environment
        .sandbox
        .faults()
        .add(rule(Operation::Create, Effect::CommitThenStatus { status: 504 }));
    environment
        .post("contacts", json!({"firstname": "Bo"}))
        .await
        .expect(504);
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 2);
}

#[tokio::test]
async fn slow_rule_and_latency_delay_the_answer() {
    let environment = Environment::with_contacts(1).await;
    environment
        .sandbox
        .faults()
        .add(rule(Operation::List, Effect::Slow { milliseconds: 80 }));
    let started = Instant::now();
    environment.get("contacts").await.expect(200);
    assert!(started.elapsed() >= Duration::from_millis(80));
    environment
        .sandbox
        .faults()
        .set_latency(Side::Dynamics, Duration::from_millis(60));
    let started = Instant::now();
    environment.get("contacts").await.expect(200);
    assert!(started.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn token_endpoint_has_its_own_side() {
    let environment = Environment::start().await;
    let rule = Rule::new(Side::Entra, Operation::Token, Effect::Status { status: 503 }).times(1);
    environment.sandbox.faults().add(rule);
    environment.get("WhoAmI").await.expect(200);
    let microsoft = environment.sandbox.microsoft_url();
    let url = format!("{microsoft}/{}/oauth2/v2.0/token", crate::client::TENANT);
    let answer = crate::client::Answer::of(environment.http.post(url).send().await.unwrap())
        .await
        .expect(503);
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn counters_tell_operations_and_statuses_apart() {
    let environment = Environment::with_contacts(1).await;
    environment.sandbox.counters().reset();
    environment.get("contacts").await.expect(200);
    environment.get("contactz").await.expect(404);
    environment.post("contacts", json!({})).await.expect(204);
    environment.sandbox.faults().add(rule(Operation::List, Effect::Reset));
    assert!(environment.request(Method::GET, "contacts").send().await.is_err());
    let shown = environment
        .admin(Method::GET, "/counters", None)
        .await
        .expect(200)
        .json();
    let expected = json!({"dynamics": {
        "list": {"calls": 3, "by_status": {"0": 1, "200": 1, "404": 1}},
        "create": {"calls": 1, "by_status": {"204": 1}},
    }});
    assert_eq!(shown, expected);
}
