//! Users of Dynamics at work: contacts are edited, added and deleted while the workflow runs.

use std::collections::BTreeSet;

use crosswalk_proto::v1::Workflow;
use crosswalk_sandbox::Activity;
use crosswalk_tests::{PATIENCE, World, WorldOptions};

#[tokio::test(flavor = "multi_thread")]
async fn contacts_that_change_all_the_time_are_in_step_as_soon_as_they_rest() -> anyhow::Result<()> {
    const CONTACTS: usize = 500;
    const CHANGES: i64 = 1_500;
    let mut world = World::start(WorldOptions {
        contacts: CONTACTS as u64,
        ..WorldOptions::default()
    })
    .await?;
    let before: BTreeSet<_> = world.contact_ids(usize::MAX)?.into_iter().collect();
    // Changes go on during the initial load as well.
    world.sandbox.activity().set(Activity::Live {
        changes_per_second: 200.0,
    });
    world.start_ingress().await?;
    let busy = |workflow: &Workflow| workflow.progress.unwrap_or_default().records_read > CONTACTS as i64 + CHANGES;
    world.api(0)?.until("live changes read", PATIENCE, busy).await?;
    world.sandbox.activity().set(Activity::Off);
    world.until_settled(PATIENCE).await?;

    let after: BTreeSet<_> = world.contact_ids(usize::MAX)?.into_iter().collect();
    let (added, deleted) = (after.difference(&before).count(), before.difference(&after).count());
    assert!(added > 0 && deleted > 0, "{added} added, {deleted} deleted");
    for id in before.difference(&after) {
        assert!(world.profile(*id).is_err(), "{id} has been deleted and has a profile");
    }
    Ok(())
}
