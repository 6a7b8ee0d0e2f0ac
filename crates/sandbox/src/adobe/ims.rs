//! Adobe's identity service: tokens for client credentials, and what they are good for (contracts/campaign.md §1).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::Adobe;
use super::gateway::{self, json_response};
use super::query::Parameters;
use crate::faults::{Operation, Side};
use crate::wire::{self, InjectedAnswer};

/// Longest token request read.
const BODY_LIMIT: usize = 64 * 1024;

/// Scopes the credential may have: those public clients ask for (contracts/campaign.md §1.1).
const SCOPES: [&str; 13] = [
    "openid",
    "AdobeID",
    "campaign_sdk",
    "additional_info.projectedProductContext",
    "campaign_config_server_general",
    "deliverability_service_general",
    "adobeio_api",
    "read_organizations",
    "additional_info.roles",
    "read_client_secret",
    "manage_client_secrets",
    "event_receiver",
    "event_receiver_api",
];

/// The instance-independent id of the organisation that owns all tenants.
const IMS_ORGANISATION: &str = "0123456789ABCDEF01234567@AdobeOrg";

/// `POST /ims/token/v3`.
pub(super) async fn token(State(adobe): State<Arc<Adobe>>, request: Request) -> Response {
    let route = (Side::Ims, Operation::Token);
    wire::serve(&adobe.faults, &adobe.counters, route, injected, || {
        issue(&adobe, request)
    })
    .await
}

/// `GET /ims/profile/v1`.
pub(super) async fn profile(State(adobe): State<Arc<Adobe>>, headers: HeaderMap) -> Response {
    wire::serve(
        &adobe.faults,
        &adobe.counters,
        (Side::Ims, Operation::Other),
        injected,
        || async {
            match gateway::check_credentials(&adobe, &headers) {
                Ok(()) => answer(
                    StatusCode::OK,
                    &json!({"projectedProductContext": product_contexts(&adobe)}),
                ),
                Err(_) => answer(StatusCode::UNAUTHORIZED, &json!({"error": "invalid_token"})),
            }
        },
    )
    .await
}

/// `GET /ims/validate_token/v1`: the token stands in the query or in the `Authorization` header.
pub(super) async fn validate_token(State(adobe): State<Arc<Adobe>>, uri: Uri, headers: HeaderMap) -> Response {
    wire::serve(
        &adobe.faults,
        &adobe.counters,
        (Side::Ims, Operation::Other),
        injected,
        || async {
            let parameters = Parameters::parse(uri.query().unwrap_or(""));
            let token = parameters.get("token").or_else(|| gateway::bearer_token(&headers));
            match token {
                Some(token) if adobe.access_tokens.is_valid(token) => answer(StatusCode::OK, &json!({"valid": true})),
                _ => answer(StatusCode::OK, &json!({"valid": false, "reason": "bad_token"})),
            }
        },
    )
    .await
}

async fn issue(adobe: &Adobe, request: Request) -> Response {
    if request.method() != Method::POST {
        return error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "method not allowed");
    }
    let query = Parameters::parse(request.uri().query().unwrap_or(""));
    let form = request
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let body = match axum::body::to_bytes(request.into_body(), BODY_LIMIT).await {
        Ok(body) if form => String::from_utf8_lossy(&body).into_owned(),
        Ok(_) => String::new(),
        Err(_) => return error(StatusCode::BAD_REQUEST, "invalid_request", "unreadable request body"),
    };
    let body = Parameters::parse(&body);
    let parameter = |name: &str| body.get(name).or_else(|| query.get(name));
    match grant(adobe, parameter) {
        Ok(scope) => {
            let (access_token, expires_in) = adobe.access_tokens.issue(&scope);
            answer(
                StatusCode::OK,
                &json!({"access_token": access_token, "token_type": "bearer", "expires_in": expires_in}),
            )
        }
        Err((code, description)) => error(StatusCode::BAD_REQUEST, code, description),
    }
}

/// The scope granted, or code and description of the error (contracts/campaign.md §1.2; what is not public there
/// follows the OAuth standard).
fn grant<'a>(
    adobe: &Adobe,
    parameter: impl Fn(&str) -> Option<&'a str>,
) -> Result<String, (&'static str, &'static str)> {
    if parameter("client_id") != Some(&adobe.config.client_id) {
        return Err(("invalid_client", "invalid client_id parameter"));
    }
    let secrets = [
        Some(&adobe.config.client_secret),
        adobe.config.second_client_secret.as_ref(),
    ];
    let secret = parameter("client_secret");
    let known = secrets.into_iter().flatten().any(|live| Some(live.as_str()) == secret);
    if !known || adobe.shared.switches.read().secret_expired {
        return Err(("invalid_client", "invalid client_secret parameter"));
    }
    match parameter("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(("unsupported_grant_type", "unsupported grant_type parameter")),
        None => return Err(("invalid_request", "missing grant_type parameter")),
    }
    let scope = parameter("scope").ok_or(("invalid_request", "missing scope parameter"))?;
    let scopes: Vec<&str> = scope.split([',', ' ']).filter(|scope| !scope.is_empty()).collect();
    if scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(scope)) {
        return Err(("invalid_scope", "invalid scope parameter"));
    }
    Ok(scopes.join(","))
}

fn product_contexts(adobe: &Adobe) -> Vec<Value> {
    let context = |organisation: &String| {
        json!({"prodCtx": {
            "statusCode": "ACTIVE",
            "organization_id": organisation,
            "owningEntity": IMS_ORGANISATION,
            "serviceCode": "dma_tartan",
            "ident": organisation,
            "label": format!("Campaign Standard - {organisation} - Administrators"),
            "serviceLevel": "standard",
            "modDts": 1_700_000_000_000_i64,
            "createDts": 1_600_000_000_000_i64,
        }})
    };
    adobe.config.organisations.iter().map(context).collect()
}

fn injected(injected: InjectedAnswer) -> Response {
    let status = injected.status();
    match injected {
        InjectedAnswer::Throttled { retry_after_seconds } => {
            let mut response = error(status, "rate_limit_exceeded", "too many requests");
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            response
        }
        InjectedAnswer::Status(_) => error(status, "server_error", status.canonical_reason().unwrap_or("error")),
    }
}

fn error(status: StatusCode, code: &str, description: &str) -> Response {
    answer(status, &json!({"error": code, "error_description": description}))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    json_response(status, body.to_string().into_bytes())
}
