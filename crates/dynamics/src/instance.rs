//! From an instance's settings to a connection.

use crosswalk_core::control::DynamicsSettings;
use secrecy::SecretString;
use url::Url;

use crate::{Connection, Error};

impl Connection {
    /// The connection of an instance, whose client secret has been opened by the caller.
    ///
    /// # Errors
    /// [`Error::InvalidConnection`] if an address is not one.
    pub fn of_instance(settings: &DynamicsSettings, client_secret: SecretString) -> Result<Self, Error> {
        Ok(Self {
            environment_url: address("environment_url", &settings.environment_url)?,
            authority_url: address("authority_url", &settings.authority_url)?,
            tenant_id: settings.tenant_id.clone(),
            client_id: settings.client_id.clone(),
            client_secret,
        })
    }
}

fn address(field: &'static str, text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|error| Error::InvalidConnection {
        field,
        reason: format!("is not an address: {error}"),
    })
}
