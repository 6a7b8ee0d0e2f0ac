//! What both systems hold, for organisations of many tables and tables of many columns.

use crosswalk_proto::v1::{GetTableRequest, ListTablesRequest, Mapping, MappingOptions, System, Table};
use crosswalk_sandbox::faults::{Operation, Side};
use crosswalk_tests::{INSTANCE, PATIENCE, World, WorldOptions, eventually, field};
use serde_json::{Value, json};
use uuid::Uuid;

const TABLES: usize = 2_000;
const COLUMNS: usize = 400;

fn column(name: &str) -> Value {
    json!({ "name": name, "type": "string", "length": 50 })
}

async fn all_tables(
    world: &World,
    system: System,
    page_size: i32,
    search: &str,
) -> anyhow::Result<(Vec<Table>, usize)> {
    let mut api = world.api(0)?;
    let (mut tables, mut pages, mut page_token) = (Vec::new(), 0, String::new());
    loop {
        let request = ListTablesRequest {
            parent: INSTANCE.to_owned(),
            system: system.into(),
            page_size,
            page_token,
            search: search.to_owned(),
            refresh: false,
        };
        let page = api.catalog.list_tables(request).await?.into_inner();
        anyhow::ensure!(
            page.tables.len() <= usize::try_from(page_size)?,
            "a page is longer than asked for"
        );
        tables.extend(page.tables);
        pages += 1;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok((tables, pages));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn organisations_of_two_thousand_tables_are_listed_in_pages_and_searched() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    for number in 0..TABLES {
        let columns = [column("new_Name")];
        world.add_table(json!({ "schema_name": format!("new_Table{number:04}"), "columns": columns }))?;
        world.add_resource(json!({ "name": format!("cusTable{number:04}"), "fields": columns }))?;
    }
    for (system, prefix) in [(System::Dynamics, "new_table"), (System::Campaign, "cusTable")] {
        let (tables, pages) = all_tables(&world, system, 500, "").await?;
        let mut names: Vec<&str> = tables.iter().map(|table| table.table_id.as_str()).collect();
        assert!(pages >= TABLES / 500, "{pages} pages");
        assert_eq!(names.iter().filter(|name| name.starts_with(prefix)).count(), TABLES);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), tables.len(), "none comes twice");
        let (found, _) = all_tables(&world, system, 500, "table0042").await?;
        assert_eq!(found.len(), 1, "{found:?}");
    }
    // The second look asks nobody.
    let asked = || world.sandbox.counters().calls(Side::Dynamics, Operation::Metadata);
    let before = asked();
    all_tables(&world, System::Dynamics, 1_000, "").await?;
    assert_eq!(asked(), before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_four_hundred_columns_are_described_mapped_and_written() -> anyhow::Result<()> {
    let mut world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let columns = (0..COLUMNS).map(|number| column(&format!("new_Column{number:03}")));
    world.add_table(json!({ "schema_name": "new_Wide", "columns": columns.collect::<Vec<_>>() }))?;
    let mut fields = vec![json!({ "name": "cusId", "type": "string", "length": 36 })];
    fields.extend((0..COLUMNS).map(|number| column(&format!("cusField{number:03}"))));
    world.add_resource(json!({
        "name": "cusWide", "fields": fields, "keys": [{ "name": "cusId", "fields": ["cusId"] }],
    }))?;
    let mut api = world.api(0)?;
    for (system, table) in [(System::Dynamics, "new_wide"), (System::Campaign, "cusWide")] {
        let request = GetTableRequest {
            parent: INSTANCE.to_owned(),
            system: system.into(),
            table_id: table.to_owned(),
            refresh: false,
        };
        let described = api.catalog.get_table(request).await?.into_inner();
        assert!(described.fields.len() >= COLUMNS, "{} fields", described.fields.len());
    }
    let pairs = (0..COLUMNS).map(|number| field(&format!("new_column{number:03}"), &format!("cusField{number:03}")));
    let mapping = api
        .add_mapping(Mapping {
            dynamics_table: "new_wide".to_owned(),
            campaign_resource: "cusWide".to_owned(),
            key: Some(field("new_wideid", "cusId")),
            fields: pairs.collect(),
            options: Some(MappingOptions::default()),
            ..Mapping::default()
        })
        .await?;
    let warned = mapping.warnings.iter().find(|warning| warning.actual >= COLUMNS as u64);
    assert!(
        warned.is_some_and(|warning| warning.limit == 50),
        "{:?}",
        mapping.warnings
    );

    let id = Uuid::from_u128(7);
    let mut row = json!({ "new_wideid": id });
    for number in 0..COLUMNS {
        row[format!("new_column{number:03}")] = json!(format!("value {number}"));
    }
    world.add_row("new_wide", &row)?;
    world.start_ingress().await?;
    let record = eventually("the record", PATIENCE, || async { world.record("cusWide", id) }).await?;
    for number in 0..COLUMNS {
        assert_eq!(record[format!("cusField{number:03}")], format!("value {number}"));
    }
    Ok(())
}
