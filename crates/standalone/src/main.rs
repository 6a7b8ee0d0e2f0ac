//! The standalone process; see the library.

use std::process::ExitCode;

use clap::Parser as _;
use crosswalk_standalone::{Options, SERVICE, StandaloneSettings, start};

fn main() -> ExitCode {
    let options = Options::parse();
    let settings = StandaloneSettings::of(&options);
    crosswalk_runtime::service::run_with(SERVICE, settings, |context, _| start(context, options))
}
