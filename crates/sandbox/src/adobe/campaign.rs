//! The REST API: which request is what (contracts/campaign.md §2).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::definition::{Endpoint, Visibility};
use super::engine_calls::EngineCall;
use super::error::CampaignError;
use super::gateway::{self, json_response};
use super::list::{ListRequest, Selection, looks_like_filter};
use super::opaque::{self, Context};
use super::organisation::{Organisation, Resource};
use super::records::success_status;
use super::render::View;
use super::{Adobe, metadata};
use crate::faults::{Operation, Side};
use crate::wire;

/// Longest body read; a record with every field full stays far below.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// A path under an organisation: `/{organisation}/campaign/{endpoint}/…`.
struct Path {
    organisation: String,
    endpoint: String,
    /// Decoded segments after the endpoint. Empty ones, as in the double slashes of list URLs, are left out.
    segments: Vec<String>,
}

impl Path {
    fn parse(path: &str) -> Option<Self> {
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let mut parts = path.split('/').filter(|segment| !segment.is_empty()).map(decode);
        let organisation = parts.next()?;
        parts.next().filter(|segment| segment == "campaign")?;
        let endpoint = parts.next()?;
        let mut segments: Vec<String> = parts.collect();
        // `profile.json` asks for the format that is the default anyway.
        if let Some(resource) = segments.first_mut()
            && let Some(bare) = resource.strip_suffix(".json")
        {
            *resource = bare.to_owned();
        }
        Some(Self {
            organisation,
            endpoint,
            segments,
        })
    }

    /// What faults and counters take the request for.
    fn operation(&self, method: &Method) -> Operation {
        match *method {
            Method::POST => Operation::Create,
            Method::PATCH => Operation::Update,
            Method::DELETE => Operation::Delete,
            Method::GET => self.read_operation(),
            _ => Operation::Other,
        }
    }

    fn read_operation(&self) -> Operation {
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            [] | ["resourceType", ..] | [_, "metadata"] => Operation::Metadata,
            [_, .., "_count"] => Operation::Count,
            [_] => Operation::List,
            // Only the projection to `email` is documented; any other word may be a custom key.
            [_, first, ..] if looks_like_filter(first) || *first == "email" => Operation::List,
            [_, ..] => Operation::Get,
        }
    }
}

/// Everything that is not IMS.
pub(super) async fn handle(State(adobe): State<Arc<Adobe>>, request: Request) -> Response {
    let call = adobe.calls.fetch_add(1, Ordering::Relaxed);
    let path = Path::parse(request.uri().path());
    let operation = path
        .as_ref()
        .map_or(Operation::Other, |path| path.operation(request.method()));
    let route = (Side::Campaign, operation);
    let mut response = wire::serve(&adobe.faults, &adobe.counters, route, gateway::injected, || async {
        if adobe.shared.switches.read().restarting {
            return restarting(call);
        }
        match path {
            Some(path) => answer(&adobe, path, request).await,
            None => gateway::wrong_uri(),
        }
    })
    .await;
    let request_id = format!(
        "{:016x}{:016x}",
        opaque::hash((adobe.config.seed, call)),
        opaque::hash(call)
    );
    if let Ok(request_id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", request_id);
    }
    response
}

/// What clients meet around the daily restart (contracts/campaign.md §6.6).
fn restarting(call: u64) -> Response {
    match call % 3 {
        0 => wire::abort_connection(),
        1 => gateway::injected(wire::InjectedAnswer::Status(502)),
        _ => gateway::injected(wire::InjectedAnswer::Status(503)),
    }
}

async fn answer(adobe: &Adobe, path: Path, request: Request) -> Response {
    if let Err(refusal) = gateway::check(adobe, request.headers(), &path.organisation) {
        return refusal.response();
    }
    let Some(organisation) = adobe.organisation(&path.organisation) else {
        return gateway::wrong_uri();
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return refused(&CampaignError::MalformedBody {
            reason: "it is too long or was cut off".to_owned(),
        });
    };
    let switches = Arc::clone(&adobe.shared.switches.read());
    let endpoint = match Endpoint::of(&path.endpoint) {
        Some(Endpoint::Extended) if switches.ext_unpublished => return gateway::wrong_uri(),
        Some(endpoint) => endpoint,
        None => return gateway::wrong_uri(),
    };
    adobe
        .shared
        .engine_calls
        .count(engine_call(path.operation(&parts.method)));
    let base_url = base_url(&parts.headers, &parts.uri);
    let view = View {
        visibility: Visibility {
            endpoint,
            switches: &switches,
            hidden: false,
        },
        base_url: &base_url,
        context: Context::Record,
    };
    let call = Call {
        organisation,
        view,
        segments: &path.segments,
        query: parts.uri.query().unwrap_or(""),
    };
    match call.dispatch(&parts.method, &body) {
        Ok(body) => json_response(success_status(parts.method.as_str()), body),
        Err(error) => refused(&error),
    }
}

