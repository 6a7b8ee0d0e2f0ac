//! A mapping as people read it.

use std::collections::HashMap;

use crosswalk_proto::v1::{
    Condition, FieldMapping, Filter, GetTableRequest, Mapping, MappingOptions, System, filter::Combination,
};
use jiff::Timestamp;

use crate::{
    changes::mapping_settings,
    connection::Connection,
    names::id_of,
    output::{DASH, ago_or_dash, details, notice, table},
};

/// The types of a mapping's fields, on both sides; empty where a catalog could not be read.
#[derive(Debug, Default)]
pub(crate) struct FieldTypes {
    dynamics: HashMap<String, String>,
    campaign: HashMap<String, String>,
}

impl FieldTypes {
    /// Asks the catalogs; what they do not tell is told to be missing.
    pub(crate) async fn of(connection: &Connection, mapping: &Mapping) -> Self {
        Self {
            dynamics: types(connection, System::Dynamics, &mapping.dynamics_table).await,
            campaign: types(connection, System::Campaign, &mapping.campaign_resource).await,
        }
    }

    fn show(types: &HashMap<String, String>, field: &str) -> String {
        types.get(field).map_or_else(|| DASH.to_owned(), Clone::clone)
    }
}

async fn types(connection: &Connection, system: System, table_id: &str) -> HashMap<String, String> {
    let request = GetTableRequest {
        parent: connection.instance().into(),
        system: system.into(),
        table_id: table_id.to_owned(),
        refresh: false,
    };
    match connection.catalog().get_table(request).await {
        Ok(table) => {
            let fields = table.into_inner().fields.into_iter();
            fields.map(|field| (field.field_id, field.r#type)).collect()
        }
        Err(status) => {
            notice(format_args!(
                "the types of {table_id} are not known: {}",
                status.message()
            ));
            HashMap::new()
        }
    }
}

/// All about one mapping.
pub(crate) fn whole(mapping: &Mapping, types: &FieldTypes) -> String {
    let now = Timestamp::now();
    let replay = mapping.pending_replay.as_ref().map_or_else(String::new, |replay| {
        let all = if replay.force { ", of all records" } else { "" };
        let when = if replay.started {
            "as soon as the reader comes to it"
        } else {
            "at the next start"
        };
        let asked = ago_or_dash(replay.request_time.as_ref(), now);
        format!("{when}{all}, asked for {asked}")
    });
    let lines = |lines: Vec<String>| lines.join("\n");
    let mut rows = vec![
        ("Mapping", id_of(&mapping.name).to_owned()),
        ("Dynamics table", mapping.dynamics_table.clone()),
        ("Campaign resource", mapping.campaign_resource.clone()),
        ("Filter", filter(mapping.filter.as_ref())),
        ("Options", options(mapping)),
        (
            "Loaded after",
            lines(
                mapping
                    .links
                    .iter()
                    .map(|link| format!("{}, by {}", link.dynamics_table, link.dynamics_field))
                    .collect(),
            ),
        ),
        ("Replay", replay),
        (
            "Warnings",
            lines(mapping.warnings.iter().map(|warning| warning.message.clone()).collect()),
        ),
        ("Created", ago_or_dash(mapping.create_time.as_ref(), now)),
        ("Updated", ago_or_dash(mapping.update_time.as_ref(), now)),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    let mut text = format!("{}\n\n{}", details(rows), fields(mapping, types));
    if !mapping.replacements.is_empty() {
        let replacements = mapping.replacements.iter().map(|one| {
            [
                one.dynamics_field.clone(),
                quoted(&one.existing_value),
                quoted(&one.new_value),
            ]
        });
        let replacements = table(["DYNAMICS FIELD", "EXISTING VALUE", "NEW VALUE"], replacements);
        text.push_str(&format!("\n\n{replacements}"));
    }
    text
}

fn fields(mapping: &Mapping, types: &FieldTypes) -> String {
    let key = mapping.key.iter().map(|key| (key, "key".to_owned()));
    let others = mapping.fields.iter().map(|field| (field, updates(field).to_owned()));
    let rows = key.chain(others).map(|(field, updates)| {
        [
            field.dynamics_field.clone(),
            FieldTypes::show(&types.dynamics, &field.dynamics_field),
            field.campaign_field.clone(),
            FieldTypes::show(&types.campaign, &field.campaign_field),
            updates,
        ]
    });
    table(["DYNAMICS FIELD", "TYPE", "CAMPAIGN FIELD", "TYPE", "UPDATES"], rows)
}

/// Whether later changes are written.
pub(crate) fn updates(field: &FieldMapping) -> &'static str {
    if field.apply_updates.unwrap_or(true) {
        "yes"
    } else {
        "no"
    }
}

/// A filter in words.
pub(crate) fn filter(filter: Option<&Filter>) -> String {
    let Some(filter) = filter.filter(|filter| !filter.conditions.is_empty()) else {
        return String::new();
    };
    let glue = match filter.combination() {
        Combination::Or => " or ",
        Combination::Unspecified | Combination::And => " and ",
    };
    let conditions: Vec<String> = filter.conditions.iter().map(condition).collect();
    let deletes = if filter.delete_filtered {
        "; what does not pass any more is deleted"
    } else {
        ""
    };
    format!("{}{deletes}", conditions.join(glue))
}

/// A condition in words.
pub(crate) fn condition(condition: &Condition) -> String {
    let operator = condition.operator().as_str_name();
    let operator = operator
        .trim_start_matches("OPERATOR_")
        .to_lowercase()
        .replace('_', " ");
    let values: Vec<String> = condition.values.iter().map(|value| quoted(value)).collect();
    format!("{} {operator} {}", condition.dynamics_field, values.join(", "))
        .trim_end()
        .to_owned()
}

fn quoted(value: &str) -> String {
    format!("`{value}`")
}

/// The options that are not at their defaults.
fn options(mapping: &Mapping) -> String {
    let defaults = mapping_settings(&Mapping {
        options: Some(MappingOptions::default()),
        ..mapping.clone()
    });
    let differing: Vec<_> = mapping_settings(mapping)
        .into_iter()
        .filter(|setting| !defaults.contains(setting))
        .map(|(path, value)| format!("{} = {value}", path.trim_start_matches("options.")))
        .collect();
    if differing.is_empty() {
        "defaults".to_owned()
    } else {
        differing.join("\n")
    }
}
