//! The process of the service; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    crosswalk_runtime::service::run(crosswalk_dynamics_reader::SERVICE, crosswalk_dynamics_reader::start)
}
