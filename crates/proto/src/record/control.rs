//! Entries of the control log.

use crosswalk_core::{
    SealedSecret,
    control::{
        CampaignSettings, Change, DynamicsSettings, Entry, EntryId, Etag, InstanceSettings, LogOffset,
        RedriveSelection, RunId,
    },
};
use prost::Message;

use super::{
    DecodeError,
    mapping::{from_mapping, to_mapping},
    milliseconds, timestamp, uuid, wire,
};

/// Encodes an entry for the control log.
#[must_use]
pub fn encode_entry(entry: &Entry) -> Vec<u8> {
    wire::ControlEntry {
        id: entry.id.0.as_bytes().to_vec(),
        actor: entry.actor.clone(),
        time_milliseconds: milliseconds(entry.time),
        resource: entry.resource.to_string(),
        expected_etag: entry.expected_etag.map(|etag| etag.0.0),
        change: Some(to_change(&entry.change)),
    }
    .encode_to_vec()
}

/// Decodes an entry of the control log.
///
/// # Errors
/// If the bytes are not an entry, or one of a newer release.
pub fn decode_entry(bytes: &[u8]) -> Result<Entry, DecodeError> {
    let message = wire::ControlEntry::decode(bytes)?;
    Ok(Entry {
        id: EntryId(uuid(&message.id, "id")?),
        actor: message.actor,
        time: timestamp(message.time_milliseconds, "time_milliseconds")?,
        resource: message.resource.parse()?,
        expected_etag: message.expected_etag.map(|offset| Etag(LogOffset(offset))),
        change: from_change(message.change.ok_or(DecodeError::Missing("change"))?)?,
    })
}

fn to_change(change: &Change) -> wire::control_entry::Change {
    use wire::control_entry::Change as Wire;
    match change {
        Change::PutInstance(settings) => Wire::PutInstance(to_settings(settings)),
        Change::DeleteInstance => Wire::DeleteInstance(wire::DeleteInstance {}),
        Change::PutMapping(mapping) => Wire::PutMapping(to_mapping(mapping)),
        Change::DeleteMapping => Wire::DeleteMapping(wire::DeleteMapping {}),
        Change::StartWorkflow(run) => Wire::StartWorkflow(wire::StartWorkflow {
            run_id: run.0.as_bytes().to_vec(),
        }),
        Change::StopWorkflow => Wire::StopWorkflow(wire::StopWorkflow {}),
        Change::RequestReplay { force } => Wire::RequestReplay(wire::RequestReplay { force: *force }),
        Change::RequestRedrive(selection) => Wire::RequestRedrive(wire::RequestRedrive {
            dead_letters: selection.keys.clone(),
            code: selection.code.clone().unwrap_or_default(),
            table: selection.table.clone().unwrap_or_default(),
        }),
    }
}

fn from_change(change: wire::control_entry::Change) -> Result<Change, DecodeError> {
    use wire::control_entry::Change as Wire;
    Ok(match change {
        Wire::PutInstance(settings) => Change::PutInstance(Box::new(from_settings(settings)?)),
        Wire::DeleteInstance(_) => Change::DeleteInstance,
        Wire::PutMapping(mapping) => Change::PutMapping(Box::new(from_mapping(mapping)?)),
        Wire::DeleteMapping(_) => Change::DeleteMapping,
        Wire::StartWorkflow(start) => Change::StartWorkflow(RunId(uuid(&start.run_id, "run_id")?)),
        Wire::StopWorkflow(_) => Change::StopWorkflow,
        Wire::RequestReplay(replay) => Change::RequestReplay { force: replay.force },
        Wire::RequestRedrive(redrive) => Change::RequestRedrive(RedriveSelection {
            keys: redrive.dead_letters,
            code: Some(redrive.code).filter(|code| !code.is_empty()),
            table: Some(redrive.table).filter(|table| !table.is_empty()),
        }),
    })
}

fn to_settings(settings: &InstanceSettings) -> wire::InstanceSettings {
    let InstanceSettings {
        display_name,
        dynamics,
        campaign,
    } = settings;
    wire::InstanceSettings {
        display_name: display_name.clone(),
        dynamics: Some(wire::DynamicsSettings {
            environment_url: dynamics.environment_url.clone(),
            authority_url: dynamics.authority_url.clone(),
            tenant_id: dynamics.tenant_id.clone(),
            client_id: dynamics.client_id.clone(),
            client_secret: Some(to_secret(&dynamics.client_secret)),
        }),
        campaign: Some(wire::CampaignSettings {
            api_url: campaign.api_url.clone(),
            organization: campaign.organization.clone(),
            ims_url: campaign.ims_url.clone(),
            client_id: campaign.client_id.clone(),
            client_secret: Some(to_secret(&campaign.client_secret)),
            scopes: campaign.scopes.clone(),
        }),
    }
}

fn from_settings(settings: wire::InstanceSettings) -> Result<InstanceSettings, DecodeError> {
    let dynamics = settings.dynamics.ok_or(DecodeError::Missing("dynamics"))?;
    let campaign = settings.campaign.ok_or(DecodeError::Missing("campaign"))?;
    Ok(InstanceSettings {
        display_name: settings.display_name,
        dynamics: DynamicsSettings {
            environment_url: dynamics.environment_url,
            authority_url: dynamics.authority_url,
            tenant_id: dynamics.tenant_id,
            client_id: dynamics.client_id,
            client_secret: from_secret(dynamics.client_secret)?,
        },
        campaign: CampaignSettings {
            api_url: campaign.api_url,
            organization: campaign.organization,
            ims_url: campaign.ims_url,
            client_id: campaign.client_id,
            client_secret: from_secret(campaign.client_secret)?,
            scopes: campaign.scopes,
        },
    })
}

