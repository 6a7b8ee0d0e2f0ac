//! From the members of a body to typed changes: visibility, access, types, lengths, enumerations and data policies.

use super::body::{Json, Members};
use super::config::OverLong;
use super::definition::{Definition, FieldId, Visibility};
use super::enumeration::INVALID_MEMBER;
use super::error::CampaignError;
use super::field::{Access, DataPolicy, Field, FieldKind, Source};
use super::row::{Changes, Value};
use super::table::RowId;
use super::time;

/// Turns bodies for one resource into changes.
pub(super) struct Converter<'a, Resolve> {
    pub(super) definition: &'a Definition,
    pub(super) visibility: Visibility<'a>,
    /// Finds the row a link names by PKey or custom key: target resource, key.
    pub(super) resolve_link: Resolve,
}

impl<Resolve> Converter<'_, Resolve>
where
    Resolve: Fn(&str, &str) -> Result<RowId, CampaignError>,
{
    /// The changes a body asks for. The first member at fault decides the error.
    pub(super) fn changes(&self, members: &Members<'_>) -> Result<Changes, CampaignError> {
        let mut changes = Vec::with_capacity(members.len() + 8);
        for (name, json) in members {
            // A dotted name would reach into an item, which only a nested object may do.
            let id = Some(name).filter(|name| !name.contains('.'));
            let id = id.and_then(|name| self.definition.visible_id(name, self.visibility));
            self.convert_member(id.ok_or_else(|| self.unknown(name))?, json, &mut changes)?;
        }
        // Stable, and the last of equal fields wins, as with every JSON reader that keeps duplicate members.
        changes.sort_by_key(|(field, _)| *field);
        changes.reverse();
        changes.dedup_by_key(|(field, _)| *field);
        changes.reverse();
        Ok(changes)
    }

    fn convert_member(&self, id: FieldId, json: &Json<'_>, changes: &mut Changes) -> Result<(), CampaignError> {
        let field = self.definition.field(id);
        match field.access {
            Access::Ignored => return Ok(()),
            Access::ReadOnly => return Err(self.read_only(field.name)),
            Access::Writable => debug_assert_eq!(field.source, Source::Stored),
        }
        match &field.kind {
            FieldKind::Item => self.convert_item(id, json, changes)?,
            FieldKind::Link { target } => {
                if let Some(change) = self.convert_link(field, target, json)? {
                    changes.push((id, change));
                }
            }
            _ => changes.push((id, self.convert_scalar(field, json)?)),
        }
        Ok(())
    }

    /// Members of a nested item are changed one by one; an empty item empties all of them.
    fn convert_item(&self, item: FieldId, json: &Json<'_>, changes: &mut Changes) -> Result<(), CampaignError> {
        let field = self.definition.field(item);
        match json {
            Json::Object(members) => {
                for (name, json) in members {
                    let full_name = format!("{}.{name}", field.name);
                    let id = self.definition.visible_id(&full_name, self.visibility);
                    let id = id.ok_or_else(|| self.unknown(name))?;
                    changes.push((id, self.convert_scalar(self.definition.field(id), json)?));
                }
                Ok(())
            }
            empty if empty.is_empty() => {
                changes.extend(self.definition.members(item).iter().map(|&member| (member, None)));
                Ok(())
            }
            other => Err(invalid(field, other)),
        }
    }

    /// `None` leaves the link as it is: a target given by attributes instead of its key is ignored without an error
    /// (contracts/campaign.md §6.3, case 11).
    fn convert_link(
        &self,
        field: &Field,
        target: &str,
        json: &Json<'_>,
    ) -> Result<Option<Option<Value>>, CampaignError> {
        match json {
            Json::Object(members) => {
                let key = members
                    .iter()
                    .find(|(name, _)| name == "PKey")
                    .and_then(|(_, key)| key.text());
                let Some(key) = key else { return Ok(None) };
                let row = (self.resolve_link)(target, key)?;
                Ok(Some(Some(Value::Integer(i64::from(row)))))
            }
            empty if empty.is_empty() => Ok(Some(None)),
            other => Err(invalid(field, other)),
        }
    }

    fn unknown(&self, property: &str) -> CampaignError {
        CampaignError::UnknownProperty {
            property: property.to_owned(),
            resource: self.definition.name.to_owned(),
        }
    }

    fn read_only(&self, property: &str) -> CampaignError {
        CampaignError::ReadOnlyProperty {
            property: property.to_owned(),
            resource: self.definition.name.to_owned(),
        }
    }
}