fn refused(error: &CampaignError) -> Response {
    json_response(error.status(), error.body())
}

fn engine_call(operation: Operation) -> EngineCall {
    match operation {
        Operation::Create => EngineCall::Insert,
        Operation::Update => EngineCall::Update,
        Operation::Delete => EngineCall::Delete,
        Operation::Metadata => EngineCall::Metadata,
        _ => EngineCall::Read,
    }
}

/// Scheme and host the client used, so that it can follow the URLs it is given.
fn base_url(headers: &HeaderMap, uri: &http::Uri) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host
        .or_else(|| uri.authority().map(http::uri::Authority::as_str))
        .unwrap_or("localhost");
    format!("http://{host}")
}

/// A call the gateway has let through.
struct Call<'a> {
    organisation: &'a Organisation,
    view: View<'a>,
    segments: &'a [String],
    query: &'a str,
}

impl Call<'_> {
    /// The body of the answer.
    fn dispatch(&self, method: &Method, body: &Bytes) -> Result<Vec<u8>, CampaignError> {
        let _schema = self.organisation.schema.read();
        let Some((name, rest)) = self.segments.split_first() else {
            return self.document(method, metadata::index(self.organisation, &self.view));
        };
        if name == "resourceType" {
            return self.describe(method, rest);
        }
        let resource = &*self
            .organisation
            .exposed_resource(name, self.view.visibility.endpoint)?;
        let rest_of_path: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (method, rest_of_path.as_slice()) {
            (&Method::POST, []) => self.organisation.create_record(resource, self.view, body),
            (&Method::PATCH, []) => self.organisation.update_record(resource, self.view, None, body),
            (&Method::PATCH, [key]) => self.organisation.update_record(resource, self.view, Some(key), body),
            (&Method::DELETE, [key]) => self
                .organisation
                .delete_record(resource, self.view, key)
                .map(|()| Vec::new()),
            (&Method::GET, ["metadata"]) => Ok(self.description(resource)),
            (&Method::GET, _) => self.read(resource, rest),
            _ => Err(not_allowed(method)),
        }
    }

    /// `resourceType`, `resourceType/<resource>` and `resourceType/<PKey>/filters/`.
    fn describe(&self, method: &Method, rest: &[String]) -> Result<Vec<u8>, CampaignError> {
        match rest {
            [] => self.document(method, metadata::index(self.organisation, &self.view)),
            [name] if *method == Method::GET => {
                let endpoint = self.view.visibility.endpoint;
                Ok(self.description(&*self.organisation.exposed_resource(name, endpoint)?))
            }
            [token, filters] if filters == "filters" => {
                let resource = metadata::resource_of_token(self.organisation, token);
                let resource = resource.ok_or_else(|| CampaignError::UndecodablePrimaryKey {
                    name: token.strip_prefix('@').unwrap_or(token).to_owned(),
                    label: "Resources".to_owned(),
                    schema: "nms:resourceType".to_owned(),
                })?;
                self.document(method, metadata::filters(self.organisation, &resource, &self.view))
            }
            [name, ..] => Err(CampaignError::UnknownResource { resource: name.clone() }),
        }
    }

    fn description(&self, resource: &Resource) -> Vec<u8> {
        metadata::resource(self.organisation, resource, &self.view)
            .to_string()
            .into_bytes()
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers make the document for this call")]
    fn document(&self, method: &Method, document: Value) -> Result<Vec<u8>, CampaignError> {
        if *method == Method::GET {
            Ok(document.to_string().into_bytes())
        } else {
            Err(not_allowed(method))
        }
    }

    /// A list, a count, or one record.
    fn read(&self, resource: &Resource, rest: &[String]) -> Result<Vec<u8>, CampaignError> {
        let (segments, count) = match rest.split_last() {
            Some((last, before)) if last == "_count" => (before, true),
            _ => (rest, false),
        };
        let visibility = self.view.visibility;
        if let Some(selection) = Selection::of(&resource.definition, visibility, segments) {
            let list = ListRequest {
                resource,
                view: self.view,
                selection,
                segments,
                query: self.query,
            };
            return if count {
                list.count(self.organisation)
            } else {
                list.page(self.organisation)
            };
        }
        let unknown_filter = |segment: &str| CampaignError::UnknownFilter {
            filter: segment.to_owned(),
            resource: resource.definition.name.to_owned(),
        };
        match rest {
            [key] => match self.organisation.read_record(resource, self.view, key) {
                Err(_) if looks_like_filter(key) => Err(unknown_filter(key)),
                result => result,
            },
            [first, ..] if looks_like_filter(first) => Err(unknown_filter(first)),
            _ => Err(CampaignError::UnknownResource {
                resource: rest.join("/"),
            }),
        }
    }
}

fn not_allowed(method: &Method) -> CampaignError {
    CampaignError::MethodNotAllowed {
        method: method.to_string(),
    }
}
