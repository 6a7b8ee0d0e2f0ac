//! References of an operation to one before it in the same change set: `$1` for `Content-ID: 1`, in URLs, in
//! `@odata.bind` and in `@odata.id` (contracts/dataverse.md §5.7). Pure.
//!
//! A reference stands for the URL in the earlier answer's `OData-EntityId`. An answer without one, which is also one with
//! a representation, cannot be referred to; clients of the product have seen that.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::body::Bytes;
use serde_json::Value;

use crate::microsoft::errors::ApiError;

/// URLs of the rows that operations of a change set wrote, by `Content-ID`.
#[derive(Debug, Default)]
pub(super) struct References {
    urls: HashMap<String, String>,
}

impl References {
    /// Notes what an operation wrote.
    pub(super) fn note(&mut self, content_id: String, url: String) {
        self.urls.insert(content_id, url);
    }

    /// The URL of an operation: a reference in front, as in `$1` or `$1/lastname`, is replaced.
    pub(super) fn resolve<'target>(&self, target: &'target str) -> Result<Cow<'target, str>, ApiError> {
        let Some(reference) = target.strip_prefix('$') else {
            return Ok(Cow::Borrowed(target));
        };
        let end = reference.find(['/', '?']).unwrap_or(reference.len());
        let (content_id, rest) = reference.split_at(end);
        let url = self.urls.get(content_id).ok_or_else(|| unknown(content_id))?;
        Ok(Cow::Owned(format!("{url}{rest}")))
    }

    /// The body of an operation with its references replaced. What is no JSON is left to whoever reads the body.
    pub(super) fn resolve_body(&self, body: &Bytes) -> Result<Bytes, ApiError> {
        if !body.windows(2).any(|bytes| bytes == b"\"$") {
            return Ok(body.clone());
        }
        let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
            return Ok(body.clone());
        };
        self.resolve_values(&mut value)?;
        Ok(Bytes::from(value.to_string()))
    }

    fn resolve_values(&self, value: &mut Value) -> Result<(), ApiError> {
        match value {
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.resolve_values(item)),
            Value::Object(members) => members.iter_mut().try_for_each(|(name, member)| {
                if name == "@odata.id" || name.ends_with("@odata.bind") {
                    self.resolve_links(member)
                } else {
                    self.resolve_values(member)
                }
            }),
            _ => Ok(()),
        }
    }

    /// A link, or several of a collection.
    fn resolve_links(&self, value: &mut Value) -> Result<(), ApiError> {
        match value {
            Value::String(link) => {
                if let Cow::Owned(resolved) = self.resolve(link)? {
                    *link = resolved;
                }
                Ok(())
            }
            Value::Array(links) => links.iter_mut().try_for_each(|link| self.resolve_links(link)),
            _ => Ok(()),
        }
    }
}

fn unknown(content_id: &str) -> ApiError {
    ApiError::bad_request(format!(
        "Content-ID Reference: '${content_id}' does not exist in the batch context."
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn references() -> References {
        let mut references = References::default();
        references.note("1".to_owned(), "https://org/api/data/v9.2/contacts(a)".to_owned());
        references
    }

    #[test]
    fn a_reference_is_a_url_or_its_beginning() {
        let references = references();
        let resolve = |target| references.resolve(target).map(Cow::into_owned);
        assert_eq!(resolve("$1").as_deref(), Ok("https://org/api/data/v9.2/contacts(a)"));
        assert_eq!(
            resolve("$1/lastname").as_deref(),
            Ok("https://org/api/data/v9.2/contacts(a)/lastname")
        );
        assert_eq!(
            resolve("$1?$select=fullname").as_deref(),
            Ok("https://org/api/data/v9.2/contacts(a)?$select=fullname")
        );
        assert_eq!(resolve("/contacts(b)/$ref").as_deref(), Ok("/contacts(b)/$ref"));
        let error = resolve("$12/lastname").unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            (
                "0x80060888",
                "Content-ID Reference: '$12' does not exist in the batch context."
            )
        );
    }

    #[test]
    fn links_in_a_body_are_replaced_and_data_is_not() {
        let body = json!({
            "primarycontactid@odata.bind": "$1", "name": "$1", "@odata.id": "/accounts(b)",
            "Targets": [{"x@odata.bind": ["$1"], "price": 1.5}],
        });
        let resolved = references().resolve_body(&Bytes::from(body.to_string())).unwrap();
        let url = "https://org/api/data/v9.2/contacts(a)";
        assert_eq!(
            serde_json::from_slice::<Value>(&resolved).unwrap(),
            json!({
                "primarycontactid@odata.bind": url, "name": "$1", "@odata.id": "/accounts(b)",
                "Targets": [{"x@odata.bind": [url], "price": 1.5}],
            })
        );
        let forward = Bytes::from(json!({"@odata.id": "$2"}).to_string());
        assert!(references().resolve_body(&forward).is_err());
    }

    #[test]
    fn bodies_that_are_no_json_are_left_alone() {
        let body = Bytes::from_static(b"{\"@odata.id\": \"$2\"");
        assert_eq!(references().resolve_body(&body), Ok(body));
    }
}
