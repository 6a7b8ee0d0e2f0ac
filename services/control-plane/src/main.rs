//! The process of the service; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    crosswalk_runtime::service::run(crosswalk_control_plane::SERVICE, crosswalk_control_plane::start)
}
