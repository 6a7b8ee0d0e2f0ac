//! The `crosswalk` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    crosswalk_cli::main()
}
