//! Secrets: where they come from, and never what they are.

use std::fmt;
use std::path::PathBuf;

use crosswalk_core::{Class, Classify};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// What stands in place of a secret wherever settings are shown.
const REDACTED: &str = "[redacted]";

/// A setting that is a secret. It is written as one of
///
/// ```toml
/// client_secret = { file = "/run/secrets/campaign" }    # the file's text, without white space at the ends
/// client_secret = { environment = "CAMPAIGN_SECRET" }   # the variable's value
/// client_secret = "…"                                   # the secret itself
/// ```
///
/// The last form is meant for `CROSSWALK__…` variables; in a file it works but does not belong there. `Debug` and
/// serialisation show the place, never the secret.
#[derive(Clone, Default)]
pub enum SecretSource {
    /// Nothing was set.
    #[default]
    Unset,
    /// The secret itself. Not allowed as a default: a default is written down while settings are loaded.
    Value(SecretString),
    /// It is the text of this file.
    File(PathBuf),
    /// It is the value of this environment variable.
    Environment(String),
}

/// Why a secret cannot be had. None of the messages show any part of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Nothing says where it is.
    #[error("`{key}` is not set: name a file with {key}.file, or an environment variable with {key}.environment")]
    Unset {
        /// The dotted key of the setting.
        key: String,
    },
    /// The file cannot be read.
    #[error("`{key}` cannot be read from file {path}")]
    File {
        /// The dotted key of the setting.
        key: String,
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// The environment variable does not exist or is not text.
    #[error("`{key}` cannot be read from environment variable {variable}: it is not set, or not text")]
    Environment {
        /// The dotted key of the setting.
        key: String,
        /// The variable.
        variable: String,
    },
    /// It is there but empty.
    #[error("`{key}` is empty")]
    Empty {
        /// The dotted key of the setting.
        key: String,
    },
}

impl Classify for SecretError {
    fn class(&self) -> Class {
        Class::Fatal
    }
}

impl SecretSource {
    /// Whether something was set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !matches!(self, Self::Unset)
    }

    /// The secret. `key` is the dotted key of this setting, for the messages.
    ///
    /// # Errors
    /// When nothing was set, or the place it names holds no secret.
    pub fn read(&self, key: &str) -> Result<SecretString, SecretError> {
        let key = || key.to_owned();
        let secret = match self {
            Self::Unset => return Err(SecretError::Unset { key: key() }),
            Self::Value(secret) => secret.clone(),
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => trimmed(text),
                Err(source) => {
                    return Err(SecretError::File {
                        key: key(),
                        path: path.clone(),
                        source,
                    });
                }
            },
            Self::Environment(variable) => match std::env::var(variable) {
                Ok(text) => trimmed(text),
                Err(_) => {
                    return Err(SecretError::Environment {
                        key: key(),
                        variable: variable.clone(),
                    });
                }
            },
        };
        if secret.expose_secret().is_empty() {
            return Err(SecretError::Empty { key: key() });
        }
        Ok(secret)
    }

    /// The secret, or `None` when nothing was set.
    ///
    /// # Errors
    /// When the place it names holds no secret.
    pub fn read_if_set(&self, key: &str) -> Result<Option<SecretString>, SecretError> {
        if self.is_set() {
            self.read(key).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// Files and variables made by hand end in a line break.
fn trimmed(text: String) -> SecretString {
    let untrimmed = SecretString::from(text);
    SecretString::from(untrimmed.expose_secret().trim())
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => formatter.write_str("Unset"),
            Self::Value(_) => formatter.write_str("Value([redacted])"),
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Environment(variable) => formatter.debug_tuple("Environment").field(variable).finish(),
        }
    }
}

