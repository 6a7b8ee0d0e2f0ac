//! What passes by itself is waited for: the workflow never fails, and loses and repeats nothing.

use crosswalk_proto::v1::{Hindrance, Workflow, hindrance::Kind, workflow::Status};
use crosswalk_sandbox::faults::{Effect, Operation, Rule, Side};
use crosswalk_tests::{PATIENCE, World, WorldOptions, eventually};
use serde_json::json;

/// A fault rule that has been added, to be asked whether it struck.
struct Fault {
    id: u64,
    rule: Rule,
}

impl Fault {
    fn add(world: &World, rule: Rule) -> Self {
        let id = world.sandbox.faults().add(rule.clone());
        Self { id, rule }
    }

    /// How many requests it has hit. A rule that is used up is gone from the list.
    fn hits(&self, world: &World) -> u64 {
        let rules = world.sandbox.faults().list();
        let listed = rules.iter().find(|listed| listed.id == self.id);
        listed.map_or(self.rule.times.unwrap_or_default(), |listed| listed.hits)
    }

    /// Waits until it has hit a request.
    async fn strikes(&self, world: &World) -> anyhow::Result<()> {
        eventually("a hit of the fault rule", PATIENCE, || async {
            anyhow::ensure!(self.hits(world) > 0, "{:?} has hit nothing", self.rule);
            Ok(())
        })
        .await
    }
}

/// The workflow came to run, and never failed from then on.
fn check_never_failed(seen: &[Workflow]) -> anyhow::Result<()> {
    anyhow::ensure!(
        seen.iter().any(|workflow| workflow.status() == Status::Running),
        "the watch never saw it run: {seen:?}"
    );
    let failed = seen.iter().find(|workflow| workflow.status() == Status::Failed);
    anyhow::ensure!(failed.is_none(), "{failed:?}");
    Ok(())
}

fn is_throttled(workflow: &Workflow) -> bool {
    let is_throttle = |hindrance: &Hindrance| matches!(hindrance.kind, Some(Kind::Throttled(_)));
    workflow.hindrances.iter().any(is_throttle)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_429_holds_the_workflow_up_but_does_not_fail_it() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 300,
        ..WorldOptions::default()
    })
    .await?;
    let watching = world.api(0)?.watch().await?;
    let storm = [Side::Dynamics, Side::Campaign].map(|side| {
        let throttle = Rule {
            operation: None,
            ..Rule::new(side, Operation::Other, Effect::Throttle { retry_after_seconds: 2 })
        };
        Fault::add(&world, throttle.probability(0.2).times(10))
    });
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    for throttle in &storm {
        throttle.strikes(&world).await?;
    }
    world.until_settled(PATIENCE).await?;
    watching.until("word of the throttling", PATIENCE, is_throttled).await?;
    check_never_failed(&watching.finish().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_of_writes_that_took_effect_write_nothing_twice() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 300,
        ..WorldOptions::default()
    })
    .await?;
    let watching = world.api(0)?.watch().await?;
    let effects = [
        Effect::CommitThenStatus { status: 504 },
        Effect::CommitThenReset,
        Effect::Reset,
    ];
    let add = |operation| {
        effects.clone().map(|effect| {
            let rule = Rule::new(Side::Campaign, operation, effect);
            Fault::add(&world, rule.probability(0.1).times(30))
        })
    };
    let (inserts, updates) = (add(Operation::Create), add(Operation::Update));
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    for id in world.contact_ids(300)? {
        world.edit_contact(id, &json!({ "nickname": "1" }))?;
    }
    world.until_settled(PATIENCE).await?;
    for fault in inserts.iter().chain(&updates) {
        assert!(fault.hits(&world) > 0, "{:?} has hit nothing", fault.rule);
    }
    check_never_failed(&watching.finish().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_delta_token_reads_the_table_anew_and_loses_nothing() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 250,
        page_size: 100,
        ..WorldOptions::default()
    })
    .await?;
    world.start_ingress().await?;
    world.until_settled(PATIENCE).await?;
    let watching = world.api(0)?.watch().await?;
    let pages = || world.sandbox.counters().calls(Side::Dynamics, Operation::List);
    let before = pages();
    let expired = world.sandbox.dynamics().expire_delta_tokens(None);
    expired.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let id = world.contact_ids(1)?[0];
    world.edit_contact(id, &json!({ "nickname": "7" }))?;
    world.until_settled(PATIENCE).await?;
    assert_eq!(world.profile(id)?["cusNickname"], "7");
    let whole_table = |workflow: &Workflow| workflow.progress.unwrap_or_default().records_read >= 500;
    let api = world.api(0)?;
    api.until("the whole table read for the second time", PATIENCE, whole_table)
        .await?;
    let read = world.sandbox.counters().calls(Side::Dynamics, Operation::List) - before;
    assert!(read >= 3, "only {read} pages of three were read again");
    check_never_failed(&watching.finish().await?)
}
