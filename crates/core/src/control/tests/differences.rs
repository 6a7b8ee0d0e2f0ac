//! What is said to differ between a draft and a running configuration.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{prelude::*, sample};
use uuid::Uuid;

use super::fixtures::{field, secret, settings, table};
use crate::{
    control::{Configuration, Difference, EntryId, InstanceSettings, PinnedMapping, differences},
    mapping::{ChoiceForm, EmptyValue, FieldMapping, MappingOptions, OverLong, TableMapping},
};

fn configuration(settings: InstanceSettings, mappings: Vec<(&str, u128, TableMapping)>) -> Configuration {
    let pin = |(id, uid, definition): (&str, u128, TableMapping)| PinnedMapping {
        id: id.parse().unwrap(),
        uid: EntryId(Uuid::from_u128(uid)),
        definition: Arc::new(definition),
        replay: None,
    };
    Configuration {
        settings: Arc::new(settings),
        mappings: mappings.into_iter().map(pin).collect(),
    }
}

fn with_settings(edit: impl FnOnce(&mut InstanceSettings)) -> Configuration {
    let mut settings = settings("Production");
    edit(&mut settings);
    configuration(settings, vec![("contact", 1, table("contact", "profile"))])
}

fn with_mapping(edit: impl FnOnce(&mut TableMapping)) -> Configuration {
    let mut definition = table("contact", "profile");
    edit(&mut definition);
    configuration(settings("Production"), vec![("contact", 1, definition)])
}

fn difference(path: &str, draft: Option<&str>, running: Option<&str>) -> Difference {
    Difference {
        path: path.into(),
        draft: draft.map(str::to_owned),
        running: running.map(str::to_owned),
    }
}

#[test]
fn a_difference_says_where_it_stands_and_what_each_side_says() {
    let running = with_settings(|_| {});
    let cases = [
        (
            with_settings(|settings| settings.campaign.organization = "contoso-mkt-prod".into()),
            difference(
                "instance/campaign/organization",
                Some("contoso-mkt-prod"),
                Some("contoso-mkt-stage"),
            ),
        ),
        (
            with_settings(|settings| settings.campaign.scopes.push("deliverability_service_general".into())),
            difference(
                "instance/campaign/scopes",
                Some("openid, AdobeID, deliverability_service_general"),
                Some("openid, AdobeID"),
            ),
        ),
        (
            with_mapping(|definition| definition.fields[0].source = "fullname".into()),
            difference("mappings/contact/fields/label", Some("fullname"), Some("name")),
        ),
        (
            with_mapping(|definition| definition.options.over_long = OverLong::Truncate),
            difference("mappings/contact/options/over_long", Some("Truncate"), Some("Reject")),
        ),
        (
            with_mapping(|definition| definition.options.apply_deletes = true),
            difference("mappings/contact/options/apply_deletes", Some("true"), Some("false")),
        ),
    ];
    for (draft, expected) in cases {
        assert_eq!(differences(&draft, &running), [expected]);
    }
}

#[test]
fn an_added_field_is_a_line_of_its_own_and_a_change_of_order() {
    let draft = with_mapping(|definition| definition.fields.push(field("emailaddress1", "email")));
    let expected = [
        difference("mappings/contact/fields/email", Some("emailaddress1"), None),
        difference("mappings/contact/order", Some("2 fields"), Some("1 field")),
    ];
    assert_eq!(differences(&draft, &with_mapping(|_| {})), expected);
}

#[test]
fn a_mapping_that_only_the_running_configuration_has_is_listed_without_a_draft() {
    let found = differences(
        &configuration(settings("Production"), Vec::new()),
        &with_mapping(|_| {}),
    );
    assert!(found.contains(&difference("mappings/contact/tables", None, Some("contact to profile"))));
    assert!(found.iter().all(|difference| difference.draft.is_none()), "{found:?}");
}

#[test]
fn a_mapping_made_again_differs_though_it_looks_the_same() {
    let again = configuration(
        settings("Production"),
        vec![("contact", 2, table("contact", "profile"))],
    );
    let shown = Some("contact to profile");
    assert_eq!(
        differences(&again, &with_mapping(|_| {})),
        [difference("mappings/contact/tables", shown, shown)]
    );
}

#[test]
fn a_target_named_twice_does_not_hide_a_difference() {
    let twice = |first: &str| {
        with_mapping(|definition| definition.fields = vec![field(first, "email"), field("emailaddress2", "email")])
    };
    assert_eq!(
        differences(&twice("emailaddress1"), &twice("emailaddress3")),
        [difference(
            "mappings/contact/fields/email",
            Some("emailaddress1, emailaddress2"),
            Some("emailaddress3, emailaddress2"),
        )]
    );
}

#[test]
fn of_a_secret_is_shown_only_that_it_differs() {
    let running = with_settings(|_| {});
    let edits: [fn(&mut InstanceSettings); 4] = [
        |settings| settings.dynamics.client_secret = secret("second", 1),
        |settings| settings.dynamics.client_secret.nonce[0] = 9,
        |settings| settings.campaign.client_secret = secret("second", 2),
        |settings| settings.campaign.client_secret.ciphertext[0] = 9,
    ];
    let side = ["dynamics", "dynamics", "campaign", "campaign"];
    for (edit, side) in edits.into_iter().zip(side) {
        let path = format!("instance/{side}/client_secret");
        assert_eq!(
            differences(&with_settings(edit), &running),
            [difference(&path, Some("(secret)"), Some("(secret)"))]
        );
    }
}

