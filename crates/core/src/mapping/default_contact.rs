//! The mapping a new site starts from.

use super::{FieldMapping, Filter, KeyMapping, MappedTypes, MappingOptions, TableMapping};

/// Columns of `contact` and fields of `profile` (contracts/dataverse.md §8.2, contracts/campaign.md §5.1, §5.2).
const FIELDS: [(&str, &str); 15] = [
    ("firstname", "firstName"),
    ("middlename", "middleName"),
    ("lastname", "lastName"),
    ("salutation", "salutation"),
    ("gendercode", "gender"),
    ("birthdate", "birthDate"),
    ("emailaddress1", "email"),
    ("mobilephone", "mobilePhone"),
    ("telephone1", "phone"),
    ("fax", "fax"),
    ("address1_line1", "location.address1"),
    ("address1_line2", "location.address2"),
    ("address1_line3", "location.address3"),
    ("address1_city", "location.city"),
    ("address1_postalcode", "location.zipCode"),
];

/// Contact to profile, with the default options: deletes are not applied, texts that are too long are rejected.
///
/// Left out on purpose, for a user to add where it fits the site:
/// * `address1_country` and `address1_stateorprovince` are free text such as `United States` and `Florida`, while
///   `location.countryCode` is an ISO code of two letters and `location.stateCode` its counterpart: names there would
///   break every query by country or state.
/// * The consent columns belong to the opt-in/out workflow, or here if opt-outs flow one way only
///   (contracts/campaign.md §10.5); which of them a site uses differs.
///
/// Genders are matched by label (`Male` is `male`); where an environment's base language is not English, the option's
/// label has to be added to the Campaign enumeration or the row removed.
#[must_use]
pub fn default_contact_mapping() -> TableMapping {
    TableMapping {
        source_table: "contact".to_owned(),
        target_resource: "profile".to_owned(),
        key: KeyMapping {
            source: "contactid".to_owned(),
            target: "externalId".to_owned(),
        },
        fields: FIELDS
            .iter()
            .map(|(source, target)| FieldMapping::new(*source, *target))
            .collect(),
        replacements: Vec::new(),
        filter: Filter::default(),
        links: Vec::new(),
        types: MappedTypes::default(),
        options: MappingOptions::default(),
    }
}
