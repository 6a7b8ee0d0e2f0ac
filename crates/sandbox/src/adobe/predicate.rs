//! From the filters of a list to what its rows must satisfy (contracts/campaign.md §3.4).
//!
//! A condition whose parameter is missing or empty is not enabled and lets everything through: that is what `enabledIf`
//! in the filter descriptions says.

use super::birthday;
use super::body::Json;
use super::convert::Converter;
use super::definition::{Definition, FieldId};
use super::error::CampaignError;
use super::field::{Field, FieldKind};
use super::filter::{Condition, Filter};
use super::organisation::{Organisation, Resource};
use super::query::{Parameters, invalid};
use super::render::View;
use super::row::{Cell, Row, Value};
use super::table::{RowId, Table};
use super::time;

/// What a row must satisfy.
#[derive(Debug)]
pub(super) enum Predicate {
    /// The text field reads so; `empty` is what it reads as without a value.
    Reads {
        field: FieldId,
        text: String,
        empty: &'static str,
    },
    /// The field has this value; `None` is the value of an empty field.
    Is {
        field: FieldId,
        value: Option<Value>,
    },
    StartsWith {
        fields: Vec<FieldId>,
        prefix: String,
    },
    ModifiedSince(i64),
    /// The row is one of these, in ascending order.
    OneOf(Vec<RowId>),
    /// The day of the year is one of these.
    Birthday {
        field: FieldId,
        days: birthday::Days,
    },
    /// The period has a day in common with this one.
    Overlaps {
        start: FieldId,
        end: FieldId,
        from: i64,
        to: i64,
    },
}

impl Predicate {
    pub(super) fn holds(&self, id: RowId, row: &Row) -> bool {
        let text = |field: FieldId| row.get(field).map_or("", Cell::text);
        let integer = |field: FieldId| row.get(field).map(Cell::integer);
        match self {
            Self::Reads {
                field,
                text: wanted,
                empty,
            } => row.get(*field).map_or(*empty, Cell::text) == wanted,
            Self::Is { field, value } => row.get(*field) == value.as_ref().map(Value::as_cell),
            Self::StartsWith { fields, prefix } => fields.iter().any(|&field| text(field).starts_with(prefix)),
            Self::ModifiedSince(moment) => row.last_modified >= *moment,
            Self::OneOf(ids) => ids.binary_search(&id).is_ok(),
            Self::Birthday { field, days } => {
                integer(*field).is_some_and(|date| days.binary_search(&(date % 10_000)).is_ok())
            }
            Self::Overlaps { start, end, from, to } => {
                integer(*start).is_none_or(|start| start <= *to) && integer(*end).is_none_or(|end| end >= *from)
            }
        }
    }

    /// The only rows it can hold for, in ascending order, if that can be told without a look at all rows.
    pub(super) fn candidates(&self, table: &Table) -> Option<Vec<RowId>> {
        match self {
            // Rows without a value are in no index.
            Self::Reads { field, text, empty } if text != empty => table.find(*field, Cell::Text(text)),
            Self::Is {
                field,
                value: Some(value),
            } => table.find(*field, value.as_cell()),
            Self::OneOf(ids) => Some(ids.clone()),
            _ => None,
        }
    }
}

/// Turns the filters of one list request into predicates.
pub(super) struct Compiler<'a> {
    pub(super) organisation: &'a Organisation,
    pub(super) resource: &'a Resource,
    pub(super) view: View<'a>,
    pub(super) parameters: &'a Parameters,
}

