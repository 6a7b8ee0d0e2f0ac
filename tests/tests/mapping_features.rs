//! Filters, replacements, and fields that later changes leave alone.

use crosswalk_proto::v1::{
    Condition, Filter, PreviewMappingRequest, Replacement, condition::Operator, filter::Combination, preview::Effect,
    preview_mapping_request::Records,
};
use crosswalk_tests::{MAPPING, PATIENCE, World, WorldOptions, eventually, field};
use serde_json::{Value, json};
use uuid::Uuid;

fn condition(column: &str, operator: Operator, values: &[&str]) -> Condition {
    Condition {
        dynamics_field: column.to_owned(),
        operator: operator.into(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

/// Waits until a contact's profile is as wanted; `None`: until there is none.
async fn until_profile(world: &World, id: Uuid, wanted: Option<Value>) -> anyhow::Result<()> {
    eventually("the profile as wanted", PATIENCE, || async {
        match (&wanted, world.profile(id)) {
            (None, Err(_)) => Ok(()),
            (None, Ok(profile)) => anyhow::bail!("it is there still: {profile}"),
            (Some(_), Err(error)) => Err(error),
            (Some(wanted), Ok(profile)) => {
                let fields = wanted.as_object().into_iter().flatten();
                for (name, value) in fields {
                    anyhow::ensure!(profile.get(name) == Some(value), "{name} is {:?}", profile.get(name));
                }
                Ok(())
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_filtered_out_is_deleted_only_if_crosswalk_wrote_it() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    // Two conditions, one of them on a column that is not mapped.
    api.edit_mapping(|mapping| {
        mapping.filter = Some(Filter {
            combination: Combination::Or.into(),
            conditions: vec![
                condition("jobtitle", Operator::Contains, &["engineer"]),
                condition("numberofchildren", Operator::GreaterOrEqual, &["3"]),
            ],
            delete_filtered: true,
        });
    })
    .await?;
    let passes = world.add_contact("Lovelace")?;
    world.edit_contact(passes, &json!({ "jobtitle": "Chief Engineer" }))?;
    let by_hand = world.add_contact("Hopper")?;
    world.add_profile(&json!({ "externalId": by_hand.to_string(), "lastName": "By hand" }))?;
    world.start_ingress().await?;
    until_profile(&world, passes, Some(json!({ "lastName": "Lovelace" }))).await?;
    until_profile(&world, by_hand, Some(json!({ "lastName": "By hand" }))).await?;

    world.edit_contact(passes, &json!({ "jobtitle": "Countess" }))?;
    until_profile(&world, passes, None).await?;
    world.edit_contact(passes, &json!({ "numberofchildren": 3 }))?;
    until_profile(&world, passes, Some(json!({ "cusVisits": 3 }))).await?;
    until_profile(&world, by_hand, Some(json!({ "lastName": "By hand" }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_without_updates_is_written_on_insert_and_replay_only() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    api.edit_mapping(|mapping| {
        for field in &mut mapping.fields {
            field.apply_updates = Some(field.campaign_field != "firstName");
        }
    })
    .await?;
    let loaded = world.add_contact("Lovelace")?;
    world.edit_contact(loaded, &json!({ "firstname": "Ada" }))?;
    world.start_ingress().await?;
    until_profile(&world, loaded, Some(json!({ "firstName": "Ada" }))).await?;

    // A record that first appears as a change is an insert.
    let added = world.add_row("contact", &json!({ "firstname": "Grace", "lastname": "Hopper" }))?;
    until_profile(
        &world,
        added,
        Some(json!({ "firstName": "Grace", "lastName": "Hopper" })),
    )
    .await?;
    world.edit_contact(added, &json!({ "firstname": "Amazing Grace", "lastname": "Murray" }))?;
    until_profile(
        &world,
        added,
        Some(json!({ "firstName": "Grace", "lastName": "Murray" })),
    )
    .await?;
    world.edit_contact(loaded, &json!({ "firstname": "Augusta", "lastname": "King" }))?;
    until_profile(&world, loaded, Some(json!({ "firstName": "Ada", "lastName": "King" }))).await?;

    api.replay(false).await?;
    api.stop_and_wait().await?;
    world.start_ingress().await?;
    until_profile(&world, loaded, Some(json!({ "firstName": "Augusta" }))).await?;
    until_profile(&world, added, Some(json!({ "firstName": "Amazing Grace" }))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_values_reach_campaign_and_the_preview_shows_them_first() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    let id = world.add_contact("Lovelace")?;
    world.edit_contact(
        id,
        &json!({ "familystatuscode": 2, "donotbulkemail": true, "salutation": "Mrs" }),
    )?;
    let saved = api
        .edit_mapping(|mapping| {
            mapping.fields.push(field("familystatuscode", "cusLoyaltyLevel"));
            mapping.fields.push(field("donotphone", "cusNotes"));
            let replacement = |column: &str, existing: &str, new: &str| Replacement {
                dynamics_field: column.to_owned(),
                existing_value: existing.to_owned(),
                new_value: new.to_owned(),
            };
            mapping.replacements = vec![
                replacement("familystatuscode", "Married", "gold"),
                replacement("donotphone", "Allow", "may be called"),
                replacement("salutation", "Mrs", "Ms"),
            ];
        })
        .await?;
    assert_eq!(
        saved.replacements[1].existing_value, "false",
        "a label of a yes/no column is stored as its value"
    );

    let request = PreviewMappingRequest {
        name: MAPPING.to_owned(),
        mapping: None,
        records: Some(Records::RecordId(id.to_string())),
    };
    let preview = api
        .mappings
        .preview_mapping(request.clone())
        .await?
        .into_inner()
        .previews
        .remove(0);
    assert_eq!(preview.effect(), Effect::Create);
    let mapped: Value = serde_json::from_str(&preview.mapped_json)?;
    let wanted = json!({ "cusLoyaltyLevel": "gold", "cusNotes": "may be called", "salutation": "Ms" });
    for (name, value) in wanted.as_object().into_iter().flatten() {
        assert_eq!(&mapped[name], value, "{name}");
    }
    assert!(world.profile(id).is_err(), "a preview writes nothing");

    world.start_ingress().await?;
    until_profile(&world, id, Some(wanted)).await?;
    let preview = api
        .mappings
        .preview_mapping(request)
        .await?
        .into_inner()
        .previews
        .remove(0);
    assert_eq!((preview.effect(), preview.differences.len()), (Effect::Unchanged, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_tells_what_campaign_holds_and_what_a_draft_would_delete() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let mut api = world.api(0)?;
    let by_hand = world.add_contact("Hopper")?;
    let written = world.add_contact("Lovelace")?;
    world.edit_contact(written, &json!({ "firstname": "Ada" }))?;
    // Of the two, Crosswalk writes one: the other one does not pass.
    let only_ada = Filter {
        conditions: vec![condition("firstname", Operator::Equals, &["Ada"])],
        ..Filter::default()
    };
    world.add_profile(&json!({ "externalId": by_hand.to_string(), "lastName": "By hand" }))?;
    api.edit_mapping(|mapping| mapping.filter = Some(only_ada)).await?;
    world.start_ingress().await?;
    until_profile(&world, written, Some(json!({ "firstName": "Ada" }))).await?;

    world.edit_profile(written, &json!({ "firstName": "Augusta" }))?;
    let request = |mapping, id: Uuid| PreviewMappingRequest {
        name: MAPPING.to_owned(),
        mapping,
        records: Some(Records::RecordId(id.to_string())),
    };
    let preview = api.mappings.preview_mapping(request(None, written)).await?;
    let preview = preview.into_inner().previews.remove(0);
    assert_eq!(preview.effect(), Effect::Update);
    let [difference] = &preview.differences[..] else {
        anyhow::bail!("{:?}", preview.differences)
    };
    assert_eq!(
        (
            difference.campaign_field.as_str(),
            difference.mapped.as_str(),
            difference.held.as_str()
        ),
        ("firstName", r#""Ada""#, r#""Augusta""#)
    );

    // A draft that nobody has saved: it would let go of both, and delete what Crosswalk wrote.
    let mut draft = api.mapping().await?;
    draft.filter = Some(Filter {
        conditions: vec![condition("firstname", Operator::Equals, &["Nobody"])],
        delete_filtered: true,
        ..Filter::default()
    });
    for (id, effect) in [(written, Effect::Delete), (by_hand, Effect::Filtered)] {
        let previews = api.mappings.preview_mapping(request(Some(draft.clone()), id)).await?;
        let preview = previews.into_inner().previews.remove(0);
        assert_eq!(preview.effect(), effect, "{preview:?}");
        assert_eq!(preview.failing_conditions, [0]);
    }
    assert_eq!(
        world.profile(written)?["firstName"],
        "Augusta",
        "a preview writes nothing"
    );
    Ok(())
}
