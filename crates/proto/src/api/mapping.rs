//! Table mappings.

use crosswalk_core::{
    InstanceId, MappingId, ResourceName, control,
    mapping::{
        ChoiceForm, Combination, Condition, EmptyValue, FieldMapping, Filter, KeyMapping, MappedTypes, MappingOptions,
        Operator, OverLong, Replacement, TableMapping,
        guardrails::{Warning, mapping_warnings},
    },
};

use super::timestamp;
use crate::v1::{self, mapping_options as wire};

/// A mapping as the API shows it. Whether a replay is pending is told by the reader's position, not by the mapping.
#[must_use]
pub fn mapping(
    instance: &InstanceId,
    id: &MappingId,
    mapping: &control::Mapping,
    pending_replay: Option<v1::PendingReplay>,
) -> v1::Mapping {
    let TableMapping {
        source_table,
        target_resource,
        key,
        fields,
        replacements,
        filter,
        links,
        types: _,
        options,
    } = &*mapping.definition;
    let name = ResourceName::Mapping {
        instance: instance.clone(),
        mapping: id.clone(),
    };
    v1::Mapping {
        name: name.to_string(),
        dynamics_table: source_table.clone(),
        campaign_resource: target_resource.clone(),
        key: Some(v1::FieldMapping {
            dynamics_field: key.source.clone(),
            campaign_field: key.target.clone(),
            apply_updates: None,
        }),
        fields: fields.iter().map(field).collect(),
        replacements: replacements.iter().map(replacement).collect(),
        filter: Some(to_filter(filter)),
        links: links
            .iter()
            .map(|link| v1::Link {
                dynamics_field: link.source.clone(),
                dynamics_table: link.table.clone(),
            })
            .collect(),
        pending_replay,
        warnings: mapping_warnings(&mapping.definition).iter().map(warning).collect(),
        options: Some(to_options(*options)),
        create_time: Some(timestamp(mapping.created)),
        update_time: Some(timestamp(mapping.updated)),
        etag: mapping.etag.to_string(),
    }
}

/// A replay that has not begun, as the API shows it. `started`: the present run is to do it.
#[must_use]
pub fn pending_replay(replay: &control::Replay, started: bool) -> v1::PendingReplay {
    v1::PendingReplay {
        request_time: Some(timestamp(replay.requested)),
        force: replay.force,
        started,
    }
}

fn field(field: &FieldMapping) -> v1::FieldMapping {
    v1::FieldMapping {
        dynamics_field: field.source.clone(),
        campaign_field: field.target.clone(),
        apply_updates: Some(field.apply_updates),
    }
}

fn replacement(replacement: &Replacement) -> v1::Replacement {
    v1::Replacement {
        dynamics_field: replacement.source.clone(),
        existing_value: replacement.existing.clone(),
        new_value: replacement.new.clone(),
    }
}

/// A warning as the API shows it.
pub(super) fn warning(warning: &Warning) -> v1::Warning {
    v1::Warning {
        code: warning.code.to_owned(),
        message: warning.message.clone(),
        actual: warning.actual,
        limit: warning.limit,
    }
}

fn to_filter(filter: &Filter) -> v1::Filter {
    let combination = match filter.combination {
        Combination::And => v1::filter::Combination::And,
        Combination::Or => v1::filter::Combination::Or,
    };
    v1::Filter {
        combination: combination.into(),
        conditions: filter
            .conditions
            .iter()
            .map(|condition| v1::Condition {
                dynamics_field: condition.source.clone(),
                operator: to_operator(condition.operator).into(),
                values: condition.values.clone(),
            })
            .collect(),
        delete_filtered: filter.delete_filtered,
    }
}

const fn to_operator(operator: Operator) -> v1::condition::Operator {
    use v1::condition::Operator as Wire;
    match operator {
        Operator::Equals => Wire::Equals,
        Operator::NotEquals => Wire::NotEquals,
        Operator::Less => Wire::Less,
        Operator::LessOrEqual => Wire::LessOrEqual,
        Operator::Greater => Wire::Greater,
        Operator::GreaterOrEqual => Wire::GreaterOrEqual,
        Operator::Contains => Wire::Contains,
        Operator::BeginsWith => Wire::BeginsWith,
        Operator::EndsWith => Wire::EndsWith,
        Operator::IsEmpty => Wire::IsEmpty,
        Operator::IsNotEmpty => Wire::IsNotEmpty,
        Operator::In => Wire::In,
    }
}

