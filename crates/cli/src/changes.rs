//! What an edit changes, setting by setting.

use crosswalk_proto::v1::{
    CampaignConnection, DynamicsConnection, Instance, Mapping,
    filter::Combination,
    mapping_options::{ChoiceForm, EmptyValue, OverLong},
};
use serde::Serialize;

use crate::{
    commands::condition,
    output::{DASH, table},
};

/// The settings of a resource by path, in the order people expect them.
pub(crate) type Settings = Vec<(String, String)>;

/// One setting that changes.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

/// What changes from one state of a resource to another.
pub(crate) fn changes(before: &Settings, after: &Settings) -> Vec<Change> {
    let find = |settings: &Settings, path: &str| {
        settings
            .iter()
            .find(|(other, _)| other == path)
            .map(|(_, value)| value.clone())
    };
    let kept = before
        .iter()
        .map(|(path, value)| (path, Some(value.clone()), find(after, path)));
    let added = after
        .iter()
        .filter(|(path, _)| find(before, path).is_none())
        .map(|(path, value)| (path, None, Some(value.clone())));
    kept.chain(added)
        .filter(|(_, before, after)| before != after)
        .map(|(path, before, after)| Change {
            path: path.clone(),
            before,
            after,
        })
        .collect()
}

/// Changes as a table.
pub(crate) fn changes_table(changes: &[Change]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| DASH.to_owned());
    table(
        ["SETTING", "BEFORE", "AFTER"],
        changes
            .iter()
            .map(|change| [change.path.clone(), shown(&change.before), shown(&change.after)]),
    )
}

/// The settings of a mapping. Options that are not set count as their defaults.
pub(crate) fn mapping_settings(mapping: &Mapping) -> Settings {
    let mut settings = vec![
        ("dynamicsTable".to_owned(), mapping.dynamics_table.clone()),
        ("campaignResource".to_owned(), mapping.campaign_resource.clone()),
    ];
    if let Some(key) = &mapping.key {
        settings.push(("key.dynamicsField".to_owned(), key.dynamics_field.clone()));
        settings.push(("key.campaignField".to_owned(), key.campaign_field.clone()));
    }
    let fields = mapping.fields.iter();
    settings.extend(fields.map(|field| {
        (
            format!("fields[{}]", field.campaign_field),
            if field.apply_updates.unwrap_or(true) {
                field.dynamics_field.clone()
            } else {
                format!("{} (without updates)", field.dynamics_field)
            },
        )
    }));
    settings.extend(mapping.replacements.iter().map(|one| {
        (
            format!("replacements[{}][{}]", one.dynamics_field, one.existing_value),
            format!("`{}`", one.new_value),
        )
    }));
    settings.extend(filter_settings(mapping));
    settings.extend(option_settings(mapping));
    // A key column left to be detected is no setting.
    settings.retain(|(_, value)| !value.is_empty());
    settings
}

fn filter_settings(mapping: &Mapping) -> Settings {
    let filter = mapping.filter.clone().unwrap_or_default();
    if filter.conditions.is_empty() {
        return Settings::new();
    }
    let conditions = filter.conditions.iter().enumerate();
    let mut settings: Settings = conditions
        .map(|(place, one)| (format!("filter.conditions[{place}]"), condition(one)))
        .collect();
    let combination = match filter.combination() {
        Combination::Unspecified | Combination::And => Combination::And,
        Combination::Or => Combination::Or,
    };
    settings.push(("filter.combination".to_owned(), combination.as_str_name().to_owned()));
    settings.push(("filter.deleteFiltered".to_owned(), filter.delete_filtered.to_string()));
    settings
}

fn option_settings(mapping: &Mapping) -> [(String, String); 4] {
    let options = mapping.options.unwrap_or_default();
    let over_long = match options.over_long() {
        OverLong::Unspecified | OverLong::Reject => OverLong::Reject,
        OverLong::Truncate => OverLong::Truncate,
    };
    let choices = match options.choices() {
        ChoiceForm::Unspecified | ChoiceForm::TechnicalValue => ChoiceForm::TechnicalValue,
        ChoiceForm::Label => ChoiceForm::Label,
    };
    let empty = match options.empty() {
        EmptyValue::Unspecified | EmptyValue::Clear => EmptyValue::Clear,
        EmptyValue::Leave => EmptyValue::Leave,
    };
    [
        ("options.applyDeletes".to_owned(), options.apply_deletes.to_string()),
        ("options.overLong".to_owned(), over_long.as_str_name().to_owned()),
        ("options.choices".to_owned(), choices.as_str_name().to_owned()),
        ("options.empty".to_owned(), empty.as_str_name().to_owned()),
    ]
}

