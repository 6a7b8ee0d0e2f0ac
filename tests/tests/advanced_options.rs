//! Every advanced option of a mapping, in both positions, on to Campaign.

use crosswalk_proto::v1::{
    Mapping, MappingOptions,
    mapping_options::{ChoiceForm, EmptyValue, OverLong},
};
use crosswalk_tests::{Api, PATIENCE, World, WorldOptions, eventually, field};
use serde_json::{Value, json};
use uuid::Uuid;

const TABLE: &str = "new_every";
const RESOURCE: &str = "cusEvery";
const MAPPING_ID: &str = "instances/demo/workflows/ingress/mappings/new-every";

/// A table with a column for each option, mapped to a resource with fields of their names.
async fn world(options: MappingOptions) -> anyhow::Result<(World, Api)> {
    let world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let options_of_sets = json!([[1, "One"], [7, "Seven"]]);
    world.add_table(json!({ "schema_name": "new_Every", "columns": [
        { "name": "new_name", "type": "string", "length": 50 },
        { "name": "new_note", "type": "string", "length": 50 },
        { "name": "new_choice", "type": "picklist", "options": options_of_sets },
        { "name": "new_choices", "type": "multi_select", "options": options_of_sets },
    ]}))?;
    let text = |name: &str, length: u32| json!({ "name": name, "type": "string", "length": length });
    world.add_resource(json!({
        "name": RESOURCE,
        "fields": [text("cusId", 36), text("cusName", 5), text("cusNote", 50), text("cusChoice", 50), text("cusChoices", 50)],
        "keys": [{ "name": "cusId", "fields": ["cusId"] }],
    }))?;
    let mut api = world.api(0)?;
    let made = api
        .add_mapping(Mapping {
            dynamics_table: TABLE.to_owned(),
            campaign_resource: RESOURCE.to_owned(),
            key: Some(field("new_everyid", "cusId")),
            fields: vec![
                field("new_name", "cusName"),
                field("new_note", "cusNote"),
                field("new_choice", "cusChoice"),
                field("new_choices", "cusChoices"),
            ],
            options: Some(options),
            ..Mapping::default()
        })
        .await?;
    assert_eq!(made.name, MAPPING_ID);
    Ok((world, api))
}

fn add(world: &World, id: u128, row: &Value) -> anyhow::Result<Uuid> {
    let mut row = row.clone();
    row["new_everyid"] = json!(Uuid::from_u128(id));
    world.add_row(TABLE, &row)
}

/// Waits until a record shows these values.
async fn until(world: &World, id: Uuid, wanted: Value) -> anyhow::Result<()> {
    eventually("the record", PATIENCE, || async {
        let record = world.record(RESOURCE, id)?;
        for (name, value) in wanted.as_object().into_iter().flatten() {
            anyhow::ensure!(record[name] == *value, "{name} is {}", record[name]);
        }
        Ok(())
    })
    .await
}

async fn until_gone(world: &World, id: Uuid) -> anyhow::Result<()> {
    eventually("the end of the record", PATIENCE, || async {
        anyhow::ensure!(world.record(RESOURCE, id).is_err(), "it is there");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_cut_texts_kept_values_and_kept_records() -> anyhow::Result<()> {
    let mut options = MappingOptions {
        apply_deletes: false,
        ..MappingOptions::default()
    };
    options.set_choices(ChoiceForm::Label);
    options.set_over_long(OverLong::Truncate);
    options.set_empty(EmptyValue::Leave);
    let (mut world, _) = world(options).await?;
    let full = json!({ "new_name": "Ångström", "new_note": "kept", "new_choice": 7, "new_choices": "1,7" });
    let kept = add(&world, 1, &full)?;
    let deleted = add(&world, 2, &full)?;
    world.start_ingress().await?;
    let written = json!({ "cusName": "Ångst", "cusNote": "kept", "cusChoice": "Seven", "cusChoices": "One; Seven" });
    until(&world, kept, written.clone()).await?;
    until(&world, deleted, written).await?;

    world.edit_row(
        TABLE,
        kept,
        &json!({ "new_name": "Bo", "new_note": null, "new_choice": null, "new_choices": null }),
    )?;
    let left = json!({ "cusName": "Bo", "cusNote": "kept", "cusChoice": "Seven", "cusChoices": "One; Seven" });
    until(&world, kept, left).await?;

    world.delete_row(TABLE, deleted)?;
    // What is read behind the delete has been written: so has the delete been passed over.
    let later = add(&world, 3, &full)?;
    until(&world, later, json!({ "cusNote": "kept" })).await?;
    world
        .api(0)?
        .until("a backlog of 0", PATIENCE, |workflow| workflow.backlog == Some(0))
        .await?;
    assert!(world.record(RESOURCE, deleted).is_ok(), "deletes are not applied");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn technical_values_refused_texts_cleared_values_and_deleted_records() -> anyhow::Result<()> {
    let mut options = MappingOptions {
        apply_deletes: true,
        ..MappingOptions::default()
    };
    options.set_choices(ChoiceForm::TechnicalValue);
    options.set_over_long(OverLong::Reject);
    options.set_empty(EmptyValue::Clear);
    let (mut world, mut api) = world(options).await?;
    let row = json!({ "new_name": "Ada", "new_note": "cleared", "new_choice": 7, "new_choices": "1,7" });
    let (cleared, deleted) = (add(&world, 1, &row)?, add(&world, 2, &row)?);
    let refused = add(&world, 3, &json!({ "new_name": "Ångström" }))?;
    world.start_ingress().await?;
    let written = json!({ "cusName": "Ada", "cusNote": "cleared", "cusChoice": "7", "cusChoices": "1,7" });
    until(&world, cleared, written.clone()).await?;
    until(&world, deleted, written).await?;
    api.until_set_aside("TOO_LONG", 1).await?;
    assert!(world.record(RESOURCE, refused).is_err());

    world.edit_row(
        TABLE,
        cleared,
        &json!({ "new_note": null, "new_choice": null, "new_choices": null }),
    )?;
    let empty = json!({ "cusName": "Ada", "cusNote": "", "cusChoice": "", "cusChoices": "" });
    until(&world, cleared, empty).await?;
    world.delete_row(TABLE, deleted)?;
    until_gone(&world, deleted).await?;
    // Cutting what was refused is an edit like any other: it counts from the next start, for what is read then.
    api.edit(MAPPING_ID, |mapping| {
        if let Some(options) = &mut mapping.options {
            options.set_over_long(OverLong::Truncate);
        }
    })
    .await?;
    api.stop_and_wait().await?;
    world.start_ingress().await?;
    world.edit_row(TABLE, refused, &json!({ "new_note": "once more" }))?;
    until(&world, refused, json!({ "cusName": "Ångst" })).await
}