/// The domain's operator; `None` if it is none of this release.
const fn from_operator(operator: v1::condition::Operator) -> Option<Operator> {
    use v1::condition::Operator as Wire;
    Some(match operator {
        Wire::Equals => Operator::Equals,
        Wire::NotEquals => Operator::NotEquals,
        Wire::Less => Operator::Less,
        Wire::LessOrEqual => Operator::LessOrEqual,
        Wire::Greater => Operator::Greater,
        Wire::GreaterOrEqual => Operator::GreaterOrEqual,
        Wire::Contains => Operator::Contains,
        Wire::BeginsWith => Operator::BeginsWith,
        Wire::EndsWith => Operator::EndsWith,
        Wire::IsEmpty => Operator::IsEmpty,
        Wire::IsNotEmpty => Operator::IsNotEmpty,
        Wire::In => Operator::In,
        Wire::Unspecified => return None,
    })
}

fn to_options(options: MappingOptions) -> v1::MappingOptions {
    let over_long = match options.over_long {
        OverLong::Reject => wire::OverLong::Reject,
        OverLong::Truncate => wire::OverLong::Truncate,
    };
    let choices = match options.choices {
        ChoiceForm::TechnicalValue => wire::ChoiceForm::TechnicalValue,
        ChoiceForm::Label => wire::ChoiceForm::Label,
    };
    let empty = match options.empty {
        EmptyValue::Clear => wire::EmptyValue::Clear,
        EmptyValue::Leave => wire::EmptyValue::Leave,
    };
    v1::MappingOptions {
        apply_deletes: options.apply_deletes,
        over_long: over_long.into(),
        choices: choices.into(),
        empty: empty.into(),
    }
}

/// Values of enumerations that this release does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown values in {}", fields.join(", "))]
pub struct UnknownValues {
    /// The fields that hold them, e.g. `over_long` or `conditions[2].operator`.
    pub fields: Vec<String>,
}

/// The domain's filter.
///
/// # Errors
/// If a value is not known.
pub fn filter(message: v1::Filter) -> Result<Filter, UnknownValues> {
    let mut fields = Vec::new();
    let combination = match v1::filter::Combination::try_from(message.combination) {
        Ok(v1::filter::Combination::Or) => Combination::Or,
        Ok(v1::filter::Combination::Unspecified | v1::filter::Combination::And) => Combination::And,
        Err(_) => unknown("combination", &mut fields),
    };
    let mut conditions = Vec::with_capacity(message.conditions.len());
    for (place, condition) in message.conditions.into_iter().enumerate() {
        let operator = v1::condition::Operator::try_from(condition.operator);
        match operator.ok().and_then(from_operator) {
            Some(operator) => conditions.push(Condition {
                source: condition.dynamics_field,
                operator,
                values: condition.values,
            }),
            None => fields.push(format!("conditions[{place}].operator")),
        }
    }
    if fields.is_empty() {
        Ok(Filter {
            combination,
            conditions,
            delete_filtered: message.delete_filtered,
        })
    } else {
        Err(UnknownValues { fields })
    }
}

/// The domain's options; what is not set has its default.
///
/// # Errors
/// If a value is not known.
pub fn options(message: &v1::MappingOptions) -> Result<MappingOptions, UnknownValues> {
    let mut fields = Vec::new();
    let over_long = match wire::OverLong::try_from(message.over_long) {
        Ok(wire::OverLong::Truncate) => OverLong::Truncate,
        Ok(wire::OverLong::Unspecified | wire::OverLong::Reject) => OverLong::Reject,
        Err(_) => unknown("over_long", &mut fields),
    };
    let choices = match wire::ChoiceForm::try_from(message.choices) {
        Ok(wire::ChoiceForm::Label) => ChoiceForm::Label,
        Ok(wire::ChoiceForm::Unspecified | wire::ChoiceForm::TechnicalValue) => ChoiceForm::TechnicalValue,
        Err(_) => unknown("choices", &mut fields),
    };
    let empty = match wire::EmptyValue::try_from(message.empty) {
        Ok(wire::EmptyValue::Leave) => EmptyValue::Leave,
        Ok(wire::EmptyValue::Unspecified | wire::EmptyValue::Clear) => EmptyValue::Clear,
        Err(_) => unknown("empty", &mut fields),
    };
    if fields.is_empty() {
        Ok(MappingOptions {
            apply_deletes: message.apply_deletes,
            over_long,
            choices,
            empty,
        })
    } else {
        Err(UnknownValues { fields })
    }
}

