//! Instances.

use crosswalk_core::{InstanceId, control};

use super::timestamp;
use crate::v1;

/// An instance as the API shows it: without its secrets.
#[must_use]
pub fn instance(id: &InstanceId, instance: &control::Instance) -> v1::Instance {
    let control::InstanceSettings {
        display_name,
        dynamics,
        campaign,
    } = &*instance.settings;
    v1::Instance {
        name: format!("instances/{id}"),
        display_name: display_name.clone(),
        dynamics: Some(v1::DynamicsConnection {
            environment_url: dynamics.environment_url.clone(),
            authority_url: dynamics.authority_url.clone(),
            tenant_id: dynamics.tenant_id.clone(),
            client_id: dynamics.client_id.clone(),
            client_secret: String::new(),
        }),
        campaign: Some(v1::CampaignConnection {
            api_url: campaign.api_url.clone(),
            organization: campaign.organization.clone(),
            ims_url: campaign.ims_url.clone(),
            client_id: campaign.client_id.clone(),
            client_secret: String::new(),
            scopes: campaign.scopes.clone(),
        }),
        create_time: Some(timestamp(instance.created)),
        update_time: Some(timestamp(instance.updated)),
        etag: instance.etag.to_string(),
    }
}
