//! The API against a whole Crosswalk: concurrent writers, bad input, and what is not there yet.

use std::collections::BTreeSet;

use anyhow::Context as _;
use crosswalk_proto::v1::{
    CreateMappingRequest, DeleteInstanceRequest, FieldMapping, GetInstanceRequest, Mapping, StartWorkflowRequest,
    UpdateMappingRequest,
};
use crosswalk_tests::{INGRESS, INSTANCE, PATIENCE, World, WorldOptions, eventually, field};
use futures::future::try_join_all;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

fn fields(status: &Status) -> Vec<String> {
    status
        .get_details_bad_request()
        .map(|request| {
            request
                .field_violations
                .into_iter()
                .map(|violation| violation.field)
                .collect()
        })
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_clients_of_two_control_planes_lose_no_update() -> anyhow::Result<()> {
    const EDITS: usize = 5;
    let world = World::start(WorldOptions {
        contacts: 1,
        control_planes: 2,
        ..WorldOptions::default()
    })
    .await?;
    let targets = ["cusLoyaltyLevel", "cusNotes"];
    let mut clients = Vec::new();
    for client in 0..8 {
        let mut api = world.api(client % 2)?;
        clients.push(async move {
            let mut lost = 0;
            for edit in 0..EDITS {
                // Every edit appends a mark of its own to the one text that all edit; who is late reads and tries again.
                loop {
                    let mut mapping = api.mapping().await?;
                    let wanted = FieldMapping {
                        apply_updates: None,
                        dynamics_field: format!("address1_line{}", 1 + (client + edit) % 3),
                        campaign_field: targets[edit % targets.len()].to_owned(),
                    };
                    mapping
                        .fields
                        .retain(|field| field.campaign_field != wanted.campaign_field);
                    mapping.fields.push(wanted);
                    let before = mapping.etag.clone();
                    match api
                        .mappings
                        .update_mapping(UpdateMappingRequest { mapping: Some(mapping) })
                        .await
                    {
                        Ok(updated) => {
                            anyhow::ensure!(updated.into_inner().etag != before, "an update keeps no etag");
                            break;
                        }
                        Err(status) if status.code() == Code::Aborted => lost += 1,
                        Err(status) => return Err(status.into()),
                    }
                }
            }
            Ok(lost)
        });
    }
    let conflicts: usize = try_join_all(clients).await?.into_iter().sum();
    println!("{conflicts} updates came late and were refused");
    eventually("the same state on both control planes", PATIENCE, || async {
        let (one, other) = (world.api(0)?.mapping().await?, world.api(1)?.mapping().await?);
        anyhow::ensure!(one == other, "{one:?} {other:?}");
        Ok(())
    })
    .await?;
    let request = crosswalk_proto::v1::ListRevisionsRequest {
        parent: INGRESS.to_owned(),
        page_size: 1000,
        page_token: String::new(),
    };
    let revisions = world
        .api(1)?
        .workflows
        .list_revisions(request)
        .await?
        .into_inner()
        .revisions;
    let updates: BTreeSet<i64> = revisions
        .iter()
        .filter(|revision| revision.resource.ends_with("mappings/contact") && revision.action == "updated")
        .map(|revision| revision.revision)
        .collect();
    assert_eq!(
        updates.len(),
        8 * EDITS,
        "each update that was answered took effect, once"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_names_the_field_and_changes_nothing() -> anyhow::Result<()> {
    type Edit = fn(&mut Mapping);
    let world = World::start(WorldOptions {
        contacts: 1,
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    let before = api.mapping().await?;
    let cases: [(&str, Code, &str, Edit); 7] = [
        (
            "an unknown column",
            Code::InvalidArgument,
            "mapping.fields[0].dynamics_field",
            |mapping| {
                mapping.fields[0].dynamics_field = "nosuchcolumn".to_owned();
            },
        ),
        (
            "an unknown field",
            Code::InvalidArgument,
            "mapping.fields[1].campaign_field",
            |mapping| {
                mapping.fields[1].campaign_field = "noSuchField".to_owned();
            },
        ),
        (
            "a target used twice",
            Code::InvalidArgument,
            "mapping.fields[12].campaign_field",
            |mapping| {
                mapping.fields.push(field("jobtitle", "email"));
            },
        ),
        (
            "a read-only target",
            Code::InvalidArgument,
            "mapping.fields[12].campaign_field",
            |mapping| {
                mapping.fields.push(field("jobtitle", "age"));
            },
        ),
        (
            "types that cannot meet",
            Code::InvalidArgument,
            "mapping.fields[12]",
            |mapping| {
                mapping.fields.push(field("donotfax", "cusAnniversary"));
            },
        ),
        (
            "another table",
            Code::InvalidArgument,
            "mapping.dynamics_table",
            |mapping| {
                mapping.dynamics_table = "account".to_owned();
            },
        ),
        ("a wrong etag", Code::Aborted, "", |mapping| {
            mapping.etag = "999999".to_owned();
        }),
    ];
    for (what, code, path, edit) in cases {
        let Err(status) = api.edit_mapping(edit).await else {
            anyhow::bail!("{what} was accepted")
        };
        assert_eq!(status.code(), code, "{what}: {status:?}");
        let named = fields(&status);
        assert!(
            path.is_empty() || named.iter().any(|field| field.starts_with(path)),
            "{what}: {named:?}"
        );
        let reason = status
            .get_details_error_info()
            .map(|info| info.reason)
            .unwrap_or_default();
        assert!(!reason.is_empty(), "{what}: every error has a reason");
        assert_eq!(api.mapping().await?, before, "{what} changed something");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn workflows_that_are_not_available_yet_refuse_to_start() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        contacts: 1,
        ..WorldOptions::default()
    })
    .await?;
    for workflow in ["egress", "opt-in-out"] {
        let request = StartWorkflowRequest {
            name: format!("{INSTANCE}/workflows/{workflow}"),
            etag: String::new(),
        };
        let Err(status) = world.api(0)?.workflows.start_workflow(request).await else {
            anyhow::bail!("{workflow} was started");
        };
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains("not available yet"), "{}", status.message());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_instance_cannot_be_deleted_and_its_secrets_never_come_out() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 1,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    let mut api = world.api(0)?;
    let instance = api
        .instances
        .get_instance(GetInstanceRequest {
            name: INSTANCE.to_owned(),
        })
        .await?
        .into_inner();
    assert!(!format!("{instance:?}").contains("sandbox-secret"));
    let request = DeleteInstanceRequest {
        name: INSTANCE.to_owned(),
        etag: instance.etag,
    };
    let Err(status) = api.instances.delete_instance(request).await else {
        anyhow::bail!("it was deleted")
    };
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(!world.logs().contains("sandbox-secret"), "a secret stands in a log");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_or_resource_that_is_mapped_already_is_refused_and_the_other_mapping_named() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        contacts: 1,
        orders: Some(1),
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    let saved = api.mapping().await?;
    let create = |table: &str, resource: &str, id: &str| CreateMappingRequest {
        parent: INGRESS.to_owned(),
        mapping_id: id.to_owned(),
        mapping: Some(Mapping {
            dynamics_table: table.to_owned(),
            campaign_resource: resource.to_owned(),
            ..saved.clone()
        }),
    };
    for (request, reason) in [
        (create("contact", "cusNothing", "second"), "DYNAMICS_TABLE_IN_USE"),
        (create("systemuser", "profile", "second"), "CAMPAIGN_RESOURCE_IN_USE"),
    ] {
        let refused = api.mappings.create_mapping(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::AlreadyExists, "{refused:?}");
        let info = refused.get_details_error_info().context("every error has a reason")?;
        assert_eq!(info.reason, reason);
        assert!(refused.message().contains("`contact`"), "{refused:?}");
    }
    Ok(())
}
