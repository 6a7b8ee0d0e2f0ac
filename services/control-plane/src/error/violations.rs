//! Wrong fields of a request: all of them are told at once.

use super::ApiError;

/// A field of a request that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Its path, e.g. `mapping.fields[3].campaign_field`.
    pub(crate) field: String,
    /// Stable reason, e.g. `REQUIRED`.
    pub(crate) reason: &'static str,
    /// What is wrong with it and what to do.
    pub(crate) description: String,
}

/// Violations collected while a request is read, so that all of them can be told at once.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<Violation>);

impl Violations {
    pub(crate) fn add(&mut self, field: impl Into<String>, reason: &'static str, description: impl Into<String>) {
        self.0.push(Violation {
            field: field.into(),
            reason,
            description: description.into(),
        });
    }

    /// Ends the reading of a request.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::InvalidArgument(self.0))
        }
    }
}

/// Most fields that the message of an error names.
const NAMED_FIELDS: usize = 10;

pub(super) fn describe(violations: &[Violation]) -> String {
    match violations {
        [one] => format!("{}: {}", one.field, one.description),
        many => {
            let fields: Vec<&str> = many
                .iter()
                .take(NAMED_FIELDS)
                .map(|violation| violation.field.as_str())
                .collect();
            let more = if many.len() > NAMED_FIELDS { ", …" } else { "" };
            format!("{} fields are not valid: {}{more}", many.len(), fields.join(", "))
        }
    }
}

/// Most bytes of violations in an answer. They travel in a header, and clients and proxies take 8 KiB of headers at most, in
/// base64; a longer one breaks the connection instead of telling anything.
const MAX_VIOLATION_BYTES: usize = 4_500;

/// As many violations as an answer can carry. Whoever corrects them is told of the others then.
pub(super) fn sendable(violations: Vec<Violation>) -> impl Iterator<Item = Violation> {
    violations.into_iter().scan(0, |bytes, violation| {
        // Tags and lengths take a few bytes besides.
        *bytes += violation.field.len() + violation.description.len() + violation.reason.len() + 12;
        (*bytes <= MAX_VIOLATION_BYTES).then_some(violation)
    })
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn every_wrong_field_is_named_with_its_reason() {
        let mut violations = Violations::default();
        violations.add("instance.dynamics.tenant_id", "REQUIRED", "must be set");
        violations.add("instance.campaign.api_url", "NOT_HTTPS", "must be https");
        let status = Status::from(violations.finish().unwrap_err());
        let details = status.get_error_details();
        let bad_request = details.bad_request().unwrap();
        let named: Vec<(&str, &str)> = bad_request
            .field_violations
            .iter()
            .map(|violation| (violation.field.as_str(), violation.reason.as_str()))
            .collect();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(
            named,
            [
                ("instance.dynamics.tenant_id", "REQUIRED"),
                ("instance.campaign.api_url", "NOT_HTTPS")
            ]
        );
        assert!(status.message().contains("2 fields"), "{}", status.message());
    }

    #[test]
    fn more_wrong_fields_than_a_header_carries_are_counted_in_the_message() {
        let mut violations = Violations::default();
        for place in 0..1_000 {
            violations.add(
                format!("mapping.fields[{place}]"),
                "INCOMPATIBLE_TYPES",
                "x".repeat(100),
            );
        }
        let status = Status::from(violations.finish().unwrap_err());
        assert!(status.message().contains("1000 fields"), "{}", status.message());
        assert!(
            !status
                .get_error_details()
                .bad_request()
                .unwrap()
                .field_violations
                .is_empty()
        );
        assert!(
            status.details().len() + status.message().len() < 6_000,
            "{}",
            status.details().len()
        );
    }
}
