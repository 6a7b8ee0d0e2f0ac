//! Tables and resources that change while a workflow runs.

use std::time::Duration;

use anyhow::Context as _;
use crosswalk_proto::v1::{Workflow, workflow::Status};
use crosswalk_tests::{PATIENCE, World, WorldOptions, eventually};
use serde_json::{Value, json};

const OFTEN: Duration = Duration::from_millis(300);
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

async fn shop(orders: u64, schema_check_interval: Duration) -> anyhow::Result<World> {
    let mut world = World::start(WorldOptions {
        contacts: 30,
        orders: Some(orders),
        schema_check_interval,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    Ok(world)
}

/// Waits until the run has failed because of a changed field, checks that it is named, undoes the change and starts again.
async fn fails_and_goes_on(
    world: &mut World,
    named: &str,
    undo: impl FnOnce(&World) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut api = world.api(0)?;
    let failed = api.until_status(Status::Failed, PATIENCE).await?;
    let failure = failed.failure.unwrap_or_default();
    assert_eq!(failure.code, "SCHEMA_CHANGED", "{failure:?}");
    assert!(failure.message.contains(named), "{failure:?}");
    // What happens meanwhile is not lost either.
    world.add_row(
        "new_order",
        &json!({ "new_number": "meanwhile", "new_Contact@odata.bind": bound(world)? }),
    )?;
    undo(world)?;
    api.start().await?;
    api.until_status(Status::Running, PATIENCE).await?;
    world.until_settled(PATIENCE).await?;
    Ok(())
}

fn bound(world: &World) -> anyhow::Result<Value> {
    Ok(json!(format!("/contacts({})", world.contact_ids(1)?[0])))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_column_that_is_retyped_ends_the_run_before_anything_is_lost() -> anyhow::Result<()> {
    // Without orders: what a column held is gone when it is of its first type again, and no change tells of that.
    let mut world = shop(0, OFTEN).await?;
    world.change_columns(
        "new_order",
        json!({ "put": [{ "name": "new_Gift", "type": "string", "length": 5 }] }),
    )?;
    fails_and_goes_on(&mut world, "new_gift", |world| {
        world.change_columns(
            "new_order",
            json!({ "put": [{ "name": "new_Gift", "type": "boolean" }] }),
        )
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_column_that_is_removed_ends_the_run_before_anything_is_lost() -> anyhow::Result<()> {
    let mut world = shop(0, OFTEN).await?;
    world.change_columns("new_order", json!({ "remove": ["new_gift"] }))?;
    fails_and_goes_on(&mut world, "new_gift", |world| {
        world.change_columns(
            "new_order",
            json!({ "put": [{ "name": "new_Gift", "type": "boolean" }] }),
        )
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_field_that_is_retyped_ends_the_run_before_anything_is_lost() -> anyhow::Result<()> {
    let mut world = shop(0, OFTEN).await?;
    world.change_fields(
        "cusOrder",
        json!({ "put": [{ "name": "cusRemark", "type": "boolean" }] }),
    )?;
    fails_and_goes_on(&mut world, "cusRemark", |world| {
        world.change_fields("cusOrder", json!({ "put": [{ "name": "cusRemark", "type": "memo" }] }))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_field_that_is_removed_ends_the_run_before_anything_is_lost() -> anyhow::Result<()> {
    let mut world = shop(0, OFTEN).await?;
    world.change_fields("cusOrder", json!({ "remove": ["cusRemark"] }))?;
    fails_and_goes_on(&mut world, "cusRemark", |world| {
        world.change_fields("cusOrder", json!({ "put": [{ "name": "cusRemark", "type": "memo" }] }))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_retyped_while_the_workflow_is_stopped_is_named_at_the_next_start() -> anyhow::Result<()> {
    let mut world = shop(0, NEVER).await?;
    let mut api = world.api(0)?;
    api.stop_and_wait().await?;
    world.change_columns(
        "new_order",
        json!({ "put": [{ "name": "new_Gift", "type": "string", "length": 5 }] }),
    )?;
    api.start().await?;
    let failed = api.until_status(Status::Failed, PATIENCE).await?;
    let failure = failed.failure.unwrap_or_default();
    assert_eq!(failure.code, "MAPPING_INVALID", "{failure:?}");
    assert!(failure.message.contains("new_gift"), "{failure:?}");

    // Whoever saves the mapping again accepts the type.
    api.edit("instances/demo/workflows/ingress/mappings/new-order", |_| {})
        .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn harmless_changes_are_passed_over() -> anyhow::Result<()> {
    let world = shop(20, OFTEN).await?;
    let mut api = world.api(0)?;
    let run = api.ingress().await?.run_id;
    world.change_columns(
        "new_order",
        json!({
            "put": [
                { "name": "new_Color", "type": "string", "length": 10 },
                { "name": "new_Number", "type": "string", "length": 30 },
            ],
        }),
    )?;
    world.change_fields(
        "cusOrder",
        json!({ "put": [{ "name": "cusColor", "type": "string", "length": 10 }] }),
    )?;
    for noticed in ["the table has changed", "the resource has changed"] {
        eventually(noticed, PATIENCE, || async {
            let noticed = world.logs().contains(noticed);
            noticed.then_some(()).context("no service has logged it")
        })
        .await?;
    }
    let workflow = api.ingress().await?;
    assert_eq!((workflow.status(), workflow.run_id), (Status::Running, run));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_option_comes_with_its_label_from_the_first_record_that_holds_it() -> anyhow::Result<()> {
    let world = shop(20, NEVER).await?;
    let api = world.api(0)?;
    let options = [
        (100_000_000, "Open"),
        (100_000_001, "Paid"),
        (100_000_002, "Shipped"),
        (100_000_003, "Returned"),
        (100_000_004, "Lost"),
    ];
    world.change_columns(
        "new_order",
        json!({ "put": [{ "name": "new_State", "type": "picklist", "options": options }] }),
    )?;
    let values = options.map(|(_, label)| (label, label));
    world.change_fields(
        "cusOrder",
        json!({ "put": [{ "name": "cusState", "type": "enumeration", "values": values }] }),
    )?;
    let lost = world.add_row(
        "new_order",
        &json!({ "new_number": "lost", "new_state": 100_000_004, "new_Contact@odata.bind": bound(&world)? }),
    )?;
    let written = |workflow: &Workflow| workflow.backlog == Some(0) && world.record("cusOrder", lost).is_ok();
    api.until("the order to be written", PATIENCE, written).await?;
    assert_eq!(world.record("cusOrder", lost)?["cusState"], "Lost");
    Ok(())
}
