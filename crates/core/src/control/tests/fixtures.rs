//! Names, settings and a log to write entries to.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    ResourceName, SealedSecret, WorkflowId, WorkflowName,
    control::{
        CampaignSettings, Change, DynamicsSettings, Entry, EntryId, Etag, Instance, InstanceSettings, LogOffset,
        Outcome, RunId, State, Workflow,
    },
    mapping::{FieldMapping, Filter, KeyMapping, MappedTypes, MappingOptions, TableMapping},
};

pub(super) const ACTOR: &str = "ann@contoso.example";

pub(super) fn instance(id: &str) -> ResourceName {
    ResourceName::Instance(id.parse().unwrap())
}

pub(super) fn mapping(instance: &str, id: &str) -> ResourceName {
    ResourceName::Mapping {
        instance: instance.parse().unwrap(),
        mapping: id.parse().unwrap(),
    }
}

pub(super) fn workflow_name(instance: &str, workflow: WorkflowId) -> WorkflowName {
    WorkflowName {
        instance: instance.parse().unwrap(),
        workflow,
    }
}

pub(super) fn workflow(instance: &str, workflow: WorkflowId) -> ResourceName {
    ResourceName::Workflow(workflow_name(instance, workflow))
}

pub(super) fn ingress(instance: &str) -> ResourceName {
    workflow(instance, WorkflowId::Ingress)
}

pub(super) fn run(number: u128) -> RunId {
    RunId(Uuid::from_u128(number))
}

pub(super) fn secret(key_id: &str, byte: u8) -> SealedSecret {
    SealedSecret {
        key_id: key_id.into(),
        nonce: [byte; 24],
        ciphertext: vec![byte; 20],
    }
}

pub(super) fn settings(display_name: &str) -> InstanceSettings {
    InstanceSettings {
        display_name: display_name.into(),
        dynamics: DynamicsSettings {
            environment_url: "https://contoso.api.crm4.dynamics.com".into(),
            authority_url: "https://login.microsoftonline.com".into(),
            tenant_id: "contoso.onmicrosoft.com".into(),
            client_id: "7d1c3b9e-0000-4000-8000-000000000001".into(),
            client_secret: secret("first", 1),
        },
        campaign: CampaignSettings {
            api_url: "https://mc.adobe.io".into(),
            organization: "contoso-mkt-stage".into(),
            ims_url: "https://ims-na1.adobelogin.com".into(),
            client_id: "0f1e2d3c".into(),
            client_secret: secret("first", 2),
            scopes: vec!["openid".into(), "AdobeID".into()],
        },
    }
}

/// A mapping of a table to a resource with one field besides the key.
pub(super) fn table(source: &str, target: &str) -> TableMapping {
    TableMapping {
        source_table: source.into(),
        target_resource: target.into(),
        key: KeyMapping {
            source: format!("{source}id"),
            target: "externalId".into(),
        },
        fields: vec![field("name", "label")],
        replacements: Vec::new(),
        filter: Filter::default(),
        links: Vec::new(),
        types: MappedTypes::default(),
        options: MappingOptions::default(),
    }
}

pub(super) fn field(source: &str, target: &str) -> FieldMapping {
    FieldMapping::new(source, target)
}

pub(super) fn put_instance(display_name: &str) -> Change {
    Change::PutInstance(Box::new(settings(display_name)))
}

pub(super) fn put_mapping(source: &str, target: &str) -> Change {
    Change::PutMapping(Box::new(table(source, target)))
}

/// The time the entry at an offset was written: as many seconds after the epoch.
pub(super) fn time_at(offset: LogOffset) -> Timestamp {
    Timestamp::from_second(i64::try_from(offset.0).unwrap()).unwrap()
}

pub(super) fn entry(offset: LogOffset, resource: &ResourceName, expected_etag: Option<Etag>, change: Change) -> Entry {
    Entry {
        id: EntryId(Uuid::from_u128(u128::from(offset.0))),
        actor: ACTOR.into(),
        time: time_at(offset),
        resource: resource.clone(),
        expected_etag,
        change,
    }
}

/// A control log and the state it folds to.
pub(super) struct Log {
    pub(super) state: State,
    next: u64,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            state: State::default(),
            next: 10,
        }
    }

    /// A log with the instance `prod`, created at offset 10, and its mapping `contact`, at offset 13.
    pub(super) fn with_contact() -> Self {
        let mut log = Self::new();
        log.take(&instance("prod"), put_instance("Production"));
        log.take(&mapping("prod", "contact"), put_mapping("contact", "profile"));
        log
    }

    /// Appends an entry. Offsets have gaps, as those of Kafka may have.
    pub(super) fn write(&mut self, resource: &ResourceName, expected: Option<Etag>, change: Change) -> Outcome {
        let offset = LogOffset(self.next);
        self.next += 3;
        self.state.apply(offset, &entry(offset, resource, expected, change))
    }

    /// Appends an entry of somebody who has seen the present state.
    pub(super) fn write_fresh(&mut self, resource: &ResourceName, change: Change) -> Outcome {
        self.write(resource, self.state.etag(resource), change)
    }

    /// Appends an entry that must take effect; returns its offset.
    pub(super) fn take(&mut self, resource: &ResourceName, change: Change) -> LogOffset {
        assert_eq!(
            self.write_fresh(resource, change),
            Outcome::TookEffect,
            "{resource} should have changed"
        );
        self.state.last_offset().unwrap()
    }

    pub(super) fn instance(&self, id: &str) -> &Instance {
        self.state.instance(&id.parse().unwrap()).unwrap()
    }

    pub(super) fn workflow(&self, instance: &str, id: WorkflowId) -> &Workflow {
        self.instance(instance).workflow(id)
    }
}
