//! Columns that every table has beside plain values: references to other rows, the owner, the state and its reason.

use crosswalk_proto::v1::{MappingOptions, mapping_options::ChoiceForm};
use crosswalk_tests::{PATIENCE, World, WorldOptions, eventually, field};
use serde_json::{Value, json};
use uuid::Uuid;

/// Column, and the field of the profile it is mapped to.
const MAPPED: [(&str, &str); 5] = [
    ("parentcustomerid", "cusCustomer"),
    ("preferredsystemuserid", "cusUser"),
    ("ownerid", "cusOwner"),
    ("statecode", "cusState"),
    ("statuscode", "cusReason"),
];

/// A world without contacts, whose mapping brings the columns into texts.
async fn world(choices: ChoiceForm) -> anyhow::Result<World> {
    let world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let texts = MAPPED.map(|(_, target)| json!({ "name": target, "type": "string", "length": 36 }));
    world.change_fields("profile", json!({ "put": texts }))?;
    world
        .api(0)?
        .edit_mapping(|mapping| {
            mapping
                .fields
                .extend(MAPPED.map(|(column, target)| field(column, target)));
            mapping.options = Some(MappingOptions {
                choices: choices.into(),
                ..mapping.options.unwrap_or_default()
            });
        })
        .await?;
    Ok(world)
}

/// A contact that belongs to another one, with a user it prefers, and is not active any more. Returns it and the other.
fn contact_with_references(world: &World) -> anyhow::Result<(Uuid, Uuid)> {
    let company = world.add_contact("Babbage")?;
    let contact = world.add_contact("Lovelace")?;
    let owner = world.row("contact", contact)?["_ownerid_value"].clone();
    let owner = owner.as_str().unwrap_or_default();
    world.edit_contact(
        contact,
        &json!({
            "parentcustomerid_contact@odata.bind": format!("/contacts({company})"),
            "preferredsystemuserid@odata.bind": format!("/systemusers({owner})"),
            "statecode": 1,
            "statuscode": 2,
        }),
    )?;
    Ok((contact, company))
}

async fn until_mapped(world: &World, contact: Uuid, wanted: [Value; MAPPED.len()]) -> anyhow::Result<()> {
    eventually("the columns in the profile", PATIENCE, || async {
        let profile = world.profile(contact)?;
        let found = MAPPED.map(|(_, target)| profile[target].clone());
        anyhow::ensure!(found == wanted, "{found:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn references_arrive_as_the_ids_of_their_rows_and_states_as_labels() -> anyhow::Result<()> {
    let mut world = world(ChoiceForm::Label).await?;
    let (contact, company) = contact_with_references(&world)?;
    let owner = world.row("contact", contact)?["_ownerid_value"].clone();
    assert!(owner.is_string(), "every contact has an owner");
    world.start_ingress().await?;
    let wanted = [
        json!(company),
        owner.clone(),
        owner.clone(),
        json!("Inactive"),
        json!("Inactive"),
    ];
    until_mapped(&world, contact, wanted).await?;

    world.edit_contact(
        contact,
        &json!({ "parentcustomerid_contact@odata.bind": null, "statecode": 0, "statuscode": 1 }),
    )?;
    let wanted = [json!(""), owner.clone(), owner, json!("Active"), json!("Active")];
    until_mapped(&world, contact, wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn states_arrive_as_numbers_where_technical_values_are_wanted() -> anyhow::Result<()> {
    let mut world = world(ChoiceForm::TechnicalValue).await?;
    let (contact, company) = contact_with_references(&world)?;
    let owner = world.row("contact", contact)?["_ownerid_value"].clone();
    world.start_ingress().await?;
    let wanted = [json!(company), owner.clone(), owner, json!("1"), json!("2")];
    until_mapped(&world, contact, wanted).await
}
