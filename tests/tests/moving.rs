//! Another mapping, another Campaign, a key that is none: what was read for one is not taken for the other.

use anyhow::Context as _;
use crosswalk_proto::v1::{DeleteMappingRequest, GetInstanceRequest, Mapping, UpdateInstanceRequest, workflow::Status};
use crosswalk_tests::{INSTANCE, MAPPING, PATIENCE, Service, World, WorldOptions, eventually, field, mapped_fields};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt as _;

async fn small_world() -> anyhow::Result<World> {
    World::start(WorldOptions {
        contacts: 50,
        ..WorldOptions::default()
    })
    .await
}

async fn stop(world: &World) -> anyhow::Result<()> {
    let mut api = world.api(0)?;
    api.stop().await?;
    api.until("the end of the run", PATIENCE, |workflow| {
        workflow.status() == Status::Stopped && !workflow.stopping
    })
    .await?;
    Ok(())
}

async fn delete_mapping(world: &World) -> anyhow::Result<Mapping> {
    let mut api = world.api(0)?;
    let present = api.mapping().await?;
    let request = DeleteMappingRequest {
        name: MAPPING.to_owned(),
        etag: present.etag.clone(),
    };
    api.mappings.delete_mapping(request).await?;
    Ok(present)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_queued_for_a_deleted_mapping_is_not_written_for_its_successor() -> anyhow::Result<()> {
    let mut world = small_world().await?;
    world.kill(Service::CampaignWriter, 0).await?;
    let mut api = world.api(0)?;
    api.start().await?;
    api.until("50 records in the queue", PATIENCE, |workflow| {
        workflow.backlog == Some(50)
    })
    .await?;
    stop(&world).await?;
    // Only the old mapping's queue knows of this contact; a profile of it would be one too many.
    world.delete_contact(world.contact_ids(1)?[0])?;
    delete_mapping(&world).await?;
    api.create_mapping(&mapped_fields(), true).await?;
    world.spawn(Service::CampaignWriter, 0)?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_pointed_at_another_campaign_fills_that_one() -> anyhow::Result<()> {
    const OTHER: &str = "sandbox-mkt-stage";
    let mut world = small_world().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    stop(&world).await?;
    let mut api = world.api(0)?;
    let name = INSTANCE.to_owned();
    let mut instance = api
        .instances
        .get_instance(GetInstanceRequest { name })
        .await?
        .into_inner();
    let campaign = instance.campaign.as_mut().context("the instance has no Campaign")?;
    OTHER.clone_into(&mut campaign.organization);
    let instance = Some(instance);
    api.instances
        .update_instance(UpdateInstanceRequest { instance })
        .await?;
    world.start_ingress().await?;
    let wanted = world.profile_count()?;
    eventually("as many profiles in the other Campaign", PATIENCE, || async {
        let other = world.sandbox.campaign().organisation(OTHER);
        let other = other.context("there is no such organisation")?;
        let count = other.count("profile").map_err(|error| anyhow::anyhow!("{error:?}"))?;
        anyhow::ensure!(count == wanted, "{count} of {wanted}");
        Ok(())
    })
    .await
}

/// The mapping of contacts, keyed by a field that is no key of profiles.
async fn wrongly_keyed(world: &World) -> anyhow::Result<Mapping> {
    let mut wanted = delete_mapping(world).await?;
    wanted.etag.clear();
    wanted.name.clear();
    wanted.fields.retain(|field| field.campaign_field != "lastName");
    wanted.key = Some(field("contactid", "lastName"));
    Ok(wanted)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_on_a_field_that_is_no_key_is_refused_where_a_profile_shows_it() -> anyhow::Result<()> {
    let world = small_world().await?;
    let wanted = wrongly_keyed(&world).await?;
    world.add_profile(&json!({ "lastName": "Lovelace" }))?;
    let refused = world.api(0)?.add_mapping(wanted).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    let details = refused.get_details_bad_request().context("no field is named")?;
    let violation = &details.field_violations[0];
    assert_eq!(violation.field, "mapping.key.campaign_field");
    assert!(violation.description.contains("identification key"), "{violation:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_on_a_field_that_is_no_key_fails_at_its_first_record() -> anyhow::Result<()> {
    let world = small_world().await?;
    let wanted = wrongly_keyed(&world).await?;
    let mut api = world.api(0)?;
    api.add_mapping(wanted).await?;
    api.start().await?;
    let workflow = api.until_status(Status::Failed, PATIENCE).await?;
    let failure = workflow.failure.unwrap_or_default();
    assert_eq!(failure.code, "CAMPAIGN_KEY_NOT_DECLARED", "{}", failure.message);
    Ok(())
}
