//! What brokers forget and delete: nothing that has not been written is lost, and what has been written is purged.

use std::time::Duration;

use crosswalk_tests::{PATIENCE, Service, World, WorldOptions, eventually};
use serde_json::json;

const QUEUE: &str = "demo.ingress.contact";
const GROUP: &str = "demo.ingress.campaign-writer";

/// Longer than `offsets.retention.minutes` of the Kafka that the tests start.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_stopped_for_longer_than_offsets_are_kept_loses_nothing_and_repeats_no_call() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 300,
        ..WorldOptions::default()
    })
    .await?;
    if world.kafka.is_embedded() {
        // The embedded broker does not forget offsets.
        return Ok(());
    }
    world.start_ingress().await?;
    let verdict = world.until_settled(PATIENCE).await?;
    // The reader queues what the writer does not write any more.
    for id in world.contact_ids(50)? {
        world.edit_contact(id, &json!({ "nickname": "queued" }))?;
    }
    world.kill(Service::CampaignWriter, 0).await?;
    let mut api = world.api(0)?;
    api.until("changes that wait", PATIENCE, |workflow| {
        workflow.backlog.unwrap_or_default() > 0
    })
    .await?;
    api.stop_and_wait().await?;
    eventually("the offsets to be forgotten", FORGOTTEN_WITHIN, || async {
        let committed = world.committed(GROUP, QUEUE)?;
        anyhow::ensure!(committed == 0, "{committed} are committed");
        Ok(())
    })
    .await?;

    let before = world.writes();
    world.spawn(Service::CampaignWriter, 0)?;
    world.start_ingress().await?;
    let settled = world.until_settled(PATIENCE).await?;
    assert_eq!(settled.equal, verdict.equal);
    let calls = world.writes() - before;
    assert!(calls <= 50, "{calls} writes for 50 changes: the ledger spares the rest");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn written_records_are_purged_and_those_that_wait_are_not() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 300,
        writers: 0,
        ..WorldOptions::default()
    })
    .await?;
    if world.kafka.is_embedded() {
        // The embedded broker cannot purge.
        return Ok(());
    }
    world.set("CROSSWALK__WRITING__KEEP_WRITTEN", "1s");
    world.api(0)?.start().await?;
    eventually("all contacts to be queued", PATIENCE, || async {
        let queued: i64 = world.watermarks(QUEUE)?.iter().map(|(low, high)| high - low).sum();
        anyhow::ensure!(queued == 300, "{queued} are queued");
        Ok(())
    })
    .await?;
    world.spawn(Service::CampaignWriter, 0)?;
    world.until_settled(PATIENCE).await?;
    eventually("all that is written to be purged", PATIENCE, || async {
        let watermarks = world.watermarks(QUEUE)?;
        anyhow::ensure!(watermarks.iter().all(|(low, high)| low == high), "{watermarks:?}");
        Ok(())
    })
    .await?;

    // With nothing in the queue but what comes from now on, it goes on as before.
    world.kill(Service::CampaignWriter, 0).await?;
    for id in world.contact_ids(20)? {
        world.edit_contact(id, &json!({ "nickname": "after the purge" }))?;
    }
    world.spawn(Service::CampaignWriter, 0)?;
    world.until_settled(PATIENCE).await?;
    Ok(())
}
