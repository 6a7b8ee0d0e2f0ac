//! The two spellings of Campaign's opt-out fields.

use std::borrow::Cow;

use super::TableMapping;

/// How the integration's own pages spell the opt-out fields.
const PROSE_PREFIX: &str = "denyList";
/// How the REST API spells them.
const WIRE_PREFIX: &str = "blackList";
/// The resource that has the opt-out fields.
const PROFILE: &str = "profile";

/// The name the REST API knows a profile's field by: `denyListEmail` is `blackListEmail` on the wire, every other name
/// stays as it is (contracts/campaign.md §5.3).
#[must_use]
pub fn wire_name(path: &str) -> Cow<'_, str> {
    match path.strip_prefix(PROSE_PREFIX) {
        Some(rest) if rest.is_empty() || rest.starts_with(|first: char| first.is_ascii_uppercase()) => {
            Cow::Owned(format!("{WIRE_PREFIX}{rest}"))
        }
        _ => Cow::Borrowed(path),
    }
}

impl TableMapping {
    /// The same mapping with every target under its wire name. To be called once, when a definition is accepted.
    ///
    /// Only the targets of `profile` change: a custom resource may have a field of its own that is called `denyList`.
    #[must_use]
    pub fn into_wire_names(mut self) -> Self {
        if self.target_resource == PROFILE {
            for target in self.fields.iter_mut().map(|field| &mut field.target) {
                *target = wire_name(target).into_owned();
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_deny_list_name_becomes_its_wire_name() {
        for suffix in [
            "",
            "Email",
            "Fax",
            "Mobile",
            "Phone",
            "PostalMail",
            "Pushnotification",
            "EmailLastModified",
        ] {
            assert_eq!(wire_name(&format!("denyList{suffix}")), format!("blackList{suffix}"));
        }
    }

    #[test]
    fn other_names_stay_as_they_are() {
        for name in [
            "blackListEmail",
            "ccpaOptOut",
            "email",
            "denyListed",
            "cusDenyList",
            "denylistEmail",
            "",
        ] {
            assert!(matches!(wire_name(name), Cow::Borrowed(same) if same == name), "{name}");
        }
    }

    #[test]
    fn only_profile_targets_are_renamed_in_a_definition() {
        let mut mapping = super::super::default_contact_mapping();
        mapping.fields.truncate(1);
        mapping.fields[0].target = "denyListFax".to_owned();

        assert_eq!(mapping.clone().into_wire_names().fields[0].target, "blackListFax");

        mapping.target_resource = "cusOptOut".to_owned();
        assert_eq!(mapping.into_wire_names().fields[0].target, "denyListFax");
    }
}
