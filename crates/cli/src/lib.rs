#![doc = include_str!("../README.md")]

mod arguments;
mod changes;
mod commands;
mod connection;
mod failure;
mod file;
mod names;
mod output;
mod wait;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    arguments::{Arguments, Command},
    failure::Failure,
    output::Output,
};

/// Runs the command that the arguments of this process name, and returns its exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report();
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { global, command } = arguments;
    let output = Output::new(global.output);
    // One thread is enough for one call at a time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Workflows(command) => commands::workflows(&global, output, command).await,
            Command::Mappings(command) => commands::mappings(&global, output, command).await,
            Command::DeadLetters(command) => commands::dead_letters(&global, output, command).await,
            Command::Instances(command) => commands::instances(&global, output, command).await,
            Command::Catalog(command) => commands::catalog(&global, output, command).await,
            Command::Completions { shell } => commands::completions(shell, output),
        }
    })
}
