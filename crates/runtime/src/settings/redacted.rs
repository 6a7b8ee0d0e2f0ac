//! Settings as text that may be shown: secrets are replaced, see [`SecretSource`](super::SecretSource).

use serde::Serialize;

/// The settings as one line of JSON, for the log.
#[must_use]
pub fn redacted_json(settings: &impl Serialize) -> String {
    serde_json::to_string(settings).unwrap_or_else(|error| format!("cannot be shown: {error}"))
}

/// The settings as TOML, for people: all keys that have a value, defaults included.
#[must_use]
pub fn redacted_toml(settings: &impl Serialize) -> String {
    toml::to_string_pretty(settings).unwrap_or_else(|error| format!("# cannot be shown: {error}\n"))
}
