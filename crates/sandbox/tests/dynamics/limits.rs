//! Service protection limits on the wire (contracts/dataverse.md §7).

use std::time::Duration;

use crosswalk_sandbox::microsoft::ServiceProtection;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Environment, fetch_token};

const FURTHER_CLIENT_ID: &str = "44444444-4444-4444-8444-444444444444";

async fn limited(change: impl FnOnce(&mut ServiceProtection)) -> Environment {
    Environment::with(|config| {
        config.dynamics.further_client_ids = vec![FURTHER_CLIENT_ID.to_owned()];
        config.dynamics.service_protection.servers = 1;
        change(&mut config.dynamics.service_protection);
    })
    .await
}

#[tokio::test]
async fn too_many_requests_answer_429_with_retry_after() {
    let environment = limited(|limits| limits.requests = 3).await;
    for left in ["2", "1", "0"] {
        let answer = environment.get("WhoAmI").await.expect(200);
        assert_eq!(answer.header("x-ms-ratelimit-burst-remaining-xrm-requests"), left);
    }
    let answer = environment.get("WhoAmI").await;
    let seconds: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=301).contains(&seconds), "{seconds}");
    assert_eq!(
        answer.header("content-type"),
        "application/json; odata.metadata=minimal"
    );
    assert_eq!(answer.header("x-ms-ratelimit-burst-remaining-xrm-requests"), "0");
    assert_eq!(answer.header("x-ms-dop-hint"), "48");
    let text = answer.expect_error(429, "0x80072322");
    assert_eq!(
        text,
        "Number of requests exceeded the limit of 3 over time window of 300 seconds."
    );
}

#[tokio::test]
async fn retry_after_grows_while_a_client_keeps_pushing() {
    let environment = limited(|limits| limits.requests = 0).await;
    let mut delays = Vec::new();
    for _ in 0..5 {
        let answer = environment.get("WhoAmI").await.expect(429);
        delays.push(answer.header("retry-after").parse::<u32>().unwrap());
    }
    assert!(delays.is_sorted_by(|left, right| left < right), "{delays:?}");
}

#[tokio::test]
async fn spent_execution_time_has_its_own_code_and_text() {
    let environment = limited(|limits| limits.execution = Duration::from_nanos(1)).await;
    environment.get("WhoAmI").await.expect(200);
    let answer = environment.get("WhoAmI").await;
    assert_eq!(answer.header("x-ms-ratelimit-time-remaining-xrm-requests"), "0.00");
    let text = answer.expect_error(429, "0x80072321");
    assert!(
        text.starts_with(
            "Combined execution time of incoming requests exceeded limit of 0 milliseconds over time window"
        ),
        "{text}"
    );
}

#[tokio::test]
async fn a_request_still_being_sent_holds_its_place_until_it_ends() {
    let environment = limited(|limits| limits.concurrent = 1).await;
    let address = environment.sandbox.microsoft_url().replace("http://", "");
    let mut slow = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /api/data/v9.2/contacts HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Length: 2\r\n\r\n",
        environment.token
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    until_running(&environment, 1).await;
    let text = environment.get("WhoAmI").await.expect_error(429, "0x80072326");
    assert_eq!(text, "Number of concurrent requests exceeded the limit of 1.");
    slow.write_all(b"{}").await.unwrap();
    until_running(&environment, 0).await;
    environment.get("WhoAmI").await.expect(200);
    assert_eq!(environment.sandbox.dynamics().count("contact").unwrap(), 1);
}

