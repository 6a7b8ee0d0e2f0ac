//! What is wrong with a setting.

use std::fmt;

use crosswalk_core::{Class, Classify};

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    key: String,
    origin: Option<String>,
    message: String,
}

impl Problem {
    /// `key` is dotted and relative to the section that reports it; `message` says what is expected, in lower case and
    /// without a final stop. Never put a secret into it.
    #[must_use]
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            origin: None,
            message: message.into(),
        }
    }

    /// The problems that a part which knows nothing of settings files has found: key and what is expected.
    pub fn all(found: impl IntoIterator<Item = (String, String)>) -> Vec<Self> {
        found
            .into_iter()
            .map(|(key, expected)| Self::new(key, expected))
            .collect()
    }

    /// Names where the value was set: a file, an environment variable, a flag. [`load`](super::load) fills this in for
    /// problems that [`Validate`](super::Validate) reports.
    #[must_use]
    pub fn set_by(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// The same problem, seen from the section around it.
    #[must_use]
    pub fn within(mut self, section: &str) -> Self {
        self.key = match self.key.chars().next() {
            None => section.to_owned(),
            Some('[') => format!("{section}{}", self.key),
            Some(_) => format!("{section}.{}", self.key),
        };
        self
    }

    /// The dotted key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where the value was set; `None` for a default.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// What is wrong, and what is expected instead.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.origin.as_deref().unwrap_or("default");
        write!(formatter, "`{}` ({origin}): {}", self.key, self.message)
    }
}

/// The problems of a section, seen from the section around it.
#[must_use]
pub fn within(section: &str, problems: Vec<Problem>) -> Vec<Problem> {
    problems.into_iter().map(|problem| problem.within(section)).collect()
}

/// Settings that cannot be used, with everything that is wrong with them.
///
/// A service that ends with this error in its chain exits with [`exit::CONFIGURATION`](crate::service::exit).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    problems: Vec<Problem>,
}

impl SettingsError {
    /// Settings with these problems.
    #[must_use]
    pub fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Everything that is wrong, in the order of the layers and keys.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for SettingsError {
    fn from(problem: Problem) -> Self {
        Self::new(vec![problem])
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [problem] => write!(formatter, "the configuration is not valid: {problem}"),
            problems => {
                write!(formatter, "the configuration has {} problems:", problems.len())?;
                problems
                    .iter()
                    .try_for_each(|problem| write!(formatter, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for SettingsError {}

impl Classify for SettingsError {
    fn class(&self) -> Class {
        Class::Fatal
    }
}
