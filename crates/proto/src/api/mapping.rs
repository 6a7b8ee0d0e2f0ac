//! Table mappings.

use crosswalk_core::{
    InstanceId, MappingId, ResourceName, control,
    mapping::{ChoiceForm, EmptyValue, FieldMapping, KeyMapping, MappingOptions, OverLong, TableMapping},
};

use super::timestamp;
use crate::v1::{self, mapping_options as wire};

/// A mapping as the API shows it.
#[must_use]
pub fn mapping(instance: &InstanceId, id: &MappingId, mapping: &control::Mapping) -> v1::Mapping {
    let TableMapping {
        source_table,
        target_resource,
        key,
        fields,
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
        key: Some(field(&key.source, &key.target)),
        fields: fields.iter().map(|one| field(&one.source, &one.target)).collect(),
        options: Some(to_options(*options)),
        create_time: Some(timestamp(mapping.created)),
        update_time: Some(timestamp(mapping.updated)),
        etag: mapping.etag.to_string(),
    }
}

fn field(source: &str, target: &str) -> v1::FieldMapping {
    v1::FieldMapping {
        dynamics_field: source.to_owned(),
        campaign_field: target.to_owned(),
    }
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
    /// The fields that hold them, e.g. `over_long`.
    pub fields: Vec<&'static str>,
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

fn unknown<T: Default>(field: &'static str, fields: &mut Vec<&'static str>) -> T {
    fields.push(field);
    T::default()
}

/// The domain's definition of a mapping, word for word: nothing is checked, and what is missing is empty.
#[must_use]
pub fn definition(message: v1::Mapping, options: MappingOptions) -> TableMapping {
    let key = message.key.unwrap_or_default();
    let field = |one: v1::FieldMapping| FieldMapping {
        source: one.dynamics_field,
        target: one.campaign_field,
    };
    TableMapping {
        source_table: message.dynamics_table,
        target_resource: message.campaign_resource,
        key: KeyMapping {
            source: key.dynamics_field,
            target: key.campaign_field,
        },
        fields: message.fields.into_iter().map(field).collect(),
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
        };
        mapping(&"demo".parse().unwrap(), &"contact".parse().unwrap(), &stored)
    }

    #[test]
    fn a_mapping_comes_back_as_it_was_shown() {
        let mut definition = default_contact_mapping();
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
            assert_eq!(super::definition(message, options), definition);
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
