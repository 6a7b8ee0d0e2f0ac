//! What differs between a draft and a running configuration, in words for people.

use std::collections::BTreeMap;

use super::{Configuration, InstanceSettings, PinnedMapping};
use crate::{
    SealedSecret,
    mapping::{Condition, FieldMapping, Filter, KeyMapping, TableMapping},
};

/// One setting that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it stands, e.g. `mappings/contact/fields/email`.
    pub path: String,
    /// What the draft says; `None`: it is not there.
    pub draft: Option<String>,
    /// What the running configuration says; `None`: it is not there.
    pub running: Option<String>,
}

/// All differences between two configurations, by path. Empty if and only if the configurations are equal.
///
/// Secrets are never shown, only that one differs.
#[must_use]
pub fn differences(draft: &Configuration, running: &Configuration) -> Vec<Difference> {
    let (draft_lines, mut running_lines) = (lines(draft), lines(running));
    let mut found = Vec::new();
    for (path, value) in draft_lines {
        let other = running_lines.remove(&path);
        if other.as_ref() != Some(&value) {
            found.push(Difference {
                path,
                draft: Some(value.shown),
                running: other.map(|line| line.shown),
            });
        }
    }
    found.extend(running_lines.into_iter().map(|(path, line)| Difference {
        path,
        draft: None,
        running: Some(line.shown),
    }));
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// One setting: what is compared, and what may be shown of it.
#[derive(PartialEq)]
struct Line {
    /// The parts of the value, apart: joined, two values could come to the same text.
    compared: Vec<String>,
    shown: String,
}

type Lines = BTreeMap<String, Line>;

fn lines(configuration: &Configuration) -> Lines {
    let mut lines = Lines::new();
    add_settings(&mut lines, &configuration.settings);
    for mapping in &configuration.mappings {
        add_mapping(&mut lines, mapping);
    }
    lines
}

fn add(lines: &mut Lines, path: impl Into<String>, value: impl Into<String>) {
    let shown: String = value.into();
    add_parts(lines, path, vec![shown.clone()], shown);
}

fn add_parts(lines: &mut Lines, path: impl Into<String>, compared: Vec<String>, shown: impl Into<String>) {
    lines.insert(
        path.into(),
        Line {
            compared,
            shown: shown.into(),
        },
    );
}

fn add_settings(lines: &mut Lines, settings: &InstanceSettings) {
    let InstanceSettings {
        display_name,
        dynamics,
        campaign,
    } = settings;
    add(lines, "instance/display_name", display_name);
    add(lines, "instance/dynamics/environment_url", &dynamics.environment_url);
    add(lines, "instance/dynamics/authority_url", &dynamics.authority_url);
    add(lines, "instance/dynamics/tenant_id", &dynamics.tenant_id);
    add(lines, "instance/dynamics/client_id", &dynamics.client_id);
    add_parts(
        lines,
        "instance/dynamics/client_secret",
        sealed(&dynamics.client_secret),
        "(secret)",
    );
    add(lines, "instance/campaign/api_url", &campaign.api_url);
    add(lines, "instance/campaign/organization", &campaign.organization);
    add(lines, "instance/campaign/ims_url", &campaign.ims_url);
    add(lines, "instance/campaign/client_id", &campaign.client_id);
    add_parts(
        lines,
        "instance/campaign/client_secret",
        sealed(&campaign.client_secret),
        "(secret)",
    );
    add_parts(
        lines,
        "instance/campaign/scopes",
        campaign.scopes.clone(),
        campaign.scopes.join(", "),
    );
}

fn sealed(secret: &SealedSecret) -> Vec<String> {
    vec![
        secret.key_id.clone(),
        format!("{:?}", secret.nonce),
        format!("{:?}", secret.ciphertext),
    ]
}

fn add_mapping(lines: &mut Lines, mapping: &PinnedMapping) {
    let at = format!("mappings/{}", mapping.id);
    let definition = &*mapping.definition;
    let (source, target) = (&definition.source_table, &definition.target_resource);
    add_parts(
        lines,
        format!("{at}/tables"),
        vec![source.clone(), target.clone(), mapping.uid.0.to_string()],
        format!("{source} to {target}"),
    );
    let KeyMapping { source, target } = &definition.key;
    add_parts(
        lines,
        format!("{at}/key"),
        vec![source.clone(), target.clone()],
        format!("{source} to {target}"),
    );
    add_fields(lines, &at, &definition.fields);
    add_replacements(lines, &at, definition);
    add_filter(lines, &at, &definition.filter);
    let links: Vec<String> = definition
        .links
        .iter()
        .map(|link| format!("{} to {}", link.source, link.table))
        .collect();
    let shown = links.join(", ");
    add_parts(lines, format!("{at}/links"), links, shown);
    for (side, types) in [
        ("columns", &definition.types.columns),
        ("fields", &definition.types.fields),
    ] {
        for known in types {
            add(
                lines,
                format!("{at}/types/{side}/{}", known.name),
                known.type_name.clone(),
            );
        }
    }
    if let Some(replay) = &mapping.replay {
        let shown = if replay.force {
            "asked for, of all records"
        } else {
            "asked for"
        };
        add_parts(lines, format!("{at}/replay"), vec![replay.id.0.to_string()], shown);
    }
    let options = definition.options;
    add(
        lines,
        format!("{at}/options/apply_deletes"),
        options.apply_deletes.to_string(),
    );
    add(
        lines,
        format!("{at}/options/over_long"),
        format!("{:?}", options.over_long),
    );
    add(lines, format!("{at}/options/choices"), format!("{:?}", options.choices));
    add(lines, format!("{at}/options/empty"), format!("{:?}", options.empty));
}

fn add_fields(lines: &mut Lines, at: &str, fields: &[FieldMapping]) {
    // By target, as the screen shows them. A draft that was never validated may name a target twice.
    let mut sources: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for field in fields {
        let suffix = if field.apply_updates { "" } else { " (without updates)" };
        let source = format!("{}{suffix}", field.source);
        sources.entry(&field.target).or_default().push(source);
    }
    for (target, sources) in sources {
        let shown = sources.join(", ");
        add_parts(lines, format!("{at}/fields/{target}"), sources, shown);
    }
    let order: Vec<String> = fields.iter().map(|field| field.target.clone()).collect();
    let shown = counted(order.len(), "field");
    add_parts(lines, format!("{at}/order"), order, shown);
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn add_replacements(lines: &mut Lines, at: &str, definition: &TableMapping) {
    // By what is replaced; a draft that was never validated may name a value twice.
    let mut new_values: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for one in &definition.replacements {
        let new_values = new_values.entry((&one.source, &one.existing)).or_default();
        new_values.push(one.new.clone());
    }
    for ((source, existing), new_values) in new_values {
        let shown = new_values.join(", ");
        add_parts(
            lines,
            format!("{at}/replacements/{source}/{existing}"),
            new_values,
            shown,
        );
    }
    let order = definition.replacements.iter();
    let order: Vec<String> = order
        .flat_map(|one| [one.source.clone(), one.existing.clone()])
        .collect();
    let shown = counted(definition.replacements.len(), "replacement");
    add_parts(lines, format!("{at}/replacements"), order, shown);
}

fn add_filter(lines: &mut Lines, at: &str, filter: &Filter) {
    for (place, condition) in filter.conditions.iter().enumerate() {
        let Condition {
            source,
            operator,
            values,
        } = condition;
        let mut parts = vec![source.clone(), operator.name().to_owned()];
        parts.extend(values.iter().cloned());
        let shown = format!("{source} {} {}", operator.name(), values.join(", "));
        add_parts(lines, format!("{at}/filter/{}", place + 1), parts, shown.trim_end());
    }
    let combination = format!("{:?}", filter.combination);
    add(lines, format!("{at}/filter/combination"), combination);
    add(
        lines,
        format!("{at}/filter/delete_filtered"),
        filter.delete_filtered.to_string(),
    );
}