/// Waits until this many requests are under way; panics with what was used up after a while.
async fn until_running(environment: &Environment, requests: u64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        let state = environment.admin(Method::GET, "/dynamics/limits", None).await.json();
        if state["used"][0]["running"] == requests {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{state}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn application_users_have_limits_of_their_own() {
    let mut environment = limited(|limits| limits.requests = 1).await;
    let first = environment.get("WhoAmI").await.expect(200).json();
    environment.get("WhoAmI").await.expect(429);
    let microsoft = environment.sandbox.microsoft_url();
    environment.token = fetch_token(&environment.http, &microsoft, FURTHER_CLIENT_ID).await;
    let second = environment.get("WhoAmI").await.expect(200).json();
    assert_ne!(first["UserId"], second["UserId"]);
    environment.get("WhoAmI").await.expect(429);
    let used = environment.admin(Method::GET, "/dynamics/limits", None).await.json()["used"].clone();
    let users: Vec<_> = used
        .as_array()
        .unwrap()
        .iter()
        .map(|usage| &usage["application_user"])
        .collect();
    assert!(
        users.contains(&&first["UserId"]) && users.contains(&&second["UserId"]),
        "{used}"
    );
}

#[tokio::test]
async fn a_further_application_writes_as_its_own_user() {
    let mut environment = limited(|_| {}).await;
    let microsoft = environment.sandbox.microsoft_url();
    environment.token = fetch_token(&environment.http, &microsoft, FURTHER_CLIENT_ID).await;
    let created = environment
        .post("contacts", json!({"firstname": "Ada"}))
        .await
        .expect(204);
    let row = environment.get(created.header("odata-entityid")).await.json();
    let user = environment.get("WhoAmI").await.json()["UserId"].clone();
    assert_eq!((&row["_createdby_value"], &row["_ownerid_value"]), (&user, &user));
    let user = environment
        .get(&format!("systemusers({})", user.as_str().unwrap()))
        .await;
    assert_eq!(user.expect(200).json()["applicationid"], FURTHER_CLIENT_ID);
}

#[tokio::test]
async fn servers_have_limits_of_their_own_which_the_affinity_cookie_chooses() {
    let environment = limited(|limits| {
        limits.servers = 2;
        limits.requests = 3;
    })
    .await;
    let answer = environment.get("WhoAmI").await.expect(200);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let pinned = async || {
        let request = environment.request(Method::GET, "WhoAmI").header("Cookie", &cookie);
        request.send().await.unwrap()
    };
    for _ in 0..2 {
        assert_eq!(pinned().await.status(), 200);
    }
    let refused = pinned().await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers()["set-cookie"].to_str().unwrap().starts_with(&cookie));
    let mut let_in = 0;
    for _ in 0..200 {
        let_in += usize::from(environment.get("WhoAmI").await.status == 200);
    }
    assert_eq!(let_in, 3, "the other server has its three requests still");
}

#[tokio::test]
async fn limits_can_be_changed_and_forgotten_while_it_runs() {
    let environment = limited(|limits| limits.requests = 1).await;
    environment.get("WhoAmI").await.expect(200);
    environment.get("WhoAmI").await.expect(429);
    let reset = environment.admin(Method::POST, "/dynamics/limits/reset", None);
    reset.await.expect(204);
    environment.get("WhoAmI").await.expect(200);
    let change =
        json!({"requests": 5, "window_seconds": 60, "execution_seconds": 9, "concurrent": 2, "parallelism_hint": 7});
    let state = environment.admin(Method::PATCH, "/dynamics/limits", Some(change)).await;
    let state = state.expect(200).json();
    let shown = environment.admin(Method::GET, "/dynamics/limits", None).await.json();
    assert_eq!(shown, state);
    for (name, value) in [
        ("servers", 1),
        ("requests", 5),
        ("window_seconds", 60),
        ("execution_seconds", 9),
        ("concurrent", 2),
        ("parallelism_hint", 7),
    ] {
        assert_eq!(state[name], value, "{name}");
    }
    assert_eq!(
        (&state["used"][0]["requests"], &state["used"][0]["refused"]),
        (&json!(1), &json!(0))
    );
    let answer = environment.get("WhoAmI").await.expect(200);
    assert_eq!(answer.header("x-ms-ratelimit-burst-remaining-xrm-requests"), "3");
    assert_eq!(answer.header("x-ms-dop-hint"), "7");
    for (refused, name) in [(json!({"servers": 0}), "servers"), (json!({"request": 1}), "request")] {
        let text = environment
            .admin(Method::PATCH, "/dynamics/limits", Some(refused))
            .await
            .expect_error(400, "invalid");
        assert!(text.contains(name), "{text}");
    }
}

#[tokio::test]
async fn affinity_cookie_pins_a_client_to_one_server() {
    let environment = Environment::start().await;
    let cookie = environment
        .get("WhoAmI")
        .await
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    for _ in 0..20 {
        let request = environment.request(Method::GET, "WhoAmI").header("Cookie", &cookie);
        let response = request.send().await.unwrap();
        assert!(response.headers()["set-cookie"].to_str().unwrap().starts_with(&cookie));
    }
    let mut servers = std::collections::HashSet::new();
    for _ in 0..60 {
        servers.insert(environment.get("WhoAmI").await.header("set-cookie").to_owned());
    }
    assert_eq!(servers.len(), 4, "without the cookie any server answers");
}
