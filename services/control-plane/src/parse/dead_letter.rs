//! Dead letters: their names and filters.

use crosswalk_core::{WorkflowName, control::RedriveSelection};
use crosswalk_kafka::LetterSummary;
use crosswalk_proto::v1::DeadLetterFilter;
use jiff::Timestamp;

use super::workflow_name;
use crate::error::{ApiError, Violations};

/// Most dead letters that can be named in one request.
const MAX_NAMES: usize = 1_000;

/// Longest text in a filter.
const MAX_TEXT: usize = 128;

const FORM: &str = "instances/{instance}/workflows/{workflow}/deadLetters/{table}.{record id}";

/// Which dead letters are meant; those that fit all that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LetterFilter {
    code: Option<String>,
    table: Option<String>,
    record_id: Option<String>,
    since: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl LetterFilter {
    /// Whether a dead letter is meant.
    pub(crate) fn fits(&self, key: &str, letter: &LetterSummary) -> bool {
        let is = |wanted: &Option<String>, actual: &str| wanted.as_deref().is_none_or(|wanted| wanted == actual);
        is(&self.code, &letter.code)
            && is(&self.table, &letter.table)
            && is(&self.record_id, key.split_once('/').map_or(key, |(_, id)| id))
            && self.since.is_none_or(|since| letter.time >= since)
            && self.before.is_none_or(|before| letter.time < before)
    }

    /// Whether it names nothing but a reason and a table, which is all that a redrive can go by.
    pub(crate) const fn is_by_reason_and_table(&self) -> bool {
        self.record_id.is_none() && self.since.is_none() && self.before.is_none()
    }

    /// The same for a redrive.
    pub(crate) fn selection(self) -> RedriveSelection {
        RedriveSelection {
            keys: Vec::new(),
            code: self.code,
            table: self.table,
        }
    }
}

/// Reads a filter.
pub(crate) fn letter_filter(field: &str, filter: DeadLetterFilter) -> Result<LetterFilter, ApiError> {
    let mut violations = Violations::default();
    let mut text = |member: &str, text: String| {
        if text.chars().count() > MAX_TEXT {
            let description = format!("at most {MAX_TEXT} characters are possible");
            violations.add(format!("{field}.{member}"), "TOO_LONG", description);
        }
        Some(text).filter(|text| !text.is_empty())
    };
    let (code, table) = (text("code", filter.code), text("table", filter.table));
    let record_id = text("record_id", filter.record_id);
    let mut moment = |member: &str, moment: Option<pbjson_types::Timestamp>| {
        let moment = moment?;
        let read = Timestamp::new(moment.seconds, moment.nanos);
        if read.is_err() {
            violations.add(format!("{field}.{member}"), "OUT_OF_RANGE", "is not a moment");
        }
        read.ok()
    };
    let (since, before) = (moment("since", filter.since), moment("before", filter.before));
    violations.finish()?;
    Ok(LetterFilter {
        code,
        table,
        record_id,
        since,
        before,
    })
}

/// The workflow and the key of a dead letter.
pub(crate) fn dead_letter_name(field: &str, text: &str) -> Result<(WorkflowName, String), ApiError> {
    let wrong = || ApiError::field(field, "NAME_INVALID", format!("must be {FORM}"));
    let (parent, id) = text.split_once("/deadLetters/").ok_or_else(wrong)?;
    // A table's name holds no dot, and a record's id neither.
    let (table, record) = id.split_once('.').ok_or_else(wrong)?;
    if table.is_empty() || record.is_empty() || id.len() > 2 * MAX_TEXT || id.contains('/') {
        return Err(wrong());
    }
    Ok((workflow_name(field, parent)?, format!("{table}/{record}")))
}

/// The keys of dead letters of one workflow.
pub(crate) fn dead_letter_names(
    field: &str,
    workflow: &WorkflowName,
    names: &[String],
) -> Result<Vec<String>, ApiError> {
    if names.len() > MAX_NAMES {
        let description = format!("{} names, at most {MAX_NAMES} are possible; use a filter", names.len());
        return Err(ApiError::field(field, "TOO_MANY", description));
    }
    let key = |(place, name): (usize, &String)| {
        let field = format!("{field}[{place}]");
        match dead_letter_name(&field, name)? {
            (of, key) if of == *workflow => Ok(key),
            _ => Err(ApiError::field(
                &field,
                "OTHER_PARENT",
                "is a dead letter of another workflow",
            )),
        }
    };
    names.iter().enumerate().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_the_table_and_the_record() {
        let name = "instances/demo/workflows/ingress/deadLetters/contact.a1b2";
        let (workflow, key) = dead_letter_name("name", name).unwrap();
        assert_eq!(
            (workflow.to_string().as_str(), key.as_str()),
            ("instances/demo/workflows/ingress", "contact/a1b2")
        );
        for name in [
            "",
            "instances/demo/workflows/ingress/deadLetters/",
            "instances/demo/workflows/ingress/deadLetters/contact",
            "instances/demo/workflows/ingress/deadLetters/.a",
            "instances/demo/workflows/ingress/deadLetters/contact.",
            "instances/demo/workflows/none/deadLetters/contact.a",
            "instances/demo/workflows/ingress/deadLetters/contact.a/b",
        ] {
            assert!(dead_letter_name("name", name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_dead_letter_of_another_workflow_is_refused() {
        let (workflow, _) = dead_letter_name("name", "instances/demo/workflows/ingress/deadLetters/a.b").unwrap();
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            dead_letter_names("names", &workflow, &names)
        };
        assert_eq!(
            names(&["instances/demo/workflows/ingress/deadLetters/a.b"]).unwrap(),
            ["a/b"]
        );
        assert!(names(&["instances/prod/workflows/ingress/deadLetters/a.b"]).is_err());
        assert!(names(&vec!["instances/demo/workflows/ingress/deadLetters/a.b"; 1_001]).is_err());
    }
}