impl Compiler<'_> {
    /// The predicates of the filters, and of the collection that is listed, if one is.
    pub(super) fn compile(&self, filters: &[&Filter]) -> Result<Vec<Predicate>, CampaignError> {
        let mut predicates = Vec::new();
        if let Some(collection) = self.view.collection {
            predicates.push(Predicate::Is {
                field: collection.link,
                value: Some(Value::Integer(i64::from(collection.row))),
            });
        }
        for condition in filters.iter().flat_map(|filter| &filter.conditions) {
            predicates.extend(self.predicate(condition)?);
        }
        Ok(predicates)
    }

    fn predicate(&self, condition: &Condition) -> Result<Option<Predicate>, CampaignError> {
        match condition {
            Condition::Equals { field, parameter } => {
                let compare = |value| self.equals(*field, value);
                self.value(parameter).map(compare).transpose()
            }
            Condition::StartsWith { fields, parameter } => self.starts_with(fields, parameter),
            Condition::ModifiedSince { parameter } => {
                let parse = |value| time::parse_datetime(value).ok_or_else(|| invalid(parameter, value));
                let moment = self.value(parameter).map(parse).transpose()?;
                Ok(moment.map(Predicate::ModifiedSince))
            }
            Condition::Row { parameter } => {
                let Some(key) = self.value(parameter) else {
                    return Ok(None);
                };
                let table = self.resource.table.read();
                let row = self
                    .organisation
                    .find_row(self.resource, &table, self.view.visibility, key)?;
                Ok(Some(Predicate::OneOf(row.into_iter().collect())))
            }
            Condition::Joined {
                parameter,
                target,
                through,
                link,
                back,
            } => {
                let joined = |key| self.joined(key, target, (through, link, back));
                Ok(self.value(parameter).map(joined).transpose()?.map(Predicate::OneOf))
            }
            Condition::Birthday { field } => {
                let days = birthday::days(self.parameters, time::today())?;
                Ok(days.map(|days| Predicate::Birthday { field: *field, days }))
            }
            Condition::Overlaps { start, end, from, to } => self.overlaps((*start, *end), (from, to)),
            Condition::Nothing => Ok(Some(Predicate::OneOf(Vec::new()))),
        }
    }

    /// The value of a parameter, unless it is empty.
    fn value(&self, parameter: &str) -> Option<&str> {
        self.parameters.get(parameter).filter(|value| !value.is_empty())
    }

    fn definition(&self) -> &Definition {
        &self.resource.definition
    }

    fn equals(&self, id: FieldId, text: &str) -> Result<Predicate, CampaignError> {
        let field = self.definition().field(id);
        if let FieldKind::Text { .. } | FieldKind::Memo | FieldKind::Duration = field.kind {
            return Ok(Predicate::Reads {
                field: id,
                text: text.to_owned(),
                empty: field.empty_text,
            });
        }
        let converter = Converter {
            definition: self.definition(),
            visibility: self.view.visibility,
            resolve_link: (),
        };
        let value = converter.convert_scalar(field, &typed(field, text))?;
        Ok(Predicate::Is { field: id, value })
    }

    fn starts_with(&self, fields: &[FieldId], parameter: &str) -> Result<Option<Predicate>, CampaignError> {
        let prefixed = |fields: &[FieldId], value: &str| Predicate::StartsWith {
            fields: fields.to_vec(),
            prefix: value.to_owned(),
        };
        let Some(kind) = self.parameters.get("filterType") else {
            return Ok(self.value(parameter).map(|value| prefixed(fields, value)));
        };
        if let Some(&field) = fields
            .iter()
            .find(|&&field| self.definition().field(field).name == kind)
        {
            return Ok(self.value(parameter).map(|value| prefixed(&[field], value)));
        }
        // A custom field is named without its prefix, its value stands in a parameter of the field's own name.
        let custom = custom_parameter(kind);
        let field = self.definition().visible_id(&custom, self.view.visibility);
        let field = field.ok_or_else(|| invalid("filterType", kind))?;
        Ok(self.value(&custom).map(|value| prefixed(&[field], value)))
    }

    /// The rows that `through` joins with the row of `target` that has this key.
    fn joined(
        &self,
        key: &str,
        target: &str,
        (through, link, back): (&str, &str, &str),
    ) -> Result<Vec<RowId>, CampaignError> {
        let target = self.organisation.known_resource(target)?;
        let row = {
            let table = target.table.read();
            self.organisation.find_row(&target, &table, self.view.visibility, key)?
        };
        let through = self.organisation.known_resource(through)?;
        let fields = through.definition.id(link).zip(through.definition.id(back));
        let Some((row, (link, back))) = row.zip(fields) else {
            return Ok(Vec::new());
        };
        let table = through.table.read();
        let joining = table.find(link, Cell::Integer(i64::from(row))).unwrap_or_default();
        let mut rows: Vec<RowId> = joining
            .into_iter()
            .filter_map(|id| RowId::try_from(table.row(id)?.get(back)?.integer()).ok())
            .collect();
        rows.sort_unstable();
        rows.dedup();
        Ok(rows)
    }

    fn overlaps(
        &self,
        (start, end): (FieldId, FieldId),
        (from, to): (&str, &str),
    ) -> Result<Option<Predicate>, CampaignError> {
        let parse = |parameter: &str| {
            let date = |value| time::parse_date(value).ok_or_else(|| invalid(parameter, value));
            self.value(parameter).map(date).transpose()
        };
        let (from, to) = (parse(from)?, parse(to)?);
        if from.is_none() && to.is_none() {
            return Ok(None);
        }
        Ok(Some(Predicate::Overlaps {
            start,
            end,
            from: from.unwrap_or(i64::MIN),
            to: to.unwrap_or(i64::MAX),
        }))
    }
}

/// The parameter in which `byText` takes the value for the custom field that `filterType` names.
pub(super) fn custom_parameter(filter_type: &str) -> String {
    format!("cus{filter_type}")
}

/// A parameter as the JSON value a body would have for the field; what does not fit stays text and is refused as such.
fn typed<'a>(field: &Field, text: &'a str) -> Json<'a> {
    let as_text = || Json::Text(text.into());
    match field.kind {
        FieldKind::Byte | FieldKind::Short | FieldKind::Long | FieldKind::Int64 => {
            text.parse().map_or_else(|_| as_text(), Json::Integer)
        }
        FieldKind::Float | FieldKind::Double => text.parse().map_or_else(|_| as_text(), Json::Number),
        FieldKind::Boolean => match text {
            "true" | "1" => Json::Boolean(true),
            "false" | "0" => Json::Boolean(false),
            _ => as_text(),
        },
        _ => as_text(),
    }
}