/// What needs no look at other rows.
impl<Resolve> Converter<'_, Resolve> {
    /// The value of a field that is no link; `None` if it is the empty one.
    pub(super) fn convert_scalar(&self, field: &Field, json: &Json<'_>) -> Result<Option<Value>, CampaignError> {
        if json.is_empty() {
            return Ok(None);
        }
        let refused = || invalid(field, json);
        match &field.kind {
            FieldKind::Text { length } => self.convert_text(field, json.text().ok_or_else(refused)?, Some(*length)),
            FieldKind::Memo => self.convert_text(field, json.text().ok_or_else(refused)?, None),
            FieldKind::Byte => self.convert_integer(field, json, i64::from(i8::MIN), i64::from(i8::MAX)),
            FieldKind::Short => self.convert_integer(field, json, i64::from(i16::MIN), i64::from(i16::MAX)),
            FieldKind::Long => self.convert_integer(field, json, i64::from(i32::MIN), i64::from(i32::MAX)),
            FieldKind::Int64 => self.convert_integer(field, json, i64::MIN, i64::MAX),
            FieldKind::Float => self.convert_number(field, json, f64::from(f32::MAX)),
            FieldKind::Double => self.convert_number(field, json, f64::MAX),
            FieldKind::Boolean => match json {
                Json::Boolean(true) => Ok(Some(Value::Integer(1))),
                Json::Boolean(false) => Ok(None),
                _ => Err(refused()),
            },
            FieldKind::Date => {
                let date = json.text().and_then(time::parse_date).ok_or_else(refused)?;
                Ok(Some(Value::Integer(date)))
            }
            FieldKind::DateTime => {
                let moment = json.text().and_then(time::parse_datetime).ok_or_else(refused)?;
                Ok(Some(Value::Integer(moment)))
            }
            FieldKind::Duration => {
                let duration = json.text().filter(|text| time::is_duration(text)).ok_or_else(refused)?;
                Ok(Some(Value::Text(duration.into())))
            }
            FieldKind::Enumeration(enumeration) => {
                let member = json.text().filter(|&name| name != INVALID_MEMBER);
                let position = member.and_then(|name| enumeration.position(name));
                let position = position.ok_or_else(|| CampaignError::InvalidEnumerationValue {
                    value: json.to_string(),
                    schema: self.definition.schema.to_owned(),
                    enumeration: enumeration.name.to_owned(),
                    field: field.name.to_owned(),
                })?;
                Ok((position > 0).then_some(Value::Integer(position as i64)))
            }
            FieldKind::Link { .. } | FieldKind::Join { .. } | FieldKind::Collection { .. } | FieldKind::Item => {
                Err(refused())
            }
        }
    }

    fn convert_text(&self, field: &Field, text: &str, length: Option<usize>) -> Result<Option<Value>, CampaignError> {
        if field.policy == Some(DataPolicy::Email) && !is_email(text) {
            return Err(CampaignError::DataPolicy {
                value: text.to_owned(),
                field: field.name.to_owned(),
                policy: "email address",
            });
        }
        let mut stored = text;
        if let Some(length) = length {
            // Bytes are never fewer than characters, so that most texts need no counting.
            if text.len() > length
                && let Some((cut, _)) = text.char_indices().nth(length)
            {
                if self.visibility.switches.over_long == OverLong::Reject {
                    let actual = text.chars().count();
                    return Err(CampaignError::TooLong {
                        field: field.name.to_owned(),
                        actual,
                        length,
                    });
                }
                stored = &text[..cut];
            }
        }
        let smart_case = self.visibility.switches.smart_case_fields.contains(field.name);
        Ok(Some(Value::Text(if smart_case {
            capitalised(stored).into()
        } else {
            stored.into()
        })))
    }

    fn convert_integer(
        &self,
        field: &Field,
        json: &Json<'_>,
        lowest: i64,
        highest: i64,
    ) -> Result<Option<Value>, CampaignError> {
        let truncate = self.visibility.switches.over_long == OverLong::Truncate;
        let integer = match *json {
            Json::Integer(integer) if truncate => integer.clamp(lowest, highest),
            Json::Integer(integer) if (lowest..=highest).contains(&integer) => integer,
            // `as` saturates, which is the clamping wanted here.
            Json::Number(number) if truncate => (number as i64).clamp(lowest, highest),
            _ => return Err(invalid(field, json)),
        };
        Ok((integer != 0).then_some(Value::Integer(integer)))
    }

    fn convert_number(&self, field: &Field, json: &Json<'_>, highest: f64) -> Result<Option<Value>, CampaignError> {
        let number = match *json {
            Json::Integer(integer) => integer as f64,
            Json::Number(number) => number,
            _ => return Err(invalid(field, json)),
        };
        let number = match self.visibility.switches.over_long {
            OverLong::Truncate => number.clamp(-highest, highest),
            OverLong::Reject if number.abs() > highest => return Err(invalid(field, json)),
            OverLong::Reject => number,
        };
        Ok((number != 0.0).then_some(Value::Number(number)))
    }
}

fn invalid(field: &Field, json: &Json<'_>) -> CampaignError {
    let (kind, technical) = field.kind.names();
    CampaignError::InvalidValue {
        value: json.to_string(),
        field: field.name.to_owned(),
        kind: technical.unwrap_or(kind),
    }
}

/// The e-mail data policy. Its exact rule is not public; this one refuses what no mail server could take.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let bad = |character: char| character.is_whitespace() || character.is_control() || ",;<>()@".contains(character);
    !local.is_empty()
        && !text.chars().any(|character| character != '@' && bad(character))
        && !local.contains('@')
        && domain.contains('.')
        && domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
}

/// The smart-case data policy: every word begins with a capital and goes on in small letters.
fn capitalised(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut inside_word = false;
    for character in text.chars() {
        if inside_word {
            result.extend(character.to_lowercase());
        } else {
            result.extend(character.to_uppercase());
        }
        inside_word = character.is_alphanumeric();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_policy_takes_addresses_and_refuses_the_rest() {
        for address in [
            "ann@example.com",
            "a.b+c@sub.example.co.uk",
            "o'neil@example.com",
            "josé@exämple.com",
        ] {
            assert!(is_email(address), "{address}");
        }
        for text in [
            "ann",
            "ann@",
            "@example.com",
            "ann@example",
            "a n@example.com",
            "a@b@example.com",
            "a@b..com",
            "a@-b.com",
        ] {
            assert!(!is_email(text), "{text}");
        }
    }

    #[test]
    fn smart_case_capitalises_words() {
        assert_eq!(capitalised("ANN-MARIE o'neil van dyk"), "Ann-Marie O'Neil Van Dyk");
        assert_eq!(capitalised("éLODIE"), "Élodie");
    }
}
