//! Metadata of tables and columns (contracts/dataverse.md §4), the service document and the CSDL.

mod attributes;
mod csdl;
mod definitions;
mod filter;
mod labels;
mod options;
mod project;
mod relationships;

use axum::response::Response;
use http::StatusCode;
use serde_json::json;

pub(super) use self::csdl::csdl;
pub(super) use self::definitions::entity_definitions;
pub(super) use self::filter::matches_ignoring_case;
use super::errors::json_response;
use super::request::ApiRequest;
use super::store::Organization;

/// `GET /`: the entity sets.
pub(super) fn service_document(request: &ApiRequest, organization: &Organization) -> Response {
    let sets: Vec<_> = organization
        .tables()
        .iter()
        .map(|table| &table.definition().entity_set_name)
        .map(|set| json!({"name": set, "kind": "EntitySet", "url": set}))
        .collect();
    let context = format!("{}/$metadata", request.caller.root);
    json_response(StatusCode::OK, &json!({"@odata.context": context, "value": sets}))
}
