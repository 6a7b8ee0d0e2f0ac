use std::time::Duration;

use crosswalk_sandbox::adobe::AdobeConfig;
use crosswalk_sandbox::faults::{Effect, Operation, Rule, Side};
use reqwest::Method;
use serde_json::json;

use crate::support::{EXT, Server};

const FORM: [(&str, &str); 4] = [
    ("client_id", "sandbox-client"),
    ("client_secret", "sandbox-secret"),
    ("grant_type", "client_credentials"),
    ("scope", "openid,AdobeID,campaign_sdk"),
];

#[tokio::test]
async fn token_lives_for_a_day_counted_in_seconds() {
    let server = Server::start().await;
    let answer = server.ask_token("sandbox-secret").await.expect(200);
    assert_eq!(answer["token_type"], "bearer");
    assert_eq!(answer["expires_in"], 86_399);
    assert_eq!(answer["access_token"].as_str().unwrap().split('.').count(), 3, "a JWT");
}

#[tokio::test]
async fn parameters_may_stand_in_the_query_and_scopes_be_separated_by_spaces() {
    let server = Server::start().await;
    let query =
        "client_id=sandbox-client&client_secret=sandbox-secret&grant_type=client_credentials&scope=openid%20AdobeID";
    let url = format!("{}/ims/token/v3?{query}", server.url);
    server.call_url(Method::POST, &url, None).await.expect(200);
}

#[tokio::test]
async fn wrong_requests_are_refused_with_the_published_bodies() {
    let server = Server::start().await;
    let cases = [
        (
            "client_id",
            Some("other"),
            "invalid_client",
            "invalid client_id parameter",
        ),
        ("client_id", None, "invalid_client", "invalid client_id parameter"),
        (
            "client_secret",
            Some("wrong"),
            "invalid_client",
            "invalid client_secret parameter",
        ),
        (
            "client_secret",
            None,
            "invalid_client",
            "invalid client_secret parameter",
        ),
        (
            "grant_type",
            Some("password"),
            "unsupported_grant_type",
            "unsupported grant_type parameter",
        ),
        ("grant_type", None, "invalid_request", "missing grant_type parameter"),
        (
            "scope",
            Some("openid,everything"),
            "invalid_scope",
            "invalid scope parameter",
        ),
        ("scope", None, "invalid_request", "missing scope parameter"),
    ];
    for (parameter, value, error, description) in cases {
        let mut form: Vec<_> = FORM.into_iter().filter(|(name, _)| *name != parameter).collect();
        form.extend(value.map(|value| (parameter, value)));
        let answer = server.ask_token_with(&form).await.expect(400);
        assert_eq!(
            answer,
            json!({"error": error, "error_description": description}),
            "{parameter}: {value:?}"
        );
    }
}

#[tokio::test]
async fn both_live_secrets_work_until_they_expire() {
    let server = Server::start().await;
    server.ask_token("sandbox-second-secret").await.expect(200);
    server.adobe.change_switches(|switches| switches.secret_expired = true);
    for secret in ["sandbox-secret", "sandbox-second-secret"] {
        let answer = server.ask_token(secret).await.expect(400);
        assert_eq!(answer["error_description"], "invalid client_secret parameter");
    }
    server.get(EXT).await.expect(200);
}

#[tokio::test]
async fn expired_token_is_refused_by_the_gateway() {
    let config = AdobeConfig {
        token_lifetime: Duration::ZERO,
        ..AdobeConfig::default()
    };
    let server = Server::start_with(config).await;
    assert_eq!(server.get(EXT).await.expect(401)["error_code"], "401013");
}

#[tokio::test]
async fn profile_names_the_organisations_of_the_token() {
    let server = Server::start().await;
    let url = format!("{}/ims/profile/v1", server.url);
    let answer = server.call_url(Method::GET, &url, None).await.expect(200);
    let contexts = answer["projectedProductContext"].as_array().unwrap();
    let organisations: Vec<_> = contexts
        .iter()
        .map(|context| &context["prodCtx"]["organization_id"])
        .collect();
    assert_eq!(organisations, ["sandbox", "sandbox-mkt-stage"]);
    assert_eq!(contexts[0]["prodCtx"]["statusCode"], "ACTIVE");
    assert_eq!(contexts[0]["prodCtx"]["serviceCode"], "dma_tartan");
}

#[tokio::test]
async fn validation_tells_live_tokens_from_revoked_ones() {
    let server = Server::start().await;
    let url = format!(
        "{}/ims/validate_token/v1?type=access_token&client_id=sandbox-client",
        server.url
    );
    assert_eq!(
        server.call_url(Method::GET, &url, None).await.expect(200)["valid"],
        true
    );
    server.adobe.revoke_access_tokens();
    assert_eq!(
        server.call_url(Method::GET, &url, None).await.expect(200)["valid"],
        false
    );
}

#[tokio::test]
async fn throttled_token_endpoint_says_when_to_come_back() {
    let server = Server::start().await;
    server
        .faults
        .add(Rule::new(Side::Ims, Operation::Token, Effect::Throttle { retry_after_seconds: 7 }).times(1));
    let answer = server.ask_token("sandbox-secret").await;
    assert_eq!(
        (answer.status, answer.headers["retry-after"].to_str().unwrap()),
        (429, "7")
    );
    server.ask_token("sandbox-secret").await.expect(200);
    assert_eq!(server.counters.calls(Side::Ims, Operation::Token), 3);
}