fn unknown<T: Default>(field: &str, fields: &mut Vec<String>) -> T {
    fields.push(field.to_owned());
    T::default()
}

/// The domain's definition of a mapping, word for word: nothing is checked, and what is missing is empty.
#[must_use]
pub fn definition(message: v1::Mapping, options: MappingOptions, filter: Filter) -> TableMapping {
    let key = message.key.unwrap_or_default();
    let field = |one: v1::FieldMapping| FieldMapping {
        source: one.dynamics_field,
        target: one.campaign_field,
        apply_updates: one.apply_updates.unwrap_or(true),
    };
    let replacement = |one: v1::Replacement| Replacement {
        source: one.dynamics_field,
        existing: one.existing_value,
        new: one.new_value,
    };
    TableMapping {
        source_table: message.dynamics_table,
        target_resource: message.campaign_resource,
        key: KeyMapping {
            source: key.dynamics_field,
            target: key.campaign_field,
        },
        fields: message.fields.into_iter().map(field).collect(),
        replacements: message.replacements.into_iter().map(replacement).collect(),
        filter,
        // Told by metadata, never by whoever sends a mapping.
        links: Vec::new(),
        types: MappedTypes::default(),
        options,
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::{
        control::{EntryId, Etag, LogOffset},
        mapping::default_contact_mapping,
    };
    use jiff::Timestamp;

    use super::*;

    fn shown(definition: TableMapping) -> v1::Mapping {
        let stored = control::Mapping {
            definition: definition.into(),
            uid: EntryId(uuid::Uuid::nil()),
            etag: Etag(LogOffset(7)),
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
            replay: None,
        };
        mapping(&"demo".parse().unwrap(), &"contact".parse().unwrap(), &stored, None)
    }

    #[test]
    fn a_mapping_comes_back_as_it_was_shown() {
        let mut definition = default_contact_mapping();
        definition.fields[3].apply_updates = false;
        definition.replacements = vec![Replacement {
            source: "gendercode".into(),
            existing: "1".into(),
            new: "male".into(),
        }];
        definition.filter = Filter {
            combination: Combination::Or,
            conditions: Operator::ALL
                .into_iter()
                .map(|operator| Condition {
                    source: "statecode".into(),
                    operator,
                    values: vec!["0".into()],
                })
                .collect(),
            delete_filtered: true,
        };
        for (over_long, choices, empty) in [
            (OverLong::Reject, ChoiceForm::TechnicalValue, EmptyValue::Clear),
            (OverLong::Truncate, ChoiceForm::Label, EmptyValue::Leave),
        ] {
            definition.options = MappingOptions {
                apply_deletes: true,
                over_long,
                choices,
                empty,
            };
            let message = shown(definition.clone());
            let options = options(message.options.as_ref().unwrap()).unwrap();
            let filter = filter(message.filter.clone().unwrap()).unwrap();
            assert_eq!(super::definition(message, options, filter), definition);
        }
    }

    #[test]
    fn every_unknown_option_is_named() {
        let message = v1::MappingOptions {
            apply_deletes: false,
            over_long: 9,
            choices: 1,
            empty: -1,
        };
        assert_eq!(options(&message).unwrap_err().fields, ["over_long", "empty"]);
    }

    #[test]
    fn names_and_etags_are_those_of_the_log() {
        let message = shown(default_contact_mapping());
        assert_eq!(message.name, "instances/demo/workflows/ingress/mappings/contact");
        assert_eq!(message.etag, "7");
    }
}
