//! What every request to the Web API passes: faults, authentication, service protection, and the headers of §2.4.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use uuid::Uuid;

use super::Dynamics;
use super::errors::{ApiError, bytes_response};
use super::limits::{Admission, affinity_cookie};
use super::request::{ApiRequest, SERVICE_ROOT, operation};
use super::routes;
use super::tokens::Application;
use crate::faults::Side;
use crate::wire::{self, AbortConnection, InjectedAnswer};

/// Largest request body, 116.85 MB (contracts/dataverse.md §5.6).
const BODY_LIMIT: usize = 122_526_105;
/// `x-ms-dop-hint`.
const PARALLELISM_HINT: &str = "48";

/// Answers any request that is not for the token endpoint.
pub(super) async fn handle(State(dynamics): State<Arc<Dynamics>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Some(path) = parts.uri.path().strip_prefix(SERVICE_ROOT).map(str::to_owned) else {
        return not_below_the_service_root();
    };
    let operation = operation(&parts.method, &path, parts.uri.query().unwrap_or_default());
    let annotations = wants_annotations(&parts.headers);
    let faults = dynamics.faults.clone();
    let counters = dynamics.counters.clone();
    let render = |answer| injected(answer, annotations);
    let mut response = wire::serve(&faults, &counters, (Side::Dynamics, operation), render, || {
        admitted(dynamics, parts, path, body)
    })
    .await;
    if response.extensions().get::<AbortConnection>().is_none() {
        add_common_headers(response.headers_mut());
    }
    response
}

async fn admitted(dynamics: Arc<Dynamics>, parts: Parts, path: String, body: Body) -> Response {
    let annotations = wants_annotations(&parts.headers);
    match dynamics.authenticate(&parts.headers) {
        Ok(Application::Member) => {}
        Ok(Application::Stranger) => {
            let text = "The user is not a member of the organization.";
            return ApiError::new(StatusCode::FORBIDDEN, "0x80072560", text).into_response(annotations);
        }
        Err(response) => return *response,
    }
    let server = dynamics.limiter.server_of(&parts.headers);
    let admission = match dynamics.limiter.admit(server) {
        Ok(admission) => admission,
        Err(error) => return error.into_response(annotations),
    };
    let answer = answer(&dynamics, parts, &path, body).await;
    let mut response = answer.unwrap_or_else(|error| error.into_response(annotations));
    add_limit_headers(response.headers_mut(), &admission);
    response
}

async fn answer(dynamics: &Dynamics, parts: Parts, path: &str, body: Body) -> Result<Response, ApiError> {
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "0x8004418a",
            "The request length is too large.",
        )
    })?;
    let root = format!("{}{SERVICE_ROOT}", origin(&parts.headers));
    let query = parts.uri.query().unwrap_or_default();
    let request = ApiRequest::parse(parts.method, root, path, query, parts.headers, body)?;
    routes::dispatch(dynamics, &request)
}

impl Dynamics {
    fn authenticate(&self, headers: &HeaderMap) -> Result<Application, Box<Response>> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        token
            .and_then(|token| self.tokens.check(token.trim()))
            .ok_or_else(|| Box::new(self.unauthorized(headers)))
    }

    /// 401 with an empty body; the header lets a client discover the tenant (contracts/dataverse.md §1.5).
    fn unauthorized(&self, headers: &HeaderMap) -> Response {
        let origin = origin(headers);
        let challenge = format!(
            "Bearer authorization_uri={origin}/{}/oauth2/authorize, resource_id={origin}/",
            self.config.tenant_id
        );
        let mut response = Response::default();
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Scheme and host as the client addressed them.
fn origin(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = text("x-forwarded-proto").unwrap_or("http");
    format!("{scheme}://{}", text("host").unwrap_or("localhost"))
}

fn wants_annotations(headers: &HeaderMap) -> bool {
    super::query::Preferences::parse(headers).includes("Microsoft.PowerApps.CDS.HelpLink")
}

fn not_below_the_service_root() -> Response {
    let html = "<!DOCTYPE html><html><head><title>404 - File or directory not found.</title></head><body>\
                <h2>404 - File or directory not found.</h2></body></html>";
    bytes_response(
        StatusCode::NOT_FOUND,
        HeaderValue::from_static("text/html"),
        html.into(),
    )
}

/// An error a fault rule asks for: gateways answer 502 to 504 in HTML, the service everything else in JSON.
fn injected(answer: InjectedAnswer, annotations: bool) -> Response {
    let status = answer.status();
    if let InjectedAnswer::Throttled { retry_after_seconds } = answer {
        let text = "Number of requests exceeded the limit of 6000 over time window of 300 seconds.";
        let mut error = ApiError::new(status, "0x80072322", text);
        error.retry_after = Some(retry_after_seconds);
        return error.into_response(annotations);
    }
    match status.as_u16() {
        401 => {
            let mut response = Response::default();
            *response.status_mut() = status;
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            response
        }
        502..=504 => {
            let html = format!(
                "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
            );
            bytes_response(status, HeaderValue::from_static("text/html"), html.into_bytes())
        }
        _ => ApiError::new(status, "0x80040216", "An unexpected error occurred.").into_response(annotations),
    }
}

fn add_common_headers(headers: &mut HeaderMap) {
    let request_id = Uuid::new_v4().to_string();
    let front_end_id = Uuid::new_v4().to_string();
    let mut add = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    };
    add("odata-version", "4.0");
    // Twice: front end and organization service.
    add("x-ms-service-request-id", &front_end_id);
    add("x-ms-service-request-id", &request_id);
    add("req_id", &request_id);
    add("authactivityid", &front_end_id);
    add("strict-transport-security", "max-age=31536000; includeSubDomains");
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache"));
}

fn add_limit_headers(headers: &mut HeaderMap, admission: &Admission<'_>) {
    let mut add = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    };
    let seconds = format!("{:.2}", admission.execution_left.as_secs_f64());
    add(
        "set-cookie",
        format!(
            "ARRAffinity={}; path=/; secure; HttpOnly",
            affinity_cookie(admission.server)
        ),
    );
    add(
        "x-ms-ratelimit-burst-remaining-xrm-requests",
        admission.requests_left.to_string(),
    );
    add(
        "x-ms-ratelimit-time-remaining-xrm-requests",
        super::labels::grouped(&seconds),
    );
    add("x-ms-dop-hint", PARALLELISM_HINT.to_owned());
}
