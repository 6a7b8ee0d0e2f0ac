//! Tables and fields of both systems.

use crosswalk_core::schema::{AlternateKey, Column, ColumnType, EnumerationValue, Field, FieldType, Resource, Table};

use crate::v1;

/// A Dynamics table with the columns it has been read with.
#[must_use]
pub fn table(table: Table) -> v1::Table {
    v1::Table {
        table_id: table.logical_name,
        display_name: table.display_name,
        system: v1::System::Dynamics.into(),
        change_tracking: table.change_tracking,
        primary_key: table.primary_id,
        fields: table.columns.into_iter().map(column).collect(),
        alternate_keys: table.keys.into_iter().map(alternate_key).collect(),
    }
}

fn alternate_key(key: AlternateKey) -> v1::AlternateKey {
    v1::AlternateKey {
        key_id: key.logical_name,
        field_ids: key.columns,
        active: key.active,
    }
}

fn column(column: Column) -> v1::Field {
    let option = |option: crosswalk_core::schema::ColumnOption| v1::Option {
        value: option.value.to_string(),
        label: option.label.unwrap_or_default(),
    };
    v1::Field {
        field_id: column.logical_name,
        display_name: column.display_name,
        r#type: column.column_type.name().to_owned(),
        max_length: column.max_length.map(length),
        options: column.options.into_iter().map(option).collect(),
        mappable: column.readable && column.column_type != ColumnType::Unsupported,
        targets: column.targets,
    }
}

/// A Campaign resource with the fields it has been read with.
#[must_use]
pub fn resource(resource: Resource) -> v1::Table {
    v1::Table {
        table_id: resource.name,
        display_name: resource.label,
        system: v1::System::Campaign.into(),
        change_tracking: false,
        primary_key: String::new(),
        fields: resource.fields.into_iter().map(field).collect(),
        alternate_keys: Vec::new(),
    }
}

fn field(field: Field) -> v1::Field {
    let option = |value: EnumerationValue| v1::Option {
        value: value.name,
        label: value.label.unwrap_or_default(),
    };
    v1::Field {
        field_id: field.path,
        display_name: field.label,
        r#type: field.field_type.name().to_owned(),
        max_length: field.max_length.map(length),
        options: field.values.into_iter().map(option).collect(),
        mappable: field.writable && field.field_type != FieldType::Unsupported,
        targets: field.link_target.into_iter().collect(),
    }
}

fn length(length: u32) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_mappable_if_it_can_be_written_and_takes_values() {
        for (writable, field_type, mappable) in [
            (true, FieldType::String, true),
            (false, FieldType::String, false),
            (true, FieldType::Unsupported, false),
        ] {
            let one = Field {
                path: "location.city".to_owned(),
                label: "City".to_owned(),
                field_type,
                max_length: Some(u32::MAX),
                values: Vec::new(),
                link_target: None,
                writable,
            };
            let message = field(one);
            assert_eq!(
                (message.mappable, message.max_length),
                (mappable, Some(i32::MAX)),
                "{field_type:?}"
            );
        }
    }

    #[test]
    fn options_of_a_column_keep_value_and_label() {
        let one = Column {
            logical_name: "gendercode".to_owned(),
            display_name: "Gender".to_owned(),
            column_type: ColumnType::Picklist,
            max_length: None,
            options: vec![crosswalk_core::schema::ColumnOption {
                value: 2,
                label: Some("Female".to_owned()),
            }],
            targets: Vec::new(),
            readable: true,
        };
        let message = column(one);
        assert_eq!(
            message.options[0],
            v1::Option {
                value: "2".to_owned(),
                label: "Female".to_owned()
            }
        );
        assert_eq!((message.r#type.as_str(), message.mappable), ("Picklist", true));
    }
}
