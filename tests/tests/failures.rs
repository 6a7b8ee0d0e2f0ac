//! What cannot go on says so, with a code and what to do; mended and started again, it goes on.

use std::collections::BTreeSet;

use crosswalk_proto::v1::{Failure, workflow::Status};
use crosswalk_sandbox::adobe::Switches;
use crosswalk_tests::{PATIENCE, Service, World, WorldOptions, field};
use serde_json::json;

/// The failure that the workflow comes to.
async fn failure(world: &World) -> anyhow::Result<Failure> {
    let workflow = world.api(0)?.until_status(Status::Failed, PATIENCE).await?;
    let failure = workflow.failure.unwrap_or_default();
    anyhow::ensure!(!failure.message.is_empty(), "a failure without a message: {failure:?}");
    Ok(failure)
}

async fn small_world() -> anyhow::Result<World> {
    World::start(WorldOptions {
        contacts: 50,
        ..WorldOptions::default()
    })
    .await
}

/// With the cause mended, a Start is all that is needed.
async fn recovers(world: &mut World) -> anyhow::Result<()> {
    let running = world.start_ingress().await?;
    anyhow::ensure!(running.failure.is_none(), "{running:?}");
    world.until_settled(PATIENCE).await?;
    Ok(())
}

fn switch_campaign(world: &World, change: impl FnOnce(&mut Switches)) {
    world.sandbox.campaign().change_switches(change);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_dynamics_secret_fails_the_workflow_and_a_new_start_recovers_it() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    world.sandbox.dynamics().switches().set_secret_expired(true);
    world.api(0)?.start().await?;
    let failure = failure(&world).await?;
    assert_eq!(failure.code, "DYNAMICS_AUTHENTICATION_FAILED");
    assert!(failure.message.contains("client secret"), "{}", failure.message);
    world.sandbox.dynamics().switches().set_secret_expired(false);
    recovers(&mut world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_read_privilege_fails_the_workflow_and_a_new_start_recovers_it() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    let revoke = |tables: &[&str]| {
        let tables = tables.iter().map(|table| (*table).to_owned()).collect();
        world.sandbox.dynamics().switches().set_revoked_privileges(tables);
    };
    revoke(&["contact"]);
    world.api(0)?.start().await?;
    assert_eq!(failure(&world).await?.code, "DYNAMICS_PRIVILEGE_MISSING");
    revoke(&[]);
    recovers(&mut world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn change_tracking_switched_off_fails_the_workflow_and_a_new_start_recovers_it() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    let switch = |on| {
        let switched = world.sandbox.dynamics().set_change_tracking("contact", on);
        switched.map_err(|error| anyhow::anyhow!("{error:?}"))
    };
    switch(false)?;
    world.api(0)?.start().await?;
    assert_eq!(failure(&world).await?.code, "DYNAMICS_CHANGE_TRACKING_OFF");
    switch(true)?;
    recovers(&mut world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_column_that_is_gone_fails_the_workflow_and_is_named() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    let remove = |removed| {
        let removed = world
            .sandbox
            .dynamics()
            .set_column_removed("contact", "nickname", removed);
        removed.map_err(|error| anyhow::anyhow!("{error:?}"))
    };
    remove(true)?;
    world.api(0)?.start().await?;
    let failure = failure(&world).await?;
    assert_eq!(failure.code, "MAPPING_INVALID");
    assert!(failure.message.contains("nickname"), "{}", failure.message);
    remove(false)?;
    recovers(&mut world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_campaign_secret_fails_the_workflow_and_a_new_start_recovers_it() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    switch_campaign(&world, |switches| switches.secret_expired = true);
    world.api(0)?.start().await?;
    let failure = failure(&world).await?;
    assert_eq!(failure.code, "CAMPAIGN_AUTHENTICATION_FAILED");
    for part in ["client secret", "Adobe Developer Console", "start the workflow again"] {
        assert!(
            failure.message.contains(part),
            "`{part}` is missing: {}",
            failure.message
        );
    }
    switch_campaign(&world, |switches| switches.secret_expired = false);
    recovers(&mut world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_secret_that_expires_during_a_run_fails_it_and_what_changed_meanwhile_is_written_later()
-> anyhow::Result<()> {
    let mut world = small_world().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    switch_campaign(&world, |switches| switches.secret_expired = true);
    world.sandbox.campaign().revoke_access_tokens();
    let id = world.contact_ids(1)?[0];
    world.edit_contact(id, &json!({ "nickname": "1" }))?;
    assert_eq!(failure(&world).await?.code, "CAMPAIGN_AUTHENTICATION_FAILED");
    world.edit_contact(id, &json!({ "nickname": "2" }))?;
    switch_campaign(&world, |switches| switches.secret_expired = false);
    recovers(&mut world).await?;
    assert_eq!(world.profile(id)?["cusNickname"], "2");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_campaign_field_that_is_gone_fails_the_workflow_and_is_named() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    let gone = BTreeSet::from(["cusNickname".to_owned()]);
    switch_campaign(&world, |switches| switches.removed_fields = gone);
    world.api(0)?.start().await?;
    let failure = failure(&world).await?;
    assert_eq!(failure.code, "MAPPING_INVALID");
    for part in ["cusNickname", "profile", "Correct the mapping"] {
        assert!(
            failure.message.contains(part),
            "`{part}` is missing: {}",
            failure.message
        );
    }
    switch_campaign(&world, |switches| switches.removed_fields.clear());
    recovers(&mut world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_campaign_field_that_goes_during_a_run_fails_it_and_is_named() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let gone = BTreeSet::from(["cusNickname".to_owned()]);
    switch_campaign(&world, |switches| switches.removed_fields = gone);
    let id = world.contact_ids(1)?[0];
    world.edit_contact(id, &json!({ "nickname": "1" }))?;
    let failure = failure(&world).await?;
    assert_eq!(failure.code, "CAMPAIGN_FIELD_UNKNOWN");
    assert!(failure.message.contains("cusNickname"), "{}", failure.message);
    switch_campaign(&world, |switches| switches.removed_fields.clear());
    recovers(&mut world).await?;
    assert_eq!(world.profile(id)?["cusNickname"], "1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_with_no_other_is_no_worker_and_its_return_mends_it() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    world.kill(Service::CampaignWriter, 0).await?;
    assert_eq!(failure(&world).await?.code, "NO_WORKER");
    let id = world.contact_ids(1)?[0];
    world.edit_contact(id, &json!({ "nickname": "1" }))?;
    world.spawn(Service::CampaignWriter, 0)?;
    world.api(0)?.until_status(Status::Running, PATIENCE).await?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.profile(id)?["cusNickname"], "1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_refuses_most_of_its_records_stops_and_sets_no_more_aside() -> anyhow::Result<()> {
    const CONTACTS: u64 = 3_000;
    let mut world = World::start(WorldOptions {
        contacts: 0,
        page_size: 1_000,
        ..WorldOptions::default()
    })
    .await?;
    for number in 0..CONTACTS {
        let id = world.add_contact(&format!("Contact {number}"))?;
        world.edit_contact(id, &json!({ "employeeid": "no number" }))?;
    }
    let mut api = world.api(0)?;
    api.edit_mapping(|mapping| mapping.fields.push(field("employeeid", "cusPoints")))
        .await?;
    api.start().await?;
    let failure = failure(&world).await?;
    assert_eq!(failure.code, "TOO_MANY_REJECTED");
    assert!(failure.message.contains("NOT_A_NUMBER"), "{}", failure.message);
    let set_aside: u64 = api.set_aside().await?.values().sum();
    // Those that were under way when it was noticed are set aside as well, and no others.
    assert!((501..CONTACTS).contains(&set_aside), "{set_aside}");

    api.edit_mapping(|mapping| mapping.fields.retain(|field| field.dynamics_field != "employeeid"))
        .await?;
    api.redrive_all().await?;
    recovers(&mut world).await
}
