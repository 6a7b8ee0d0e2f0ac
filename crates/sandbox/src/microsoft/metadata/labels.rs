//! Labels, managed properties and ids of metadata items.

use serde_json::{Value, json};
use uuid::Uuid;

/// The one language of the sandbox, US English.
const LANGUAGE: u32 = 1033;

/// The stable id of a metadata item.
pub(super) fn metadata_id(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, parts.join("/").as_bytes())
}

/// A label; without text the list is empty and `UserLocalizedLabel` null (contracts/dataverse.md §4.1).
pub(super) fn label(text: Option<&str>) -> Value {
    let Some(text) = text else {
        return json!({"LocalizedLabels": [], "UserLocalizedLabel": null});
    };
    let localized = json!({
        "Label": text, "LanguageCode": LANGUAGE, "IsManaged": true,
        "MetadataId": metadata_id(&["label", text]), "HasChanged": null,
    });
    json!({"LocalizedLabels": [localized], "UserLocalizedLabel": localized})
}

/// A managed property.
pub(super) fn managed(value: impl Into<Value>, name: &str) -> Value {
    json!({"Value": value.into(), "CanBeChanged": true, "ManagedPropertyLogicalName": name})
}
