//! `crosswalk instances`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::resource_id;

/// Commands on instances.
#[derive(Debug, Subcommand)]
pub(crate) enum InstancesCommand {
    /// Show all instances
    List,
    /// Show the settings of one instance; secrets are never shown
    Get {
        /// Id of the instance [default: --instance]
        #[arg(value_parser = resource_id)]
        id: Option<String>,
    },
    /// Create an instance from a file; its three workflows are stopped at first
    #[command(after_help = FILE_FORMAT)]
    Create(SettingsArguments),
    /// Replace the settings of an instance by those of a file; running workflows keep theirs until they are restarted
    #[command(after_help = FILE_FORMAT)]
    Update(SettingsArguments),
    /// Delete an instance with its mappings; all its workflows must be stopped
    Delete {
        /// Id of the instance
        #[arg(value_parser = resource_id)]
        id: String,
    },
    /// Sign in to both systems and say for each whether it works, and if not, what to do
    #[command(after_help = "Ends with exit code 1 if one of the two does not work.")]
    Test {
        /// Id of the instance [default: --instance]
        #[arg(value_parser = resource_id)]
        id: Option<String>,
    },
}

/// Arguments of `create` and `update`.
#[derive(Debug, Args)]
pub(crate) struct SettingsArguments {
    /// Id of the instance [default: that of the file's `name`, else --instance]
    #[arg(value_parser = resource_id)]
    pub(crate) id: Option<String>,
    /// File with the settings, JSON or TOML; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// File with the client secret for Dynamics 365 [or the secret in the environment: CROSSWALK_DYNAMICS_SECRET]
    #[arg(long, value_name = "FILE")]
    pub(crate) dynamics_secret_file: Option<PathBuf>,
    /// File with the client secret for Campaign [or the secret in the environment: CROSSWALK_CAMPAIGN_SECRET]
    #[arg(long, value_name = "FILE")]
    pub(crate) campaign_secret_file: Option<PathBuf>,
}

const FILE_FORMAT: &str = "\
The file holds all settings, as `instances get --output json` writes them, or the same as TOML (a file that begins with \
`{` is JSON). Secrets come from files or the environment and are never arguments, which other users of the machine could \
see. An update without a secret keeps the present one. If the file has an `etag`, the instance is updated only if nobody \
has changed it since.

A whole example in TOML:
  displayName = \"Contoso, stage\"

  [dynamics]
  environmentUrl = \"https://contoso-stage.api.crm4.dynamics.com\"
  tenantId = \"contoso.onmicrosoft.com\"
  clientId = \"5b0ad6a4-6f9f-4bb4-93c1-7d5d1d2e0f11\"
  # authorityUrl = \"https://login.microsoftonline.us\"   for a national cloud

  [campaign]
  organization = \"contoso-mkt-stage\"
  clientId = \"3f2b8f0f8a7f4d0db2d1\"
  # apiUrl, imsUrl and scopes have defaults

Examples:
  crosswalk instances create stage -f stage.toml --dynamics-secret-file d.secret --campaign-secret-file c.secret
  CROSSWALK_CAMPAIGN_SECRET=$(pass campaign) crosswalk instances update stage -f stage.toml";
