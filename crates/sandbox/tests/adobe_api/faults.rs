use crosswalk_sandbox::counters::NO_ANSWER;
use crosswalk_sandbox::faults::{Effect, Operation, Rule, Side};
use reqwest::Method;
use serde_json::json;

use crate::support::{EXT, Server};

#[tokio::test]
async fn throttled_write_has_no_effect_and_says_when_to_come_back() {
    let server = Server::start().await;
    server.faults.add(
        Rule::new(
            Side::Campaign,
            Operation::Create,
            Effect::Throttle { retry_after_seconds: 3 },
        )
        .times(1),
    );
    let answer = server.post(EXT, &json!({"externalId": "1"})).await;
    assert_eq!(answer.headers["retry-after"], "3");
    assert_eq!(
        answer.expect(429),
        json!({"error_code": "429050", "message": "Too many requests"})
    );
    assert_eq!(server.sandbox().count("profile"), Ok(0));
    server.profile(json!({"externalId": "1"})).await;
}

#[tokio::test]
async fn lost_answer_leaves_the_row_behind() {
    let server = Server::start().await;
    server.faults.add(
        Rule::new(
            Side::Campaign,
            Operation::Create,
            Effect::CommitThenStatus { status: 504 },
        )
        .times(1),
    );
    assert_eq!(server.post(EXT, &json!({"externalId": "1"})).await.status, 504);
    let again = server.post(EXT, &json!({"externalId": "1"})).await.expect(500);
    assert_eq!(again["error_code"], "PGS-220000");
    assert_eq!(server.counters.snapshot()[&Side::Campaign][&Operation::Create].calls, 2);
}

#[tokio::test]
async fn outages_carry_no_code_of_a_rejected_record() {
    let server = Server::start().await;
    for status in [500, 502, 503, 504] {
        server
            .faults
            .add(Rule::new(Side::Campaign, Operation::Update, Effect::Status { status }).times(1));
        let answer = server.patch(&format!("{EXT}/1"), &json!({})).await;
        assert_eq!(answer.status, status);
        assert!(
            !["XTK-", "RST-", "PGS-", "is not valid"]
                .iter()
                .any(|code| answer.text.contains(code)),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn requests_are_told_apart_by_what_they_ask_for() {
    let server = Server::start().await;
    server.profile(json!({"externalId": "1"})).await;
    for path in [
        "profile",
        "profile/byEmail?email=x",
        "profile/1",
        "profile/metadata",
        "profile/_count",
        "resourceType/profile",
    ] {
        server.get(&format!("profileAndServicesExt/{path}")).await.expect(200);
    }
    server.patch(&format!("{EXT}/1"), &json!({})).await.expect(200);
    server.delete(&format!("{EXT}/1")).await.expect(200);
    let calls = |operation| server.counters.calls(Side::Campaign, operation);
    assert_eq!(calls(Operation::Create), 1);
    assert_eq!(calls(Operation::List), 2);
    assert_eq!(calls(Operation::Get), 1);
    assert_eq!(calls(Operation::Metadata), 2);
    assert_eq!(calls(Operation::Count), 1);
    assert_eq!(calls(Operation::Update), 1);
    assert_eq!(calls(Operation::Delete), 1);
}

#[tokio::test]
async fn dropped_connection_says_nothing_about_the_write() {
    let server = Server::start().await;
    for (effect, rows) in [(Effect::Reset, 0), (Effect::CommitThenReset, 1)] {
        server
            .faults
            .add(Rule::new(Side::Campaign, Operation::Create, effect).times(1));
        let answer = server
            .try_call(Method::POST, EXT, Some(&json!({"externalId": "1"})))
            .await;
        assert!(answer.is_none(), "{answer:?}");
        assert_eq!(server.sandbox().count("profile"), Ok(rows));
    }
    let creates = &server.counters.snapshot()[&Side::Campaign][&Operation::Create];
    assert_eq!(creates.by_status[&NO_ANSWER], 2);
}
