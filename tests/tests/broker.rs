//! The broker is killed and comes back: nothing is lost, nobody restarts the services, and the API says what is the matter.

use std::time::{Duration, Instant};

use crosswalk_proto::v1::{ListWorkflowsRequest, Mapping, Workflow, workflow::Status};
use crosswalk_sandbox::faults::Side;
use crosswalk_tests::{Api, INSTANCE, PATIENCE, World, WorldOptions, eventually, field};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt as _;

/// How long the API may take to answer a read while the broker is away: it does not wait for more than a fresh backlog.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// How long it may take to answer a write: as long as it waits for its own entry, and some.
const WRITE_WITHIN: Duration = Duration::from_secs(25);

const CONTACTS: usize = 3_000;
const EDITED: usize = 500;

async fn world() -> anyhow::Result<World> {
    World::start(WorldOptions {
        contacts: CONTACTS as u64,
        broker_process: true,
        ..WorldOptions::default()
    })
    .await
}

/// After all that happened both systems agree, and the workflow runs.
async fn settles_and_runs(world: &mut World) -> anyhow::Result<()> {
    world.until_settled(PATIENCE).await?;
    world.api(0)?.until_status(Status::Running, PATIENCE).await?;
    world.check_processes()
}

fn number_contacts(world: &World, round: usize) -> anyhow::Result<()> {
    for id in world.contact_ids(EDITED)? {
        world.edit_contact(id, &json!({ "nickname": round.to_string() }))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_in_the_middle_of_the_initial_load_loses_nothing() -> anyhow::Result<()> {
    let mut world = world().await?;
    // Otherwise the load would be through before the broker can be killed.
    world
        .sandbox
        .faults()
        .set_latency(Side::Campaign, Duration::from_millis(50));
    world.start_ingress().await?;
    eventually("the first profiles", PATIENCE, || async {
        let profiles = world.profile_count()?;
        anyhow::ensure!(profiles > 100, "{profiles} profiles");
        Ok(())
    })
    .await?;
    world.kafka.kill().await?;
    assert!(
        world.profile_count()? < CONTACTS,
        "the load was through before the broker was killed"
    );
    world.kafka.restart().await?;
    settles_and_runs(&mut world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_in_a_stream_of_changes_loses_nothing() -> anyhow::Result<()> {
    let mut world = world().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    for round in 1..=3 {
        number_contacts(&world, 10 * round)?;
        world.kafka.kill().await?;
        // Changes go on while the broker is away.
        number_contacts(&world, 10 * round + 1)?;
        world.kafka.restart().await?;
        number_contacts(&world, 10 * round + 2)?;
    }
    settles_and_runs(&mut world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_in_time_while_the_broker_is_away_and_as_before_when_it_is_back() -> anyhow::Result<()> {
    let mut world = world().await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let before = world.api(0)?.mapping().await?;
    let watching = world.api(0)?.watch().await?;
    world.kafka.kill().await?;

    let mut api = world.api(0)?;
    reads_are_answered(&mut api, &before).await?;
    write_is_unavailable(&mut api).await?;
    reads_are_answered(&mut api, &before).await?;
    let begun_meanwhile = world.api(0)?.watch().await?;
    begun_meanwhile
        .until("the state as it is known", PATIENCE, |_| true)
        .await?;

    world.kafka.restart().await?;
    number_contacts(&world, 1)?;
    settles_and_runs(&mut world).await?;
    let edited = eventually("an edit", PATIENCE, || {
        let mut api = api.clone();
        async move {
            Ok(api
                .edit_mapping(|mapping| mapping.fields.push(field("jobtitle", "cusNotes")))
                .await?)
        }
    })
    .await?;
    assert_eq!(api.mapping().await?, edited);
    // The watches that began before the outage and in it go on, and one that begins now knows all that has happened.
    let is_edited = |workflow: &Workflow| workflow.pending_changes && workflow.status() == Status::Running;
    for watch in [watching, begun_meanwhile, world.api(0)?.watch().await?] {
        watch.until("word of the edit", PATIENCE, is_edited).await?;
        watch.finish().await?;
    }
    Ok(())
}

/// What the control plane knows by heart it says, whether or not there is a broker.
async fn reads_are_answered(api: &mut Api, mapping: &Mapping) -> anyhow::Result<()> {
    let asked = Instant::now();
    assert_eq!(api.mapping().await?, *mapping);
    let request = ListWorkflowsRequest {
        parent: INSTANCE.to_owned(),
    };
    let workflows = api.workflows.list_workflows(request).await?.into_inner().workflows;
    assert_eq!(workflows.len(), 3);
    assert!(asked.elapsed() < READ_WITHIN, "{:?}", asked.elapsed());
    Ok(())
}

/// A change cannot be made, and the answer says so in time, with a reason.
async fn write_is_unavailable(api: &mut Api) -> anyhow::Result<()> {
    let asked = Instant::now();
    // An edit of the draft, since it is not lost for good: it may still arrive when the broker is back.
    let edit = api.edit_mapping(|mapping| mapping.fields.push(field("jobtitle", "cusLoyaltyLevel")));
    let Err(status) = edit.await else {
        anyhow::bail!("a change was made without a broker");
    };
    assert!(asked.elapsed() < WRITE_WITHIN, "{:?}", asked.elapsed());
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.message().contains("Kafka"), "{}", status.message());
    let details = status.get_error_details();
    assert_eq!(
        details.error_info().map(|info| info.reason.as_str()),
        Some("KAFKA_UNAVAILABLE"),
        "{status:?}"
    );
    assert!(details.retry_info().is_some(), "{status:?}");
    Ok(())
}
