//! Finds the handler of a request that is no read (contracts/dataverse.md §5).

use axum::response::Response;
use http::Method;

use super::bulk::{self, BulkMessage};
use super::errors::ApiError;
use super::keys::RowKey;
use super::request::ApiRequest;
use super::routes::table_of_set;
use super::store::Organization;
use super::uri::Segment;
use super::write::{self, Writing};
use super::{Dynamics, now};

/// What can only be read.
const READ_ONLY: [&str; 6] = [
    "$metadata",
    "WhoAmI",
    "RetrieveTotalRecordCount",
    "EntityDefinitions",
    "GlobalOptionSetDefinitions",
    "sdkmessagefilters",
];

/// Answers a request that is no read. The tables are held exclusively, by a plain request for itself, by a change set for
/// all its operations: what one of them checks stays true until all is written.
pub(super) fn change(
    dynamics: &Dynamics,
    request: &ApiRequest,
    organization: &mut Organization,
) -> Result<Response, ApiError> {
    let not_allowed = || Err(ApiError::method_not_allowed(&request.method));
    match request.segments.as_slice() {
        [] => not_allowed(),
        [Segment { name, .. }, ..] if READ_ONLY.contains(&name.as_str()) => not_allowed(),
        [Segment { name, key }, rest @ ..] => {
            let mut writing = Writing {
                table: table_of_set(organization, name)?,
                organization,
                actor: dynamics.actor_of(request.caller.user),
                now: now(),
            };
            match key {
                Some(key) => row(request, &mut writing, key, rest),
                None => collection(request, &mut writing, rest),
            }
        }
    }
}

fn collection(request: &ApiRequest, writing: &mut Writing<'_>, rest: &[Segment]) -> Result<Response, ApiError> {
    match (&request.method, rest) {
        (&Method::POST, []) => write::post(request, writing),
        (&Method::POST, [Segment { name, key: None }]) => match BulkMessage::of_segment(name) {
            Some(message) => bulk::run(message, request, writing),
            None => Err(ApiError::unknown_segment(name)),
        },
        (_, []) => Err(ApiError::method_not_allowed(&request.method)),
        (_, [unknown, ..]) => Err(ApiError::unknown_segment(&unknown.name)),
    }
}

fn row(request: &ApiRequest, writing: &mut Writing<'_>, key: &str, rest: &[Segment]) -> Result<Response, ApiError> {
    let key = RowKey::parse(writing.organization.table(writing.table).definition(), key)?;
    match (&request.method, rest) {
        (&Method::PATCH, []) => write::patch(request, writing, &key),
        (&Method::DELETE, []) => write::delete(request, writing, &key),
        (&Method::PUT | &Method::DELETE, [property]) => write::property(request, writing, &key, &property.name),
        (&Method::PUT | &Method::DELETE, [navigation, last]) if last.name == "$ref" => {
            write::reference(request, writing, &key, &navigation.name)
        }
        (_, [] | [_]) => Err(ApiError::method_not_allowed(&request.method)),
        (_, [.., unknown]) => Err(ApiError::unknown_segment(&unknown.name)),
    }
}
