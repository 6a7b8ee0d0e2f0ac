//! Contacts arrive as profiles, and what happens to them afterwards shows.

use crosswalk_proto::v1::{Workflow, workflow::Status};
use crosswalk_tests::{PATIENCE, World, WorldOptions, eventually};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn every_contact_becomes_a_profile_and_the_backlog_falls_to_exactly_zero() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 2_000,
        ..WorldOptions::default()
    })
    .await?;
    let running = world.start_ingress().await?;
    assert!(!running.run_id.is_empty());
    let verdict = world.until_settled(PATIENCE).await?;
    assert_eq!(verdict.equal + verdict.rejected, 2_000, "{verdict:?}");
    let all_counted = |workflow: &Workflow| {
        let progress = workflow.progress.unwrap_or_default();
        progress.records_read == 2_000 && usize::try_from(progress.records_rejected) == Ok(verdict.rejected)
    };
    world
        .api(0)?
        .until("the counts of all records", PATIENCE, all_counted)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_edits_is_written_in_the_order_of_each_contact() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 50,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let contacts = world.contact_ids(50)?;
    for count in 1..=200 {
        for id in &contacts {
            world.edit_contact(*id, &json!({ "nickname": count.to_string() }))?;
        }
        tokio::task::yield_now().await;
    }
    world.until_settled(PATIENCE).await?;
    let checked = world.oracle().check_order()?;
    assert!(checked >= contacts.len(), "only {checked} writes could be checked");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_an_addition_and_a_deletion_in_dynamics_show_in_campaign() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 50,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let contacts = world.contact_ids(2)?;

    world.edit_contact(
        contacts[0],
        &json!({ "firstname": "Ada \"the first\" 🚀", "birthdate": "1815-12-10" }),
    )?;
    world.delete_contact(contacts[1])?;
    let added = world.add_contact("Lovelace")?;

    eventually("the edit, the addition and the deletion", PATIENCE, || async {
        let edited = world.profile(contacts[0])?;
        anyhow::ensure!(
            edited["firstName"] == "Ada \"the first\" 🚀" && edited["birthDate"] == "1815-12-10",
            "{edited}"
        );
        anyhow::ensure!(
            world.profile(contacts[1]).is_err(),
            "the deleted contact still has its profile"
        );
        let profile = world.profile(added)?;
        anyhow::ensure!(profile["lastName"] == "Lovelace", "{profile}");
        Ok(())
    })
    .await?;
    world.until_settled(PATIENCE).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_made_while_stopped_are_written_after_the_next_start() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 50,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let api = world.api(0)?;
    api.clone().stop().await?;
    let stopped = api.until("STOPPED", PATIENCE, |workflow| {
        workflow.status() == Status::Stopped && !workflow.stopping
    });
    stopped.await?;

    let contacts = world.contact_ids(10)?;
    for (count, id) in contacts.iter().enumerate() {
        world.edit_contact(*id, &json!({ "nickname": count.to_string() }))?;
    }
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.profile(contacts[3])?["cusNickname"], "3");
    // The second run goes on from where the first one stood, and reads no contact twice.
    let ten = |workflow: &Workflow| workflow.progress.unwrap_or_default().records_read == 10;
    api.until("ten records read", PATIENCE, ten).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_made_by_hand_is_taken_over_and_keeps_what_is_not_mapped() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 20,
        ..WorldOptions::default()
    })
    .await?;
    let contact = world.add_contact("Lovelace")?;
    world.add_profile(&json!({
        "externalId": contact.to_string(), "lastName": "King", "firstName": "Augusta", "cusNotes": "met in London",
    }))?;
    world.start_ingress().await?;
    let verdict = world.until_settled(PATIENCE).await?;
    assert_eq!(world.profile_count()?, verdict.equal, "it was not made a second time");
    let profile = world.profile(contact)?;
    assert_eq!(profile["lastName"], "Lovelace");
    assert_eq!(profile["cusNotes"], "met in London");

    // From now on it is like any other: a change is one call, and a deletion takes it away.
    let written = world.writes();
    world.edit_contact(contact, &json!({ "lastname": "Byron" }))?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.writes(), written + 1);
    world.delete_contact(contact)?;
    world.until_settled(PATIENCE).await?;
    assert!(world.profile(contact).is_err());
    Ok(())
}
