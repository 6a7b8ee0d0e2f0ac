//! The key that addresses a record.

use std::fmt;

/// The longest key, in bytes; the profile's `externalId` holds 100 characters (contracts/campaign.md §5.1).
const MAX_LENGTH: usize = 255;

/// The value of a resource's identification key, e.g. a contact id in `externalId`.
///
/// It can stand in a URL's path without meaning anything but itself: it is not empty, not a dot segment, holds no slash
/// and no control character, and does not begin with `@`, which would make it a PKey (§2.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordKey(Box<str>);

impl RecordKey {
    /// Checks a key.
    ///
    /// # Errors
    /// The key cannot stand in a path.
    pub fn new(key: impl Into<Box<str>>) -> Result<Self, KeyError> {
        let key = key.into();
        let addressable = !key.is_empty()
            && key.len() <= MAX_LENGTH
            && !key.starts_with('@')
            && &*key != "."
            && &*key != ".."
            && !key.contains(|character: char| matches!(character, '/' | '\\') || character.is_control());
        if addressable { Ok(Self(key)) } else { Err(KeyError) }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A key that cannot stand in a URL's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record key must be 1 to {MAX_LENGTH} bytes without `/`, `\\` or control characters and not begin with `@`")]
pub struct KeyError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_would_address_something_else_are_refused() {
        for key in ["", ".", "..", "@pkey", "a/b", "a\\b", "a\nb", &"x".repeat(256)] {
            assert_eq!(RecordKey::new(key), Err(KeyError), "{key:?}");
        }
        for key in [
            "6f0cbd41-0000-4000-8000-000000000001",
            "a b",
            "100%",
            "Ünïcode",
            "a?b#c",
            "...",
        ] {
            assert_eq!(RecordKey::new(key).map(|key| key.to_string()), Ok(key.to_owned()));
        }
    }
}
