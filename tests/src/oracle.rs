//! The oracle: compares what Dynamics holds with what Campaign holds.
//!
//! It knows nothing of the product's mapping code: what each pair of fields must look like is written down here again.

use std::collections::BTreeMap;

use anyhow::Context as _;
use crosswalk_sandbox::{Sandbox, adobe::Organisation};
use serde_json::{Value, json};

/// The field pairs that worlds map, and how a value must come out.
const FIELDS: [(&str, &str, Rule); 12] = [
    ("firstname", "firstName", Rule::Text { longest: 30 }),
    ("lastname", "lastName", Rule::Text { longest: 50 }),
    ("salutation", "salutation", Rule::Text { longest: 20 }),
    ("emailaddress1", "email", Rule::Text { longest: 128 }),
    ("telephone1", "phone", Rule::Text { longest: 32 }),
    ("nickname", "cusNickname", Rule::Text { longest: 100 }),
    ("birthdate", "birthDate", Rule::Text { longest: 10 }),
    ("gendercode", "gender", Rule::Gender),
    ("numberofchildren", "cusVisits", Rule::Number),
    ("donotbulkemail", "cusVip", Rule::Flag),
    ("address1_city", "location.city", Rule::Text { longest: 255 }),
    ("address1_line1", "location.address1", Rule::Text { longest: 255 }),
];

/// How a value must come out.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// The same text; nothing is an empty text; longer than this is rejected.
    Text { longest: usize },
    /// 1 is male, 2 is female.
    Gender,
    /// The same number; nothing is 0.
    Number,
    /// The same flag; nothing is false.
    Flag,
}

impl Rule {
    /// What the target must hold; `None` if the record must be rejected.
    fn expected(self, source: &Value) -> Option<Value> {
        match self {
            Self::Text { longest } => {
                let text = source.as_str().unwrap_or_default();
                (text.chars().count() <= longest).then(|| json!(text))
            }
            Self::Gender => Some(json!(match source.as_i64() {
                Some(1) => "male",
                Some(2) => "female",
                _ => "unknown",
            })),
            Self::Number => Some(json!(source.as_i64().unwrap_or_default())),
            Self::Flag => Some(json!(source.as_bool().unwrap_or_default())),
        }
    }
}

/// Looks into both systems of a sandbox.
pub struct Oracle<'a> {
    sandbox: &'a Sandbox,
}

/// What the oracle saw when all was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Contacts with an equal profile.
    pub equal: usize,
    /// Contacts that no profile can hold, by the limits of its fields.
    pub rejected: usize,
    /// Profiles without a contact, left there by a mapping that does not apply deletes.
    pub left: usize,
}

impl<'a> Oracle<'a> {
    pub(crate) const fn new(sandbox: &'a Sandbox) -> Self {
        Self { sandbox }
    }

    /// Checks that every contact has one profile with exactly the values it must have.
    ///
    /// # Errors
    /// Says which contacts are missing or differ, the first few of each.
    pub fn check(&self) -> anyhow::Result<Verdict> {
        let contacts = self.contacts()?;
        let mut profiles = self.profiles()?;
        let mut verdict = Verdict {
            equal: 0,
            rejected: 0,
            left: 0,
        };
        let (mut missing, mut different) = (Vec::new(), Vec::new());
        for (id, contact) in &contacts {
            let profile = profiles.remove(id);
            match (expected(contact), profile) {
                (None, _) => verdict.rejected += 1,
                (Some(_), None) => missing.push(id.clone()),
                (Some(expected), Some(profile)) => match difference(&expected, &profile) {
                    None => verdict.equal += 1,
                    Some(difference) => different.push(format!("{id}: {difference}")),
                },
            }
        }
        verdict.left = profiles.len();
        anyhow::ensure!(
            missing.is_empty() && different.is_empty(),
            "{} contacts have no profile: {:?}; {} differ: {:?}",
            missing.len(),
            &missing[..missing.len().min(3)],
            different.len(),
            &different[..different.len().min(3)]
        );
        Ok(verdict)
    }

    /// As [`Self::check`], and no profile is left whose contact has been deleted.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_exact(&self) -> anyhow::Result<Verdict> {
        let verdict = self.check()?;
        anyhow::ensure!(verdict.left == 0, "{} profiles have no contact any more", verdict.left);
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

    fn contacts(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let rows = self.sandbox.dynamics().rows("contact", usize::MAX, 0);
        let rows = rows.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        rows.into_iter().map(|row| Ok((id(&row, "contactid")?, row))).collect()
    }

    fn profiles(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        let rows = campaign(self.sandbox)?.records("profile", 0, usize::MAX);
        let rows = rows.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let count = rows.len();
        let profiles: BTreeMap<_, _> = rows
            .into_iter()
            .map(|row| Ok((id(&row, "externalId")?, row)))
            .collect::<anyhow::Result<_>>()?;
        anyhow::ensure!(profiles.len() == count, "some contacts have more than one profile");
        Ok(profiles)
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
    FIELDS.iter().map(|(source, target, _)| (*source, *target)).collect()
}

/// What the profile of a contact must hold, by field; `None` if the contact must be rejected.
#[must_use]
pub fn expected(contact: &Value) -> Option<Vec<(&'static str, Value)>> {
    FIELDS
        .iter()
        .map(|(source, target, rule)| {
            let source = contact.get(*source).unwrap_or(&Value::Null);
            rule.expected(source).map(|value| (*target, value))
        })
        .collect()
}

/// The first field of a profile that does not hold what it must; `None` if all do.
#[must_use]
pub fn difference(expected: &[(&str, Value)], profile: &Value) -> Option<String> {
    expected.iter().find_map(|(target, value)| {
        let found = target.split('.').try_fold(profile, |value, member| value.get(member));
        (found != Some(value)).then(|| format!("{target} should be {value} and is {found:?}"))
    })
}
