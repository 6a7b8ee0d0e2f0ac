//! Settings of instances.

use crosswalk_core::{
    SealedSecret,
    control::{CampaignSettings, DynamicsSettings, InstanceSettings},
};
use crosswalk_proto::v1;

use super::violations;
use crate::parse::{SecretText, instance_draft};

fn message() -> v1::Instance {
    v1::Instance {
        display_name: "Stage".to_owned(),
        dynamics: Some(v1::DynamicsConnection {
            environment_url: "https://contoso.crm4.dynamics.com".to_owned(),
            authority_url: String::new(),
            tenant_id: "contoso.onmicrosoft.com".to_owned(),
            client_id: "22222222-2222-4222-8222-222222222222".to_owned(),
            client_secret: "dynamics-secret".to_owned(),
        }),
        campaign: Some(v1::CampaignConnection {
            api_url: String::new(),
            organization: "contoso-mkt-stage".to_owned(),
            ims_url: String::new(),
            client_id: "campaign-client".to_owned(),
            client_secret: "campaign-secret".to_owned(),
            scopes: Vec::new(),
        }),
        ..v1::Instance::default()
    }
}

/// What is stored after `message` was accepted.
fn stored() -> InstanceSettings {
    let draft = instance_draft(message(), None).unwrap();
    let sealed = SealedSecret {
        key_id: "key".to_owned(),
        nonce: [0; 24],
        ciphertext: vec![1],
    };
    InstanceSettings {
        display_name: draft.display_name,
        dynamics: DynamicsSettings {
            environment_url: draft.dynamics.environment_url,
            authority_url: draft.dynamics.authority_url,
            tenant_id: draft.dynamics.tenant_id,
            client_id: draft.dynamics.client_id,
            client_secret: sealed.clone(),
        },
        campaign: CampaignSettings {
            api_url: draft.campaign.api_url,
            organization: draft.campaign.organization,
            ims_url: draft.campaign.ims_url,
            client_id: draft.campaign.client_id,
            client_secret: sealed,
            scopes: draft.campaign.scopes,
        },
    }
}

type Edit = fn(&mut v1::DynamicsConnection, &mut v1::CampaignConnection);

fn edited(edit: Edit) -> v1::Instance {
    let mut message = message();
    let (dynamics, campaign) = (message.dynamics.as_mut().unwrap(), message.campaign.as_mut().unwrap());
    edit(dynamics, campaign);
    message
}

#[test]
fn every_bad_setting_is_named_with_its_reason() {
    let table: [(Edit, &str, &str); 22] = [
        (
            |dynamics, _| dynamics.environment_url.clear(),
            "dynamics.environment_url",
            "REQUIRED",
        ),
        (
            |dynamics, _| dynamics.environment_url = "contoso".into(),
            "dynamics.environment_url",
            "NOT_AN_ADDRESS",
        ),
        (
            |dynamics, _| dynamics.environment_url = "http://contoso.com".into(),
            "dynamics.environment_url",
            "NOT_HTTPS",
        ),
        (
            |dynamics, _| dynamics.environment_url = "ftp://127.0.0.1".into(),
            "dynamics.environment_url",
            "NOT_HTTPS",
        ),
        (
            |dynamics, _| dynamics.environment_url = "https://a@b.com".into(),
            "dynamics.environment_url",
            "NOT_PLAIN",
        ),
        (
            |dynamics, _| dynamics.environment_url = "https://b.com/?x=1".into(),
            "dynamics.environment_url",
            "NOT_PLAIN",
        ),
        (
            |dynamics, _| dynamics.environment_url = "https://b.com/#x".into(),
            "dynamics.environment_url",
            "NOT_PLAIN",
        ),
        (
            |dynamics, _| dynamics.environment_url = "https://b.com/main".into(),
            "dynamics.environment_url",
            "NOT_PLAIN",
        ),
        (
            |dynamics, _| dynamics.environment_url = format!("https://{}.com", "a".repeat(300)),
            "dynamics.environment_url",
            "TOO_LONG",
        ),
        (
            |dynamics, _| dynamics.authority_url = "http://login.com".into(),
            "dynamics.authority_url",
            "NOT_HTTPS",
        ),
        (
            |dynamics, _| dynamics.tenant_id.clear(),
            "dynamics.tenant_id",
            "REQUIRED",
        ),
        (
            |dynamics, _| dynamics.tenant_id = "a/b".into(),
            "dynamics.tenant_id",
            "CHARACTERS",
        ),
        (
            |dynamics, _| dynamics.tenant_id = "..".into(),
            "dynamics.tenant_id",
            "CHARACTERS",
        ),
        (
            |dynamics, _| dynamics.client_id.clear(),
            "dynamics.client_id",
            "REQUIRED",
        ),
        (
            |dynamics, _| dynamics.client_secret.clear(),
            "dynamics.client_secret",
            "REQUIRED",
        ),
        (
            |dynamics, _| dynamics.client_secret = "x\n".into(),
            "dynamics.client_secret",
            "CHARACTERS",
        ),
        (
            |_, campaign| campaign.organization = "a/b".into(),
            "campaign.organization",
            "CHARACTERS",
        ),
        (
            |_, campaign| campaign.client_id = "a b".into(),
            "campaign.client_id",
            "CHARACTERS",
        ),
        (
            |_, campaign| campaign.client_secret.clear(),
            "campaign.client_secret",
            "REQUIRED",
        ),
        (
            |_, campaign| campaign.scopes = vec!["a,b".into()],
            "campaign.scopes[0]",
            "CHARACTERS",
        ),
        (
            |_, campaign| campaign.scopes = vec!["a".into(); 33],
            "campaign.scopes",
            "TOO_MANY",
        ),
        (
            |_, campaign| campaign.ims_url = "nothing".into(),
            "campaign.ims_url",
            "NOT_AN_ADDRESS",
        ),
    ];
    for (edit, field, reason) in table {
        let found = violations(instance_draft(edited(edit), None));
        assert_eq!(found, [(format!("instance.{field}"), reason)]);
    }
}

