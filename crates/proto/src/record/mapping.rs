//! Table mappings, as they stand in the control log.

use crosswalk_core::mapping::{
    ChoiceForm, Combination, Condition, EmptyValue, FieldMapping, Filter, KeyMapping, Link, MappedType, MappedTypes,
    MappingOptions, Operator, OverLong, Replacement, TableMapping,
};

use super::{DecodeError, wire};

pub(super) fn to_mapping(mapping: &TableMapping) -> wire::TableMapping {
    wire::TableMapping {
        source_table: mapping.source_table.clone(),
        target_resource: mapping.target_resource.clone(),
        key: Some(wire::FieldMapping {
            source: mapping.key.source.clone(),
            target: mapping.key.target.clone(),
            insert_only: false,
        }),
        fields: mapping.fields.iter().map(to_field).collect(),
        replacements: mapping.replacements.iter().map(to_replacement).collect(),
        filter: Some(to_filter(&mapping.filter)),
        links: mapping.links.iter().map(to_link).collect(),
        column_types: mapping.types.columns.iter().map(to_type).collect(),
        field_types: mapping.types.fields.iter().map(to_type).collect(),
        options: Some(to_options(mapping.options)),
    }
}

fn to_options(chosen: MappingOptions) -> wire::MappingOptions {
    use wire::mapping_options as options;
    wire::MappingOptions {
        apply_deletes: chosen.apply_deletes,
        over_long: match chosen.over_long {
            OverLong::Reject => options::OverLong::Unspecified,
            OverLong::Truncate => options::OverLong::Truncate,
        }
        .into(),
        choices: match chosen.choices {
            ChoiceForm::TechnicalValue => options::ChoiceForm::Unspecified,
            ChoiceForm::Label => options::ChoiceForm::Label,
        }
        .into(),
        empty: match chosen.empty {
            EmptyValue::Clear => options::EmptyValue::Unspecified,
            EmptyValue::Leave => options::EmptyValue::Leave,
        }
        .into(),
    }
}

pub(super) fn from_mapping(mapping: wire::TableMapping) -> Result<TableMapping, DecodeError> {
    let key = mapping.key.ok_or(DecodeError::Missing("key"))?;
    Ok(TableMapping {
        source_table: mapping.source_table,
        target_resource: mapping.target_resource,
        key: KeyMapping {
            source: key.source,
            target: key.target,
        },
        fields: mapping.fields.into_iter().map(from_field).collect(),
        replacements: mapping.replacements.into_iter().map(from_replacement).collect(),
        filter: from_filter(mapping.filter.unwrap_or_default())?,
        links: mapping.links.into_iter().map(from_link).collect(),
        types: MappedTypes {
            columns: mapping.column_types.into_iter().map(from_type).collect(),
            fields: mapping.field_types.into_iter().map(from_type).collect(),
        },
        options: from_options(mapping.options.unwrap_or_default())?,
    })
}

fn from_options(options: wire::MappingOptions) -> Result<MappingOptions, DecodeError> {
    use wire::mapping_options as wire_options;
    Ok(MappingOptions {
        apply_deletes: options.apply_deletes,
        over_long: match wire_options::OverLong::try_from(options.over_long) {
            Ok(wire_options::OverLong::Unspecified) => OverLong::Reject,
            Ok(wire_options::OverLong::Truncate) => OverLong::Truncate,
            Err(_) => return Err(DecodeError::Unknown("over_long")),
        },
        choices: match wire_options::ChoiceForm::try_from(options.choices) {
            Ok(wire_options::ChoiceForm::Unspecified) => ChoiceForm::TechnicalValue,
            Ok(wire_options::ChoiceForm::Label) => ChoiceForm::Label,
            Err(_) => return Err(DecodeError::Unknown("choices")),
        },
        empty: match wire_options::EmptyValue::try_from(options.empty) {
            Ok(wire_options::EmptyValue::Unspecified) => EmptyValue::Clear,
            Ok(wire_options::EmptyValue::Leave) => EmptyValue::Leave,
            Err(_) => return Err(DecodeError::Unknown("empty")),
        },
    })
}

fn to_field(field: &FieldMapping) -> wire::FieldMapping {
    wire::FieldMapping {
        source: field.source.clone(),
        target: field.target.clone(),
        insert_only: !field.apply_updates,
    }
}

fn from_field(field: wire::FieldMapping) -> FieldMapping {
    FieldMapping {
        source: field.source,
        target: field.target,
        apply_updates: !field.insert_only,
    }
}

fn to_type(known: &MappedType) -> wire::MappedType {
    wire::MappedType {
        name: known.name.clone(),
        type_name: known.type_name.clone(),
    }
}

fn from_type(known: wire::MappedType) -> MappedType {
    MappedType {
        name: known.name,
        type_name: known.type_name,
    }
}

fn to_replacement(replacement: &Replacement) -> wire::Replacement {
    wire::Replacement {
        source: replacement.source.clone(),
        existing: replacement.existing.clone(),
        new: replacement.new.clone(),
    }
}

fn from_replacement(replacement: wire::Replacement) -> Replacement {
    Replacement {
        source: replacement.source,
        existing: replacement.existing,
        new: replacement.new,
    }
}

fn to_link(link: &Link) -> wire::Link {
    wire::Link {
        source: link.source.clone(),
        table: link.table.clone(),
    }
}

fn from_link(link: wire::Link) -> Link {
    Link {
        source: link.source,
        table: link.table,
    }
}

fn to_filter(filter: &Filter) -> wire::Filter {
    wire::Filter {
        any: filter.combination == Combination::Or,
        conditions: filter
            .conditions
            .iter()
            .map(|condition| wire::Condition {
                source: condition.source.clone(),
                operator: to_operator(condition.operator).into(),
                values: condition.values.clone(),
            })
            .collect(),
        delete_filtered: filter.delete_filtered,
    }
}

fn from_filter(filter: wire::Filter) -> Result<Filter, DecodeError> {
    let conditions = filter.conditions.into_iter().map(|condition| {
        Ok(Condition {
            source: condition.source,
            operator: from_operator(condition.operator)?,
            values: condition.values,
        })
    });
    Ok(Filter {
        combination: if filter.any { Combination::Or } else { Combination::And },
        conditions: conditions.collect::<Result<_, DecodeError>>()?,
        delete_filtered: filter.delete_filtered,
    })
}

const fn to_operator(operator: Operator) -> wire::condition::Operator {
    use wire::condition::Operator as Wire;
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

fn from_operator(operator: i32) -> Result<Operator, DecodeError> {
    use wire::condition::Operator as Wire;
    Ok(match Wire::try_from(operator) {
        Ok(Wire::Equals) => Operator::Equals,
        Ok(Wire::NotEquals) => Operator::NotEquals,
        Ok(Wire::Less) => Operator::Less,
        Ok(Wire::LessOrEqual) => Operator::LessOrEqual,
        Ok(Wire::Greater) => Operator::Greater,
        Ok(Wire::GreaterOrEqual) => Operator::GreaterOrEqual,
        Ok(Wire::Contains) => Operator::Contains,
        Ok(Wire::BeginsWith) => Operator::BeginsWith,
        Ok(Wire::EndsWith) => Operator::EndsWith,
        Ok(Wire::IsEmpty) => Operator::IsEmpty,
        Ok(Wire::IsNotEmpty) => Operator::IsNotEmpty,
        Ok(Wire::In) => Operator::In,
        Ok(Wire::Unspecified) | Err(_) => return Err(DecodeError::Unknown("operator")),
    })
}
