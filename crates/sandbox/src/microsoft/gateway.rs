//! What every request to the Web API passes: faults, authentication, service protection, and the headers of §2.4.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use uuid::Uuid;

use super::errors::{ApiError, bytes_response};
use super::limits::{Standing, affinity_cookie};
use super::request::{ApiRequest, Caller, SERVICE_ROOT, operation};
use super::routes;
use super::tokens::Application;
use super::{Dynamics, batch};
use crate::faults::Side;
use crate::wire::{self, AbortConnection, Delivery, InjectedAnswer};

/// Largest request body, 116.85 MB (contracts/dataverse.md §5.6).
const BODY_LIMIT: usize = 122_526_105;

/// Answers any request that is not for the token endpoint.
pub(super) async fn handle(State(dynamics): State<Arc<Dynamics>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Some(path) = parts.uri.path().strip_prefix(SERVICE_ROOT).map(str::to_owned) else {
        return not_below_the_service_root();
    };
    let operation = operation(&parts.method, &path, parts.uri.query().unwrap_or_default());
    let annotations = wants_annotations(&parts.headers);
    let (faults, counters) = (dynamics.faults.clone(), dynamics.counters.clone());
    let challenge = dynamics.unauthorized(&parts.headers);
    let render = |answer| injected(answer, challenge, annotations);
    let handle = |delivery| admitted(dynamics, parts, path, body, delivery);
    let mut response = wire::serve_deliveries(&faults, &counters, (Side::Dynamics, operation), render, handle).await;
    if response.extensions().get::<AbortConnection>().is_none() {
        add_common_headers(response.headers_mut());
    }
    response
}

async fn admitted(dynamics: Arc<Dynamics>, parts: Parts, path: String, body: Body, delivery: Delivery) -> Response {
    let annotations = wants_annotations(&parts.headers);
    let user = match dynamics.authenticate(&parts.headers) {
        Some(Application::Member(user)) => user,
        Some(Application::Stranger) => {
            let text = "The user is not a member of the organization.";
            return ApiError::new(StatusCode::FORBIDDEN, "0x80072560", text).into_response(annotations);
        }
        None => return dynamics.unauthorized(&parts.headers),
    };
    let server = dynamics.limiter.server_of(&parts.headers);
    let admission = match dynamics.limiter.admit(user, server, Instant::now()) {
        Ok(admission) => admission,
        Err(refused) => {
            let mut response = refused.error.into_response(annotations);
            add_limit_headers(response.headers_mut(), &refused.standing);
            return response;
        }
    };
    let caller = Caller {
        user,
        root: format!("{}{SERVICE_ROOT}", origin(&parts.headers)),
    };
    let mut response = match read_body(body).await {
        Ok(body) => answer(&dynamics, &caller, &parts, (&path, body), delivery).await,
        Err(error) => error.into_response(annotations),
    };
    add_limit_headers(response.headers_mut(), &admission.standing);
    response
}

async fn read_body(body: Body) -> Result<Bytes, ApiError> {
    to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "0x8004418a",
            "The request length is too large.",
        )
    })
}

/// Answers a request as often as it is delivered; the client gets the last answer.
async fn answer(
    dynamics: &Dynamics,
    caller: &Caller,
    parts: &Parts,
    (path, body): (&str, Bytes),
    delivery: Delivery,
) -> Response {
    let annotations = wants_annotations(&parts.headers);
    let query = parts.uri.query().unwrap_or_default();
    let parsed = ApiRequest::parse(
        caller.clone(),
        parts.method.clone(),
        (path, query),
        parts.headers.clone(),
        body,
    );
    let mut request = match parsed {
        Ok(request) => request,
        Err(error) => return error.into_response(annotations),
    };
    request.repeats_rows = delivery == Delivery::RepeatedRows;
    if delivery == Delivery::Twice {
        drop(handled(dynamics, &request).await);
    }
    handled(dynamics, &request)
        .await
        .unwrap_or_else(|error| error.into_response(annotations))
}

async fn handled(dynamics: &Dynamics, request: &ApiRequest) -> Result<Response, ApiError> {
    if batch::is_batch(request) {
        return batch::answer(dynamics, request).await;
    }
    routes::dispatch(dynamics, request)
}

impl Dynamics {
    /// The application whose token the request carries; `None` without a valid token.
    fn authenticate(&self, headers: &HeaderMap) -> Option<Application> {
        let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        self.tokens.check(token.strip_prefix("Bearer ")?.trim())
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

/// Whether an error is to carry the members of contracts/dataverse.md §6.1.
pub(super) fn wants_annotations(headers: &HeaderMap) -> bool {
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

/// An error a fault rule asks for: gateways answer 502 to 504 in HTML, the service everything else in JSON but for the
/// challenge of a 401.
fn injected(answer: InjectedAnswer, challenge: Response, annotations: bool) -> Response {
    let status = answer.status();
    if let InjectedAnswer::Throttled { retry_after_seconds } = answer {
        let text = "Number of requests exceeded the limit of 6000 over time window of 300 seconds.";
        let mut error = ApiError::new(status, "0x80072322", text);
        error.retry_after = Some(retry_after_seconds);
        return error.into_response(annotations);
    }
    match status.as_u16() {
        401 => challenge,
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

fn add_limit_headers(headers: &mut HeaderMap, standing: &Standing) {
    let mut add = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    };
    let seconds = format!("{:.2}", standing.execution_left.as_secs_f64());
    add(
        "set-cookie",
        format!(
            "ARRAffinity={}; path=/; secure; HttpOnly",
            affinity_cookie(standing.server)
        ),
    );
    add(
        "x-ms-ratelimit-burst-remaining-xrm-requests",
        standing.requests_left.to_string(),
    );
    add(
        "x-ms-ratelimit-time-remaining-xrm-requests",
        super::labels::grouped(&seconds),
    );
    add("x-ms-dop-hint", standing.parallelism_hint.to_string());
}