/// Few words, so that settings often agree; some with the characters that the texts shown are joined with.
fn words() -> impl Strategy<Value = String> {
    sample::select(vec!["a", "b", "a, b", "a to b", ""]).prop_map(str::to_owned)
}

fn all_settings() -> impl Strategy<Value = InstanceSettings> {
    let places = proptest::collection::vec(proptest::bool::weighted(0.1), 8);
    let scopes = proptest::collection::vec(words(), 0..3);
    let secrets = (0..2_u8, 0..2_u8, sample::select(vec!["SECRETKEY1", "SECRETKEY2"]));
    (places, scopes, secrets).prop_map(|(changed, scopes, (dynamics, campaign, key_id))| {
        let mut made = settings("Production");
        made.campaign.scopes = scopes;
        made.dynamics.client_secret = secret(key_id, 200 + dynamics);
        made.campaign.client_secret = secret(key_id, 210 + campaign);
        let places = [
            &mut made.display_name,
            &mut made.dynamics.environment_url,
            &mut made.dynamics.authority_url,
            &mut made.dynamics.tenant_id,
            &mut made.dynamics.client_id,
            &mut made.campaign.api_url,
            &mut made.campaign.ims_url,
            &mut made.campaign.organization,
        ];
        for (place, changed) in places.into_iter().zip(changed) {
            if changed {
                place.push('!');
            }
        }
        made
    })
}

fn definitions() -> impl Strategy<Value = TableMapping> {
    let fields = proptest::collection::vec((words(), words()), 0..4);
    let options = (
        any::<bool>(),
        sample::select(vec![OverLong::Reject, OverLong::Truncate]),
        sample::select(vec![ChoiceForm::TechnicalValue, ChoiceForm::Label]),
        sample::select(vec![EmptyValue::Clear, EmptyValue::Leave]),
    );
    let key = (words(), words());
    ((words(), words()), key, fields, options).prop_map(|((source, target), key, fields, options)| {
        let mut definition = table(&source, &target);
        (definition.key.source, definition.key.target) = key;
        let as_field = |(source, target)| FieldMapping::new(source, target);
        definition.fields = fields.into_iter().map(as_field).collect();
        let (apply_deletes, over_long, choices, empty) = options;
        definition.options = MappingOptions {
            apply_deletes,
            over_long,
            choices,
            empty,
        };
        definition
    })
}

/// A configuration as a state makes it: every mapping id once, in order.
fn configurations() -> impl Strategy<Value = Configuration> {
    let mappings = proptest::collection::btree_map(sample::select(vec!["a", "b"]), (0..2_u128, definitions()), 0..3);
    (all_settings(), mappings).prop_map(|(settings, mappings): (_, BTreeMap<&str, (u128, TableMapping)>)| {
        let mappings = mappings
            .into_iter()
            .map(|(id, (uid, definition))| (id, uid, definition));
        configuration(settings, mappings.collect())
    })
}

/// A configuration and one that differs from it in one part, or in none.
fn neighbours() -> impl Strategy<Value = (Configuration, Configuration)> {
    (configurations(), configurations(), definitions(), 0..5).prop_map(|(one, two, definition, part)| {
        let mut other = one.clone();
        match (part, other.mappings.first_mut()) {
            (0, _) => other.settings = two.settings,
            (1, _) => other.mappings = two.mappings,
            (2, Some(first)) => Arc::make_mut(&mut first.definition).fields = definition.fields,
            (3, Some(first)) => Arc::make_mut(&mut first.definition).key = definition.key,
            _ => {}
        }
        (one, other)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn there_are_differences_if_and_only_if_the_configurations_differ(
        (draft, running) in prop_oneof![neighbours(), (configurations(), configurations())],
    ) {
        let found = differences(&draft, &running);
        prop_assert_eq!(found.is_empty(), draft == running, "{:?}", found);
        prop_assert!(differences(&draft, &draft).is_empty());
    }

    #[test]
    fn differences_are_the_same_from_both_sides_and_come_by_path((draft, running) in neighbours()) {
        let found = differences(&draft, &running);
        prop_assert!(found.is_sorted_by(|one, next| one.path < next.path), "{:?}", found);
        let mut back = differences(&running, &draft);
        for difference in &mut back {
            std::mem::swap(&mut difference.draft, &mut difference.running);
        }
        prop_assert_eq!(found, back);
    }

    #[test]
    fn nothing_of_a_secret_is_shown((draft, running) in (configurations(), configurations())) {
        let shown = format!("{:?}", differences(&draft, &running));
        // Key ids, and the bytes of nonces and ciphertexts, which are 200 and more.
        for secret in ["SECRETKEY", "20", "21"] {
            prop_assert!(!shown.contains(secret), "{}", shown);
        }
    }
}
