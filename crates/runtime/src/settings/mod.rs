//! Settings of a process, from four layers: defaults, then a TOML file, then the environment, then flags.
//!
//! A service has one struct of settings with `#[serde(default, deny_unknown_fields)]`, a doc comment for each field and a
//! `Default`; its sections are structs of the same kind, among them the ones of this module. [`load`] merges the layers
//! key by key, later layers over earlier ones, and turns the result into that struct.
//!
//! * The key `admin.listen` is `listen` under `[admin]` in the file, `CROSSWALK__ADMIN__LISTEN` in the environment and
//!   `--set admin.listen=…` among the flags. Values from the environment and flags are read as the type the key has;
//!   lists are written as in TOML or with commas. Names of variables are upper case and stand for lower-case keys; an empty
//!   variable counts as not set.
//! * A list or a plain value replaces what a lower layer says; a table is merged with it.
//! * Unknown keys are errors in every layer.
//! * All problems are found in one go: each names its key, where it was set, and what is expected.
//!
//! Durations are written as `250ms`, `30s`, `5m` (`#[serde(with = "humantime_serde")]`). Enums with data carry a tag
//! field, since the keys of two variants would be merged into one table otherwise. Secrets are [`SecretSource`]s.

mod layers;
mod problem;
mod redacted;
mod secret;
mod sections;
mod tree;
mod typed;

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::problem::{Problem, SettingsError, within};
pub use self::redacted::{redacted_json, redacted_toml};
pub use self::secret::{SecretError, SecretSource};
pub use self::sections::{AdminSettings, CommonSections, LogFormat, ShutdownSettings, TelemetrySettings};

/// What starts the name of every environment variable that is a setting.
pub const ENVIRONMENT_PREFIX: &str = "CROSSWALK__";

/// Rules that a type alone cannot express, such as "not shorter than" or "needs a key when".
pub trait Validate {
    /// Every broken rule, with keys relative to this section; empty when all is well.
    ///
    /// A struct of sections collects theirs with [`within`].
    fn problems(&self) -> Vec<Problem>;
}

/// A whole set of settings that [`load`] can fill.
pub trait Settings: Default + Serialize + DeserializeOwned + Validate {}

impl<T: Default + Serialize + DeserializeOwned + Validate> Settings for T {}

/// Where settings come from, besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    file: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
    overrides: Vec<Override>,
}

impl Sources {
    /// Nothing but the defaults.
    #[must_use]
    pub fn defaults() -> Self {
        Self::default()
    }

    /// The environment of this process.
    #[must_use]
    pub fn process_environment() -> Self {
        Self::defaults().with_environment(std::env::vars_os())
    }

    /// With a TOML file, which must exist.
    #[must_use]
    pub fn with_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// With environment variables; those without the [prefix](ENVIRONMENT_PREFIX) are passed over.
    #[must_use]
    pub fn with_environment<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        self.environment
            .extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// With values that stand above everything else; of two for the same key the later wins.
    #[must_use]
    pub fn with_overrides(mut self, overrides: impl IntoIterator<Item = Override>) -> Self {
        self.overrides.extend(overrides);
        self
    }
}

/// One value given by a flag: `admin.listen=127.0.0.1:9464`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    key: String,
    value: String,
}

impl Override {
    /// The value of a dotted key.
    #[must_use]
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or(OverrideError)?;
        if key.split('.').any(|segment| segment.trim().is_empty()) {
            return Err(OverrideError);
        }
        Ok(Self::new(key.trim(), value))
    }
}

/// An override that is not of the form `section.key=value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected section.key=value")]
pub struct OverrideError;

/// Merges all layers and reads them as `T`.
///
/// # Errors
/// All problems at once: an unreadable file, unknown keys, values of the wrong type, broken rules.
pub fn load<T: Settings>(sources: &Sources) -> Result<T, SettingsError> {
    let mut problems = Vec::new();
    let tree = layers::merge::<T>(sources, &mut problems);
    let settings = tree.and_then(|tree| typed::read::<T>(tree, &mut problems));
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        _ => Err(SettingsError::new(problems)),
    }
}

#[cfg(test)]
mod tests;