impl Serialize for SecretSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place = |serializer: S, key: &str, place: &str| {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(key, place)?;
            map.end()
        };
        match self {
            Self::Unset => serializer.serialize_none(),
            Self::Value(_) => serializer.serialize_str(REDACTED),
            Self::File(path) => place(serializer, "file", &path.to_string_lossy()),
            Self::Environment(variable) => place(serializer, "environment", variable),
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

const EXPECTED: &str = "expected a secret in quotes, or a table with `file` or `environment`";

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = SecretSource;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a secret in quotes, or a table with `file` or `environment`")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(SecretSource::Unset)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text == REDACTED {
            return Err(E::custom(
                "a redacted value is not a secret: give the secret itself, or where it is",
            ));
        }
        Ok(SecretSource::Value(SecretString::from(text)))
    }

    // A number or a boolean may be a secret that lacks its quotes. The provided methods would quote it in their message.

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(E::custom(EXPECTED))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(E::custom(EXPECTED))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(E::custom(EXPECTED))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Err(E::custom(EXPECTED))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut source = SecretSource::Unset;
        while let Some(key) = map.next_key::<String>()? {
            if source.is_set() {
                return Err(A::Error::custom("give either `file` or `environment`, not both"));
            }
            source = match key.as_str() {
                "file" => SecretSource::File(map.next_value()?),
                "environment" => SecretSource::Environment(map.next_value()?),
                other => return Err(A::Error::unknown_field(other, &["file", "environment"])),
            };
        }
        if source.is_set() {
            Ok(source)
        } else {
            Err(A::Error::custom(EXPECTED))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: serde_json::Value) -> Result<SecretSource, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn secret_is_given_by_value_file_or_environment() {
        assert!(matches!(parse(json!(null)), Ok(SecretSource::Unset)));
        assert!(matches!(parse(json!({"environment": "X"})), Ok(SecretSource::Environment(name)) if name == "X"));
        assert!(matches!(parse(json!({"file": "/x"})), Ok(SecretSource::File(path)) if path.as_os_str() == "/x"));
        let value = parse(json!("hunter2"))
            .expect("text is a secret")
            .read("k")
            .expect("it is there");
        assert_eq!(value.expose_secret(), "hunter2");
    }

    #[test]
    fn no_message_and_no_dump_shows_a_secret() {
        for wrong in [
            json!(31337),
            json!(-31337),
            json!(31337.5),
            json!(true),
            json!(["31337"]),
            json!({"31337": 1}),
        ] {
            let error = parse(wrong.clone()).expect_err("not a secret");
            assert!(error.contains("file"), "{error}");
            assert!(wrong.is_object() || !error.contains("31337"), "{error}");
        }
        let secret = SecretSource::Value(SecretString::from("hunter2"));
        let shown = format!(
            "{secret:?} {}",
            serde_json::to_string(&secret).expect("it can be shown")
        );
        assert_eq!(shown, "Value([redacted]) \"[redacted]\"");
        let place = serde_json::to_value(SecretSource::File(PathBuf::from("/x"))).expect("it can be shown");
        assert_eq!(place, json!({"file": "/x"}));
    }

    #[test]
    fn ambiguous_empty_and_redacted_secrets_are_refused() {
        assert!(
            parse(json!({"file": "/x", "environment": "X"}))
                .expect_err("two")
                .contains("not both")
        );
        assert!(parse(json!({})).expect_err("none").contains("`file` or `environment`"));
        assert!(parse(json!("[redacted]")).expect_err("a dump").contains("redacted"));
    }

    #[test]
    fn file_is_read_without_the_line_break_at_its_end() {
        let directory = tempfile::tempdir().expect("the test may write");
        let path = directory.path().join("secret");
        std::fs::write(&path, "hunter2\n").expect("the test may write");
        assert_eq!(
            SecretSource::File(path.clone())
                .read("k")
                .expect("it is there")
                .expose_secret(),
            "hunter2"
        );
        std::fs::write(&path, "\n").expect("the test may write");
        assert_eq!(
            SecretSource::File(path).read("k").expect_err("empty").to_string(),
            "`k` is empty"
        );
    }

    #[test]
    fn places_without_a_secret_are_named() {
        let missing = SecretSource::File(PathBuf::from("/nowhere/secret"))
            .read("k")
            .expect_err("no file");
        assert_eq!(missing.to_string(), "`k` cannot be read from file /nowhere/secret");
        let missing = SecretSource::Environment("CROSSWALK_NO_SUCH_VARIABLE".to_owned()).read("k");
        assert!(
            missing
                .expect_err("no variable")
                .to_string()
                .contains("CROSSWALK_NO_SUCH_VARIABLE")
        );
        assert!(SecretSource::Unset.read_if_set("k").expect("that is allowed").is_none());
        assert!(
            SecretSource::Unset
                .read("k")
                .expect_err("nothing is set")
                .to_string()
                .starts_with("`k` is not set")
        );
    }
}
