//! The token endpoint of Microsoft Entra (contracts/dataverse.md §1).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::json;
use uuid::Uuid;

use super::Dynamics;
use super::tokens::Application;
use crate::faults::{Operation, Side};
use crate::wire::{self, InjectedAnswer};

/// An error of the token endpoint.
#[derive(Debug)]
struct TokenError {
    status: StatusCode,
    error: &'static str,
    code: u32,
    text: String,
    /// `error_uri` is present only for codes that have a page.
    has_page: bool,
}

impl TokenError {
    fn new(status: StatusCode, error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self {
            status,
            error,
            code,
            text: text.into(),
            has_page: matches!(code, 7_000_215 | 7_000_222 | 700_016 | 90_002),
        }
    }

    fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", 900_144, text)
    }

    fn into_response(self) -> Response {
        let trace = Uuid::new_v4();
        let correlation = Uuid::new_v4();
        let timestamp = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let mut body = json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
                self.code, self.text
            ),
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
        });
        if self.has_page {
            body["error_uri"] = format!("https://login.microsoftonline.com/error?code={}", self.code).into();
        }
        respond(self.status, &body)
    }
}

/// `POST /{tenant}/oauth2/v2.0/token`.
pub(super) async fn token(
    State(dynamics): State<Arc<Dynamics>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let faults = dynamics.faults.clone();
    let counters = dynamics.counters.clone();
    let handle = || async move {
        match grant(&dynamics, &tenant, &headers, &body) {
            Ok(response) => response,
            Err(error) => error.into_response(),
        }
    };
    wire::serve(&faults, &counters, (Side::Entra, Operation::Token), injected, handle).await
}

fn injected(answer: InjectedAnswer) -> Response {
    let text = "The service is temporarily unavailable. Please retry later.";
    let mut response = TokenError::new(answer.status(), "temporarily_unavailable", 90_033, text).into_response();
    if let InjectedAnswer::Throttled { retry_after_seconds } = answer {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, retry_after_seconds.into());
    }
    response
}

fn grant(dynamics: &Dynamics, tenant: &str, headers: &HeaderMap, body: &[u8]) -> Result<Response, TokenError> {
    let config = &dynamics.config;
    if tenant != config.tenant_id && !config.tenant_domains.iter().any(|domain| domain == tenant) {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the \
             correct cloud. Check with your subscription administrator, this may happen if there are no active \
             subscriptions for the tenant."
        );
        return Err(TokenError::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            90_002,
            text,
        ));
    }
    let mut form = parse_form(body);
    add_basic_credentials(headers, &mut form);
    let parameter = |name: &str| form.get(name).filter(|value| !value.is_empty());
    let grant_type = parameter("grant_type").ok_or_else(|| TokenError::missing("grant_type"))?;
    if grant_type != "client_credentials" {
        let text = format!("The app requested an unsupported grant type '{grant_type}'.");
        return Err(TokenError::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            70_003,
            text,
        ));
    }
    let client_id = parameter("client_id").ok_or_else(|| TokenError::missing("client_id"))?;
    let scope = parameter("scope").ok_or_else(|| TokenError::missing("scope"))?;
    let application = application(dynamics, client_id)?;
    let Some(secret) = parameter("client_secret") else {
        let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(TokenError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            7_000_218,
            text,
        ));
    };
    check_secret(dynamics, client_id, secret)?;
    let audience = check_scope(dynamics, headers, scope)?;
    Ok(success(dynamics, application, client_id, &audience))
}

fn application(dynamics: &Dynamics, client_id: &str) -> Result<Application, TokenError> {
    if let Some(user) = dynamics.config.application_user(client_id) {
        return Ok(Application::Member(user));
    }
    if client_id == dynamics.config.stranger_client_id {
        return Ok(Application::Stranger);
    }
    let text = format!(
        "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the \
         application has not been installed by the administrator of the tenant or consented to by any user in the \
         tenant. You may have sent your authentication request to the wrong tenant.",
        dynamics.config.tenant_id
    );
    Err(TokenError::new(
        StatusCode::BAD_REQUEST,
        "unauthorized_client",
        700_016,
        text,
    ))
}

