//! Etags in requests.

use crosswalk_core::{ResourceName, control::Etag};

use crate::error::ApiError;

/// The etag that a change needs. One that is not the present one, or none of ours at all, is a conflict.
pub(crate) fn required_etag(field: &str, text: &str, resource: &ResourceName, present: Etag) -> Result<Etag, ApiError> {
    if text.is_empty() {
        let description = "must be set to the etag of the resource as it was read, so that nobody's change is lost";
        return Err(ApiError::field(field, "REQUIRED", description));
    }
    optional_etag(text, resource, present)
}

/// The etag that a change may have; the present one if it has none.
pub(crate) fn optional_etag(text: &str, resource: &ResourceName, present: Etag) -> Result<Etag, ApiError> {
    if text.is_empty() || text == present.to_string() {
        Ok(present)
    } else {
        Err(ApiError::Conflict {
            resource: Box::new(resource.clone()),
            current: present,
        })
    }
}
