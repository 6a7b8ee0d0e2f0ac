//! Links of a resource that may keep a record from being seen.

use parking_lot::RwLock;
use serde_json::{Map, Value};

/// Links of a resource that may be of cardinality one: Campaign hides a record in which such a link leads nowhere
/// (contracts/campaign.md §4.4).
///
/// Campaign does not tell of which cardinality a link is. But a link that is unset in a record that can be seen is not of
/// cardinality one, so it is not watched any more: a resource costs a call for each of its other links, once.
#[derive(Debug, Default)]
pub struct Links(RwLock<Vec<String>>);

impl Links {
    /// The links of a resource, by name.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(RwLock::new(names.into_iter().collect()))
    }

    /// Whether no link can hide a record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }

    /// Whether a link that may hide a record is unset in it.
    pub(crate) fn any_is_unset_in(&self, record: &Map<String, Value>) -> bool {
        self.0.read().iter().any(|link| is_unset(record, link))
    }

    /// A record can be seen: the links that are unset in it hide none.
    pub(crate) fn is_seen(&self, record: &Map<String, Value>) {
        self.0.write().retain(|link| !is_unset(record, link));
    }
}

/// A link that leads nowhere is shown as null (contracts/campaign.md §2.5).
fn is_unset(record: &Map<String, Value>, link: &str) -> bool {
    record.get(link).is_some_and(Value::is_null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_link_that_is_unset_in_a_record_that_can_be_seen_is_not_watched_any_more() {
        let links = Links::new(["customer", "store"].map(str::to_owned));
        let record = |value: Value| value.as_object().cloned().unwrap();
        let without_store = record(json!({ "customer": { "href": "x" }, "store": null }));
        let without_customer = record(json!({ "customer": null }));
        assert!(links.any_is_unset_in(&without_store));
        assert!(links.any_is_unset_in(&without_customer));
        assert!(
            !links.any_is_unset_in(&record(json!({}))),
            "a link that is not shown says nothing"
        );
        links.is_seen(&without_store);
        assert!(!links.any_is_unset_in(&without_store));
        assert!(
            links.any_is_unset_in(&without_customer),
            "the other one may still hide a record"
        );
        links.is_seen(&without_customer);
        assert!(links.is_empty());
    }
}
