//! Pages of lists.
//!
//! A page token names the list it belongs to and the last thing shown, in base64. It is checked when it comes back, so
//! that a token of another list is an error and not a wrong page.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::error::ApiError;

const DEFAULT_SIZE: usize = 100;
const MAX_SIZE: usize = 1_000;
/// Longest token we ever give out is far shorter.
const MAX_TOKEN_LENGTH: usize = 400;

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// How many things at most.
    pub(crate) size: usize,
    /// The last thing shown before; `None` for the first page.
    pub(crate) after: Option<String>,
}

/// Reads `page_size` and `page_token` of a request for a list, which has a name of its own.
pub(crate) fn page(list: &str, size: i32, token: &str) -> Result<Page, ApiError> {
    let size = match usize::try_from(size) {
        Ok(0) => DEFAULT_SIZE,
        Ok(size) => size.min(MAX_SIZE),
        Err(_) => {
            return Err(ApiError::field(
                "page_size",
                "NEGATIVE",
                "must not be negative; 0 is the default, and more than 1000 counts as 1000",
            ));
        }
    };
    if token.is_empty() {
        return Ok(Page { size, after: None });
    }
    let after = last_shown(list, token).ok_or_else(|| {
        let description = "is not the next_page_token of an answer for this list; leave it out to begin anew";
        ApiError::field("page_token", "TOKEN_INVALID", description)
    })?;
    Ok(Page {
        size,
        after: Some(after),
    })
}

fn last_shown(list: &str, token: &str) -> Option<String> {
    if token.len() > MAX_TOKEN_LENGTH {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (of, last) = text.split_once('\n')?;
    (of == list && !last.is_empty()).then(|| last.to_owned())
}

/// The token with which a list goes on after the last thing shown.
pub(crate) fn next_page_token(list: &str, last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{last}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_on_in_its_own_list_only() {
        let token = next_page_token("instances/demo/mappings", "contact");
        let page_of = |list: &str| page(list, 0, &token);
        assert_eq!(
            page_of("instances/demo/mappings").unwrap().after.as_deref(),
            Some("contact")
        );
        assert!(page_of("instances/prod/mappings").is_err());
    }

    #[test]
    fn malformed_tokens_are_refused() {
        let long = "A".repeat(MAX_TOKEN_LENGTH + 1);
        for token in ["%", "contact", "YQ", &URL_SAFE_NO_PAD.encode("instances\n"), &long] {
            assert!(page("instances", 0, token).is_err(), "{token}");
        }
    }

    #[test]
    fn sizes_have_a_default_and_a_limit() {
        for (asked, size) in [(0, DEFAULT_SIZE), (1, 1), (1_000, MAX_SIZE), (i32::MAX, MAX_SIZE)] {
            assert_eq!(page("instances", asked, "").unwrap(), Page { size, after: None });
        }
        assert!(page("instances", -1, "").is_err());
    }
}
