//! Public facts about the profile that its metadata does not tell: lengths, what is read-only, the members of its
//! address (contracts/campaign.md §5.1 to §5.4).

use crosswalk_core::schema::{Field, FieldType};

/// API name of the resource.
pub(super) const NAME: &str = "profile";

/// Longest texts, in characters (§5.1). Texts without a length of their own hold 255, so the members of the address do
/// (§5.2).
const LENGTHS: [(&str, u32); 20] = [
    ("acsId", 36),
    ("domain", 255),
    ("email", 128),
    ("externalId", 100),
    ("fax", 32),
    ("firstName", 30),
    ("lastName", 50),
    ("location.address1", 255),
    ("location.address2", 255),
    ("location.address3", 255),
    ("location.address4", 255),
    ("location.city", 255),
    ("location.countryCode", 255),
    ("location.stateCode", 255),
    ("location.zipCode", 255),
    ("middleName", 30),
    ("mobilePhone", 32),
    ("phone", 32),
    ("salutation", 20),
    ("thumbnail", 255),
];

/// Fields that cannot be written, and those of which it is not known whether they can (§5.1, "N" and "?"): a field
/// wrongly taken for writable would stop the workflow at its first record.
const READ_ONLY: [&str; 5] = ["age", "domain", "isExternal", "postalAddress", "thumbnail"];

/// Change stamps, of which it is not known whether they can be written (§5.4).
const STAMP_ENDING: &str = "LastModified";

/// Members of the nested item `location`, with their labels (§5.2).
const LOCATION: [(&str, &str); 8] = [
    ("location.address1", "Address 1"),
    ("location.address2", "Address 2"),
    ("location.address3", "Address 3"),
    ("location.address4", "Address 4"),
    ("location.city", "City"),
    ("location.countryCode", "Country code (ISO A2)"),
    ("location.stateCode", "State code"),
    ("location.zipCode", "ZIP/Postcode"),
];

/// Adds what the metadata left out. What it does tell stands.
pub(super) fn complete(fields: &mut Vec<Field>) {
    if fields.iter().any(|field| field.path == "location") {
        for (path, label) in LOCATION {
            if fields.iter().all(|field| field.path != path) {
                fields.push(text_field(path, label));
            }
        }
    }
    for field in fields {
        let path = field.path.as_str();
        if field.field_type == FieldType::String && field.max_length.is_none() {
            field.max_length = LENGTHS
                .iter()
                .find(|(name, _)| *name == path)
                .map(|(_, length)| *length);
        }
        let custom = path.starts_with("cus");
        let read_only = READ_ONLY.contains(&path) || path.starts_with("postalAddress.") || path.ends_with(STAMP_ENDING);
        if read_only && !custom {
            field.writable = false;
        }
    }
}

fn text_field(path: &str, label: &str) -> Field {
    Field {
        path: path.to_owned(),
        label: label.to_owned(),
        field_type: FieldType::String,
        max_length: None,
        values: Vec::new(),
        writable: true,
        link_target: None,
    }
}
