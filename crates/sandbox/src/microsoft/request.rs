//! One request to the Web API, taken apart.

use axum::body::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::bulk::BulkMessage;
use super::errors::ApiError;
use super::paging::is_delta_token;
use super::query::{Preferences, QueryOptions};
use super::uri::{Segment, segments};
use crate::faults::Operation;

/// Path of the service root.
pub(crate) const SERVICE_ROOT: &str = "/api/data/v9.2";

/// Who asks, and how the service was addressed: the same for a batch and all its operations.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The application user.
    pub user: Uuid,
    /// Absolute URL of the service root, from the `Host` header: links in answers start with it.
    pub root: String,
}

/// A request below the service root.
#[derive(Debug)]
pub(crate) struct ApiRequest {
    /// Who asks, and how the service was addressed.
    pub caller: Caller,
    /// Method.
    pub method: Method,
    /// Path segments below the service root.
    pub segments: Vec<Segment>,
    /// Query string.
    pub options: QueryOptions,
    /// `Prefer`.
    pub preferences: Preferences,
    /// All headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// A fault: the rows of a page come twice.
    pub repeats_rows: bool,
}

/// The condition of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// No condition: PATCH is an upsert.
    None,
    /// `If-Match: *`
    MustExist,
    /// `If-Match: W/"n"`
    MustMatch(String),
    /// `If-None-Match: *`
    MustNotExist,
}

impl ApiRequest {
    /// Takes a request apart. `path` is the percent-encoded path below the service root.
    pub(crate) fn parse(
        caller: Caller,
        method: Method,
        (path, query): (&str, &str),
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            caller,
            method,
            segments: segments(path)?,
            options: QueryOptions::parse(query)?,
            preferences: Preferences::parse(&headers),
            headers,
            body,
            repeats_rows: false,
        })
    }

    /// The body as a JSON object.
    pub(crate) fn json(&self, entity_set: &str) -> Result<Map<String, Value>, ApiError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ApiError::payload(entity_set, &format!("Microsoft.OData.ODataException: {error}")))
    }

    /// The condition headers of a write.
    pub(crate) fn condition(&self) -> Condition {
        let header = |name: &str| {
            self.headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::trim)
        };
        match (header("if-match"), header("if-none-match")) {
            (Some("*"), _) => Condition::MustExist,
            (Some(etag), _) => Condition::MustMatch(etag.to_owned()),
            (None, Some("*")) => Condition::MustNotExist,
            (None, _) => Condition::None,
        }
    }

    /// The absolute URL of a path below the service root.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.caller.root)
    }

    /// The `$metadata` URL with a fragment: an `@odata.context`.
    pub(crate) fn context(&self, fragment: &str) -> String {
        format!("{}/$metadata#{fragment}", self.caller.root)
    }
}

/// What a request asks for, as far as faults and counters care. Looks at the raw path and query only.
pub(crate) fn operation(method: &Method, path: &str, query: &str) -> Operation {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default();
    let name = first.split('(').next().unwrap_or_default();
    let has_key = first.contains('(');
    let last = parts.next_back();
    match name {
        "" | "$metadata" | "EntityDefinitions" | "GlobalOptionSetDefinitions" | "RelationshipDefinitions" => {
            return Operation::Metadata;
        }
        "WhoAmI" => return Operation::Other,
        "RetrieveTotalRecordCount" => return Operation::Count,
        "$batch" => return Operation::Batch,
        _ => {}
    }
    match *method {
        Method::GET if last == Some("$count") => Operation::Count,
        Method::GET if has_key => Operation::Get,
        Method::GET if is_delta(query) => Operation::Delta,
        Method::GET => Operation::List,
        Method::POST if last.is_none() => Operation::Create,
        Method::POST if last.is_some_and(|last| BulkMessage::of_segment(last).is_some()) => Operation::Bulk,
        Method::PATCH | Method::PUT => Operation::Update,
        Method::DELETE if last.is_some() => Operation::Update,
        Method::DELETE => Operation::Delete,
        _ => Operation::Other,
    }
}

fn is_delta(query: &str) -> bool {
    let Ok(options) = QueryOptions::parse(query) else {
        return false;
    };
    options.get("$deltatoken").is_some() || options.get("$skiptoken").is_some_and(is_delta_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_follow_method_and_path() {
        let cases = [
            (Method::GET, "/contacts", "$select=a", Operation::List),
            (Method::GET, "/contacts", "$deltatoken=1", Operation::Delta),
            (Method::GET, "/contacts/$count", "", Operation::Count),
            (Method::GET, "/contacts(1)", "", Operation::Get),
            (Method::POST, "/contacts", "", Operation::Create),
            (Method::PATCH, "/contacts(1)", "", Operation::Update),
            (Method::DELETE, "/contacts(1)", "", Operation::Delete),
            (Method::DELETE, "/contacts(1)/telephone1", "", Operation::Update),
            (
                Method::GET,
                "/EntityDefinitions(LogicalName='contact')/Attributes",
                "",
                Operation::Metadata,
            ),
            (Method::GET, "/WhoAmI", "", Operation::Other),
            (Method::POST, "/$batch", "", Operation::Batch),
            (
                Method::POST,
                "/contacts/Microsoft.Dynamics.CRM.CreateMultiple",
                "",
                Operation::Bulk,
            ),
            (Method::POST, "/contacts/CreateMultiple", "", Operation::Other),
        ];
        for (method, path, query, expected) in cases {
            assert_eq!(operation(&method, path, query), expected, "{method} {path}?{query}");
        }
    }
}
