//! Metadata as it comes over the wire (contracts/dataverse.md §4.1 to §4.3).

use crosswalk_core::schema::{AlternateKey, Column, ColumnOption, ColumnType, Table};
use serde::Deserialize;

/// A metadata collection; it is never paged.
#[derive(Debug, Deserialize)]
pub(super) struct Collection<T> {
    pub(super) value: Vec<T>,
}

/// `EntityMetadata`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Definition {
    logical_name: String,
    entity_set_name: Option<String>,
    primary_id_attribute: Option<String>,
    change_tracking_enabled: Option<bool>,
    #[serde(default)]
    display_name: Label,
    #[serde(default)]
    keys: Vec<EntityKey>,
}

/// `EntityKeyMetadata` (contracts/dataverse.md §4.4).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntityKey {
    logical_name: String,
    key_attributes: Vec<String>,
    entity_key_index_status: Option<String>,
}

impl EntityKey {
    fn into_key(self) -> AlternateKey {
        AlternateKey {
            active: self.entity_key_index_status.as_deref() == Some("Active"),
            logical_name: self.logical_name,
            columns: self.key_attributes,
        }
    }
}

impl Definition {
    /// None for a table that has no rows of its own to read.
    pub(super) fn into_table(self) -> Option<Table> {
        Some(Table {
            entity_set: self.entity_set_name.filter(|name| !name.is_empty())?,
            primary_id: self.primary_id_attribute.filter(|name| !name.is_empty())?,
            display_name: self.display_name.text().unwrap_or_else(|| self.logical_name.clone()),
            change_tracking: self.change_tracking_enabled.unwrap_or(false),
            logical_name: self.logical_name,
            columns: Vec::new(),
            keys: self.keys.into_iter().map(EntityKey::into_key).collect(),
        })
    }
}

/// `AttributeMetadata`, the part common to all types.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributeBase {
    logical_name: String,
    attribute_type_name: Option<Named>,
    /// Set for a helper of another column, which is not readable.
    attribute_of: Option<String>,
    #[serde(default)]
    is_valid_for_read: bool,
    #[serde(default)]
    display_name: Label,
}

/// A value in an object, e.g. `{"Value":"StringType"}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    value: String,
}

impl AttributeBase {
    pub(super) fn logical_name(&self) -> &str {
        &self.logical_name
    }

    pub(super) fn into_column(self, details: AttributeDetails) -> Column {
        let option_set = details.option_set.or(details.global_option_set);
        Column {
            column_type: self.column_type(details.date_time_behavior.as_ref()),
            display_name: self.display_name.text().unwrap_or_else(|| self.logical_name.clone()),
            max_length: details.max_length.and_then(|length| u32::try_from(length).ok()),
            options: option_set.map(OptionSet::into_options).unwrap_or_default(),
            targets: details.targets.unwrap_or_default(),
            readable: self.is_valid_for_read && self.attribute_of.is_none(),
            logical_name: self.logical_name,
        }
    }

    fn column_type(&self, behavior: Option<&Named>) -> ColumnType {
        let name = self.attribute_type_name.as_ref().map_or("", |name| name.value.as_str());
        match name {
            "BooleanType" => ColumnType::Boolean,
            "IntegerType" => ColumnType::Integer,
            "BigIntType" => ColumnType::BigInt,
            "DecimalType" => ColumnType::Decimal,
            "DoubleType" => ColumnType::Double,
            "MoneyType" => ColumnType::Money,
            "StringType" => ColumnType::String,
            "MemoType" => ColumnType::Memo,
            // The behaviour decides, not the format (contracts/dataverse.md §0.9).
            "DateTimeType" if behavior.is_some_and(|behavior| behavior.value == "DateOnly") => ColumnType::DateOnly,
            "DateTimeType" => ColumnType::DateTime,
            "UniqueidentifierType" => ColumnType::Uniqueidentifier,
            "PicklistType" => ColumnType::Picklist,
            "StateType" => ColumnType::State,
            "StatusType" => ColumnType::Status,
            "MultiSelectPicklistType" => ColumnType::MultiSelectPicklist,
            "LookupType" => ColumnType::Lookup,
            "CustomerType" => ColumnType::Customer,
            "OwnerType" => ColumnType::Owner,
            "EntityNameType" => ColumnType::EntityName,
            _ => ColumnType::Unsupported,
        }
    }
}

/// What only the concrete attribute types have; each cast fills its part.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AttributeDetails {
    logical_name: String,
    max_length: Option<i64>,
    date_time_behavior: Option<Named>,
    targets: Option<Vec<String>>,
    option_set: Option<OptionSet>,
    global_option_set: Option<OptionSet>,
}

impl AttributeDetails {
    pub(super) fn logical_name(&self) -> &str {
        &self.logical_name
    }
}

/// `OptionSetMetadata` or `BooleanOptionSetMetadata`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OptionSet {
    #[serde(default)]
    options: Vec<OptionItem>,
    true_option: Option<OptionItem>,
    false_option: Option<OptionItem>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OptionItem {
    value: i32,
    #[serde(default)]
    label: Label,
}

impl OptionSet {
    fn into_options(self) -> Vec<ColumnOption> {
        let of_boolean = self.false_option.into_iter().chain(self.true_option);
        self.options
            .into_iter()
            .chain(of_boolean)
            .map(|option| ColumnOption {
                value: option.value,
                label: option.label.text(),
            })
            .collect()
    }
}

/// A label in several languages.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Label {
    user_localized_label: Option<LocalizedLabel>,
    localized_labels: Vec<LocalizedLabel>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LocalizedLabel {
    label: Option<String>,
}

impl Label {
    /// The label in our user's language: for an application user the base language of the environment. It can be
    /// absent while others exist (contracts/dataverse.md §4.1).
    fn text(self) -> Option<String> {
        let labels = self.user_localized_label.into_iter().chain(self.localized_labels);
        labels.filter_map(|label| label.label).find(|label| !label.is_empty())
    }
}

/// Answer of `RetrieveTotalRecordCount`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordCounts {
    entity_record_count_collection: CountCollection,
}

/// Parallel arrays, in no promised order (contracts/dataverse.md §3.8).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CountCollection {
    keys: Vec<String>,
    values: Vec<u64>,
}

impl RecordCounts {
    pub(super) fn of(&self, table: &str) -> Option<u64> {
        let CountCollection { keys, values } = &self.entity_record_count_collection;
        keys.iter()
            .zip(values)
            .find_map(|(key, count)| (key == table).then_some(*count))
    }
}
