//! An instance's settings: where the two systems are and with which credentials.

use crate::{InstanceId, SealedSecret};

/// What a user sets of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceSettings {
    /// Name on the screen.
    pub display_name: String,
    /// The Dynamics 365 side.
    pub dynamics: DynamicsSettings,
    /// The Adobe Campaign side.
    pub campaign: CampaignSettings,
}

/// How to reach a Dataverse environment (contracts/dataverse.md §1, §2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicsSettings {
    /// The environment, e.g. `https://contoso.api.crm4.dynamics.com`.
    pub environment_url: String,
    /// The identity provider, `https://login.microsoftonline.com` but for national clouds.
    pub authority_url: String,
    /// Entra tenant: a GUID or a verified domain name.
    pub tenant_id: String,
    /// Application (client) id.
    pub client_id: String,
    /// Client secret value.
    pub client_secret: SealedSecret,
}

/// How to reach a Campaign Standard instance (contracts/campaign.md §1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignSettings {
    /// The API gateway, `https://mc.adobe.io`.
    pub api_url: String,
    /// The organization slug in API URLs, e.g. `contoso-mkt-stage`.
    pub organization: String,
    /// The identity provider, `https://ims-na1.adobelogin.com`.
    pub ims_url: String,
    /// Client id, sent as API key too.
    pub client_id: String,
    /// Client secret.
    pub client_secret: SealedSecret,
    /// OAuth scopes asked for.
    pub scopes: Vec<String>,
}

impl InstanceSettings {
    /// The address of the system that is read by ingress: with another one, positions and ledgers are void.
    #[must_use]
    pub fn dynamics_address(&self) -> &str {
        self.dynamics.environment_url.trim_end_matches('/')
    }

    /// The address of the system that is written by ingress, as [`dynamics_address`](Self::dynamics_address).
    #[must_use]
    pub fn campaign_address(&self) -> String {
        let CampaignSettings {
            api_url, organization, ..
        } = &self.campaign;
        format!("{}/{organization}", api_url.trim_end_matches('/'))
    }
}

/// What the client secret of an instance's Dynamics side is sealed for. Bound to it as associated data, so that a sealed
/// secret cannot be moved to another place of the control log and be sent to another address from there.
#[must_use]
pub fn dynamics_secret_purpose(instance: &InstanceId) -> String {
    format!("instances/{instance}/dynamics/client_secret")
}

/// What the client secret of an instance's Campaign side is sealed for; see [`dynamics_secret_purpose`].
#[must_use]
pub fn campaign_secret_purpose(instance: &InstanceId) -> String {
    format!("instances/{instance}/campaign/client_secret")
}
