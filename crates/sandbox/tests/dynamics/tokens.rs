//! The token endpoint (contracts/dataverse.md §1).

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Answer, CLIENT_ID, Environment, SECRET, TENANT, fetch_token};

async fn ask(environment: &Environment, tenant: &str, change: impl FnOnce(&mut Value)) -> Answer {
    let microsoft = environment.sandbox.microsoft_url();
    let mut form = json!({
        "grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": SECRET,
        "scope": format!("{microsoft}/.default"),
    });
    change(&mut form);
    let form = crate::client::object(form);
    let request = environment
        .http
        .post(format!("{microsoft}/{tenant}/oauth2/v2.0/token"))
        .form(&form);
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn success_has_the_documented_members_and_headers() {
    let environment = Environment::start().await;
    let answer = ask(&environment, TENANT, |_| {}).await.expect(200);
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], body["ext_expires_in"]);
    let seconds = body["expires_in"].as_u64().unwrap();
    assert!((3599..=5400).contains(&seconds), "{seconds}");
    assert!(body["access_token"].as_str().unwrap().starts_with("eyJ"));
    assert!(body.get("refresh_token").is_none());
    assert_eq!(answer.header("cache-control"), "no-store, no-cache");
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
}

#[tokio::test]
async fn errors_have_their_status_code_and_error_name() {
    let environment = Environment::start().await;
    type Case = (&'static str, fn(&mut Value), u16, u64, &'static str);
    let cases: [Case; 9] = [
        (
            TENANT,
            |form| form["client_secret"] = "wrong".into(),
            401,
            7_000_215,
            "invalid_client",
        ),
        (
            TENANT,
            |form| form["client_id"] = "unknown".into(),
            400,
            700_016,
            "unauthorized_client",
        ),
        ("nowhere.example.com", |_| {}, 400, 90_002, "invalid_request"),
        (
            TENANT,
            |form| drop(form.as_object_mut().unwrap().remove("grant_type")),
            400,
            900_144,
            "invalid_request",
        ),
        (
            TENANT,
            |form| drop(form.as_object_mut().unwrap().remove("client_id")),
            400,
            900_144,
            "invalid_request",
        ),
        (
            TENANT,
            |form| drop(form.as_object_mut().unwrap().remove("scope")),
            400,
            900_144,
            "invalid_request",
        ),
        (
            TENANT,
            |form| drop(form.as_object_mut().unwrap().remove("client_secret")),
            401,
            7_000_218,
            "invalid_client",
        ),
        (
            TENANT,
            |form| form["scope"] = "not a scope".into(),
            400,
            70_011,
            "invalid_scope",
        ),
        (
            TENANT,
            |form| form["scope"] = "https://other.example.com/.default".into(),
            400,
            500_011,
            "invalid_resource",
        ),
    ];
    for (tenant, change, status, code, error) in cases {
        let body = ask(&environment, tenant, change).await.expect(status).json();
        assert_eq!(body["error_codes"], json!([code]), "{body}");
        assert_eq!(body["error"], error, "{body}");
        let text = body["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
        assert!(
            text.contains("Trace ID: ") && text.contains("Correlation ID: ") && text.contains("Timestamp: "),
            "{text}"
        );
        let timestamp = body["timestamp"].as_str().unwrap();
        assert!(timestamp.contains(' ') && timestamp.ends_with('Z'), "{timestamp}");
    }
}

#[tokio::test]
async fn expired_secret_is_told_apart_from_a_wrong_one() {
    let environment = Environment::start().await;
    environment.sandbox.dynamics().switches().set_secret_expired(true);
    let body = ask(&environment, TENANT, |_| {}).await.expect(401).json();
    assert_eq!(body["error_codes"], json!([7_000_222]));
    environment.sandbox.dynamics().switches().set_secret_expired(false);
    ask(&environment, TENANT, |_| {}).await.expect(200);
}

#[tokio::test]
async fn credentials_may_come_as_basic_authentication() {
    let environment = Environment::start().await;
    let microsoft = environment.sandbox.microsoft_url();
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", &format!("{microsoft}/.default")),
    ];
    let request = environment.http.post(format!("{microsoft}/{TENANT}/oauth2/v2.0/token"));
    let response = request
        .basic_auth(CLIENT_ID, Some(SECRET))
        .form(&form)
        .send()
        .await
        .unwrap();
    Answer::of(response).await.expect(200);
}

#[tokio::test]
async fn token_ends_after_its_configured_lifetime() {
    let environment =
        Environment::with(|config| config.dynamics.token_lifetime = Some(Duration::from_millis(300))).await;
    environment.get("WhoAmI").await.expect(200);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    while environment.get("WhoAmI").await.status != 401 {
        assert!(tokio::time::Instant::now() < deadline, "the token is still valid");
    }
}

#[tokio::test]
async fn application_without_application_user_is_not_a_member() {
    let mut environment = Environment::start().await;
    let stranger = environment.sandbox.dynamics().config().stranger_client_id.clone();
    environment.token = fetch_token(&environment.http, &environment.sandbox.microsoft_url(), &stranger).await;
    let text = environment.get("WhoAmI").await.expect_error(403, "0x80072560");
    assert_eq!(text, "The user is not a member of the organization.");
}
