//! Editing while running: the running copy stays in force until Stop and Start.

use crosswalk_proto::v1::{GetDiffRequest, Workflow, workflow::Status};
use crosswalk_tests::{INGRESS, PATIENCE, World, WorldOptions, field};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_waits_for_stop_and_start_and_undoing_it_clears_the_warning() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 20,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let mut api = world.api(0)?;
    assert!(!api.ingress().await?.pending_changes);

    api.edit_mapping(|mapping| mapping.fields.push(field("jobtitle", "cusLoyaltyLevel")))
        .await?;
    assert!(api.ingress().await?.pending_changes);
    let diff = api
        .workflows
        .get_diff(GetDiffRequest {
            name: INGRESS.to_owned(),
        })
        .await?
        .into_inner();
    let added = diff
        .differences
        .iter()
        .find(|difference| difference.path.ends_with("fields/cusLoyaltyLevel"));
    let added = added.ok_or_else(|| anyhow::anyhow!("the diff does not show the field: {diff:?}"))?;
    assert_eq!(
        (added.draft.as_deref(), added.running.as_deref()),
        (Some("jobtitle"), None)
    );

    api.edit_mapping(|mapping| mapping.fields.truncate(mapping.fields.len() - 1))
        .await?;
    assert!(
        !api.ingress().await?.pending_changes,
        "undoing the edit clears the warning"
    );

    api.edit_mapping(|mapping| mapping.fields.push(field("jobtitle", "cusLoyaltyLevel")))
        .await?;
    let id = world.contact_ids(1)?[0];
    world.edit_contact(id, &json!({ "jobtitle": "Countess", "nickname": "1" }))?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(
        world.profile(id)?["cusLoyaltyLevel"],
        "",
        "the running copy does not know the new field"
    );

    api.stop().await?;
    api.until("STOPPED", PATIENCE, |workflow| {
        workflow.status() == Status::Stopped && !workflow.stopping
    })
    .await?;
    world.start_ingress().await?;
    assert!(!api.ingress().await?.pending_changes);
    world.edit_contact(id, &json!({ "nickname": "2" }))?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.profile(id)?["cusLoyaltyLevel"], "Countess");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_made_while_stopped_before_a_start_with_other_columns_is_not_missed() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 20,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let mut api = world.api(0)?;
    api.stop().await?;
    api.until("STOPPED", PATIENCE, |workflow| {
        workflow.status() == Status::Stopped && !workflow.stopping
    })
    .await?;
    let id = world.contact_ids(1)?[0];
    world.delete_contact(id)?;
    api.edit_mapping(|mapping| mapping.fields.push(field("jobtitle", "cusLoyaltyLevel")))
        .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    assert!(world.profile(id).is_err());
    // Rows that had been queued before are not queued again for the new column.
    let one = |workflow: &Workflow| workflow.progress.unwrap_or_default().records_read == 1;
    api.until("one record read, the deletion", PATIENCE, one).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_changed_before_a_start_with_other_columns_are_written_whole() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 20,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    let before = world.until_settled(PATIENCE).await?;
    let mut api = world.api(0)?;
    api.stop_and_wait().await?;
    let changed = world.add_contact("Lovelace")?;
    world.edit_contact(changed, &json!({ "jobtitle": "Countess", "nickname": "1" }))?;
    api.edit_mapping(|mapping| mapping.fields.push(field("jobtitle", "cusLoyaltyLevel")))
        .await?;
    world.start_ingress().await?;
    let after = world.until_settled(PATIENCE).await?;
    assert_eq!((after.equal, after.rejected), (before.equal + 1, before.rejected));
    assert_eq!(world.profile(changed)?["cusLoyaltyLevel"], "Countess");
    // A report says so within a second.
    api.until("one record read and none rejected", PATIENCE, |workflow| {
        let progress = workflow.progress.unwrap_or_default();
        (progress.records_read, progress.records_rejected) == (1, 0)
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_corrected_for_a_column_that_is_gone_goes_on_and_misses_no_deletion() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 20,
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    api.edit_mapping(|mapping| mapping.fields.push(field("jobtitle", "cusLoyaltyLevel")))
        .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let dynamics = world.sandbox.dynamics();
    let removed = dynamics.set_column_removed("contact", "jobtitle", true);
    removed.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let id = world.contact_ids(1)?[0];
    world.delete_contact(id)?;
    api.until_status(Status::Failed, PATIENCE).await?;

    api.edit_mapping(|mapping| mapping.fields.retain(|field| field.dynamics_field != "jobtitle"))
        .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    assert!(world.profile(id).is_err());
    Ok(())
}
