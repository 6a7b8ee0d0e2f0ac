//! Paths of the REST API, and what a request asks for as far as its path tells.

use http::Method;
use percent_encoding::percent_decode_str;

use super::filter::is_filter_name;
use crate::faults::Operation;

/// A path under an organisation: `/{organisation}/campaign/{endpoint}/…`.
pub(super) struct Path {
    pub(super) organisation: String,
    pub(super) endpoint: String,
    /// Decoded segments after the endpoint. Empty ones, as in the double slashes of list URLs, are left out.
    pub(super) segments: Vec<String>,
    /// Whether the resource has the suffix `.json`.
    pub(super) asks_for_json: bool,
}

impl Path {
    pub(super) fn parse(path: &str) -> Option<Self> {
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let mut parts = path.split('/').filter(|segment| !segment.is_empty()).map(decode);
        let organisation = parts.next()?;
        parts.next().filter(|segment| segment == "campaign")?;
        let endpoint = parts.next()?;
        let mut segments: Vec<String> = parts.collect();
        // `profile.json` asks for the format that is the default anyway.
        let bare = segments.first().and_then(|resource| resource.strip_suffix(".json"));
        let bare = bare.map(str::to_owned);
        let asks_for_json = bare.is_some();
        if let Some((resource, bare)) = segments.first_mut().zip(bare) {
            *resource = bare;
        }
        Some(Self {
            organisation,
            endpoint,
            segments,
            asks_for_json,
        })
    }

    /// Whether it is about workflows, not about resources.
    pub(super) fn is_workflow(&self) -> bool {
        self.endpoint == "workflow"
    }

    /// What faults and counters take the request for.
    pub(super) fn operation(&self, method: &Method) -> Operation {
        if self.is_workflow() {
            return Operation::Other;
        }
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
            [_] | [_, _, _] => Operation::List,
            // Only the projection to `email` is documented; any other word may be a custom key.
            [_, first, ..] if is_filter_name(first) || *first == "email" => Operation::List,
            [_, ..] => Operation::Get,
        }
    }
}
