//! Settings of an instance.

use crosswalk_core::control::{CampaignSettings, DynamicsSettings, InstanceSettings};
use crosswalk_proto::v1;
use secrecy::SecretString;

use super::{
    address::{address, normal_form},
    text::{DISPLAY_NAME, PRINTABLE, Rule, SECRET},
};
use crate::error::{ApiError, Violations};

/// The identity provider of the public cloud (contracts/dataverse.md §1.1).
const AUTHORITY_URL: &str = crosswalk_dynamics::Connection::PUBLIC_AUTHORITY;

/// The API gateway (contracts/campaign.md §1.5).
const API_URL: &str = "https://mc.adobe.io";

/// The identity provider (contracts/campaign.md §1.1).
const IMS_URL: &str = "https://ims-na1.adobelogin.com";

/// What Campaign's public clients ask for (contracts/campaign.md §1.1).
const SCOPES: [&str; 6] = [
    "openid",
    "AdobeID",
    "campaign_sdk",
    "additional_info.projectedProductContext",
    "campaign_config_server_general",
    "deliverability_service_general",
];

const MAX_SCOPES: usize = 32;

/// Scopes are sent separated by commas.
const SCOPE: Rule = Rule {
    max: 128,
    allowed: |one| one.is_ascii_graphic() && one != ',',
    characters: "printable ASCII characters without blanks and commas",
};

const ORGANIZATION: Rule = Rule {
    max: 100,
    allowed: |one| one.is_ascii_alphanumeric() || one == '-' || one == '_',
    characters: "letters, digits, hyphens and underscores: the instance's name in the URL, e.g. `contoso-mkt-stage`",
};

const TENANT: Rule = Rule {
    max: 253,
    allowed: |one| one.is_ascii_alphanumeric() || one == '-' || one == '.' || one == '_',
    characters: "letters, digits, hyphens and dots: a directory id or a verified domain name",
};

/// What a request wants to become of a secret.
#[derive(Debug)]
pub(crate) enum SecretText {
    /// It stays as it is.
    Keep,
    /// It is replaced.
    Replace(SecretString),
}

/// Settings of an instance as a request wants them, checked, the secrets not sealed yet.
#[derive(Debug)]
pub(crate) struct InstanceDraft {
    pub(crate) display_name: String,
    pub(crate) dynamics: v1::DynamicsConnection,
    pub(crate) dynamics_secret: SecretText,
    pub(crate) campaign: v1::CampaignConnection,
    pub(crate) campaign_secret: SecretText,
}

/// Reads the field `instance` of a request. `present` is what the instance has now; `None`: it is to be created.
pub(crate) fn instance_draft(
    message: v1::Instance,
    present: Option<&InstanceSettings>,
) -> Result<InstanceDraft, ApiError> {
    let mut violations = Violations::default();
    DISPLAY_NAME.optional(&mut violations, "instance.display_name", &message.display_name);
    let mut dynamics = message.dynamics.unwrap_or_default();
    let mut campaign = message.campaign.unwrap_or_default();
    let dynamics_secret = secret(
        &mut violations,
        "instance.dynamics.client_secret",
        &mut dynamics.client_secret,
    );
    let campaign_secret = secret(
        &mut violations,
        "instance.campaign.client_secret",
        &mut campaign.client_secret,
    );
    read_dynamics(&mut violations, &mut dynamics);
    read_campaign(&mut violations, &mut campaign);
    if matches!(dynamics_secret, SecretText::Keep) {
        let present = present.map(|settings| &settings.dynamics);
        let destination = present.map(|present| dynamics_differs(present, &dynamics));
        check_kept(&mut violations, "instance.dynamics.client_secret", destination);
    }
    if matches!(campaign_secret, SecretText::Keep) {
        let present = present.map(|settings| &settings.campaign);
        let destination = present.map(|present| campaign_differs(present, &campaign));
        check_kept(&mut violations, "instance.campaign.client_secret", destination);
    }
    violations.finish()?;
    Ok(InstanceDraft {
        display_name: message.display_name,
        dynamics,
        dynamics_secret,
        campaign,
        campaign_secret,
    })
}

/// Takes a secret out of a message.
fn secret(violations: &mut Violations, field: &str, text: &mut String) -> SecretText {
    if text.is_empty() {
        return SecretText::Keep;
    }
    SECRET.optional(violations, field, text);
    SecretText::Replace(SecretString::from(std::mem::take(text)))
}