/// The change of order, if two states of a mapping have the same fields in another order. Order is what people see.
pub(crate) fn reordering(before: &Mapping, after: &Mapping) -> Option<Change> {
    let names = |mapping: &Mapping| {
        mapping
            .fields
            .iter()
            .map(|field| field.campaign_field.clone())
            .collect::<Vec<_>>()
    };
    let (before, after) = (names(before), names(after));
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    if before == after || sorted(before.clone()) != sorted(after.clone()) {
        return None;
    }
    Some(Change {
        path: "order of fields".to_owned(),
        before: Some(before.join(", ")),
        after: Some(after.join(", ")),
    })
}

/// The settings of an instance. Of a secret it is only told whether a new one is sent.
pub(crate) fn instance_settings(instance: &Instance) -> Settings {
    let mut settings = vec![("displayName".to_owned(), instance.display_name.clone())];
    if let Some(dynamics) = &instance.dynamics {
        settings.extend(dynamics_settings(dynamics));
    }
    if let Some(campaign) = &instance.campaign {
        settings.extend(campaign_settings(campaign));
    }
    settings.retain(|(_, value)| !value.is_empty());
    settings
}

fn dynamics_settings(dynamics: &DynamicsConnection) -> [(String, String); 5] {
    [
        ("dynamics.environmentUrl".to_owned(), dynamics.environment_url.clone()),
        ("dynamics.authorityUrl".to_owned(), dynamics.authority_url.clone()),
        ("dynamics.tenantId".to_owned(), dynamics.tenant_id.clone()),
        ("dynamics.clientId".to_owned(), dynamics.client_id.clone()),
        ("dynamics.clientSecret".to_owned(), secret(&dynamics.client_secret)),
    ]
}

fn campaign_settings(campaign: &CampaignConnection) -> [(String, String); 6] {
    [
        ("campaign.apiUrl".to_owned(), campaign.api_url.clone()),
        ("campaign.organization".to_owned(), campaign.organization.clone()),
        ("campaign.imsUrl".to_owned(), campaign.ims_url.clone()),
        ("campaign.clientId".to_owned(), campaign.client_id.clone()),
        ("campaign.clientSecret".to_owned(), secret(&campaign.client_secret)),
        ("campaign.scopes".to_owned(), campaign.scopes.join(", ")),
    ]
}

fn secret(value: &str) -> String {
    if value.is_empty() {
        String::new()
    } else {
        "(new secret)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_proto::v1::{FieldMapping, MappingOptions};

    use super::*;

    fn mapping(fields: &[(&str, &str)]) -> Mapping {
        let field = |(dynamics, campaign): &(&str, &str)| FieldMapping {
            apply_updates: None,
            dynamics_field: (*dynamics).to_owned(),
            campaign_field: (*campaign).to_owned(),
        };
        Mapping {
            fields: fields.iter().map(field).collect(),
            ..Mapping::default()
        }
    }

    #[test]
    fn added_removed_and_replaced_fields_are_told() {
        let before = mapping(&[("emailaddress1", "email"), ("telephone1", "phone")]);
        let after = mapping(&[("emailaddress2", "email"), ("firstname", "firstName")]);
        let told = changes(&mapping_settings(&before), &mapping_settings(&after));
        let change = |path: &str, before: Option<&str>, after: Option<&str>| Change {
            path: path.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        assert_eq!(
            told,
            [
                change("fields[email]", Some("emailaddress1"), Some("emailaddress2")),
                change("fields[phone]", Some("telephone1"), None),
                change("fields[firstName]", None, Some("firstname")),
            ]
        );
        assert_eq!(reordering(&before, &after), None);
    }

    #[test]
    fn options_left_out_are_their_defaults() {
        let explicit = Mapping {
            options: Some(MappingOptions {
                apply_deletes: false,
                over_long: OverLong::Reject.into(),
                choices: ChoiceForm::TechnicalValue.into(),
                empty: EmptyValue::Clear.into(),
            }),
            ..Mapping::default()
        };
        assert_eq!(mapping_settings(&Mapping::default()), mapping_settings(&explicit));
    }

    #[test]
    fn another_order_of_the_same_fields_is_a_change() {
        let before = mapping(&[("a", "x"), ("b", "y")]);
        let after = mapping(&[("b", "y"), ("a", "x")]);
        assert_eq!(changes(&mapping_settings(&before), &mapping_settings(&after)), []);
        let change = reordering(&before, &after).expect("the order differs");
        assert_eq!(
            (change.before.as_deref(), change.after.as_deref()),
            (Some("x, y"), Some("y, x"))
        );
        assert_eq!(reordering(&before, &before), None);
    }

    #[test]
    fn secrets_are_never_told() {
        let dynamics = DynamicsConnection {
            client_secret: "hunter2".to_owned(),
            ..DynamicsConnection::default()
        };
        let told = changes(
            &instance_settings(&Instance::default()),
            &instance_settings(&Instance {
                dynamics: Some(dynamics),
                ..Instance::default()
            }),
        );
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].after.as_deref(), Some("(new secret)"));
    }
}
