//! What the workers of a workflow report about themselves (design §5).

use std::fmt;

use jiff::Timestamp;

use crate::{WorkflowId, WorkflowName, control::RunId};

/// What a service does for a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads Dynamics 365 into Kafka.
    DynamicsReader,
    /// Writes from Kafka to Campaign.
    CampaignWriter,
}

impl Role {
    /// The roles a workflow needs to run; empty for workflows that are not available yet.
    #[must_use]
    pub const fn needed_by(workflow: WorkflowId) -> &'static [Self] {
        match workflow {
            WorkflowId::Ingress => &[Self::DynamicsReader, Self::CampaignWriter],
            WorkflowId::Egress | WorkflowId::OptInOut => &[],
        }
    }

    /// The name of the service that has this role.
    #[must_use]
    pub const fn service(self) -> &'static str {
        match self {
            Self::DynamicsReader => "dynamics-reader",
            Self::CampaignWriter => "campaign-writer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.service())
    }
}

/// How far a worker is with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It is proving that it can run: token, metadata, assignment.
    Starting,
    /// It has no part of the work at present, and takes over what others leave.
    Standby,
    /// It runs; everything it needs has been proved.
    Running,
    /// It gave up; nothing but a new start or a mended cause helps.
    Failed(Failure),
    /// It is ending the run: draining what is in flight.
    Stopping,
    /// It has ended the run and left nothing behind.
    Stopped,
}

/// Why a workflow cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable code, e.g. `DYNAMICS_AUTHENTICATION_FAILED`.
    pub code: String,
    /// What happened, and what to do.
    pub message: String,
    /// When it happened.
    pub since: Timestamp,
}

/// Something the worker waits for and will go on after by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hindrance {
    /// The other side asked to be left alone until a time.
    Throttled {
        /// Who asked: `Dynamics 365` or `Adobe Campaign`.
        by: String,
        /// Until when.
        until: Timestamp,
    },
    /// The last attempts failed for a passing reason.
    Retrying {
        /// The last error.
        error: String,
        /// Since when it has been failing.
        since: Timestamp,
    },
    /// It waits for other records.
    Waiting {
        /// For what, e.g. `the initial load of contact`.
        what: String,
        /// Since when.
        since: Timestamp,
    },
}

/// One report of one worker about one run.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerReport {
    /// The process, unique for its life.
    pub worker: String,
    /// What it does.
    pub role: Role,
    /// For which workflow.
    pub workflow: WorkflowName,
    /// For which run.
    pub run: RunId,
    /// When the report was made, by the worker's clock; in the hands of who follows the reports, when it was heard.
    pub time: Timestamp,
    /// How far it is.
    pub phase: Phase,
    /// Since when it has been in that phase.
    pub phase_since: Timestamp,
    /// What holds it up, if anything does.
    pub hindrance: Option<Hindrance>,
    /// What it counted.
    pub counts: Counts,
    /// How far it is in partitions with records that wait for their parents.
    pub passed: Vec<Passed>,
}

/// How far a writer is in a partition of a queue if records that wait for their parents are left aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The source table of the queue.
    pub table: String,
    /// The partition.
    pub partition: i32,
    /// Everything before this offset is settled, or waits for its parent.
    pub offset: i64,
}

/// What a worker counted since its run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records done: queued by a reader, settled by a writer.
    pub done: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Records that needed no write: unchanged, filtered out, stale, or deletes that are not applied.
    pub skipped: u64,
    /// Records that wait for their parents in the target.
    pub waiting: u64,
    /// Records in flight.
    pub in_flight: u64,
    /// Whether a table is being read from its beginning.
    pub initial_read: bool,
    /// Rows the source said it holds, where the initial read asked; for progress.
    pub expected: Option<u64>,
    /// When the last record was done.
    pub last_progress: Option<Timestamp>,
}
