//! What can go wrong, how it is told, and with which exit code the command ends.

mod server;

use std::{io, time::Duration};

use tonic::{Code, Status};

pub(crate) use self::server::ServerError;
use crate::output::notice;

/// Why a command did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments or a file given by the user are wrong.
    #[error("{0}")]
    Usage(String),
    /// The server refused.
    #[error(transparent)]
    Server(Box<ServerError>),
    /// The server ended its answer before it was whole.
    #[error("{0}")]
    CutShort(String),
    /// No server answers.
    #[error("no Crosswalk server answers at {endpoint}: {reason}")]
    Unreachable {
        /// The address tried.
        endpoint: String,
        /// What the network says.
        reason: String,
    },
    /// The server took the call and did not answer in time.
    #[error("the server at {endpoint} has not answered within {}", humantime::format_duration(*.limit))]
    NoAnswer {
        /// Its address.
        endpoint: String,
        /// How long we waited.
        limit: Duration,
    },
    /// The workflow that was waited for cannot run.
    #[error("workflow {workflow} is FAILED\n  {code}: {message}")]
    WorkflowFailed {
        /// Id of the workflow.
        workflow: String,
        /// Stable code of the reason.
        code: String,
        /// What happened and what to do.
        message: String,
    },
    /// Somebody else started or stopped the workflow that was waited for.
    #[error("workflow {workflow} was {action} by {actor} meanwhile")]
    Overtaken {
        /// Id of the workflow.
        workflow: String,
        /// What they did: `started` or `stopped`.
        action: &'static str,
        /// Who did it.
        actor: String,
    },
    /// What was waited for did not come in time.
    #[error("{what} after {}", humantime::format_duration(*.limit))]
    TimedOut {
        /// What it was like when time was up.
        what: String,
        /// How long we waited.
        limit: Duration,
    },
    /// At least one connection test failed; the results have been written.
    #[error("{0} of 2 connections failed the test")]
    ConnectionTest(usize),
    /// The result could not be written.
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
    /// The result could not be put into JSON.
    #[error("cannot write the result as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Failure {
    /// The failure that a call to the server at `endpoint` ended with; `limit` is the time a call may take.
    ///
    /// What the server sent has no source error; what our side of the connection found has one.
    pub(crate) fn from_status(status: &Status, endpoint: &str, limit: Duration) -> Self {
        match std::error::Error::source(status) {
            Some(_) if status.code() == Code::Cancelled => Self::NoAnswer {
                endpoint: endpoint.to_owned(),
                limit,
            },
            Some(source) => Self::Unreachable {
                endpoint: endpoint.to_owned(),
                reason: root_cause(source),
            },
            None => Self::Server(Box::new(ServerError::from(status))),
        }
    }

    /// The exit code; arguments/mod.rs lists them for users.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Server(_)
            | Self::CutShort(_)
            | Self::Overtaken { .. }
            | Self::ConnectionTest(_)
            | Self::Output(_)
            | Self::Json(_) => 1,
            Self::Usage(_) => 2,
            Self::WorkflowFailed { .. } => 3,
            Self::NoAnswer { .. } | Self::TimedOut { .. } => 4,
            Self::Unreachable { .. } => 5,
        }
    }

    /// Tells the user on standard error. A reader of our output that has gone away is no failure: `| head` does that.
    pub(crate) fn report(&self) {
        if self.exit_code() == 0 {
            return;
        }
        notice(format_args!("error: {self}"));
        if let Some(advice) = self.advice() {
            notice(format_args!("hint: {advice}"));
        }
    }

    fn advice(&self) -> Option<String> {
        match self {
            Self::Server(error) => error.advice(),
            Self::Unreachable { .. } => Some(
                "start a local server with `make up`, or name another with --endpoint or CROSSWALK_ENDPOINT".to_owned(),
            ),
            Self::WorkflowFailed { workflow, .. } => Some(format!(
                "mend the cause, then `crosswalk workflows start {workflow}`; details: `crosswalk workflows get {workflow}`"
            )),
            Self::TimedOut { .. } => Some(
                "it may still get there: `crosswalk workflows watch` follows it, --timeout waits longer".to_owned(),
            ),
            _ => None,
        }
    }
}

/// The innermost cause, which says most plainly what happened.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
