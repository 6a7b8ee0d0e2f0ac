//! Resources and fields as a customer declares them (contracts/campaign.md §4.1, §4.4).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::definition::{Definition, Family, FieldId};
use super::enumeration::Enumeration;
use super::field::{Access, Computed, Field, FieldKind, Source};
use super::filter::{Filter, ParameterKind};
use super::profile::row_fields;
use crate::intern::intern;

/// Most fields of a resource: row storage numbers them with 16 bits, and nobody needs as many.
const MAX_FIELDS: usize = 4_000;

/// A custom resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceDefinition {
    /// API name, e.g. `cusOrder`.
    pub name: String,
    /// Label; the name if not given.
    #[serde(default)]
    pub label: Option<String>,
    /// The fields; every row has PKey, href, title, created and lastModified besides.
    pub fields: Vec<FieldDefinition>,
    /// Links to rows of other resources.
    #[serde(default)]
    pub links: Vec<LinkDefinition>,
    /// Identification keys. The first on a single field is the one that addresses rows.
    #[serde(default)]
    pub keys: Vec<KeyDefinition>,
    /// Published filters that compare one field with a parameter.
    #[serde(default)]
    pub filters: Vec<FilterDefinition>,
}

/// A field of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDefinition {
    /// API name; `item.member` makes a member of a nested item.
    pub name: String,
    /// Label; the name if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it holds.
    #[serde(flatten)]
    pub kind: FieldType,
}

/// What a declared field holds, by the technical names of the metadata (contracts/campaign.md §2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FieldType {
    /// Text of at most so many characters.
    String {
        /// Characters.
        length: usize,
    },
    /// Text without a limit worth naming.
    Memo,
    /// Whole number of 8 bits.
    Byte,
    /// Whole number of 16 bits.
    Short,
    /// Whole number of 32 bits.
    Long,
    /// Whole number of 64 bits.
    Int64,
    /// Number of 32 bits.
    Float,
    /// Number of 64 bits.
    Double,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// One of a list of names; `none` is added for the empty value.
    Enumeration {
        /// Name and label of each value.
        values: Vec<(String, String)>,
    },
}

/// A link to at most one row of another resource, by an explicit join of two text fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkDefinition {
    /// API name of the link, e.g. `cusContactLink`.
    pub name: String,
    /// Name of the resource it points to, which must be there already.
    pub target: String,
    /// Whether rows without a target are hidden.
    pub cardinality: Cardinality,
    /// The text field of this resource that holds the key of the target.
    pub field: String,
    /// The key field of the target it is compared with, e.g. `externalId`.
    pub target_field: String,
}

/// How many targets a row has (contracts/campaign.md §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cardinality {
    /// Exactly one: rows without are hidden.
    One,
    /// One or none.
    ZeroOrOne,
}

/// An identification key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyDefinition {
    /// Its name.
    pub name: String,
    /// The fields that are unique together.
    pub fields: Vec<String>,
}

/// A published filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterDefinition {
    /// Its name, e.g. `byOrderId`.
    pub name: String,
    /// The field it compares.
    pub field: String,
    /// The parameter it compares with, e.g. `orderId_parameter`.
    pub parameter: String,
    /// What it compares besides: the only way to look up a composite key (contracts/campaign.md §4.2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Comparison>,
}

/// A field a filter compares with a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The field.
    pub field: String,
    /// The parameter.
    pub parameter: String,
}

impl FilterDefinition {
    /// Campaign itself puts `by` before the id of a filter and `_parameter` behind the ids of its parameters
    /// (contracts/campaign.md §3.4), so that other names cannot be.
    fn build(&self, definition: &Definition) -> Result<Filter, DefinitionError> {
        let name = intern(&self.name);
        if !name.starts_with("by") {
            return refuse(format!("filter {name}: its name begins with \"by\""));
        }
        let further = self.further.iter().map(|other| (&other.field, &other.parameter));
        let comparisons = std::iter::once((&self.field, &self.parameter))
            .chain(further)
            .map(|(field, parameter)| self.comparison(definition, field, parameter))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Filter::equals((name, name), &comparisons, ParameterKind::Text).custom())
    }

    fn comparison(
        &self,
        definition: &Definition,
        field: &str,
        parameter: &str,
    ) -> Result<(FieldId, &'static str), DefinitionError> {
        let Some(id) = definition.id(field) else {
            return refuse(format!("filter {}: there is no field {field}", self.name));
        };
        let declared = definition.field(id);
        if declared.source != Source::Stored || !declared.kind.is_scalar() {
            return refuse(format!("filter {}: {field} holds no value to compare", self.name));
        }
        if !parameter.ends_with("_parameter") {
            return refuse(format!(
                "filter {}: the name of {parameter} ends with \"_parameter\"",
                self.name
            ));
        }
        Ok((id, intern(parameter)))
    }
}

/// Why a definition is refused: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DefinitionError(pub(super) String);

pub(super) fn refuse<T>(problem: String) -> Result<T, DefinitionError> {
    Err(DefinitionError(problem))
}

