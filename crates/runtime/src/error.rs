//! Telling people of an error, together with what caused it and what to do.

use std::error::Error;
use std::fmt;

use crosswalk_core::worker;
use jiff::Timestamp;

/// Shows an error and all its sources on one line, parted by `: `.
///
/// The `Display` of an error does not repeat its source, so whoever logs an error prints the chain, and only there.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a>(&'a dyn Error);

/// The error and all its sources, for a log field or a message to a person.
pub fn chain(error: &dyn Error) -> Chain<'_> {
    Chain(error)
}

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(formatter, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

/// What an error says to people, on one line: what happened with all its sources, then what to do about it.
#[must_use]
pub fn advised(error: &dyn Error, advice: &str) -> String {
    if advice.is_empty() {
        chain(error).to_string()
    } else {
        format!("{}. {advice}", chain(error))
    }
}

/// The failure of a run that ends now because of an error; see [`worker::Failure`].
#[must_use]
pub fn failure(error: &dyn Error, code: &str, advice: &str) -> worker::Failure {
    worker::Failure {
        code: code.to_owned(),
        message: advised(error, advice),
        since: Timestamp::now(),
    }
}

/// We were told to stop before the work was done; not an error, and never logged as one.
///
/// It stands as a source in the chain of any error that only says so, which is how the [supervisor](crate::supervise)
/// knows a task that left on demand from one that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("told to stop")]
pub struct Cancelled;

impl crosswalk_core::Classify for Cancelled {
    fn class(&self) -> crosswalk_core::Class {
        crosswalk_core::Class::Cancelled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the page could not be read")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn chain_shows_every_source_once() {
        let error = Outer(std::io::Error::other("connection reset"));
        assert_eq!(
            chain(&error).to_string(),
            "the page could not be read: connection reset"
        );
    }
}
