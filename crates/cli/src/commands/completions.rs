//! `crosswalk completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{arguments::Arguments, failure::Failure, output::Output};

/// Writes the completion script for a shell.
pub(crate) fn completions(shell: Shell, output: Output) -> Result<(), Failure> {
    // Into memory first: the generator panics when its writer fails, as a closed pipe does.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "crosswalk", &mut script);
    output.text(String::from_utf8_lossy(&script).trim_end())
}
