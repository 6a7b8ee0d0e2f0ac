//! From an instance's settings to a connection.

use crosswalk_core::control::CampaignSettings;
use secrecy::SecretString;
use url::Url;

use crate::{Connection, Error};

impl Connection {
    /// The connection of an instance, whose client secret has been opened by the caller.
    ///
    /// # Errors
    /// [`Error::InvalidConnection`] if an address is not one.
    pub fn of_instance(settings: &CampaignSettings, client_secret: SecretString) -> Result<Self, Error> {
        Ok(Self {
            api_url: address("api_url", &settings.api_url)?,
            organization: settings.organization.clone(),
            ims_url: address("ims_url", &settings.ims_url)?,
            client_id: settings.client_id.clone(),
            client_secret,
            scopes: settings.scopes.clone(),
        })
    }
}

fn address(field: &str, text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|error| Error::InvalidConnection {
        problem: format!("{field} is not an address: {error}"),
    })
}
