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

#[tokio::test]
async fn throttling_can_hit_the_second_page_of_a_read_and_only_that() {
    let environment = Environment::with_contacts(25).await;
    let rule = json!({
        "side": "dynamics", "operation": "list", "effect": {"kind": "throttle", "retry_after_seconds": 3},
        "after": 1, "times": 1,
    });
    environment.admin(Method::POST, "/faults", Some(rule)).await.expect(201);
    let prefer = "odata.track-changes,odata.maxpagesize=10";
    let first = environment
        .get_with("contacts?$select=firstname", prefer)
        .await
        .expect(200)
        .json();
    let next = first["@odata.nextLink"].as_str().unwrap();
    environment.get_with(next, prefer).await.expect_error(429, "0x80072322");
    let (rest, last) = environment.read_all(next, prefer).await;
    assert_eq!(rest.len(), 15);
    assert!(last["@odata.deltaLink"].is_string());
}

#[tokio::test]
async fn rows_of_pages_and_deltas_can_come_twice() {
    let environment = Environment::with_contacts(2).await;
    let faults = environment.sandbox.faults();
    faults.add(rule(Operation::List, Effect::RepeatRows));
    let page = environment
        .get_with("contacts?$select=firstname", "odata.track-changes")
        .await
        .expect(200);
    let rows = page.rows();
    assert_eq!(rows.len(), 4);
    assert_eq!((&rows[0], &rows[2]), (&rows[1], &rows[3]));
    let gone = rows[0]["contactid"].as_str().unwrap();
    environment.delete(&format!("contacts({gone})")).await.expect(204);
    environment.contact(json!({"firstname": "Ada"}));
    faults.add(rule(Operation::Delta, Effect::RepeatRows));
    let link = page.json()["@odata.deltaLink"].as_str().unwrap().to_owned();
    let delta = environment.get(&link).await.expect(200).rows();
    assert_eq!(delta.len(), 4);
    assert_eq!((&delta[0], &delta[2]), (&delta[1], &delta[3]));
    assert_eq!(delta[2]["reason"], "deleted");
    assert_eq!(environment.get(&link).await.expect(200).rows().len(), 2);
}

#[tokio::test]
async fn a_request_delivered_twice_takes_effect_twice_and_has_the_second_answer() {
    let environment = Environment::start().await;
    let faults = environment.sandbox.faults();
    let count = || environment.sandbox.dynamics().count("contact").unwrap();
    faults.add(rule(Operation::Create, Effect::DeliverTwice));
    environment
        .post("contacts", json!({"firstname": "Ada"}))
        .await
        .expect(204);
    assert_eq!(count(), 2);
    let id = "a1000000-0000-0000-0000-00000000000a";
    faults.add(rule(Operation::Create, Effect::DeliverTwice));
    environment
        .post("contacts", json!({"contactid": id}))
        .await
        .expect_error(412, "0x80040237");
    assert_eq!(count(), 3);
    faults.add(rule(Operation::Delete, Effect::DeliverTwice));
    environment
        .delete(&format!("contacts({id})"))
        .await
        .expect_error(404, "0x80040217");
    assert_eq!(count(), 2);
}

#[tokio::test]
async fn a_401_rule_challenges_as_an_expired_token_does() {
    let environment = Environment::with_contacts(1).await;
    environment
        .sandbox
        .faults()
        .add(rule(Operation::List, Effect::Status { status: 401 }));
    let injected = environment.get("contacts").await.expect(401);
    assert_eq!(injected.text, "");
    environment.sandbox.dynamics().revoke_access_tokens();
    let real = environment.get("contacts").await.expect(401);
    assert_eq!(injected.header("www-authenticate"), real.header("www-authenticate"));
}

#[tokio::test]
async fn effects_that_would_do_nothing_are_refused_by_the_admin_listener() {
    let environment = Environment::start().await;
    for (rule, name) in [
        (json!({"side": "campaign", "effect": {"kind": "deliver_twice"}}), "side"),
        (
            json!({"side": "dynamics", "operation": "create", "effect": {"kind": "repeat_rows"}}),
            "operation",
        ),
    ] {
        let text = environment
            .admin(Method::POST, "/faults", Some(rule))
            .await
            .expect_error(400, "invalid");
        assert!(text.contains(name), "{text}");
    }
}
