//! Addresses of the two systems.

use crosswalk_core::is_loopback_host;
use url::Url;

use crate::error::Violations;

/// Longest address, in characters.
const MAX_LENGTH: usize = 300;

/// Checks an address and gives its normal form: scheme and host in lower case, no default port, no slash at the end. So
/// two spellings of one address compare as equal.
///
/// Credentials travel to it, so plain HTTP is for loopback only.
pub(super) fn address(violations: &mut Violations, field: &str, text: &str) -> Option<Url> {
    if text.chars().count() > MAX_LENGTH {
        violations.add(
            field,
            "TOO_LONG",
            format!("at most {MAX_LENGTH} characters are possible"),
        );
        return None;
    }
    let url = match Url::parse(text.trim()) {
        Ok(url) => url,
        Err(error) => {
            violations.add(
                field,
                "NOT_AN_ADDRESS",
                format!("must be an address such as https://example.com: {error}"),
            );
            return None;
        }
    };
    match fault(&url) {
        None => Some(url),
        Some((reason, description)) => {
            violations.add(field, reason, description);
            None
        }
    }
}

/// The text of an address, as it is stored.
pub(super) fn normal_form(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn fault(url: &Url) -> Option<(&'static str, &'static str)> {
    let Some(host) = url.host_str() else {
        return Some(("NOT_AN_ADDRESS", "must name a host, as in https://example.com"));
    };
    if !(url.scheme() == "https" || url.scheme() == "http" && is_loopback_host(host)) {
        return Some(("NOT_HTTPS", "must begin with https://, since credentials travel there"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Some(("NOT_PLAIN", "must have no user, query or fragment"));
    }
    None
}