fn to_secret(secret: &SealedSecret) -> wire::SealedSecret {
    wire::SealedSecret {
        key_id: secret.key_id.clone(),
        nonce: secret.nonce.to_vec(),
        ciphertext: secret.ciphertext.clone(),
    }
}

fn from_secret(secret: Option<wire::SealedSecret>) -> Result<SealedSecret, DecodeError> {
    let secret = secret.ok_or(DecodeError::Missing("client_secret"))?;
    let nonce = secret.nonce.try_into().map_err(|_| DecodeError::Unknown("nonce"))?;
    Ok(SealedSecret {
        key_id: secret.key_id,
        nonce,
        ciphertext: secret.ciphertext,
    })
}

#[cfg(test)]
mod tests {
    use crosswalk_core::{
        ResourceName, WorkflowId, WorkflowName,
        mapping::{
            ChoiceForm, Combination, Condition, EmptyValue, FieldMapping, Filter, KeyMapping, Link, MappedType,
            MappedTypes, MappingOptions, Operator, OverLong, Replacement, TableMapping,
        },
    };
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn settings() -> InstanceSettings {
        let secret = SealedSecret {
            key_id: "k1".into(),
            nonce: [1; 24],
            ciphertext: vec![2; 40],
        };
        InstanceSettings {
            display_name: "Demo".into(),
            dynamics: DynamicsSettings {
                environment_url: "https://contoso.api.crm4.dynamics.com".into(),
                authority_url: "https://login.microsoftonline.com".into(),
                tenant_id: "contoso.example".into(),
                client_id: "c".into(),
                client_secret: secret.clone(),
            },
            campaign: CampaignSettings {
                api_url: "https://mc.adobe.io".into(),
                organization: "contoso".into(),
                ims_url: "https://ims-na1.adobelogin.com".into(),
                client_id: "a".into(),
                client_secret: secret,
                scopes: vec!["openid".into(), "campaign_sdk".into()],
            },
        }
    }

    fn mapping() -> TableMapping {
        TableMapping {
            source_table: "contact".into(),
            target_resource: "profile".into(),
            key: KeyMapping {
                source: "contactid".into(),
                target: "externalId".into(),
            },
            fields: vec![
                FieldMapping::new("emailaddress1", "email"),
                FieldMapping {
                    apply_updates: false,
                    ..FieldMapping::new("parentcustomerid", "cusAccountId")
                },
            ],
            replacements: vec![Replacement {
                source: "emailaddress1".into(),
                existing: "a@example.com".into(),
                new: "b@example.com".into(),
            }],
            filter: Filter {
                combination: Combination::Or,
                conditions: Operator::ALL
                    .into_iter()
                    .map(|operator| Condition {
                        source: "statecode".into(),
                        operator,
                        values: vec!["0".into(), "1".into()],
                    })
                    .collect(),
                delete_filtered: true,
            },
            links: vec![Link {
                source: "parentcustomerid".into(),
                table: "account".into(),
            }],
            types: MappedTypes {
                columns: vec![MappedType {
                    name: "emailaddress1".into(),
                    type_name: "text".into(),
                }],
                fields: vec![MappedType {
                    name: "email".into(),
                    type_name: "string".into(),
                }],
            },
            options: MappingOptions {
                apply_deletes: true,
                over_long: OverLong::Truncate,
                choices: ChoiceForm::Label,
                empty: EmptyValue::Leave,
            },
        }
    }

    #[test]
    fn an_entry_of_every_change_reads_back_as_written() {
        let instance = ResourceName::Instance("demo".parse().unwrap());
        let workflow = ResourceName::Workflow(WorkflowName {
            instance: "demo".parse().unwrap(),
            workflow: WorkflowId::Ingress,
        });
        let table = ResourceName::Mapping {
            instance: "demo".parse().unwrap(),
            mapping: "contact".parse().unwrap(),
        };
        let dead_letters = ResourceName::DeadLetters(WorkflowName {
            instance: "demo".parse().unwrap(),
            workflow: WorkflowId::Ingress,
        });
        let changes = [
            (instance.clone(), Change::PutInstance(Box::new(settings()))),
            (instance, Change::DeleteInstance),
            (table.clone(), Change::PutMapping(Box::new(mapping()))),
            (table.clone(), Change::DeleteMapping),
            (table, Change::RequestReplay { force: true }),
            (workflow.clone(), Change::StartWorkflow(RunId(Uuid::from_u128(9)))),
            (workflow, Change::StopWorkflow),
            (
                dead_letters,
                Change::RequestRedrive(RedriveSelection {
                    keys: vec!["contact/1".into()],
                    code: Some("TOO_LONG".into()),
                    table: None,
                }),
            ),
        ];
        for (resource, change) in changes {
            for expected_etag in [None, Some(Etag(LogOffset(0))), Some(Etag(LogOffset(12)))] {
                let entry = Entry {
                    id: EntryId(Uuid::from_u128(5)),
                    actor: "ann".into(),
                    time: Timestamp::from_millisecond(1_790_000_000_123).unwrap(),
                    resource: resource.clone(),
                    expected_etag,
                    change: change.clone(),
                };
                assert_eq!(decode_entry(&encode_entry(&entry)).unwrap(), entry);
            }
        }
    }
}
