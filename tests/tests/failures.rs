//! What cannot go on says so, with a code and what to do; what passes by itself is waited for.

use std::collections::BTreeSet;

use crosswalk_proto::v1::{Workflow, workflow::Status};
use crosswalk_sandbox::faults::{Effect, Operation, Rule, Side};
use crosswalk_tests::{PATIENCE, Service, World, WorldOptions};
use serde_json::json;

async fn failed(world: &World) -> anyhow::Result<Workflow> {
    let workflow = world.api(0)?.until_status(Status::Failed, PATIENCE).await?;
    let failure = workflow.failure.clone().unwrap_or_default();
    anyhow::ensure!(!failure.message.is_empty(), "a failure without a message: {failure:?}");
    Ok(workflow)
}

fn code(workflow: &Workflow) -> &str {
    workflow.failure.as_ref().map_or("", |failure| &failure.code)
}

async fn small_world() -> anyhow::Result<World> {
    World::start(WorldOptions {
        contacts: 50,
        ..WorldOptions::default()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_dynamics_secret_fails_the_workflow_and_a_new_start_recovers_it() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    world.sandbox.dynamics().switches().set_secret_expired(true);
    world.api(0)?.start().await?;
    assert_eq!(code(&failed(&world).await?), "DYNAMICS_AUTHENTICATION_FAILED");
    world.sandbox.dynamics().switches().set_secret_expired(false);
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_read_privilege_fails_the_workflow() -> anyhow::Result<()> {
    let world = small_world().await?;
    world
        .sandbox
        .dynamics()
        .switches()
        .set_revoked_privileges(BTreeSet::from(["contact".to_owned()]));
    world.api(0)?.start().await?;
    assert_eq!(code(&failed(&world).await?), "DYNAMICS_PRIVILEGE_MISSING");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_tracking_switched_off_fails_the_workflow() -> anyhow::Result<()> {
    let world = small_world().await?;
    let off = world.sandbox.dynamics().set_change_tracking("contact", false);
    off.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    world.api(0)?.start().await?;
    assert_eq!(code(&failed(&world).await?), "DYNAMICS_CHANGE_TRACKING_OFF");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_column_that_is_gone_fails_the_workflow_and_is_named() -> anyhow::Result<()> {
    let world = small_world().await?;
    let removed = world.sandbox.dynamics().set_column_removed("contact", "nickname", true);
    removed.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    world.api(0)?.start().await?;
    let workflow = failed(&world).await?;
    assert_eq!(code(&workflow), "MAPPING_INVALID");
    let message = workflow.failure.unwrap_or_default().message;
    assert!(message.contains("nickname"), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_writer_with_no_other_is_no_worker_and_its_return_mends_it() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    world.kill(Service::CampaignWriter, 0).await?;
    assert_eq!(code(&failed(&world).await?), "NO_WORKER");
    let id = world.contact_ids(1)?[0];
    world.edit_contact(id, &json!({ "nickname": "1" }))?;
    world.spawn(Service::CampaignWriter, 0)?;
    world.api(0)?.until_status(Status::Running, PATIENCE).await?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.profile(id)?["cusNickname"], "1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_429_holds_the_workflow_up_but_does_not_fail_it() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 300,
        ..WorldOptions::default()
    })
    .await?;
    for side in [Side::Dynamics, Side::Campaign] {
        let throttle = Rule::new(side, Operation::Other, Effect::Throttle { retry_after_seconds: 1 });
        world.sandbox.faults().add(
            Rule {
                operation: None,
                ..throttle
            }
            .probability(0.2)
            .times(30),
        );
    }
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.api(0)?.ingress().await?.status(), Status::Running);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_of_writes_that_took_effect_write_nothing_twice() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 300,
        ..WorldOptions::default()
    })
    .await?;
    for effect in [
        Effect::CommitThenStatus { status: 504 },
        Effect::CommitThenReset,
        Effect::Reset,
    ] {
        world.sandbox.faults().add(
            Rule::new(Side::Campaign, Operation::Create, effect.clone())
                .probability(0.1)
                .times(30),
        );
        world.sandbox.faults().add(
            Rule::new(Side::Campaign, Operation::Update, effect)
                .probability(0.1)
                .times(30),
        );
    }
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_delta_token_reads_the_table_anew_and_loses_nothing() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let expired = world.sandbox.dynamics().expire_delta_tokens(None);
    expired.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let id = world.contact_ids(1)?[0];
    world.edit_contact(id, &json!({ "nickname": "7" }))?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.profile(id)?["cusNickname"], "7");
    assert_eq!(world.api(0)?.ingress().await?.status(), Status::Running);
    Ok(())
}
