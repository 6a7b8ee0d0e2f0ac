//! The command line of every service.

use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use super::ServiceInfo;
use crate::settings::{Override, Sources};

#[derive(Debug, Parser)]
#[command(
    after_help = "Settings come from, in this order: defaults, the file, CROSSWALK__SECTION__KEY variables, --set flags."
)]
pub(super) struct Arguments {
    /// File with settings (TOML).
    #[arg(long, value_name = "FILE", env = "CROSSWALK_CONFIG", global = true)]
    config: Option<PathBuf>,

    /// Sets one setting, above file and environment; may be repeated.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE", global = true)]
    overrides: Vec<Override>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(super) enum Command {
    /// Runs the service (the default).
    Serve,
    /// Checks the settings and prints them, without secrets.
    CheckConfig,
    /// Asks the running service on its admin port whether it is ready.
    Healthcheck,
}

impl Arguments {
    /// Parses the command line of this process.
    pub(super) fn parse(service: ServiceInfo) -> Result<Self, clap::Error> {
        Self::parse_from(service, std::env::args_os())
    }

    fn parse_from<I, T>(service: ServiceInfo, arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        let mut command = Self::command()
            .name(service.name)
            .display_name(format!("crosswalk-{}", service.name))
            .version(service.version)
            .about(service.about);
        let matches = command.try_get_matches_from_mut(arguments)?;
        Self::from_arg_matches(&matches)
    }

    /// The command that was given, or the default one.
    pub(super) fn chosen(&self) -> Command {
        self.command.unwrap_or(Command::Serve)
    }

    pub(super) fn sources(&self) -> Sources {
        let sources = Sources::process_environment().with_overrides(self.overrides.iter().cloned());
        match &self.config {
            Some(file) => sources.with_file(file),
            None => sources,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: ServiceInfo = ServiceInfo {
        name: "example",
        version: "1.2.3",
        about: "Serves as an example.",
    };

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::parse_from(SERVICE, ["example"].iter().chain(arguments))
    }

    #[test]
    fn command_line_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_and_flags_stand_anywhere() {
        assert_eq!(parse(&[]).expect("valid").chosen(), Command::Serve);
        for line in [["--set", "a.b=c", "check-config"], ["check-config", "--set", "a.b=c"]] {
            let arguments = parse(&line).expect("valid");
            assert_eq!(arguments.chosen(), Command::CheckConfig);
            assert_eq!(arguments.overrides, [Override::new("a.b", "c")]);
        }
    }

    #[test]
    fn help_and_version_carry_the_name_of_the_service() {
        let help = parse(&["--help"]).expect_err("help is not a run").to_string();
        assert!(
            help.contains("Serves as an example.") && help.contains("healthcheck"),
            "{help}"
        );
        let version = parse(&["--version"]).expect_err("nor is the version").to_string();
        assert_eq!(version.trim(), "crosswalk-example 1.2.3");
    }

    #[test]
    fn malformed_override_says_what_is_expected() {
        let error = parse(&["--set", "listen"]).expect_err("no equals sign").to_string();
        assert!(error.contains("expected section.key=value"), "{error}");
    }
}
