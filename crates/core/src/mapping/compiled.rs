//! A mapping made ready to be applied to many rows.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    FieldError, MappingOptions, Payload, Problem, RejectedRow, TableMapping, convert, parse_key,
    target_value::write_serialised,
    validate::{target_field, validate_target},
};
use crate::{
    Row, Value,
    schema::{Field, Resource},
};

/// The columns a reader has to select for a mapping: logical names, sorted, each once.
///
/// The primary key column is among them only where a field is mapped from it: Dataverse returns it with every row
/// (contracts/dataverse.md §3.2), and it travels as the key of the record.
#[must_use]
pub fn columns(mapping: &TableMapping) -> Vec<&str> {
    let mut columns: Vec<&str> = mapping.fields.iter().map(|field| field.source.as_str()).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// A mapping made ready to be applied to many rows, by any number of threads.
///
/// ```
/// use crosswalk_core::{
///     Row, Value,
///     mapping::{CompiledMapping, default_contact_mapping},
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
/// payload.write_json(&mut json);
/// assert_eq!(json, br#"{"externalId":"a1000000-0000-4000-8000-00000000000f","location":{"city":"Miami"}}"#);
/// ```
#[derive(Debug)]
pub struct CompiledMapping {
    key: CompiledKey,
    fields: Vec<CompiledField>,
    /// Places in `fields`, in the order of the JSON: sorted by path, so that the members of a group are neighbours.
    json_order: Vec<usize>,
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
    source: String,
    pub(super) target: Field,
    /// The groups the field lies in, from the outermost.
    pub(super) groups: Vec<MemberName>,
    pub(super) member: MemberName,
    /// Where the column stood in the last row. A hint only, so that relaxed access by many threads is enough.
    place: AtomicUsize,
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
            .map(|field| {
                let place = columns.partition_point(|column| *column < field.source.as_str());
                CompiledField::new(field.source.clone(), field_of(&field.target).clone(), place)
            })
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
            options: mapping.options,
        })
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
            let converted = match field.find(row) {
                None => Ok(None),
                Some(value) => convert(value, &field.target, self.options)
                    .map_err(|error| FieldError::new(&field.target.path, &field.source, &error, value)),
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
    fn new(source: String, target: Field, place: usize) -> Self {
        let mut groups: Vec<MemberName> = target.path.split('.').map(MemberName::new).collect();
        let member = groups.pop().expect("a path has at least one segment");
        Self {
            source,
            target,
            groups,
            member,
            place: AtomicUsize::new(place),
        }
    }

    /// The field's value in a row, looked for first where it stood last time.
    fn find<'a>(&self, row: &'a Row) -> Option<&'a Value> {
        let hint = self.place.load(Ordering::Relaxed);
        let (place, value) = row.get_near(&self.source, hint)?;
        if place != hint {
            self.place.store(place, Ordering::Relaxed);
        }
        Some(value)
    }
}
