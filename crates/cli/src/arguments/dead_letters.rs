//! `crosswalk dead-letters`.

use clap::{Args, Subcommand};

use super::WorkflowId;

/// Commands on dead letters.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// Show the records that were set aside, oldest first
    #[command(after_help = "Example:\n  crosswalk dead-letters list --code TOO_LONG --limit 20")]
    List {
        #[command(flatten)]
        of: OfWorkflow,
        #[command(flatten)]
        filter: FilterArguments,
        /// Most records to show
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Count the records that were set aside, by table, reason and field
    Summary {
        #[command(flatten)]
        of: OfWorkflow,
        #[command(flatten)]
        filter: FilterArguments,
    },
    /// Show one record that was set aside: why, its row, the request and the answer
    #[command(after_help = "Example:\n  crosswalk dead-letters get contact.6f0cbd41-0000-4000-8000-000000000001")]
    Get {
        #[command(flatten)]
        of: OfWorkflow,
        /// TABLE.ID, as `list` shows it
        letter: String,
    },
    /// Have records read again from their source and written
    #[command(after_help = REDRIVE)]
    Redrive {
        #[command(flatten)]
        of: OfWorkflow,
        #[command(flatten)]
        chosen: ChosenLetters,
    },
    /// Forget records that were set aside; each is written again with its next change
    #[command(
        after_help = "Examples:\n  crosswalk dead-letters discard --code NOT_A_GUID\n  crosswalk dead-letters discard --all --yes"
    )]
    Discard {
        #[command(flatten)]
        of: OfWorkflow,
        #[command(flatten)]
        chosen: ChosenLetters,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

const REDRIVE: &str = "\
The record is read again as it is now and queued behind everything that waits, so a newer change is never overtaken. What \
is refused again comes back as a dead letter. If the workflow is stopped, it happens when it is started.

Examples:
  crosswalk dead-letters redrive contact.6f0cbd41-0000-4000-8000-000000000001
  crosswalk dead-letters redrive --code TOO_LONG
  crosswalk dead-letters redrive --all";

/// Whose dead letters.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OfWorkflow {
    /// The workflow
    #[arg(short, long, value_enum, default_value_t = WorkflowId::Ingress)]
    pub(crate) workflow: WorkflowId,
}

/// Which dead letters, by what is known of them.
#[derive(Debug, Clone, Args)]
pub(crate) struct FilterArguments {
    /// Only with this reason, e.g. TOO_LONG
    #[arg(long)]
    pub(crate) code: Option<String>,
    /// Only of this source table
    #[arg(long)]
    pub(crate) table: Option<String>,
    /// Only of this record
    #[arg(long, value_name = "ID")]
    pub(crate) record: Option<String>,
    /// Only those set aside at or after this time, e.g. 2026-01-31T18:30:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<jiff::Timestamp>,
    /// Only those set aside before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) before: Option<jiff::Timestamp>,
}

/// Which dead letters are acted upon: named ones, or all with a reason or of a table, or all.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct ChosenLetters {
    /// TABLE.ID, as `list` shows them
    #[arg(conflicts_with_all = ["code", "table", "all"])]
    pub(crate) letters: Vec<String>,
    /// All with this reason
    #[arg(long)]
    pub(crate) code: Option<String>,
    /// All of this source table
    #[arg(long)]
    pub(crate) table: Option<String>,
    /// All
    #[arg(long, conflicts_with_all = ["code", "table"])]
    pub(crate) all: bool,
}
