//! `crosswalk workflows`.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

/// Commands on workflows.
#[derive(Debug, Subcommand)]
pub(crate) enum WorkflowsCommand {
    /// Show the workflows of the instance: status, backlog and counts
    List,
    /// Show all about one workflow: why it failed, what holds it up, how far each worker is
    Get {
        /// Which workflow
        workflow: WorkflowId,
    },
    /// Start a workflow with the draft configuration as it stands now
    #[command(after_help = "\
Examples:
  crosswalk workflows start ingress                          Return when the server has accepted it
  crosswalk workflows start ingress --wait                   ... when the initial load is through
  crosswalk workflows start ingress --wait=running           ... when every part has proved that it runs
  crosswalk workflows start ingress --wait --timeout 2h

--wait ends with exit code 3 when the workflow is FAILED and 4 when the time is up. The workflow itself goes on.")]
    Start(StartArguments),
    /// Stop a workflow; what has been read stays queued
    #[command(after_help = "Example:\n  crosswalk workflows stop ingress --wait")]
    Stop(StopArguments),
    /// Follow one workflow, or all, until interrupted
    #[command(after_help = "\
On a terminal the table is redrawn as things change. Elsewhere each change is a line; with --output json it is a \
Workflow as one line of JSON. When the connection breaks, it is made again.

Examples:
  crosswalk workflows watch
  crosswalk workflows watch ingress --output json | jq .backlog")]
    Watch {
        /// Only this workflow
        workflow: Option<WorkflowId>,
    },
    /// Show what differs between the draft and the running configuration
    Diff {
        /// Which workflow
        workflow: WorkflowId,
    },
    /// Show who started, stopped and edited a workflow, newest first
    Revisions {
        /// Which workflow
        workflow: WorkflowId,
    },
}

/// Arguments of `start`.
#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// Which workflow
    pub(crate) workflow: WorkflowId,
    /// Wait for it [default without a value: loaded]
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "loaded", value_name = "FOR")]
    pub(crate) wait: Option<WaitFor>,
    /// How long to wait, e.g. 90s or 1h 30m
    #[arg(long, requires = "wait", default_value = "10m", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
}

/// Arguments of `stop`.
#[derive(Debug, Args)]
pub(crate) struct StopArguments {
    /// Which workflow
    pub(crate) workflow: WorkflowId,
    /// Wait until no worker runs it any more
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait, e.g. 90s or 1h 30m
    #[arg(long, requires = "wait", default_value = "10m", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
}

/// What `start --wait` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WaitFor {
    /// It is RUNNING: every part has proved that it runs
    Running,
    /// It is RUNNING, all expected records have been read, and nothing waits to be written
    Loaded,
}

/// The workflows that every instance has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorkflowId {
    /// Microsoft Dynamics 365 to Campaign
    Ingress,
    /// Campaign to Microsoft Dynamics 365
    Egress,
    /// Opt-In/Out
    OptInOut,
}

impl WorkflowId {
    /// The id as in resource names.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
            Self::OptInOut => "opt-in-out",
        }
    }
}