/// A secret may stay only where it is sent to whom it was given for; otherwise whoever may edit an instance could have
/// the stored secret sent to an address of his own. `changed` is what differs; `None`: there is no secret to keep.
fn check_kept(violations: &mut Violations, field: &str, changed: Option<Option<&'static str>>) {
    match changed {
        None => violations.add(field, "REQUIRED", "must be set"),
        Some(Some(changed)) => {
            let description = format!(
                "must be given again when {changed} changes, since the present secret was given for the present one"
            );
            violations.add(field, "REQUIRED", description);
        }
        Some(None) => {}
    }
}

fn dynamics_differs(present: &DynamicsSettings, wanted: &v1::DynamicsConnection) -> Option<&'static str> {
    first_that_differs(&[
        ("environment_url", &present.environment_url, &wanted.environment_url),
        ("authority_url", &present.authority_url, &wanted.authority_url),
        ("tenant_id", &present.tenant_id, &wanted.tenant_id),
        ("client_id", &present.client_id, &wanted.client_id),
    ])
}

fn campaign_differs(present: &CampaignSettings, wanted: &v1::CampaignConnection) -> Option<&'static str> {
    first_that_differs(&[
        ("api_url", &present.api_url, &wanted.api_url),
        ("ims_url", &present.ims_url, &wanted.ims_url),
        ("client_id", &present.client_id, &wanted.client_id),
    ])
}

fn first_that_differs(fields: &[(&'static str, &str, &str)]) -> Option<&'static str> {
    fields
        .iter()
        .find(|(_, present, wanted)| present != wanted)
        .map(|(field, ..)| *field)
}

fn read_dynamics(violations: &mut Violations, dynamics: &mut v1::DynamicsConnection) {
    const URL: &str = "instance.dynamics.environment_url";
    if dynamics.environment_url.is_empty() {
        violations.add(
            URL,
            "REQUIRED",
            "must be set to the environment, e.g. https://contoso.crm4.dynamics.com",
        );
    } else if let Some(url) = address(violations, URL, &dynamics.environment_url) {
        // The address of the Web API is what people copy; the client finds the environment in it.
        if url.path() == "/" || url.path().starts_with("/api/data") {
            dynamics.environment_url = url.origin().ascii_serialization();
        } else {
            violations.add(
                URL,
                "NOT_PLAIN",
                "has a path; give the address of the environment alone",
            );
        }
    }
    read_address(
        violations,
        "instance.dynamics.authority_url",
        &mut dynamics.authority_url,
        AUTHORITY_URL,
    );
    const TENANT_ID: &str = "instance.dynamics.tenant_id";
    TENANT.required(violations, TENANT_ID, &dynamics.tenant_id);
    if dynamics.tenant_id.starts_with(['-', '.', '_']) {
        violations.add(TENANT_ID, "CHARACTERS", "must begin with a letter or digit");
    }
    PRINTABLE.required(violations, "instance.dynamics.client_id", &dynamics.client_id);
}

fn read_campaign(violations: &mut Violations, campaign: &mut v1::CampaignConnection) {
    read_address(violations, "instance.campaign.api_url", &mut campaign.api_url, API_URL);
    read_address(violations, "instance.campaign.ims_url", &mut campaign.ims_url, IMS_URL);
    ORGANIZATION.required(violations, "instance.campaign.organization", &campaign.organization);
    PRINTABLE.required(violations, "instance.campaign.client_id", &campaign.client_id);
    if campaign.scopes.is_empty() {
        campaign.scopes = SCOPES.map(str::to_owned).to_vec();
    }
    if campaign.scopes.len() > MAX_SCOPES {
        violations.add(
            "instance.campaign.scopes",
            "TOO_MANY",
            format!("at most {MAX_SCOPES} are possible"),
        );
    }
    for (place, scope) in campaign.scopes.iter().enumerate().take(MAX_SCOPES) {
        SCOPE.required(violations, &format!("instance.campaign.scopes[{place}]"), scope);
    }
}

/// Brings an address into its normal form; an empty one has a default.
fn read_address(violations: &mut Violations, field: &str, text: &mut String, default: &str) {
    if text.is_empty() {
        default.clone_into(text);
    }
    if let Some(url) = address(violations, field, text) {
        *text = normal_form(&url);
    }
}
