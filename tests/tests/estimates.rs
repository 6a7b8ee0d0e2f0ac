//! What a start would do, told before it is done, and done as told.

use crosswalk_proto::v1::{
    Condition, EstimateMappingRequest, EstimateMappingResponse, Filter, condition::Operator,
    estimate_mapping_response::Read,
};
use crosswalk_tests::{Api, MAPPING, PATIENCE, World, WorldOptions};
use serde_json::json;

async fn estimate(api: &mut Api) -> anyhow::Result<EstimateMappingResponse> {
    let request = EstimateMappingRequest {
        name: MAPPING.to_owned(),
    };
    let mut answers = api.mappings.estimate_mapping(request).await?.into_inner();
    let mut last = None;
    while let Some(answer) = answers.message().await? {
        last = Some(answer);
    }
    let last = last.unwrap_or_default();
    anyhow::ensure!(last.done, "the last answer is {last:?}");
    Ok(last)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_tells_what_the_start_then_does() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    let mut contacts = Vec::new();
    for number in 0..40 {
        contacts.push(world.add_contact(&format!("Contact {number}"))?);
    }
    for id in &contacts[..3] {
        world.edit_contact(*id, &json!({ "firstname": "far longer than the thirty characters" }))?;
    }
    let first = estimate(&mut api).await?;
    assert_eq!(first.read(), Read::FirstLoad);
    assert_eq!((first.rows, first.creates, first.calls), (40, 37, 37));
    let rejects: Vec<_> = first
        .rejects
        .iter()
        .map(|reject| (reject.code.as_str(), reject.campaign_field.as_str(), reject.count))
        .collect();
    assert_eq!(rejects, [("TOO_LONG", "firstName", 3)]);
    assert_eq!(world.writes(), 0, "an estimate writes nothing");

    world.start_ingress().await?;
    api.until("everything settled", PATIENCE, |workflow| {
        let progress = workflow.progress.unwrap_or_default();
        progress.records_written + progress.records_rejected >= 40 && workflow.backlog == Some(0)
    })
    .await?;
    assert_eq!(world.profile_count()?, 37);
    assert_eq!(world.writes(), 37);

    api.stop_and_wait().await?;
    world.edit_contact(contacts[10], &json!({ "lastname": "Changed" }))?;
    world.delete_contact(contacts[11])?;
    world.edit_contact(contacts[12], &json!({ "nickname": "filtered" }))?;
    api.edit_mapping(|mapping| {
        mapping.filter = Some(Filter {
            conditions: vec![Condition {
                dynamics_field: "nickname".to_owned(),
                operator: Operator::NotEquals.into(),
                values: vec!["filtered".to_owned()],
            }],
            delete_filtered: true,
            ..Filter::default()
        });
    })
    .await?;
    api.replay(false).await?;
    let second = estimate(&mut api).await?;
    assert_eq!(second.read(), Read::Replay);
    assert_eq!(
        (
            second.creates,
            second.updates,
            second.unchanged,
            second.deletes,
            second.calls
        ),
        (0, 1, 34, 2, 3),
        "{second:?}"
    );
    let before = world.writes();
    world.start_ingress().await?;
    api.until("the replay to be over", PATIENCE, |workflow| {
        let progress = workflow.progress.unwrap_or_default();
        progress.records_written >= 3 && progress.records_skipped >= 34 && progress.records_rejected >= 3
    })
    .await?;
    assert_eq!(world.writes() - before, 3);
    assert_eq!(world.profile_count()?, 35);
    Ok(())
}
