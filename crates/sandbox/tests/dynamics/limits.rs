//! Service protection limits on the wire (contracts/dataverse.md §7).

use crosswalk_sandbox::microsoft::ServiceProtection;

use crate::client::Environment;

#[tokio::test]
async fn too_many_requests_answer_429_with_retry_after() {
    let environment = Environment::with(|config| {
        config.dynamics.service_protection = ServiceProtection {
            servers: 1,
            requests: 3,
            ..ServiceProtection::default()
        };
    })
    .await;
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
    let text = answer.expect_error(429, "0x80072322");
    assert_eq!(
        text,
        "Number of requests exceeded the limit of 3 over time window of 300 seconds."
    );
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
        let request = environment
            .request(reqwest::Method::GET, "WhoAmI")
            .header("Cookie", &cookie);
        let response = request.send().await.unwrap();
        assert!(response.headers()["set-cookie"].to_str().unwrap().starts_with(&cookie));
    }
    let mut servers = std::collections::HashSet::new();
    for _ in 0..60 {
        servers.insert(environment.get("WhoAmI").await.header("set-cookie").to_owned());
    }
    assert_eq!(servers.len(), 4, "without the cookie any server answers");
}
