//! Reads of a whole table that find what has been deleted: what they may not take for deleted, and how they end.

use crosswalk_proto::v1::{Mapping, MappingOptions, Workflow, workflow::Status};
use crosswalk_tests::{PATIENCE, Service, World, WorldOptions, eventually, field};
use serde_json::{Value, json};
use uuid::Uuid;

/// Longer than a record of the queue may be.
const TOO_LARGE: usize = 1_200_000;

/// A world of letters instead of contacts: a table with one long text.
async fn letters(count: usize) -> anyhow::Result<(World, Vec<Uuid>)> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let columns = json!([{ "name": "new_Text", "type": "memo", "length": 1_500_000 }]);
    world.add_table(json!({ "schema_name": "new_Letter", "columns": columns }))?;
    let fields = json!([{ "name": "cusId", "type": "string", "length": 36 }, { "name": "cusText", "type": "memo" }]);
    world.add_resource(json!({
        "name": "cusLetter", "fields": fields, "keys": [{ "name": "cusId", "fields": ["cusId"] }],
    }))?;
    world
        .api(0)?
        .add_mapping(Mapping {
            dynamics_table: "new_letter".to_owned(),
            campaign_resource: "cusLetter".to_owned(),
            key: Some(field("new_letterid", "cusId")),
            fields: vec![field("new_text", "cusText")],
            options: Some(MappingOptions {
                apply_deletes: true,
                ..MappingOptions::default()
            }),
            ..Mapping::default()
        })
        .await?;
    let ids = (0..count)
        .map(|number| world.add_row("new_letter", &json!({ "new_text": format!("letter {number}") })))
        .collect::<anyhow::Result<_>>()?;
    world.start_ingress().await?;
    Ok((world, ids))
}

async fn until_held(world: &World, id: Uuid, text: &str) -> anyhow::Result<Value> {
    eventually("the letter in Campaign", PATIENCE, || async {
        let record = world.record("cusLetter", id)?;
        anyhow::ensure!(record["cusText"] == text, "it holds another text");
        Ok(record)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_too_large_for_the_queue_is_set_aside_and_not_taken_for_deleted() -> anyhow::Result<()> {
    let (mut world, ids) = letters(30).await?;
    let (large, deleted) = (ids[7], ids[8]);
    until_held(&world, large, "letter 7").await?;
    let api = world.api(0)?;
    world.edit_row("new_letter", large, &json!({ "new_text": "x".repeat(TOO_LARGE) }))?;
    api.until_set_aside("RECORD_TOO_LARGE", 1).await?;

    api.clone().stop_and_wait().await?;
    world.delete_row("new_letter", deleted)?;
    world.expire_delta_tokens()?;
    world.start_ingress().await?;
    eventually("the letter that was deleted meanwhile to go", PATIENCE, || async {
        anyhow::ensure!(world.record("cusLetter", deleted).is_err());
        Ok(())
    })
    .await?;
    api.until("a backlog of 0", PATIENCE, |workflow| workflow.backlog == Some(0))
        .await?;
    until_held(&world, large, "letter 7").await?;
    api.until_set_aside("RECORD_TOO_LARGE", 1).await?;

    world.edit_row("new_letter", large, &json!({ "new_text": "short again" }))?;
    until_held(&world, large, "short again").await?;
    api.until_set_aside("RECORD_TOO_LARGE", 0).await
}

fn has_read(records: u64) -> impl Fn(&Workflow) -> bool {
    move |workflow| {
        let progress = workflow.progress.unwrap_or_default();
        u64::try_from(progress.records_read).is_ok_and(|read| read >= records)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reads_of_the_whole_table_that_wait_together_both_come_to_their_end() -> anyhow::Result<()> {
    const CONTACTS: u64 = 150;
    let mut world = World::start(WorldOptions {
        contacts: CONTACTS,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let mut api = world.api(0)?;
    world.kill(Service::CampaignWriter, 0).await?;
    let ids = world.contact_ids(6)?;
    for deleted in [&ids[..3], &ids[3..]] {
        for id in deleted {
            world.delete_contact(*id)?;
        }
        world.expire_delta_tokens()?;
        api.replay(false).await?;
        api.stop_and_wait().await?;
        api.start().await?;
        api.until("the table read anew", PATIENCE, has_read(CONTACTS - 6))
            .await?;
    }
    world.spawn(Service::CampaignWriter, 0)?;
    world.until_settled(PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_was_refused_is_forgotten_when_the_rows_can_be_seen_again_and_are_replayed() -> anyhow::Result<()>
{
    let mut world = World::start(WorldOptions {
        contacts: 100,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let mut api = world.api(0)?;
    api.stop_and_wait().await?;
    let profiles = world.profile_count()?;
    // As if the application user lost the right to see them.
    let unseen: Vec<Value> = world
        .contact_ids(30)?
        .into_iter()
        .map(|id| world.row("contact", id))
        .collect::<anyhow::Result<_>>()?;
    for row in &unseen {
        world.delete_contact(contact_id(row)?)?;
    }
    world.expire_delta_tokens()?;
    api.start().await?;
    let failed = api.until_status(Status::Failed, PATIENCE).await?;
    assert_eq!(failed.failure.unwrap_or_default().code, "TOO_MANY_DELETES");

    for row in &unseen {
        let seen_again =
            json!({ "contactid": row["contactid"], "firstname": row["firstname"], "lastname": "Seen again" });
        world.add_row("contact", &seen_again)?;
    }
    api.replay(false).await?;
    api.stop_and_wait().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    assert!(world.profile_count()? >= profiles);
    let status = api.ingress().await?.status();
    assert_eq!(status, Status::Running);
    Ok(())
}

fn contact_id(row: &Value) -> anyhow::Result<Uuid> {
    Ok(row["contactid"].as_str().unwrap_or_default().parse()?)
}
