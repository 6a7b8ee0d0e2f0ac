//! A mapping made ready to be applied to many rows.

use std::borrow::Cow;

use super::{
    ConvertError, FieldError, FieldMapping, MappingOptions, Payload, Problem, RejectedRow, TableMapping, TargetValue,
    convert,
    filter::CompiledFilter,
    parse_key,
    place::ColumnPlace,
    replacement::CompiledReplacements,
    target_value::write_serialised,
    validate::{target_field, validate_target},
};
use crate::{
    Row, Value,
    schema::{Field, Resource},
};

/// The columns a reader has to select for a mapping, those of its filter included: logical names, sorted, each once.
///
/// The primary key column is among them only where a field is mapped from it or a condition is on it: Dataverse returns it with every row
/// (contracts/dataverse.md §3.2), and it travels as the key of the record.
#[must_use]
pub fn columns(mapping: &TableMapping) -> Vec<&str> {
    let mapped = mapping.fields.iter().map(|field| field.source.as_str());
    let filtered = mapping.filter.conditions.iter().map(|one| one.source.as_str());
    let mut columns: Vec<&str> = mapped.chain(filtered).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// A mapping made ready to be applied to many rows, by any number of threads.
///
/// ```
/// use crosswalk_core::{
///     Row, Value,
///     mapping::{CompiledMapping, Part, default_contact_mapping},
///     schema::{Field, FieldType, Resource},
/// };
///
/// let field = |path: &str| Field {
///     path: path.to_owned(),
///     label: path.to_owned(),
///     field_type: FieldType::String,
///     max_length: Some(100),
///     values: Vec::new(),
///     writable: true,
///     link_target: None,
/// };
/// let profile = Resource {
///     name: "profile".to_owned(),
///     label: "Profiles".to_owned(),
///     fields: vec![field("externalId"), field("location.city")],
/// };
/// let mut definition = default_contact_mapping();
/// definition.fields.retain(|field| field.source == "address1_city");
/// let mapping = CompiledMapping::new(&definition, &profile).expect("the mapping fits the resource");
///
/// let row = Row { columns: vec![("address1_city".into(), Value::Text("Miami".into()))] };
/// let payload = mapping.apply("a1000000-0000-4000-8000-00000000000f", &row).expect("the row fits");
/// let mut json = Vec::new();
/// payload.write_json(Part::All, &mut json);
/// assert_eq!(json, br#"{"externalId":"a1000000-0000-4000-8000-00000000000f","location":{"city":"Miami"}}"#);
/// ```
#[derive(Debug)]
pub struct CompiledMapping {
    key: CompiledKey,
    fields: Vec<CompiledField>,
    /// Places in `fields`, in the order of the JSON: sorted by path, so that the members of a group are neighbours.
    json_order: Vec<usize>,
    filter: CompiledFilter,
    options: MappingOptions,
}

#[derive(Debug)]
struct CompiledKey {
    source: String,
    target: String,
    member: MemberName,
}

/// One field mapping, with all that does not depend on the row.
#[derive(Debug)]
pub(super) struct CompiledField {
    column: ColumnPlace,
    pub(super) target: Field,
    pub(super) apply_updates: bool,
    replacements: CompiledReplacements,
    /// The groups the field lies in, from the outermost.
    pub(super) groups: Vec<MemberName>,
    pub(super) member: MemberName,
}

/// The name of a JSON member with its quotes and colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MemberName(Box<[u8]>);

impl MemberName {
    fn new(name: &str) -> Self {
        let mut bytes = Vec::with_capacity(name.len() + 3);
        write_serialised(name, &mut bytes);
        bytes.push(b':');
        Self(bytes.into())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl CompiledMapping {
    /// Prepares a mapping for rows of its table. The resource is the one the rows are written to.
    ///
    /// # Errors
    /// All problems of [`validate_target`].
    pub fn new(mapping: &TableMapping, resource: &Resource) -> Result<Self, Vec<Problem>> {
        let problems = validate_target(mapping, resource);
        if !problems.is_empty() {
            return Err(problems);
        }
        let field_of = |target: &str| target_field(resource, target).expect("the target was found by validation");
        let columns = columns(mapping);
        let key_target = &field_of(&mapping.key.target).path;
        let key = CompiledKey {
            source: mapping.key.source.clone(),
            target: key_target.clone(),
            member: MemberName::new(key_target),
        };
        let fields: Vec<CompiledField> = mapping
            .fields
            .iter()
            .map(|field| CompiledField::new(mapping, field, field_of(&field.target).clone(), &columns))
            .collect();
        let mut json_order: Vec<usize> = (0..fields.len()).collect();
        json_order.sort_by(|one, other| {
            let segments = |place: usize| fields[place].target.path.split('.');
            segments(*one).cmp(segments(*other))
        });
        Ok(Self {
            key,
            fields,
            json_order,
            filter: CompiledFilter::new(&mapping.filter, &columns),
            options: mapping.options,
        })
    }

    /// Whether a row passes the mapping's filter.
    #[must_use]
    pub fn passes(&self, row: &Row) -> bool {
        self.filter.passes(row)
    }

    /// The places, among the filter's conditions, of those that do not hold for a row.
    #[must_use]
    pub fn failing_conditions(&self, row: &Row) -> Vec<usize> {
        self.filter.failing(row)
    }

    /// Whether some fields are left alone by later changes.
    #[must_use]
    pub fn has_insert_only_fields(&self) -> bool {
        self.fields.iter().any(|field| !field.apply_updates)
    }

    /// Maps one row. `key` is the record's id, in any usual spelling of a GUID.
    ///
    /// A column that the row does not have is left out of the result: the row was read for a mapping without it, and an
    /// unknown value must not clear the target.
    ///
    /// # Errors
    /// All faults of the row at once.
    pub fn apply<'a>(&'a self, key: &str, row: &'a Row) -> Result<Payload<'a>, RejectedRow> {
        let mut errors = Vec::new();
        let id = parse_key(key);
        if id.is_none() {
            errors.push(FieldError::not_a_guid(&self.key.target, &self.key.source, key));
        }
        let mut values = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let converted = match field.column.find(row) {
                None => Ok(None),
                Some(value) => field
                    .convert(value, self.options)
                    .map_err(|error| FieldError::new(&field.target.path, field.column.name(), &error, value)),
            };
            match converted {
                Ok(value) => values.push(value),
                Err(error) => errors.push(error),
            }
        }
        match id {
            Some(id) if errors.is_empty() => Ok(Payload::new(self, id, values)),
            _ => Err(RejectedRow { errors }),
        }
    }

    /// The name of the key field in JSON.
    pub(super) fn key_member(&self) -> &MemberName {
        &self.key.member
    }

    /// The fields in the order of the mapping.
    pub(super) fn fields(&self) -> &[CompiledField] {
        &self.fields
    }

    /// Places of the fields in the order of the JSON.
    pub(super) fn json_order(&self) -> &[usize] {
        &self.json_order
    }
}

impl CompiledField {
    fn new(mapping: &TableMapping, field: &FieldMapping, target: Field, columns: &[&str]) -> Self {
        let mut groups: Vec<MemberName> = target.path.split('.').map(MemberName::new).collect();
        let member = groups.pop().expect("a path has at least one segment");
        Self {
            column: ColumnPlace::new(&field.source, columns),
            apply_updates: field.apply_updates,
            replacements: CompiledReplacements::of(mapping, &field.source),
            target,
            groups,
            member,
        }
    }

    /// The value, or what replaces it, as the field takes it; `None` leaves the field as it is.
    fn convert<'a>(
        &'a self,
        value: &'a Value,
        options: MappingOptions,
    ) -> Result<Option<TargetValue<'a>>, ConvertError> {
        match self.replacements.apply(value, options.choices)? {
            Cow::Borrowed(value) => convert(value, &self.target, options),
            Cow::Owned(value) => Ok(convert(&value, &self.target, options)?.map(TargetValue::into_owned)),
        }
    }
}
