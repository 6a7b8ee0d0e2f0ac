//! The oracle: compares what Dynamics holds with what Campaign holds.
//!
//! It knows nothing of the product's mapping code: what each pair of fields must look like is written down here again.

use std::collections::BTreeMap;

use anyhow::Context as _;
use crosswalk_sandbox::{Sandbox, adobe::Organisation};
use serde_json::{Value, json};

/// A mapped table: which field of its records must hold what.
pub(crate) struct Pairing {
    /// Logical name of the table.
    pub(crate) table: &'static str,
    /// Its primary key column.
    pub(crate) id: &'static str,
    /// Name of the resource.
    pub(crate) resource: &'static str,
    /// Its key field.
    pub(crate) key: &'static str,
    /// Column, field, and how the value must come out.
    pub(crate) fields: &'static [(&'static str, &'static str, Rule)],
}

/// The pairing every world has.
pub(crate) const CONTACTS: Pairing = Pairing {
    table: "contact",
    id: "contactid",
    resource: "profile",
    key: "externalId",
    fields: &[
        ("firstname", "firstName", Rule::Text { longest: 30 }),
        ("lastname", "lastName", Rule::Text { longest: 50 }),
        ("salutation", "salutation", Rule::Text { longest: 20 }),
        ("emailaddress1", "email", Rule::Text { longest: 128 }),
        ("telephone1", "phone", Rule::Text { longest: 32 }),
        ("nickname", "cusNickname", Rule::Text { longest: 100 }),
        ("birthdate", "birthDate", Rule::Text { longest: 10 }),
        (
            "gendercode",
            "gender",
            Rule::Label(&[(1, "male"), (2, "female")], "unknown"),
        ),
        ("numberofchildren", "cusVisits", Rule::Number),
        ("donotbulkemail", "cusVip", Rule::Flag),
        ("address1_city", "location.city", Rule::Text { longest: 255 }),
        ("address1_line1", "location.address1", Rule::Text { longest: 255 }),
    ],
};

/// How a value must come out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// The same text; nothing is an empty text; longer than this is rejected.
    Text { longest: usize },
    /// The id of the record that is looked up; nothing is an empty text.
    Lookup,
    /// The name for each option, and the one for nothing.
    Label(&'static [(i64, &'static str)], &'static str),
    /// The labels of several options in a row.
    Labels(&'static [(&'static str, &'static str)]),
    /// The same number; nothing is 0.
    Number,
    /// The same number, which may have a fraction; nothing is 0.
    Fraction,
    /// The same flag; nothing is false.
    Flag,
    /// The same moment in Campaign's form, `2026-01-31 08:00:00.000Z`; nothing is an empty text.
    Moment,
}

impl Rule {
    /// What the target must hold; `None` if the record must be rejected.
    fn expected(self, source: &Value) -> Option<Value> {
        let text = || source.as_str().unwrap_or_default();
        match self {
            Self::Text { longest } => (text().chars().count() <= longest).then(|| json!(text())),
            Self::Lookup => Some(json!(text())),
            Self::Label(labels, nothing) => {
                let label = labels.iter().find(|(value, _)| source.as_i64() == Some(*value));
                Some(json!(label.map_or(nothing, |(_, label)| *label)))
            }
            Self::Labels(labels) => {
                let label = |value: &str| labels.iter().find(|(known, _)| *known == value);
                let found: Vec<&str> = text().split(',').filter_map(label).map(|(_, label)| *label).collect();
                Some(json!(found.join("; ")))
            }
            Self::Number => Some(json!(source.as_i64().unwrap_or_default())),
            Self::Fraction => Some(json!(source.as_f64().unwrap_or_default())),
            Self::Flag => Some(json!(source.as_bool().unwrap_or_default())),
            Self::Moment if text().is_empty() => Some(json!("")),
            Self::Moment => Some(json!(text().replace('T', " ").replace('Z', ".000Z"))),
        }
    }

    /// The property of a row in which Dynamics shows the column.
    fn property(self, column: &str) -> String {
        match self {
            Self::Lookup => format!("_{column}_value"),
            _ => column.to_owned(),
        }
    }
}

/// Looks into both systems of a sandbox.
pub struct Oracle<'a> {
    sandbox: &'a Sandbox,
    pairings: Vec<&'static Pairing>,
}

/// What the oracle saw when all was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Records of Dynamics with an equal one in Campaign.
    pub equal: usize,
    /// Records that Campaign cannot hold, by the limits of its fields.
    pub rejected: usize,
    /// Records of Campaign that Dynamics has not, left there by a mapping that does not apply deletes.
    pub left: usize,
}

impl<'a> Oracle<'a> {
    pub(crate) const fn new(sandbox: &'a Sandbox, pairings: Vec<&'static Pairing>) -> Self {
        Self { sandbox, pairings }
    }

    /// Checks that every record of Dynamics has one in Campaign with exactly the values it must have, and that Campaign
    /// hides none.
    ///
    /// # Errors
    /// Says which records are missing, hidden or differ, the first few of each.
    pub fn check(&self) -> anyhow::Result<Verdict> {
        let mut verdict = Verdict::default();
        for pairing in &self.pairings {
            let checked = self
                .check_pairing(pairing)
                .with_context(|| format!("table {}", pairing.table))?;
            verdict.equal += checked.equal;
            verdict.rejected += checked.rejected;
            verdict.left += checked.left;
        }
        Ok(verdict)
    }

