use crosswalk_sandbox::adobe::{AdobeConfig, RateLimit};
use reqwest::Method;
use serde_json::json;

use crate::support::{CORE, EXT, Server};

type Headers<'a> = &'a [(&'static str, &'a str)];

/// Status and body for a call with these headers.
async fn refused(server: &Server, organisation: &str, headers: Headers<'_>) -> (u16, serde_json::Value) {
    let url = format!("{}/{organisation}/campaign/{EXT}", server.url);
    let mut request = server.client.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["x-request-id"].len(), 32);
    assert!(
        response.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/json")
    );
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn gateway_refuses_with_the_codes_of_the_catalogue() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token);
    let key = ("X-Api-Key", "sandbox-client");
    let good = ("Authorization", bearer.as_str());
    let bad = ("Authorization", "Bearer garbled");
    let cases: [(&str, Headers<'_>, u16, &str, &str); 6] = [
        ("sandbox", &[good], 403, "403000", "Api Key is required"),
        (
            "sandbox",
            &[("X-Api-Key", "other"), good],
            403,
            "403003",
            "Api Key is invalid",
        ),
        ("sandbox", &[key], 403, "403010", "Oauth token is missing."),
        (
            "sandbox",
            &[key, ("Authorization", "Basic eDp5")],
            403,
            "403010",
            "Oauth token is missing.",
        ),
        ("sandbox", &[key, bad], 401, "401013", "Oauth token is not valid"),
        ("elsewhere", &[key, good], 403, "403023", "Profile is not valid"),
    ];
    for (organisation, headers, status, code, message) in cases {
        let answer = refused(&server, organisation, headers).await;
        assert_eq!(answer, (status, json!({"error_code": code, "message": message})));
    }
    assert_eq!(
        server.adobe.engine_calls().read,
        0,
        "what the gateway refuses is no engine call"
    );
}

#[tokio::test]
async fn revoked_token_is_refused_and_a_new_one_taken() {
    let mut server = Server::start().await;
    server.get(EXT).await.expect(200);
    server.adobe.revoke_access_tokens();
    assert_eq!(server.get(EXT).await.expect(401)["error_code"], "401013");
    server.token = server.ask_token("sandbox-secret").await.expect(200)["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    server.get(EXT).await.expect(200);
}

#[tokio::test]
async fn uris_nobody_serves_are_answered_with_the_numeric_envelope() {
    let server = Server::start().await;
    let oops = json!({"code": 500, "message": "Oops. Something went wrong. Check your URI and try again."});
    for path in [
        "sandbox/campaign",
        "sandbox/campaign/other/profile",
        "sandbox/other/profileAndServices/profile",
        "x",
    ] {
        let answer = server
            .call_url(Method::GET, &format!("{}/{path}", server.url), None)
            .await;
        assert_eq!(answer.expect(500), oops, "{path}");
    }
}

#[tokio::test]
async fn unpublished_ext_endpoint_leaves_the_other_one() {
    let server = Server::start().await;
    server.adobe.change_switches(|switches| switches.ext_unpublished = true);
    assert_eq!(server.get(EXT).await.expect(500)["code"], 500);
    server.get(CORE).await.expect(200);
}

#[tokio::test]
async fn calls_beyond_the_burst_are_throttled() {
    let limit = RateLimit {
        per_second: 1,
        burst: 3,
    };
    let server = Server::start_with(AdobeConfig {
        rate_limit: Some(limit),
        ..AdobeConfig::default()
    })
    .await;
    for _ in 0..3 {
        server.get(EXT).await.expect(200);
    }
    let answer = server.get(EXT).await;
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(
        answer.expect(429),
        json!({"error_code": "429050", "message": "Too many requests"})
    );
    server.adobe.change_switches(|switches| switches.rate_limit = None);
    server.get(EXT).await.expect(200);
}

#[tokio::test]
async fn restart_window_drops_connections_and_gives_502_and_503() {
    let server = Server::start().await;
    server.adobe.change_switches(|switches| switches.restarting = true);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let answer = server.try_call(Method::GET, EXT, None).await;
        statuses.push(answer.map(|answer| answer.status));
    }
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [None, Some(502), Some(503)],
        "in turn a dropped connection and two errors"
    );
    assert_eq!(server.adobe.engine_calls().read, 0);
    server.adobe.change_switches(|switches| switches.restarting = false);
    server.get(EXT).await.expect(200);
}
