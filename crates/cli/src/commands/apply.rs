//! `crosswalk mappings apply`, and what it shares with creating and updating instances.

use crosswalk_proto::v1::{CreateMappingRequest, Mapping, UpdateMappingRequest, filter::Combination};
use serde::Serialize;
use tonic::Code;

use super::mappings::present;
use crate::{
    arguments::WorkflowId,
    changes::{Change, changes, changes_table, mapping_settings, reordering},
    connection::Connection,
    failure::Failure,
    names::{InstanceName, id_of},
    output::{Output, notice},
};

/// What an edit did; in JSON it is the result of the command.
#[derive(Debug, Serialize)]
pub(super) struct Applied<Resource> {
    pub(super) action: Action,
    pub(super) changes: Vec<Change>,
    /// The resource as it is now.
    pub(super) resource: Resource,
}

/// What became of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// It is new.
    Created,
    /// It was changed.
    Updated,
    /// It was so already; nothing was sent.
    Unchanged,
}

impl<Resource: Serialize> Applied<Resource> {
    /// Writes the result; `what` names the resource for people.
    pub(super) fn write(&self, output: Output, what: &str) -> Result<(), Failure> {
        match self.action {
            Action::Created => notice(format_args!("created {what}")),
            Action::Updated => notice(format_args!("updated {what}")),
            Action::Unchanged => notice(format_args!("{what} is so already")),
        }
        output.write(self, |applied| changes_table(&applied.changes))
    }
}

/// Creates the mapping, or changes the present one to what it says. `id` overrides the id in its name.
pub(crate) async fn apply(
    connection: &Connection,
    output: Output,
    mapping: Mapping,
    id: Option<&str>,
) -> Result<(), Failure> {
    let wanted = addressed(connection.instance(), mapping, id)?;
    let applied = match present(connection, &wanted.name).await {
        Ok(present) => update(connection, present, wanted).await?,
        Err(status) if status.code() == Code::NotFound => create(connection, wanted).await?,
        Err(status) => return Err(connection.failure(&status)),
    };
    let what = format!("mapping {}", id_of(&applied.resource.name));
    applied.write(output, &what)
}

/// The mapping with its full name, and with an etag only if that is one of the mapping it names.
fn addressed(instance: &InstanceName, mut mapping: Mapping, id: Option<&str>) -> Result<Mapping, Failure> {
    let name = match id {
        Some(id) => instance.mapping(id),
        None if mapping.name.is_empty() => {
            return Err(Failure::Usage(
                "which mapping is it? the file has no `name`; say it with --id".to_owned(),
            ));
        }
        None => instance.mapping(instance.mapping_id(&mapping.name)?),
    };
    if !mapping.name.is_empty() && mapping.name != name {
        mapping.etag.clear();
    }
    Ok(Mapping {
        name,
        create_time: None,
        update_time: None,
        ..mapping
    })
}

async fn create(connection: &Connection, wanted: Mapping) -> Result<Applied<Mapping>, Failure> {
    let request = CreateMappingRequest {
        parent: connection.instance().workflow(WorkflowId::Ingress),
        mapping_id: id_of(&wanted.name).to_owned(),
        mapping: Some(wanted),
    };
    let response = connection.mappings().create_mapping(request).await;
    let resource = response.map_err(|status| connection.failure(&status))?.into_inner();
    let changes = changes(&Vec::new(), &mapping_settings(&resource));
    Ok(Applied {
        action: Action::Created,
        changes,
        resource,
    })
}

async fn update(connection: &Connection, present: Mapping, mut wanted: Mapping) -> Result<Applied<Mapping>, Failure> {
    // The key cannot change; left out, it is the present one, as it would have been detected.
    match (&mut wanted.key, &present.key) {
        (Some(key), Some(present_key)) if key.dynamics_field.is_empty() => {
            key.dynamics_field.clone_from(&present_key.dynamics_field);
        }
        _ => {}
    }
    if wanted.etag.is_empty() {
        wanted.etag.clone_from(&present.etag);
    }
    if is_same(&present, &wanted) {
        return Ok(Applied {
            action: Action::Unchanged,
            changes: Vec::new(),
            resource: present,
        });
    }
    let response = connection
        .mappings()
        .update_mapping(UpdateMappingRequest { mapping: Some(wanted) })
        .await;
    let resource = response.map_err(|status| connection.failure(&status))?.into_inner();
    Ok(Applied {
        action: Action::Updated,
        changes: differences(&present, &resource),
        resource,
    })
}

/// Whether nothing is asked for that is not so already. Anything else is for the server to judge: a field that stands twice
/// makes no difference to be shown, but is wrong.
fn is_same(present: &Mapping, wanted: &Mapping) -> bool {
    settable(present) == settable(wanted)
}

/// The mapping without what the server tells and nobody sets, and with defaults written out.
fn settable(mapping: &Mapping) -> Mapping {
    let mut mapping = Mapping {
        create_time: None,
        update_time: None,
        links: Vec::new(),
        warnings: Vec::new(),
        pending_replay: None,
        ..mapping.clone()
    };
    for field in mapping.fields.iter_mut().chain(&mut mapping.key) {
        field.apply_updates = Some(field.apply_updates.unwrap_or(true));
    }
    let filter = mapping.filter.get_or_insert_default();
    if filter.combination() == Combination::Unspecified {
        filter.set_combination(Combination::And);
    }
    mapping
}

fn differences(before: &Mapping, after: &Mapping) -> Vec<Change> {
    let mut told = changes(&mapping_settings(before), &mapping_settings(after));
    told.extend(reordering(before, after));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "instances/stage/workflows/ingress/mappings/contact";

    fn file(name: &str) -> Mapping {
        Mapping {
            name: name.to_owned(),
            etag: "7".to_owned(),
            ..Mapping::default()
        }
    }

    #[test]
    fn the_etag_counts_only_for_the_mapping_it_came_from() {
        let stage = InstanceName::new("stage");
        let etag = |mapping, id| addressed(&stage, mapping, id).expect("is addressed").etag;
        assert_eq!(etag(file(NAME), None), "7");
        assert_eq!(etag(file(NAME), Some("contact")), "7");
        assert_eq!(etag(file(""), Some("contact")), "7");
        assert_eq!(etag(file(NAME), Some("copy")), "");
        let copied = addressed(&InstanceName::new("prod"), file(NAME), Some("contact")).expect("is addressed");
        assert_eq!(
            (copied.name.as_str(), copied.etag.as_str()),
            ("instances/prod/workflows/ingress/mappings/contact", "")
        );
    }

    #[test]
    fn a_file_of_another_instance_is_refused_without_an_id() {
        assert!(addressed(&InstanceName::new("prod"), file(NAME), None).is_err());
        assert!(addressed(&InstanceName::new("prod"), file(""), None).is_err());
    }
}
