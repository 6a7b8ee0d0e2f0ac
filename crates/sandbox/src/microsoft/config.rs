//! Settings of the Microsoft side.

use std::time::Duration;

use uuid::{Uuid, uuid};

use super::limits::ServiceProtection;

/// Settings of the Microsoft side.
#[derive(Debug, Clone)]
pub struct DynamicsConfig {
    /// Directory id.
    pub tenant_id: String,
    /// Domain names that may stand for the directory id.
    pub tenant_domains: Vec<String>,
    /// Application with an application user in the environment.
    pub client_id: String,
    /// Further applications, each with an application user of its own: service protection counts each for itself.
    pub further_client_ids: Vec<String>,
    /// Application of the directory without an application user: its tokens get 403 from Dataverse.
    pub stranger_client_id: String,
    /// Secret of all applications.
    pub client_secret: String,
    /// Lifetime of access tokens; `None`: 60 to 90 minutes at random, as the product does.
    pub token_lifetime: Option<Duration>,
    /// Environment URLs a scope may name besides those on the listener's own port.
    pub environment_urls: Vec<String>,
    /// `OrganizationId`.
    pub organization_id: Uuid,
    /// `BusinessUnitId`.
    pub business_unit_id: Uuid,
    /// The application user.
    pub application_user_id: Uuid,
    /// Service protection limits.
    pub service_protection: ServiceProtection,
    /// `organization.expirechangetrackingindays` at the start.
    pub change_tracking_retention_days: i64,
}

impl Default for DynamicsConfig {
    fn default() -> Self {
        Self {
            tenant_id: "11111111-1111-4111-8111-111111111111".to_owned(),
            tenant_domains: vec!["sandbox.onmicrosoft.com".to_owned()],
            client_id: "22222222-2222-4222-8222-222222222222".to_owned(),
            further_client_ids: Vec::new(),
            stranger_client_id: "33333333-3333-4333-8333-333333333333".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            token_lifetime: None,
            environment_urls: Vec::new(),
            organization_id: uuid!("00000000-0000-4000-8000-0000000000aa"),
            business_unit_id: uuid!("00000000-0000-4000-8000-0000000000bb"),
            application_user_id: uuid!("00000000-0000-4000-8000-0000000000cc"),
            service_protection: ServiceProtection::default(),
            change_tracking_retention_days: 7,
        }
    }
}

impl DynamicsConfig {
    /// The application user of an application; `None` if it has none.
    pub fn application_user(&self, client_id: &str) -> Option<Uuid> {
        if client_id == self.client_id {
            return Some(self.application_user_id);
        }
        self.further_client_ids
            .iter()
            .any(|further| further == client_id)
            .then(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("application user {client_id}").as_bytes()))
    }
}
