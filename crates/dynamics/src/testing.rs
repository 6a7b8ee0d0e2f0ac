//! A table for unit tests.

use crosswalk_core::schema::{Column, ColumnOption, ColumnType, Table};

use crate::Selection;

/// The contact table with a column of every type.
pub(crate) fn contact() -> Table {
    let mut columns = vec![
        column("accountid", ColumnType::Lookup),
        column("annualincome", ColumnType::Money),
        column("address1_latitude", ColumnType::Double),
        column("birthdate", ColumnType::DateOnly),
        column("contactid", ColumnType::Uniqueidentifier),
        column("donotbulkemail", ColumnType::Boolean),
        column("emailaddress1", ColumnType::String),
        column("entityimage", ColumnType::Unsupported),
        column("firstname", ColumnType::String),
        Column {
            options: options(&[(1, Some("Male")), (2, Some("Female")), (3, None)]),
            ..column("gendercode", ColumnType::Picklist)
        },
        column("lastname", ColumnType::String),
        column("modifiedon", ColumnType::DateTime),
        Column {
            options: options(&[(2, Some("Chess")), (3, Some("Go"))]),
            ..column("new_games", ColumnType::MultiSelectPicklist)
        },
        column("numberofchildren", ColumnType::Integer),
        column("parentcustomerid", ColumnType::Customer),
        Column {
            readable: false,
            ..column("parentcustomeridname", ColumnType::String)
        },
        column("versionnumber", ColumnType::BigInt),
    ];
    columns.sort_by(|one, other| one.logical_name.cmp(&other.logical_name));
    Table {
        logical_name: "contact".to_owned(),
        entity_set: "contacts".to_owned(),
        display_name: "Contact".to_owned(),
        primary_id: "contactid".to_owned(),
        change_tracking: true,
        columns,
        keys: Vec::new(),
    }
}

/// Some columns of it.
pub(crate) fn selection(columns: &[&str]) -> Selection {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    Selection::new(&contact(), &columns).unwrap()
}

fn column(name: &str, column_type: ColumnType) -> Column {
    Column {
        logical_name: name.to_owned(),
        display_name: name.to_owned(),
        column_type,
        max_length: None,
        options: Vec::new(),
        targets: Vec::new(),
        readable: true,
    }
}

fn options(options: &[(i32, Option<&str>)]) -> Vec<ColumnOption> {
    options
        .iter()
        .map(|(value, label)| ColumnOption {
            value: *value,
            label: label.map(str::to_owned),
        })
        .collect()
}
