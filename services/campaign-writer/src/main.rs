//! The process of the service; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    crosswalk_runtime::service::run(crosswalk_campaign_writer::SERVICE, crosswalk_campaign_writer::start)
}