impl ResourceDefinition {
    /// The definition the other modules work on. Targets of links are checked by whoever knows the other resources.
    pub(super) fn build(&self) -> Result<Definition, DefinitionError> {
        check_name(&self.name)?;
        let mut fields = row_fields();
        let title = FieldKind::Text { length: 255 };
        fields.push(Field::computed("title", "Title", title, Computed::Title));
        for field in &self.fields {
            push_field(&mut fields, field)?;
        }
        for link in &self.links {
            push_link(&mut fields, link)?;
        }
        check_count(&fields)?;
        let name = intern(&self.name);
        let label = intern(self.label.as_deref().unwrap_or(&self.name));
        let schema = intern(&format!("cus:{}", self.name.strip_prefix("cus").unwrap_or(&self.name)));
        let mut definition = Definition::new((name, label, schema), label, fields).family(Family::Custom);
        for key in &self.keys {
            if let Some(field) = key.fields.iter().find(|field| definition.id(field).is_none()) {
                return refuse(format!("key {}: there is no field {field}", key.name));
            }
            let fields: Vec<&str> = key.fields.iter().map(String::as_str).collect();
            definition = definition.with_unique_key(intern(&key.name), &fields);
        }
        for filter in &self.filters {
            let filter = filter.build(&definition)?;
            definition = definition.with_filter(|_| filter);
        }
        Ok(definition)
    }
}

impl FieldDefinition {
    fn build(&self) -> Field {
        let name = intern(&self.name);
        let label = self.label.as_deref().map_or(name, intern);
        Field::new(name, label, self.kind.build(name))
            .extension()
            .category("custom")
    }
}

impl FieldType {
    fn build(&self, field: &'static str) -> FieldKind {
        match self {
            Self::String { length } => FieldKind::Text { length: *length },
            Self::Memo => FieldKind::Memo,
            Self::Byte => FieldKind::Byte,
            Self::Short => FieldKind::Short,
            Self::Long => FieldKind::Long,
            Self::Int64 => FieldKind::Int64,
            Self::Float => FieldKind::Float,
            Self::Double => FieldKind::Double,
            Self::Boolean => FieldKind::Boolean,
            Self::Date => FieldKind::Date,
            Self::DateTime => FieldKind::DateTime,
            Self::Enumeration { values } => {
                let members: Vec<(&str, &str)> = values.iter().map(|(name, label)| (&**name, &**label)).collect();
                FieldKind::Enumeration(Arc::new(Enumeration::named(field, &members)))
            }
        }
    }
}

/// Adds a field, or puts it in the place of the one of its name; the nested item of a member comes with it.
pub(super) fn push_field(fields: &mut Vec<Field>, declared: &FieldDefinition) -> Result<(), DefinitionError> {
    for part in declared.name.splitn(2, '.') {
        check_name(part)?;
    }
    if matches!(declared.kind, FieldType::String { length: 0 }) {
        return refuse(format!("field {}: its length is at least 1", declared.name));
    }
    if let Some((item, _)) = declared.name.split_once('.')
        && !fields.iter().any(|field| field.name == item)
    {
        let item = intern(item);
        fields.push(Field::new(item, item, FieldKind::Item).extension().category("custom"));
    }
    if let Some(present) = fields.iter().find(|field| field.name == declared.name)
        && (present.access != Access::Writable || matches!(present.kind, FieldKind::Item | FieldKind::Link { .. }))
    {
        return refuse(format!(
            "field {}: the product keeps this name for itself",
            declared.name
        ));
    }
    let mut field = declared.build();
    if let Some(present) = fields.iter().position(|present| present.name == declared.name) {
        let present = fields.remove(present);
        field.extension = present.extension;
        field.category = present.category;
        field.indexed = present.indexed;
    }
    fields.push(field);
    Ok(())
}

fn push_link(fields: &mut Vec<Field>, link: &LinkDefinition) -> Result<(), DefinitionError> {
    check_name(&link.name)?;
    if fields.iter().any(|field| field.name == link.name) {
        return refuse(format!("link {}: the name is taken", link.name));
    }
    let is_text = |field: &Field| field.name == link.field && matches!(field.kind, FieldKind::Text { .. });
    if !fields.iter().any(is_text) {
        return refuse(format!("link {}: there is no text field {}", link.name, link.field));
    }
    let kind = FieldKind::Join {
        target: intern(&link.target),
        field: intern(&link.field),
        target_field: intern(&link.target_field),
        required: link.cardinality == Cardinality::One,
    };
    let name = intern(&link.name);
    fields.push(
        Field::new(name, name, kind)
            .access(Access::ReadOnly)
            .extension()
            .category("custom"),
    );
    Ok(())
}

pub(super) fn check_count(fields: &[Field]) -> Result<(), DefinitionError> {
    if fields.len() > MAX_FIELDS {
        return refuse(format!("{} fields, at most {MAX_FIELDS} are possible", fields.len()));
    }
    Ok(())
}

/// API names are words of ASCII letters, digits and underscores.
fn check_name(name: &str) -> Result<(), DefinitionError> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if begins && name.len() <= 128 && name.chars().all(is_word) {
        Ok(())
    } else {
        refuse(format!(
            "{name:?} is no API name: letters, digits and underscores, a letter first"
        ))
    }
}
