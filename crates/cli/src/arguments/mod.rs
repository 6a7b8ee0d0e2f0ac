//! The command line: one module for each group of commands.

mod catalog;
mod dead_letters;
mod instances;
mod mappings;
mod workflows;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::{
    catalog::{CatalogCommand, SystemName},
    dead_letters::{ChosenLetters, DeadLettersCommand, FilterArguments},
    instances::{InstancesCommand, SettingsArguments},
    mappings::{MappingsCommand, PreviewArguments},
    workflows::{StartArguments, StopArguments, WaitFor, WorkflowId, WorkflowsCommand},
};

const EXAMPLES: &str = "\
Examples:
  crosswalk workflows list                        What runs, and how much waits
  crosswalk workflows start ingress --wait        Start, and return when the initial load is through
  crosswalk workflows watch                       Follow all workflows until Ctrl-C
  crosswalk mappings get contact -o json > f      Take a mapping out, edit it,
  crosswalk mappings apply -f f                   and put it back
  crosswalk mappings preview contact              What would become of some records?
  crosswalk dead-letters summary                  What was set aside, and why
  crosswalk instances test                        Do the credentials of both systems work?
  crosswalk -i prod catalog table contact --system dynamics

Standard output has data only; messages and progress go to standard error.

Exit codes:
  0  done
  1  the server refused or gave up, or a connection test failed
  2  wrong usage, or a file that cannot be read
  3  the workflow is FAILED
  4  not reached in time
  5  no server answers at the endpoint";

/// Operates Crosswalk, the integration of Microsoft Dynamics 365 with Adobe Campaign Standard.
#[derive(Debug, Parser)]
#[command(name = "crosswalk", version, after_help = EXAMPLES, max_term_width = 120, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct GlobalArguments {
    /// Address of the control plane's API
    #[arg(
        long,
        global = true,
        env = "CROSSWALK_ENDPOINT",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) endpoint: String,
    /// The instance: one Dynamics 365 environment paired with one Campaign instance
    #[arg(
        short,
        long,
        global = true,
        env = "CROSSWALK_INSTANCE",
        default_value = "demo",
        value_name = "ID",
        value_parser = resource_id
    )]
    pub(crate) instance: String,
    /// How results are written to standard output
    #[arg(short, long, global = true, env = "CROSSWALK_OUTPUT", value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for people; times are relative
    Table,
    /// The API's messages as proto3 JSON, a list as an array; times are UTC
    Json,
}

/// The groups of commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start, stop and follow the three workflows of an instance
    #[command(subcommand, visible_alias = "workflow")]
    Workflows(WorkflowsCommand),
    /// Say which Dynamics 365 table and columns go to which Campaign resource and fields
    #[command(subcommand, visible_alias = "mapping")]
    Mappings(MappingsCommand),
    /// Look at the records that were set aside, have them written after all, or forget them
    #[command(subcommand, visible_alias = "dead-letter")]
    DeadLetters(DeadLettersCommand),
    /// Manage instances and their credentials
    #[command(subcommand, visible_alias = "instance")]
    Instances(InstancesCommand),
    /// Look up the tables and fields that either system has
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Write a completion script for a shell
    #[command(
        after_help = "Example:\n  crosswalk completions bash > ~/.local/share/bash-completion/completions/crosswalk"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Parses the id of an instance or mapping; the rule is that of `Instance.name` in instances.proto.
fn resource_id(text: &str) -> Result<String, String> {
    let allowed = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    let starts_with_letter = text.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_with_letter && !text.ends_with('-') && text.len() <= 40 && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("an id has 1 to 40 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_says_in_a_sentence_what_it_does() {
        fn check(command: &clap::Command) {
            assert!(
                command.get_about().is_some(),
                "`{}` has no description",
                command.get_name()
            );
            command.get_subcommands().for_each(check);
        }
        check(&Arguments::command());
    }

    #[test]
    fn ids_follow_the_rule_of_the_api() {
        let longest = "a".repeat(40);
        for id in ["a", "contoso-stage", "p2", longest.as_str()] {
            assert_eq!(resource_id(id).as_deref(), Ok(id));
        }
        let too_long = "a".repeat(41);
        for id in ["", "Prod", "2p", "-a", "a-", "a/b", "a b", too_long.as_str()] {
            assert!(resource_id(id).is_err(), "`{id}` was accepted");
        }
    }

    #[test]
    fn wait_without_a_value_means_loaded() {
        let parse = |arguments: &[&str]| {
            let parsed =
                Arguments::try_parse_from([&["crosswalk", "workflows", "start", "ingress"], arguments].concat());
            match parsed.expect("parses").command {
                Command::Workflows(WorkflowsCommand::Start(start)) => start.wait,
                other => panic!("parsed as {other:?}"),
            }
        };
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&["--wait"]), Some(WaitFor::Loaded));
        assert_eq!(parse(&["--wait=running"]), Some(WaitFor::Running));
    }
}
