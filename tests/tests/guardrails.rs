//! Adobe's limits are warnings here: what is beyond them is read and written like everything else.

use crosswalk_proto::v1::{Mapping, MappingOptions, Warning};
use crosswalk_tests::{PATIENCE, World, WorldOptions, eventually, field};
use serde_json::{Value, json};
use uuid::Uuid;

/// One more than Adobe supports.
const TABLES: usize = 21;
const LINKS: usize = 6;

fn text(name: &str) -> Value {
    json!({ "name": name, "type": "string", "length": 50 })
}

/// A table with its resource and mapping, linked to all of `parents`.
async fn add_mapped_table(world: &World, number: usize, parents: &[usize]) -> anyhow::Result<Mapping> {
    let name = format!("new_Thing{number}");
    let mut columns = vec![text("new_name")];
    let mut fields = vec![text("cusId"), text("cusName")];
    let mut links = Vec::new();
    let mut mapped = vec![field("new_name", "cusName")];
    for parent in parents {
        columns.push(json!({
            "name": format!("new_Parent{parent}"), "type": "lookup", "targets": [format!("new_thing{parent}")],
        }));
        fields.push(text(&format!("cusParent{parent}")));
        links.push(json!({
            "name": format!("cusLink{parent}"), "target": format!("cusThing{parent}"), "cardinality": "one",
            "field": format!("cusParent{parent}"), "target_field": "cusId",
        }));
        mapped.push(field(&format!("new_parent{parent}"), &format!("cusParent{parent}")));
    }
    let resource = format!("cusThing{number}");
    world.add_table(json!({ "schema_name": name, "columns": columns }))?;
    world.add_resource(json!({
        "name": resource, "fields": fields, "links": links, "keys": [{ "name": "cusId", "fields": ["cusId"] }],
    }))?;
    let mapping = Mapping {
        dynamics_table: name.to_lowercase(),
        campaign_resource: resource,
        key: Some(field(&format!("{}id", name.to_lowercase()), "cusId")),
        fields: mapped,
        options: Some(MappingOptions::default()),
        ..Mapping::default()
    };
    Ok(world.api(0)?.add_mapping(mapping).await?)
}

fn figures(warnings: &[Warning]) -> Vec<(&str, u64, u64)> {
    warnings
        .iter()
        .map(|warning| (warning.code.as_str(), warning.actual, warning.limit))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn more_tables_and_links_than_adobe_supports_are_warned_about_and_written() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 10,
        ..WorldOptions::default()
    })
    .await?;
    let parents: Vec<usize> = (1..=LINKS).collect();
    for number in 1..TABLES {
        add_mapped_table(&world, number, &[]).await?;
    }
    let child = add_mapped_table(&world, TABLES, &parents).await?;
    assert_eq!(figures(&child.warnings), [("GUARDRAIL_LINKS", 6, 5)]);

    let mut row = json!({ "new_name": "child" });
    for number in 1..TABLES {
        let id = Uuid::from_u128(number as u128);
        let table = format!("new_thing{number}");
        let mut named = json!({ "new_name": format!("row of {number}") });
        named[format!("{table}id")] = json!(id);
        world.add_row(&table, &named)?;
        if parents.contains(&number) {
            row[format!("new_Parent{number}@odata.bind")] = json!(format!("/{table}s({id})"));
        }
    }
    let child = world.add_row(&format!("new_thing{TABLES}"), &row)?;
    world.start_ingress().await?;
    for number in 1..TABLES {
        let resource = format!("cusThing{number}");
        eventually(&resource, PATIENCE, || async {
            world.record(&resource, Uuid::from_u128(number as u128))
        })
        .await?;
    }
    eventually("the child of six parents", PATIENCE, || async {
        let record = world.record(&format!("cusThing{TABLES}"), child)?;
        anyhow::ensure!(record.get("hidden").is_none(), "it is hidden");
        anyhow::ensure!(record["cusParent6"] == Uuid::from_u128(6).to_string(), "{record}");
        Ok(())
    })
    .await?;
    let workflow = world.api(0)?.ingress().await?;
    assert_eq!(figures(&workflow.warnings), [("GUARDRAIL_TABLES", 21, 20)]);
    world.until_settled(PATIENCE).await?;
    Ok(())
}
