//! Tables of bad input: each names its field and its reason.

mod instance;
mod mapping;
mod names;

use crate::error::ApiError;

/// Field and reason of everything that is wrong.
pub(super) fn violations<T: std::fmt::Debug>(result: Result<T, ApiError>) -> Vec<(String, &'static str)> {
    match result {
        Err(ApiError::InvalidArgument(violations)) => violations
            .into_iter()
            .map(|violation| (violation.field, violation.reason))
            .collect(),
        other => panic!("expected wrong fields, got {:.300}", format!("{other:?}")),
    }
}
