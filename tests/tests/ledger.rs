//! What the ledger spares, and what it finds: replays, expired positions, deletes that were missed.

use crosswalk_proto::v1::workflow::Status;
use crosswalk_tests::{Api, PATIENCE, Service, World, WorldOptions, eventually};
use serde_json::json;
use tonic_types::StatusExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_equal_rows_costs_no_call_and_a_forced_one_mends_a_campaign_changed_by_hand() -> anyhow::Result<()>
{
    const CONTACTS: u64 = 300;
    let mut world = World::start(WorldOptions {
        contacts: CONTACTS,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    let verdict = world.until_settled(PATIENCE).await?;
    let mut api = world.api(0)?;

    assert!(api.replay(false).await?.pending_replay.is_some());
    assert!(
        api.ingress().await?.pending_changes,
        "a replay begins at the next start"
    );
    api.stop_and_wait().await?;
    let before = world.writes();
    world.start_ingress().await?;
    eventually("the replay to begin", PATIENCE, || {
        let mut api = api.clone();
        async move {
            let pending = api.mapping().await?.pending_replay;
            anyhow::ensure!(pending.is_none(), "{pending:?}");
            Ok(())
        }
    })
    .await?;
    let all_read = |read: u64| {
        move |workflow: &crosswalk_proto::v1::Workflow| {
            let progress = workflow.progress.unwrap_or_default();
            progress.records_read >= i64::try_from(read).unwrap_or_default() && workflow.backlog == Some(0)
        }
    };
    let equal = i64::try_from(verdict.equal)?;
    // What a writer counts is told a moment later than the backlog.
    let all_skipped = |workflow: &crosswalk_proto::v1::Workflow| {
        all_read(CONTACTS)(workflow) && workflow.progress.unwrap_or_default().records_skipped >= equal
    };
    api.until("the table read once more and skipped", PATIENCE, all_skipped)
        .await?;
    assert_eq!(world.writes(), before, "nothing differs");

    let id = world.contact_ids(1)?[0];
    world.edit_profile(id, &json!({ "firstName": "Somebody else" }))?;
    api.replay(true).await?;
    api.stop_and_wait().await?;
    let before = world.writes();
    world.start_ingress().await?;
    api.until("the table read for the third time", PATIENCE, all_read(CONTACTS))
        .await?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.writes() - before, verdict.equal, "every record is written once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_costs_a_call_for_each_difference_and_finds_the_deletes() -> anyhow::Result<()> {
    const CHANGED: usize = 1_000;
    const DELETED: usize = 500;
    let mut world = World::start(WorldOptions {
        contacts: 6_000,
        page_size: 500,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let mut api = world.api(0)?;
    api.stop_and_wait().await?;

    let writable: Vec<_> = world
        .contact_ids(usize::MAX)?
        .into_iter()
        .filter(|id| world.profile(*id).is_ok())
        .take(CHANGED + DELETED)
        .collect();
    for id in &writable[..CHANGED] {
        world.edit_contact(*id, &json!({ "nickname": "while nobody looked" }))?;
    }
    for id in &writable[CHANGED..] {
        world.delete_contact(*id)?;
    }
    world.expire_delta_tokens()?;
    let before = world.writes();
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.writes() - before, CHANGED + DELETED);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_misses_too_much_deletes_nothing_until_it_is_allowed() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 200,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let mut api = world.api(0)?;
    api.stop_and_wait().await?;
    let profiles = world.profile_count()?;
    let gone: Vec<_> = world
        .contact_ids(usize::MAX)?
        .into_iter()
        .filter(|id| world.profile(*id).is_ok())
        .take(50)
        .collect();
    for id in &gone {
        world.delete_contact(*id)?;
    }
    world.expire_delta_tokens()?;
    api.start().await?;
    let failed = api.until_status(Status::Failed, PATIENCE).await?;
    let failure = failed.failure.unwrap_or_default();
    assert_eq!(failure.code, "TOO_MANY_DELETES");
    assert!(failure.message.contains("50 of the"), "{}", failure.message);
    assert_eq!(world.profile_count()?, profiles, "nothing was deleted");

    world.kill(Service::CampaignWriter, 0).await?;
    world.set("CROSSWALK__WRITING__MAX_MISSING_SHARE", "0.5");
    world.spawn(Service::CampaignWriter, 0)?;
    api.stop_and_wait().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.profile_count()?, profiles - gone.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_record_costs_no_call_an_update_one_an_insert_one_and_a_delete_one() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 10,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let mut api = world.api(0)?;
    let id = world.add_contact("Lovelace")?;
    world.until_settled(PATIENCE).await?;
    let before = world.writes();

    // A column that is not mapped: the row changes, what it maps to does not.
    let skipped = api.ingress().await?.progress.unwrap_or_default().records_skipped;
    world.edit_contact(id, &json!({ "description": "An analyst" }))?;
    api.until("the change to be skipped", PATIENCE, |workflow| {
        workflow.progress.unwrap_or_default().records_skipped > skipped
    })
    .await?;
    assert_eq!(world.writes() - before, 0, "unchanged");

    world.edit_contact(id, &json!({ "nickname": "Ada" }))?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.writes() - before, 1, "update");

    world.add_contact("Hopper")?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.writes() - before, 2, "insert");

    world.delete_contact(id)?;
    eventually("the profile to go", PATIENCE, || async {
        anyhow::ensure!(world.profile(id).is_err());
        Ok(())
    })
    .await?;
    assert_eq!(world.writes() - before, 3, "delete");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_refused_for_a_large_table_and_for_a_large_backlog() -> anyhow::Result<()> {
    const LIMIT: usize = 200;
    let mut world = World::start(WorldOptions {
        contacts: LIMIT as u64,
        control_plane_settings: &[("CROSSWALK__API__REPLAY_LIMIT", "200")],
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    let refusal = async |api: &mut Api| {
        let refused = api.replay(false).await.err();
        let reason = refused
            .as_ref()
            .and_then(|status| status.get_error_details().error_info().cloned());
        anyhow::Ok((
            reason.map(|info| info.reason),
            refused.map(|status| status.message().to_owned()),
        ))
    };
    let (reason, message) = refusal(&mut api).await?;
    assert_eq!(reason.as_deref(), Some("REPLAY_TABLE_TOO_LARGE"));
    assert!(message.is_some_and(|message| message.contains("contact has 200 rows")));

    // The table becomes smaller than the backlog of what was read of it.
    world.kill(Service::CampaignWriter, 0).await?;
    api.start().await?;
    api.until("a backlog of the whole table", PATIENCE, |workflow| {
        workflow.backlog == Some(LIMIT as i64)
    })
    .await?;
    let id = world.contact_ids(1)?[0];
    world.delete_contact(id)?;
    let (reason, message) = refusal(&mut api).await?;
    assert_eq!(reason.as_deref(), Some("REPLAY_BACKLOG_TOO_LARGE"));
    assert!(message.is_some_and(|message| message.contains("changes wait")));

    world.spawn(Service::CampaignWriter, 0)?;
    world.until_settled(PATIENCE).await?;
    assert!(
        api.replay(false).await?.pending_replay.is_some(),
        "with less of both it is noted"
    );
    Ok(())
}
