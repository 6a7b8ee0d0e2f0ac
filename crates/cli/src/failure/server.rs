//! An error that the server sent, with its `google.rpc` details.

use std::fmt;

use crosswalk_proto::api::code_name;
use tonic::{Code, Status};
use tonic_types::{FieldViolation, StatusExt as _};

/// What the server said when it refused a call.
#[derive(Debug)]
pub(crate) struct ServerError {
    code: Code,
    message: String,
    /// Stable reason from `ErrorInfo`; absent if what answered is not Crosswalk.
    reason: Option<String>,
    /// Further facts from `ErrorInfo`, sorted by name.
    facts: Vec<(String, String)>,
    violations: Vec<FieldViolation>,
}

impl From<&Status> for ServerError {
    fn from(status: &Status) -> Self {
        // Details that do not decode are left out: the message still says what happened.
        let info = status.get_details_error_info();
        let (reason, facts) = info.map_or((None, Vec::new()), |info| {
            let mut facts: Vec<_> = info.metadata.into_iter().collect();
            facts.sort();
            (Some(info.reason), facts)
        });
        let violations = status
            .get_details_bad_request()
            .map(|request| request.field_violations)
            .unwrap_or_default();
        Self {
            code: status.code(),
            message: status.message().to_owned(),
            reason,
            facts,
            violations,
        }
    }
}

impl ServerError {
    /// What the user can do about it, if there is something to say beyond the message.
    pub(crate) fn advice(&self) -> Option<String> {
        let advice = match self.code {
            Code::InvalidArgument if !self.violations.is_empty() => "correct the fields named above and try again",
            Code::NotFound => "the `list` commands show what there is; is --instance the one you mean?",
            Code::AlreadyExists if self.reason.as_deref().is_some_and(|reason| reason.ends_with("_IN_USE")) => {
                return None;
            }
            Code::AlreadyExists => "choose another id, or change the one that exists",
            Code::Aborted => "somebody changed it meanwhile: get it anew, repeat your change, and try again",
            Code::FailedPrecondition => "`crosswalk workflows list` shows the state the workflows are in",
            Code::Unavailable => "this passes by itself when Kafka or the other system answers again; try again then",
            Code::Unauthenticated | Code::PermissionDenied => "ask whoever runs this server for access",
            Code::Unimplemented | Code::Unknown if self.reason.is_none() => {
                "is this the address of a Crosswalk API, of the same version as this command?"
            }
            _ => return None,
        };
        Some(advice.to_owned())
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = if self.message.is_empty() {
            "the server gave no message"
        } else {
            &self.message
        };
        write!(formatter, "{message} ({}", code_name(self.code))?;
        if let Some(reason) = &self.reason {
            write!(formatter, ", {reason}")?;
        }
        formatter.write_str(")")?;
        for violation in &self.violations {
            write!(formatter, "\n  {}: {}", violation.field, violation.description)?;
        }
        for (name, value) in &self.facts {
            write!(formatter, "\n  {name} = {value}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ServerError {}
