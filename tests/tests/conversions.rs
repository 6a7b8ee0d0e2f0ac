//! Every type of column into every type of field, and every operator of a filter, through the API and on to Campaign.

use std::fmt::Write as _;

use anyhow::Context as _;
use crosswalk_proto::v1::{
    Condition, Filter, Mapping, MappingOptions, PreviewMappingRequest, condition::Operator,
    mapping_options::ChoiceForm, preview::Effect, preview_mapping_request::Records,
};
use crosswalk_tests::{PATIENCE, World, WorldOptions, eventually, field};
use serde_json::{Value, json};
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// The page that shows what this test finds.
const PAGE: &str = include_str!("../../docs/type-conversions.md");

/// Columns of every type: name, declaration, and a value.
fn columns() -> Vec<(&'static str, Value, Value)> {
    let options = json!([[1, "One"], [7, "Seven"]]);
    vec![
        ("string", json!({ "type": "string", "length": 50 }), json!("7")),
        ("memo", json!({ "type": "memo", "length": 200 }), json!("2026-01-31")),
        ("boolean", json!({ "type": "boolean" }), json!(true)),
        ("integer", json!({ "type": "integer" }), json!(7)),
        ("bigint", json!({ "type": "bigint" }), json!(7)),
        ("decimal", json!({ "type": "decimal", "precision": 2 }), json!(7.50)),
        ("double", json!({ "type": "double" }), json!(0.25)),
        ("money", json!({ "type": "money" }), json!(7.0)),
        ("picklist", json!({ "type": "picklist", "options": options }), json!(7)),
        (
            "multi",
            json!({ "type": "multi_select", "options": options }),
            json!("1,7"),
        ),
        (
            "datetime",
            json!({ "type": "date_time" }),
            json!("2026-01-31T21:59:01Z"),
        ),
        ("date", json!({ "type": "date" }), json!("2026-01-31")),
        (
            "guid",
            json!({ "type": "unique_identifier" }),
            json!("6F0CBD41-0000-4000-8000-000000000001"),
        ),
    ]
}

/// Fields of every type.
fn fields() -> Vec<(&'static str, Value)> {
    let values = json!([["7", "Seven"], ["true", "Yes"], ["one", "One"]]);
    vec![
        ("String", json!({ "type": "string", "length": 60 })),
        ("Memo", json!({ "type": "memo" })),
        ("Boolean", json!({ "type": "boolean" })),
        ("Byte", json!({ "type": "byte" })),
        ("Short", json!({ "type": "short" })),
        ("Long", json!({ "type": "long" })),
        ("Int64", json!({ "type": "int64" })),
        ("Float", json!({ "type": "float" })),
        ("Double", json!({ "type": "double" })),
        ("Date", json!({ "type": "date" })),
        ("DateTime", json!({ "type": "datetime" })),
        ("Enumeration", json!({ "type": "enumeration", "values": values })),
    ]
}

fn named(name: &str, definition: &Value) -> Value {
    let mut definition = definition.clone();
    definition["name"] = json!(name);
    definition
}

fn pair_name(column: &str, field: &str) -> String {
    format!("cus_{column}_{field}")
}

/// A world with one table of columns of every type, and one resource with a field for each pair of types.
async fn world() -> anyhow::Result<World> {
    let world = World::start(WorldOptions {
        contacts: 0,
        ..WorldOptions::default()
    })
    .await?;
    let declared: Vec<Value> = columns()
        .iter()
        .map(|(name, definition, _)| named(&format!("new_{name}"), definition))
        .collect();
    world.add_table(json!({ "schema_name": "new_Every", "columns": declared }))?;
    let mut pairs = vec![json!({ "name": "cusId", "type": "string", "length": 36 })];
    for (column, _, _) in columns() {
        pairs.extend(
            fields()
                .iter()
                .map(|(field, definition)| named(&pair_name(column, field), definition)),
        );
    }
    world.add_resource(json!({
        "name": "cusEvery", "fields": pairs, "keys": [{ "name": "cusId", "fields": ["cusId"] }],
    }))?;
    Ok(world)
}

