//! The `Retry-After` header of an answer.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

/// The delay that the other side asks for.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    crosswalk_core::retry_after(|name| headers.get(name)?.to_str().ok(), now)
}