    fn check_pairing(&self, pairing: &Pairing) -> anyhow::Result<Verdict> {
        let rows = self.rows(pairing)?;
        let mut records = self.records(pairing)?;
        let mut verdict = Verdict::default();
        let (mut missing, mut hidden, mut different) = (Vec::new(), Vec::new(), Vec::new());
        for (id, row) in &rows {
            match (pairing.expected(row), records.remove(id)) {
                (None, _) => verdict.rejected += 1,
                (Some(_), None) => missing.push(id.clone()),
                (Some(_), Some(record)) if record.get("hidden").is_some() => hidden.push(id.clone()),
                (Some(expected), Some(record)) => match difference(&expected, &record) {
                    None => verdict.equal += 1,
                    Some(difference) => different.push(format!("{id}: {difference}")),
                },
            }
        }
        verdict.left = records.len();
        anyhow::ensure!(
            missing.is_empty() && hidden.is_empty() && different.is_empty(),
            "{} of {} are missing: {:?}; {} are hidden: {:?}; {} differ: {:?}",
            missing.len(),
            rows.len(),
            &missing[..missing.len().min(3)],
            hidden.len(),
            &hidden[..hidden.len().min(3)],
            different.len(),
            &different[..different.len().min(3)]
        );
        Ok(verdict)
    }

    /// As [`Self::check`], and no record is left whose row has been deleted.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_exact(&self) -> anyhow::Result<Verdict> {
        let verdict = self.check()?;
        anyhow::ensure!(verdict.left == 0, "{} records have no row any more", verdict.left);
        Ok(verdict)
    }

    /// Checks that no write of a record went back behind a newer one: tests count up in `nickname`.
    ///
    /// # Errors
    /// Names the record and the two values.
    pub fn check_order(&self) -> anyhow::Result<usize> {
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        let mut checked = 0;
        for write in self.sandbox.campaign().writes().entries(0, usize::MAX) {
            let Some(count) = write
                .body
                .get("cusNickname")
                .and_then(Value::as_str)
                .and_then(|text| text.parse().ok())
            else {
                continue;
            };
            if !(200..300).contains(&write.status) {
                continue;
            }
            let newest = last.entry(write.key.clone()).or_default();
            anyhow::ensure!(count >= *newest, "{}: {count} was written after {newest}", write.key);
            *newest = count;
            checked += 1;
        }
        Ok(checked)
    }

    fn rows(&self, pairing: &Pairing) -> anyhow::Result<BTreeMap<String, Value>> {
        let rows = self.sandbox.dynamics().rows(pairing.table, usize::MAX, 0);
        let rows = rows.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        rows.into_iter().map(|row| Ok((id(&row, pairing.id)?, row))).collect()
    }

    fn records(&self, pairing: &Pairing) -> anyhow::Result<BTreeMap<String, Value>> {
        let records = campaign(self.sandbox)?.records(pairing.resource, 0, usize::MAX);
        let records = records.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let count = records.len();
        let records: BTreeMap<_, _> = records
            .into_iter()
            .map(|record| Ok((id(&record, pairing.key)?, record)))
            .collect::<anyhow::Result<_>>()?;
        anyhow::ensure!(
            records.len() == count,
            "some rows have more than one {}",
            pairing.resource
        );
        Ok(records)
    }
}

impl Pairing {
    /// What the record of a row must hold, by field; `None` if the row must be rejected.
    fn expected(&self, row: &Value) -> Option<Vec<(&'static str, Value)>> {
        self.fields
            .iter()
            .map(|(source, target, rule)| {
                let source = row.get(rule.property(source)).unwrap_or(&Value::Null);
                rule.expected(source).map(|value| (*target, value))
            })
            .collect()
    }

    /// The pairs of column and field.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, &'static str)> {
        self.fields
            .iter()
            .map(|(source, target, _)| (*source, *target))
            .collect()
    }
}

/// The organisation that worlds write to.
pub(crate) fn campaign(sandbox: &Sandbox) -> anyhow::Result<&Organisation> {
    let organisation = sandbox.campaign().organisation("sandbox");
    organisation
        .map(|organisation| &**organisation)
        .context("the sandbox has no organisation `sandbox`")
}

fn id(row: &Value, field: &str) -> anyhow::Result<String> {
    row.get(field)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("a row without {field}: {row}"))
}

/// The field pairs that worlds map: column of `contact`, field of `profile`.
#[must_use]
pub fn mapped_fields() -> Vec<(&'static str, &'static str)> {
    CONTACTS.pairs()
}

/// What the profile of a contact must hold, by field; `None` if the contact must be rejected.
#[must_use]
pub fn expected(contact: &Value) -> Option<Vec<(&'static str, Value)>> {
    CONTACTS.expected(contact)
}

/// The first field of a record that does not hold what it must; `None` if all do.
#[must_use]
pub fn difference(expected: &[(&str, Value)], record: &Value) -> Option<String> {
    expected.iter().find_map(|(target, value)| {
        let found = target.split('.').try_fold(record, |value, member| value.get(member));
        (!found.is_some_and(|found| is_same(found, value)))
            .then(|| format!("{target} should be {value} and is {found:?}"))
    })
}

/// Whether two values are the same, where an empty number may be written with a point or without.
fn is_same(left: &Value, right: &Value) -> bool {
    let is_zero = |value: &Value| value.as_f64() == Some(0.0);
    left == right || is_zero(left) && is_zero(right)
}