fn mapping(pairs: &[(&str, &str)]) -> Mapping {
    Mapping {
        dynamics_table: "new_every".to_owned(),
        campaign_resource: "cusEvery".to_owned(),
        key: Some(field("new_everyid", "cusId")),
        fields: pairs
            .iter()
            .map(|(column, target)| field(&format!("new_{column}"), &pair_name(column, target)))
            .collect(),
        options: Some(MappingOptions {
            choices: ChoiceForm::Label.into(),
            ..MappingOptions::default()
        }),
        ..Mapping::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_converted_into_every_type_it_can_be_and_refused_for_the_others() -> anyhow::Result<()> {
    let mut world = world().await?;
    let mut api = world.api(0)?;
    let (columns, fields) = (columns(), fields());
    let pairs: Vec<(&str, &str)> = columns
        .iter()
        .flat_map(|(column, ..)| fields.iter().map(move |(field, _)| (*column, *field)))
        .collect();

    // All pairs at once; those that cannot be are named, as many as an answer carries, until none is left.
    let mut possible = pairs.clone();
    let mut refused = Vec::new();
    while let Err(refusal) = api.add_mapping(mapping(&possible)).await {
        let details = refusal
            .get_details_bad_request()
            .with_context(|| format!("the fields are named in {refusal:?}"))?;
        let is_named = |place: usize| {
            let name = format!("fields[{place}]");
            let mut violations = details.field_violations.iter();
            violations.any(|violation| violation.field.contains(&name) && violation.reason == "INCOMPATIBLE_TYPES")
        };
        let named: Vec<_> = (0..possible.len()).filter(|place| is_named(*place)).collect();
        anyhow::ensure!(!named.is_empty(), "{refusal:?}");
        refused.extend(named.iter().map(|place| possible[*place]));
        possible.retain(|pair| !refused.contains(pair));
    }
    let id = Uuid::from_u128(7);
    let mut row = json!({ "new_everyid": id });
    for (name, _, value) in &columns {
        row[format!("new_{name}")] = value.clone();
    }
    world.add_row("new_every", &row)?;
    let previewed = api
        .mappings
        .preview_mapping(PreviewMappingRequest {
            name: "instances/demo/workflows/ingress/mappings/new-every".to_owned(),
            mapping: None,
            records: Some(Records::RecordId(id.to_string())),
        })
        .await?
        .into_inner()
        .previews
        .remove(0);
    // What this value cannot be is a rejection of the record with the field's name; the rest is written.
    let faulty: Vec<&str> = previewed
        .errors
        .iter()
        .map(|fault| fault.campaign_field.as_str())
        .collect();
    let written: Vec<_> = possible
        .iter()
        .copied()
        .filter(|(column, target)| !faulty.contains(&pair_name(column, target).as_str()))
        .collect();
    let name = "instances/demo/workflows/ingress/mappings/new-every";
    api.edit(name, |edited| edited.fields = mapping(&written).fields)
        .await?;
    world.start_ingress().await?;
    let record = eventually("the record", PATIENCE, || async { world.record("cusEvery", id) }).await?;

    let cell = |column: &str, target: &str| {
        let name = pair_name(column, target);
        if refused.contains(&(column, target)) {
            return "–".to_owned();
        }
        match previewed.errors.iter().find(|fault| fault.campaign_field == name) {
            Some(fault) => fault.code.clone(),
            None => format!("`{}`", record[&name]),
        }
    };
    let mut table = format!(
        "| column, value | {} |\n",
        fields.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" | ")
    );
    writeln!(table, "|---|{}", "---|".repeat(fields.len()))?;
    for (column, _, value) in &columns {
        let cells: Vec<String> = fields.iter().map(|(target, _)| cell(column, target)).collect();
        writeln!(table, "| {column}, `{value}` | {} |", cells.join(" | "))?;
    }
    assert!(
        PAGE.contains(&table),
        "docs/type-conversions.md is to hold this table:\n{table}"
    );
    Ok(())
}

/// Column, operator, values, and which of three rows pass: the one with the values above, one with others, one with none.
const OPERATORS: [(&str, Operator, &[&str], [bool; 3]); 40] = [
    ("string", Operator::Equals, &["7"], [true, false, false]),
    ("string", Operator::Equals, &["APPLE TREE"], [false, true, false]),
    ("string", Operator::NotEquals, &["7"], [false, true, true]),
    ("string", Operator::Contains, &["le t"], [false, true, false]),
    ("string", Operator::BeginsWith, &["app"], [false, true, false]),
    ("string", Operator::EndsWith, &["Tree"], [false, true, false]),
    ("string", Operator::IsEmpty, &[], [false, false, true]),
    ("string", Operator::IsNotEmpty, &[], [true, true, false]),
    ("string", Operator::In, &["7", "8"], [true, false, false]),
    ("memo", Operator::Contains, &["01-31"], [true, false, false]),
    ("boolean", Operator::Equals, &["true"], [true, false, false]),
    ("boolean", Operator::Equals, &["No"], [false, true, true]),
    ("boolean", Operator::NotEquals, &["Yes"], [false, true, true]),
    ("integer", Operator::Less, &["8"], [true, false, false]),
    ("integer", Operator::LessOrEqual, &["7"], [true, false, false]),
    ("integer", Operator::Greater, &["7"], [false, true, false]),
    ("integer", Operator::GreaterOrEqual, &["7"], [true, true, false]),
    ("integer", Operator::Equals, &["70"], [false, true, false]),
    ("integer", Operator::In, &["1", "70"], [false, true, false]),
    ("bigint", Operator::Greater, &["9"], [false, true, false]),
    ("decimal", Operator::Equals, &["7.5"], [true, false, false]),
    ("decimal", Operator::Greater, &["7.49"], [true, true, false]),
    ("double", Operator::LessOrEqual, &["0.25"], [true, false, false]),
    ("money", Operator::GreaterOrEqual, &["7"], [true, true, false]),
    ("picklist", Operator::Equals, &["7"], [true, false, false]),
    ("picklist", Operator::Equals, &["Seven"], [true, false, false]),
    ("picklist", Operator::NotEquals, &["Seven"], [false, true, true]),
    ("picklist", Operator::In, &["One", "Seven"], [true, true, false]),
    ("picklist", Operator::IsEmpty, &[], [false, false, true]),
    ("multi", Operator::Equals, &["7,1"], [true, false, false]),
    ("multi", Operator::Contains, &["Seven"], [true, false, false]),
    ("multi", Operator::In, &["One"], [true, true, false]),
    ("datetime", Operator::Equals, &["2026-01-31"], [true, false, false]),
    (
        "datetime",
        Operator::Less,
        &["2026-01-31T22:00:00Z"],
        [true, false, false],
    ),
    ("datetime", Operator::Greater, &["2026-01-31"], [false, true, false]),
    ("date", Operator::Equals, &["2026-01-31"], [true, false, false]),
    ("date", Operator::GreaterOrEqual, &["2026-01-31"], [true, true, false]),
    (
        "date",
        Operator::In,
        &["2026-02-01", "2026-02-02"],
        [false, true, false],
    ),
    (
        "guid",
        Operator::Equals,
        &["6f0cbd41-0000-4000-8000-000000000001"],
        [true, false, false],
    ),
    ("guid", Operator::IsEmpty, &[], [false, true, true]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_operator_compares_by_the_type_of_its_column() -> anyhow::Result<()> {
    let world = world().await?;
    let mut api = world.api(0)?;
    api.add_mapping(mapping(&[("string", "String")])).await?;
    let mut first = json!({ "new_everyid": Uuid::from_u128(1) });
    for (name, _, value) in columns() {
        first[format!("new_{name}")] = value;
    }
    let second = json!({
        "new_everyid": Uuid::from_u128(2), "new_string": "Apple tree", "new_memo": "nothing", "new_boolean": false,
        "new_integer": 70, "new_bigint": 10, "new_decimal": 9, "new_double": 1.5, "new_money": 8, "new_picklist": 1,
        "new_multi": "1", "new_datetime": "2026-02-01T08:00:00Z", "new_date": "2026-02-01",
    });
    for row in [first, second, json!({ "new_everyid": Uuid::from_u128(3) })] {
        world.add_row("new_every", &row)?;
    }
    for (column, operator, values, wanted) in OPERATORS {
        let mut tried = mapping(&[("string", "String")]);
        tried.filter = Some(Filter {
            conditions: vec![Condition {
                dynamics_field: format!("new_{column}"),
                operator: operator.into(),
                values: values.iter().map(|value| (*value).to_owned()).collect(),
            }],
            ..Filter::default()
        });
        let request = PreviewMappingRequest {
            name: "instances/demo/workflows/ingress/mappings/new-every".to_owned(),
            mapping: Some(tried),
            records: Some(Records::SampleSize(3)),
        };
        let previews = api.mappings.preview_mapping(request).await?.into_inner().previews;
        let passes = |number: u128| {
            let id = Uuid::from_u128(number).to_string();
            let preview = previews.iter().find(|preview| preview.record_id == id);
            preview.is_some_and(|preview| preview.effect() != Effect::Filtered)
        };
        let found = [passes(1), passes(2), passes(3)];
        assert_eq!(found, wanted, "{column} {operator:?} {values:?}");
    }
    Ok(())
}
