//! What an administrator publishes while Campaign runs: resources, and changes of their fields.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::declared::{DefinitionError, FieldDefinition, ResourceDefinition, check_count, push_field, refuse};
use super::definition::Definition;
use super::field::{Access, Field, FieldKind};
use super::organisation::{Organisation, Resource};
use super::row::{Changes, Row, Value};

/// Fields to add or change, and fields to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FieldChanges {
    /// Fields that are added, or take the place of those of the same name. Values of a field of another type are lost.
    pub put: Vec<FieldDefinition>,
    /// Names of fields that are removed with their values. Keys and filters on them go as well.
    pub remove: Vec<String>,
}

impl Organisation {
    /// Publishes a custom resource.
    ///
    /// # Errors
    /// A definition that does not fit in itself, a name that is taken, a link whose target is not there.
    pub fn add_resource(&self, declared: &ResourceDefinition) -> Result<(), DefinitionError> {
        let definition = declared.build()?;
        let _schema = self.schema.write();
        if self.resource(definition.name).is_some() {
            return refuse(format!("there is a resource {} already", definition.name));
        }
        for link in &declared.links {
            let target = self.resource(&link.target);
            let key = target
                .as_ref()
                .and_then(|target| target.definition.id(&link.target_field));
            match target.zip(key) {
                Some((target, key)) if target.table.read().is_indexed(key) => {}
                _ => {
                    return refuse(format!(
                        "link {}: there is no resource {} with a key {}",
                        link.name, link.target, link.target_field
                    ));
                }
            }
        }
        let mut resources = self.resources.write();
        let Ok(number) = u16::try_from(resources.len()) else {
            return refuse("there are too many resources".to_owned());
        };
        resources.push(Arc::new(Resource::new(number, definition)));
        Ok(())
    }

    /// Publishes other fields of a resource. Its rows keep what fits.
    ///
    /// # Errors
    /// An unknown resource or field, and fields that cannot be.
    pub fn change_fields(&self, resource: &str, changes: &FieldChanges) -> Result<(), DefinitionError> {
        let _schema = self.schema.write();
        let Some(old) = self.resource(resource) else {
            return refuse(format!("there is no resource {resource}"));
        };
        let mut fields: Vec<Field> = old.definition.fields().map(|(_, field)| field.clone()).collect();
        for name in &changes.remove {
            let Some(position) = fields.iter().position(|field| field.name == name) else {
                return refuse(format!("there is no field {name}"));
            };
            if fields[position].access == Access::ReadOnly {
                return refuse(format!("field {name} cannot be removed"));
            }
            fields.remove(position);
        }
        drop_empty_items(&mut fields);
        for field in &changes.put {
            push_field(&mut fields, field)?;
        }
        check_count(&fields)?;
        let definition = old.definition.with_fields(fields);
        let table = old
            .table
            .read()
            .converted(&definition, |row| converted(row, &old.definition, &definition));
        let new = Resource::with_table(old.number, definition, table);
        self.resources.write()[usize::from(old.number)] = Arc::new(new);
        Ok(())
    }
}

/// Removes nested items of which no member is left.
fn drop_empty_items(fields: &mut Vec<Field>) {
    let members: Vec<&'static str> = fields
        .iter()
        .filter(|field| field.is_member())
        .map(|field| field.name)
        .collect();
    let has_member = |item: &str| {
        let mut items = members.iter().filter_map(|name| name.split_once('.'));
        items.any(|(parent, _)| parent == item)
    };
    let is_empty = |field: &Field| field.access == Access::Writable && matches!(field.kind, FieldKind::Item);
    fields.retain(|field| !is_empty(field) || has_member(field.name));
}

/// The values of a row that have a place in another definition.
fn converted(row: &Row, old: &Definition, new: &Definition) -> Row {
    let mut changes: Changes = row
        .cells()
        .filter_map(|(id, cell)| {
            let before = old.field(id);
            let id = new.id(before.name)?;
            let value = kept(cell.to_value(), &before.kind, &new.field(id).kind)?;
            Some((id, Some(value)))
        })
        .collect();
    changes.sort_unstable_by_key(|(field, _)| *field);
    row.with_values(&changes)
}

fn kept(value: Value, before: &FieldKind, after: &FieldKind) -> Option<Value> {
    match (before, after, value) {
        (FieldKind::Enumeration(before), FieldKind::Enumeration(after), Value::Integer(position)) => {
            let name = before.member_name(usize::try_from(position).ok()?);
            after.position(name).map(|position| Value::Integer(position as i64))
        }
        (FieldKind::Text { .. }, FieldKind::Text { length }, Value::Text(text)) => {
            let end = text.char_indices().nth(*length).map_or(text.len(), |(end, _)| end);
            Some(Value::Text(text[..end].into()))
        }
        (before, after, value) => (before.names() == after.names()).then_some(value),
    }
}
