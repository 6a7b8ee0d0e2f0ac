//! Entries of the control log.

use crosswalk_core::{
    SealedSecret,
    control::{CampaignSettings, Change, DynamicsSettings, Entry, EntryId, Etag, InstanceSettings, LogOffset, RunId},
    mapping::{ChoiceForm, EmptyValue, FieldMapping, KeyMapping, MappingOptions, OverLong, TableMapping},
};
use prost::Message;

use super::{DecodeError, milliseconds, timestamp, uuid, wire};

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

fn to_mapping(mapping: &TableMapping) -> wire::TableMapping {
    use wire::mapping_options as options;
    wire::TableMapping {
        source_table: mapping.source_table.clone(),
        target_resource: mapping.target_resource.clone(),
        key: Some(wire::FieldMapping {
            source: mapping.key.source.clone(),
            target: mapping.key.target.clone(),
        }),
        fields: mapping.fields.iter().map(to_field).collect(),
        options: Some(wire::MappingOptions {
            apply_deletes: mapping.options.apply_deletes,
            over_long: match mapping.options.over_long {
                OverLong::Reject => options::OverLong::Unspecified,
                OverLong::Truncate => options::OverLong::Truncate,
            }
            .into(),
            choices: match mapping.options.choices {
                ChoiceForm::TechnicalValue => options::ChoiceForm::Unspecified,
                ChoiceForm::Label => options::ChoiceForm::Label,
            }
            .into(),
            empty: match mapping.options.empty {
                EmptyValue::Clear => options::EmptyValue::Unspecified,
                EmptyValue::Leave => options::EmptyValue::Leave,
            }
            .into(),
        }),
    }
}

fn from_mapping(mapping: wire::TableMapping) -> Result<TableMapping, DecodeError> {
    let key = mapping.key.ok_or(DecodeError::Missing("key"))?;
    Ok(TableMapping {
        source_table: mapping.source_table,
        target_resource: mapping.target_resource,
        key: KeyMapping {
            source: key.source,
            target: key.target,
        },
        fields: mapping.fields.into_iter().map(from_field).collect(),
        options: from_options(mapping.options.unwrap_or_default())?,
    })
}

fn from_options(options: wire::MappingOptions) -> Result<MappingOptions, DecodeError> {
    use wire::mapping_options as wire_options;
    Ok(MappingOptions {
        apply_deletes: options.apply_deletes,
        over_long: match wire_options::OverLong::try_from(options.over_long) {
            Ok(wire_options::OverLong::Unspecified) => OverLong::Reject,
            Ok(wire_options::OverLong::Truncate) => OverLong::Truncate,
            Err(_) => return Err(DecodeError::Unknown("over_long")),
        },
        choices: match wire_options::ChoiceForm::try_from(options.choices) {
            Ok(wire_options::ChoiceForm::Unspecified) => ChoiceForm::TechnicalValue,
            Ok(wire_options::ChoiceForm::Label) => ChoiceForm::Label,
            Err(_) => return Err(DecodeError::Unknown("choices")),
        },
        empty: match wire_options::EmptyValue::try_from(options.empty) {
            Ok(wire_options::EmptyValue::Unspecified) => EmptyValue::Clear,
            Ok(wire_options::EmptyValue::Leave) => EmptyValue::Leave,
            Err(_) => return Err(DecodeError::Unknown("empty")),
        },
    })
}

fn to_field(field: &FieldMapping) -> wire::FieldMapping {
    wire::FieldMapping {
        source: field.source.clone(),
        target: field.target.clone(),
    }
}

fn from_field(field: wire::FieldMapping) -> FieldMapping {
    FieldMapping {
        source: field.source,
        target: field.target,
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::{ResourceName, WorkflowId, WorkflowName};
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
            fields: vec![FieldMapping {
                source: "emailaddress1".into(),
                target: "email".into(),
            }],
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
        let changes = [
            (instance.clone(), Change::PutInstance(Box::new(settings()))),
            (instance, Change::DeleteInstance),
            (table.clone(), Change::PutMapping(Box::new(mapping()))),
            (table, Change::DeleteMapping),
            (workflow.clone(), Change::StartWorkflow(RunId(Uuid::from_u128(9)))),
            (workflow, Change::StopWorkflow),
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
