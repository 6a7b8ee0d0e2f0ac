//! `crosswalk catalog`.

use clap::{Subcommand, ValueEnum};
use crosswalk_proto::v1::System;

/// Commands on the catalogs of both systems.
#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Show the tables of a system
    #[command(after_help = "Example:\n  crosswalk catalog tables --system dynamics --search order")]
    Tables {
        /// Only those whose id or name contains this, in any case
        #[arg(long)]
        search: Option<String>,
        /// Ask the system anew instead of taking an answer of the last five minutes
        #[arg(long)]
        refresh: bool,
        /// Which system
        #[arg(short, long, value_enum)]
        system: SystemName,
    },
    /// Show the fields of a table, their types, lengths and options
    #[command(after_help = "Example:\n  crosswalk catalog table contact --system dynamics")]
    Table {
        /// Technical name of the table
        table: String,
        /// Ask the system anew instead of taking an answer of the last five minutes
        #[arg(long)]
        refresh: bool,
        /// Which system
        #[arg(short, long, value_enum)]
        system: SystemName,
    },
}

/// One of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SystemName {
    /// Microsoft Dynamics 365
    Dynamics,
    /// Adobe Campaign Standard
    Campaign,
}

impl From<SystemName> for System {
    fn from(name: SystemName) -> Self {
        match name {
            SystemName::Dynamics => Self::Dynamics,
            SystemName::Campaign => Self::Campaign,
        }
    }
}