fn check_secret(dynamics: &Dynamics, client_id: &str, secret: &str) -> Result<(), TokenError> {
    if secret != dynamics.config.client_secret {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, \
             not the client secret ID, for a secret added to app '{client_id}'."
        );
        return Err(TokenError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            7_000_215,
            text,
        ));
    }
    if dynamics.switches.secret_expired() {
        let text = format!(
            "The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new \
             keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added \
             security: https://aka.ms/certCreds."
        );
        return Err(TokenError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            7_000_222,
            text,
        ));
    }
    Ok(())
}

/// The environment URL in front of `/.default`. An environment is known if it is the host this very request came to, has
/// the port the sandbox listens on, or is listed in the configuration.
fn check_scope(dynamics: &Dynamics, headers: &HeaderMap, scope: &str) -> Result<String, TokenError> {
    let malformed = || {
        let text = format!(
            "The provided request must include a 'scope' input parameter. The provided value for the input \
             parameter 'scope' is not valid. The scope {scope} is not valid."
        );
        TokenError::new(StatusCode::BAD_REQUEST, "invalid_scope", 70_011, text)
    };
    let resource = scope
        .trim()
        .strip_suffix("/.default")
        .ok_or_else(malformed)?
        .trim_end_matches('/');
    let uri: http::Uri = resource.parse().map_err(|_| malformed())?;
    let authority = uri
        .authority()
        .filter(|_| uri.scheme().is_some())
        .ok_or_else(malformed)?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let known = host == Some(authority.as_str())
        || (authority.port_u16().is_some() && authority.port_u16() == dynamics.port())
        || dynamics
            .config
            .environment_urls
            .iter()
            .any(|url| url.trim_end_matches('/') == resource);
    if !known {
        let text = format!(
            "The resource principal named {resource} was not found in the tenant named {}. This can happen if the \
             application has not been installed by the administrator of the tenant or consented to by any user in the \
             tenant. You might have sent your authentication request to the wrong tenant.",
            dynamics.config.tenant_id
        );
        return Err(TokenError::new(
            StatusCode::BAD_REQUEST,
            "invalid_resource",
            500_011,
            text,
        ));
    }
    Ok(resource.to_owned())
}

fn success(dynamics: &Dynamics, application: Application, client_id: &str, audience: &str) -> Response {
    let lifetime = dynamics.config.token_lifetime.unwrap_or_else(random_lifetime);
    let token = dynamics
        .tokens
        .issue(application, client_id, &dynamics.config.tenant_id, audience, lifetime);
    // One second less than the lifetime, as in captures (3599).
    let expires_in = lifetime.as_secs().saturating_sub(1).max(1);
    let body = json!({
        "token_type": "Bearer",
        "expires_in": expires_in,
        "ext_expires_in": expires_in,
        "access_token": token,
    });
    respond(StatusCode::OK, &body)
}

/// 60 to 90 minutes (contracts/dataverse.md §1.2).
fn random_lifetime() -> Duration {
    Duration::from_secs(rand::random_range(3600..=5400))
}

fn respond(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(
        HeaderName::from_static("x-ms-ests-server"),
        HeaderValue::from_static("2.1.22219.7 - WEULR1 ProdSlices"),
    );
    let request_id = HeaderValue::from_str(&Uuid::new_v4().to_string()).expect("a GUID is a header value");
    headers.insert(HeaderName::from_static("x-ms-request-id"), request_id);
    response
}

fn parse_form(body: &[u8]) -> HashMap<String, String> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    String::from_utf8_lossy(body)
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// Credentials may come as HTTP Basic instead of form fields.
fn add_basic_credentials(headers: &HeaderMap, form: &mut HashMap<String, String>) {
    let credentials = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
        .and_then(|encoded| String::from_utf8(STANDARD.decode(encoded).ok()?).ok());
    if let Some((id, secret)) = credentials.as_deref().and_then(|text| text.split_once(':')) {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        form.entry("client_id".to_owned()).or_insert_with(|| decode(id));
        form.entry("client_secret".to_owned()).or_insert_with(|| decode(secret));
    }
}
