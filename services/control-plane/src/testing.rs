//! States of the control log for tests, made as they are made in life: by folding entries.

use crosswalk_core::{
    ResourceName, SealedSecret, WorkflowId, WorkflowName,
    control::{
        CampaignSettings, Change, DynamicsSettings, Entry, EntryId, InstanceSettings, LogOffset, Outcome, RunId, State,
    },
    mapping::{Filter, KeyMapping, MappedTypes, MappingOptions, TableMapping},
};
use jiff::Timestamp;
use uuid::Uuid;

pub(crate) fn ingress() -> WorkflowName {
    WorkflowName {
        instance: "demo".parse().unwrap(),
        workflow: WorkflowId::Ingress,
    }
}

pub(crate) fn settings() -> InstanceSettings {
    let secret = SealedSecret {
        key_id: "key".to_owned(),
        nonce: [7; 24],
        ciphertext: vec![1, 2, 3],
    };
    InstanceSettings {
        display_name: "Demo".to_owned(),
        dynamics: DynamicsSettings {
            environment_url: "https://contoso.crm4.dynamics.com".to_owned(),
            authority_url: "https://login.microsoftonline.com".to_owned(),
            tenant_id: "contoso.onmicrosoft.com".to_owned(),
            client_id: "client".to_owned(),
            client_secret: secret.clone(),
        },
        campaign: CampaignSettings {
            api_url: "https://mc.adobe.io".to_owned(),
            organization: "contoso".to_owned(),
            ims_url: "https://ims-na1.adobelogin.com".to_owned(),
            client_id: "client".to_owned(),
            client_secret: secret,
            scopes: vec!["openid".to_owned()],
        },
    }
}

/// Folds a change of a resource at its present etag.
pub(crate) fn apply(state: &mut State, resource: &str, change: Change) {
    let resource: ResourceName = resource.parse().unwrap();
    let offset = LogOffset(state.last_offset().map_or(0, |last| last.0 + 1));
    let entry = Entry {
        id: EntryId(Uuid::from_u128(u128::from(offset.0))),
        actor: "local".to_owned(),
        time: Timestamp::UNIX_EPOCH,
        expected_etag: state.etag(&resource),
        resource,
        change,
    };
    assert_eq!(state.apply(offset, &entry), Outcome::TookEffect);
}

fn add_mapping(state: &mut State, table: &str) {
    let definition = TableMapping {
        source_table: table.to_owned(),
        target_resource: table.to_owned(),
        key: KeyMapping {
            source: format!("{table}id"),
            target: "externalId".to_owned(),
        },
        fields: Vec::new(),
        replacements: Vec::new(),
        filter: Filter::default(),
        links: Vec::new(),
        types: MappedTypes::default(),
        options: MappingOptions::default(),
    };
    let name = format!("instances/demo/workflows/ingress/mappings/{table}");
    apply(state, &name, Change::PutMapping(Box::new(definition)));
}

/// An instance `demo` with a mapping for each table, all stopped.
pub(crate) fn stopped_state(tables: &[&str]) -> State {
    let mut state = State::default();
    apply(&mut state, "instances/demo", Change::PutInstance(Box::new(settings())));
    tables.iter().for_each(|table| add_mapping(&mut state, table));
    state
}

/// The same with ingress started, and mappings added since.
pub(crate) fn started_state(tables: &[&str], added_since: &[&str]) -> State {
    let mut state = stopped_state(tables);
    apply(
        &mut state,
        "instances/demo/workflows/ingress",
        Change::StartWorkflow(RunId(Uuid::from_u128(1))),
    );
    added_since.iter().for_each(|table| add_mapping(&mut state, table));
    state
}
