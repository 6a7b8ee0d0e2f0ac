//! The settings of an instance from a file, with secrets from elsewhere.

use std::{env, path::Path};

use crosswalk_proto::v1::Instance;

use crate::{
    arguments::SettingsArguments,
    failure::Failure,
    file::{read_message, read_secret},
    names::{InstanceName, id_of},
};

/// Environment variable with the client secret for Dynamics 365.
const DYNAMICS_SECRET: &str = "CROSSWALK_DYNAMICS_SECRET";

/// Environment variable with the client secret for Campaign.
const CAMPAIGN_SECRET: &str = "CROSSWALK_CAMPAIGN_SECRET";

/// Reads the settings and the id they are for: that of the arguments, else of the file, else `otherwise`.
///
/// # Errors
/// [`Failure::Usage`] if a file cannot be read or is not what it should be.
pub(super) fn read(arguments: &SettingsArguments, otherwise: &str) -> Result<(String, Instance), Failure> {
    let mut instance: Instance = read_message(&arguments.file)?;
    if let Some(secret) = secret(arguments.dynamics_secret_file.as_deref(), DYNAMICS_SECRET)? {
        instance.dynamics.get_or_insert_default().client_secret = secret;
    }
    if let Some(secret) = secret(arguments.campaign_secret_file.as_deref(), CAMPAIGN_SECRET)? {
        instance.campaign.get_or_insert_default().client_secret = secret;
    }
    let id = match &arguments.id {
        Some(id) => id.clone(),
        None if instance.name.is_empty() => otherwise.to_owned(),
        None => id_of(&instance.name).to_owned(),
    };
    let name = InstanceName::new(&id).to_string();
    // The etag of another instance says nothing about this one.
    if !instance.name.is_empty() && instance.name != name {
        instance.etag.clear();
    }
    Ok((
        id,
        Instance {
            name,
            create_time: None,
            update_time: None,
            ..instance
        },
    ))
}

/// A secret from a file, else from the environment; none keeps what the settings file or the server has.
fn secret(file: Option<&Path>, variable: &str) -> Result<Option<String>, Failure> {
    match file {
        Some(file) => read_secret(file).map(Some),
        None => Ok(env::var(variable).ok().filter(|secret| !secret.is_empty())),
    }
}