#[test]
fn an_empty_request_names_everything_that_is_required() {
    let fields: Vec<String> = violations(instance_draft(v1::Instance::default(), None))
        .into_iter()
        .map(|(field, reason)| {
            assert_eq!(reason, "REQUIRED", "{field}");
            field
        })
        .collect();
    assert_eq!(
        fields,
        [
            "instance.dynamics.environment_url",
            "instance.dynamics.tenant_id",
            "instance.dynamics.client_id",
            "instance.campaign.organization",
            "instance.campaign.client_id",
            "instance.dynamics.client_secret",
            "instance.campaign.client_secret",
        ]
    );
}

#[test]
fn what_is_left_out_gets_the_values_of_the_public_clouds() {
    let settings = stored();
    assert_eq!(settings.dynamics.authority_url, "https://login.microsoftonline.com");
    assert_eq!(settings.campaign.api_url, "https://mc.adobe.io");
    assert_eq!(settings.campaign.ims_url, "https://ims-na1.adobelogin.com");
    assert!(settings.campaign.scopes.contains(&"campaign_sdk".to_owned()));
}

#[test]
fn addresses_are_stored_in_one_spelling() {
    for text in [
        "https://contoso.crm4.dynamics.com/",
        "HTTPS://Contoso.CRM4.dynamics.com:443",
        " https://contoso.crm4.dynamics.com/api/data/v9.2/ ",
    ] {
        let mut message = message();
        message.dynamics.as_mut().unwrap().environment_url = text.to_owned();
        let draft = instance_draft(message, None).unwrap();
        assert_eq!(
            draft.dynamics.environment_url, "https://contoso.crm4.dynamics.com",
            "{text}"
        );
    }
}

#[test]
fn a_stored_secret_is_never_sent_to_another_address_or_as_somebody_else() {
    let table: [(Edit, &str); 7] = [
        (
            |dynamics, _| dynamics.environment_url = "https://evil.example".into(),
            "instance.dynamics.client_secret",
        ),
        (
            |dynamics, _| dynamics.authority_url = "https://evil.example".into(),
            "instance.dynamics.client_secret",
        ),
        (
            |dynamics, _| dynamics.tenant_id = "evil.example".into(),
            "instance.dynamics.client_secret",
        ),
        (
            |dynamics, _| dynamics.client_id = "other".into(),
            "instance.dynamics.client_secret",
        ),
        (
            |_, campaign| campaign.api_url = "https://evil.example".into(),
            "instance.campaign.client_secret",
        ),
        (
            |_, campaign| campaign.ims_url = "https://evil.example".into(),
            "instance.campaign.client_secret",
        ),
        (
            |_, campaign| campaign.client_id = "other".into(),
            "instance.campaign.client_secret",
        ),
    ];
    let present = stored();
    for (edit, field) in table {
        let mut message = edited(edit);
        message.dynamics.as_mut().unwrap().client_secret.clear();
        message.campaign.as_mut().unwrap().client_secret.clear();
        assert_eq!(
            violations(instance_draft(message, Some(&present))),
            [(field.to_owned(), "REQUIRED")]
        );
        assert!(
            instance_draft(edited(edit), Some(&present)).is_ok(),
            "with both secrets it is fine"
        );
    }
}

#[test]
fn empty_secrets_are_kept_when_nothing_else_of_the_connection_changes() {
    let mut message = message();
    message.display_name = "Renamed".to_owned();
    message.dynamics.as_mut().unwrap().client_secret.clear();
    let campaign = message.campaign.as_mut().unwrap();
    campaign.client_secret.clear();
    campaign.organization = "contoso".to_owned();
    let draft = instance_draft(message, Some(&stored())).unwrap();
    assert!(matches!(
        (draft.dynamics_secret, draft.campaign_secret),
        (SecretText::Keep, SecretText::Keep)
    ));
}

#[test]
fn a_draft_shows_no_secret() {
    let draft = instance_draft(message(), None).unwrap();
    let shown = format!("{draft:?}");
    assert!(
        !shown.contains("dynamics-secret") && !shown.contains("campaign-secret"),
        "{shown}"
    );
}

#[test]
fn both_clients_take_the_settings_that_are_accepted() {
    let settings = stored();
    let connection = crosswalk_dynamics::Connection::of_instance(&settings.dynamics, "secret".into()).unwrap();
    crosswalk_dynamics::Client::new(connection, &crosswalk_dynamics::ClientSettings::default()).unwrap();
    let connection = crosswalk_campaign::Connection::of_instance(&settings.campaign, "secret".into()).unwrap();
    crosswalk_campaign::Client::new(&connection, &crosswalk_campaign::ClientSettings::default()).unwrap();
}
