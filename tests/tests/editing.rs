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
