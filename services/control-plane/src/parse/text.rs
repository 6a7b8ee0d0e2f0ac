//! Rules for single texts.

use crosswalk_core::mapping::MAX_NAME_LENGTH;

use crate::error::{ApiError, Violations};

/// What a text must look like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Longest text, in characters.
    pub(super) max: usize,
    /// Which characters it may have.
    pub(super) allowed: fn(char) -> bool,
    /// Those characters in words.
    pub(super) characters: &'static str,
}

/// Names for people.
pub(super) const DISPLAY_NAME: Rule = Rule {
    max: 100,
    allowed: |one| !one.is_control(),
    characters: "no control characters",
};

/// Client ids and the like: they go into headers.
pub(super) const PRINTABLE: Rule = Rule {
    max: 200,
    allowed: |one| one.is_ascii_graphic(),
    characters: "printable ASCII characters without blanks",
};

/// Secrets. A line break at the end is how a pasted or piped secret goes wrong.
pub(super) const SECRET: Rule = Rule {
    max: 1024,
    allowed: |one| !one.is_control(),
    characters: "no line breaks or other control characters",
};

/// Logical names of Dynamics tables, which become part of topic names.
const DYNAMICS_TABLE: Rule = Rule {
    max: MAX_NAME_LENGTH,
    allowed: |one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_',
    characters: "lower-case letters, digits and underscores: the logical name, e.g. `contact`",
};

/// API names of Campaign resources, which become part of addresses.
const CAMPAIGN_RESOURCE: Rule = Rule {
    max: MAX_NAME_LENGTH,
    allowed: |one| one.is_ascii_alphanumeric() || one == '_',
    characters: "letters, digits and underscores: the API name, e.g. `profile`",
};

impl Rule {
    /// Checks a text that must be there.
    pub(super) fn required(&self, violations: &mut Violations, field: &str, text: &str) {
        if text.is_empty() {
            violations.add(field, "REQUIRED", "must be set");
        } else {
            self.optional(violations, field, text);
        }
    }

    /// Checks a text that may be empty.
    pub(super) fn optional(&self, violations: &mut Violations, field: &str, text: &str) {
        let length = text.chars().count();
        if length > self.max {
            let description = format!("has {length} characters, at most {} are possible", self.max);
            violations.add(field, "TOO_LONG", description);
        } else if !text.chars().all(self.allowed) {
            violations.add(field, "CHARACTERS", format!("must have {}", self.characters));
        }
    }
}

/// Checks the name of a table of Dynamics 365.
pub(super) fn dynamics_table(violations: &mut Violations, field: &str, name: &str) {
    DYNAMICS_TABLE.required(violations, field, name);
}

/// Checks the name of a resource of Campaign.
pub(super) fn campaign_resource(violations: &mut Violations, field: &str, name: &str) {
    CAMPAIGN_RESOURCE.required(violations, field, name);
}

/// Checks the name of a table of either system in the field `table_id`.
pub(crate) fn table_id(name: &str) -> Result<(), ApiError> {
    let mut violations = Violations::default();
    CAMPAIGN_RESOURCE.required(&mut violations, "table_id", name);
    violations.finish()
}
