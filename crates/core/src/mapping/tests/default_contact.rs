//! The mapping a new site starts from, against the schemas the contracts document.

use super::fixtures::{ID, choice, column, enumeration_field, field, row, string_field, text};
use crate::{
    Value,
    mapping::{CompiledMapping, OverLong, Part, default_contact_mapping, validate},
    schema::{ColumnType, FieldType, Resource, Table},
};

/// contracts/dataverse.md §8.2.
fn documented_contact() -> Table {
    let mut columns = vec![
        column("contactid", ColumnType::Uniqueidentifier),
        column("birthdate", ColumnType::DateOnly),
        column("gendercode", ColumnType::Picklist),
    ];
    for name in [
        "firstname",
        "middlename",
        "lastname",
        "salutation",
        "emailaddress1",
        "mobilephone",
        "telephone1",
        "fax",
        "address1_line1",
        "address1_line2",
        "address1_line3",
        "address1_city",
        "address1_postalcode",
        "address1_country",
        "address1_stateorprovince",
    ] {
        columns.push(column(name, ColumnType::String));
    }
    columns.sort_by(|one, other| one.logical_name.cmp(&other.logical_name));
    Table {
        columns,
        ..super::fixtures::contact()
    }
}

/// contracts/campaign.md §5.1, §5.2.
fn documented_profile() -> Resource {
    let mut fields = vec![
        field("birthDate", FieldType::Date),
        enumeration_field("gender", &["unknown", "male", "female"]),
        string_field("email", 128),
        string_field("externalId", 100),
        string_field("fax", 32),
        string_field("firstName", 30),
        string_field("lastName", 50),
        string_field("middleName", 30),
        string_field("mobilePhone", 32),
        string_field("phone", 32),
        string_field("salutation", 20),
    ];
    for member in [
        "address1",
        "address2",
        "address3",
        "address4",
        "city",
        "countryCode",
        "stateCode",
        "zipCode",
    ] {
        fields.push(field(&format!("location.{member}"), FieldType::String));
    }
    fields.sort_by(|one, other| one.path.cmp(&other.path));
    Resource {
        fields,
        ..super::fixtures::profile()
    }
}

#[test]
fn has_no_problem_with_the_documented_schemas() {
    assert_eq!(
        validate(&default_contact_mapping(), &documented_contact(), &documented_profile()),
        []
    );
}

#[test]
fn leaves_deletes_and_cutting_to_the_user() {
    let options = default_contact_mapping().options;
    assert!(!options.apply_deletes);
    assert_eq!(options.over_long, OverLong::Reject);
}

#[test]
fn writes_a_contact_as_a_profile() {
    let profile = documented_profile();
    let compiled = CompiledMapping::new(&default_contact_mapping(), &profile).expect("the mapping is valid");
    let contact = row(vec![
        ("address1_city", text("Miami")),
        ("address1_line1", text("1 Main St")),
        ("birthdate", Value::Date("1984-02-29".parse().expect("a date"))),
        ("emailaddress1", text("ann.lee@example.com")),
        ("firstname", text("Ann")),
        ("gendercode", Value::Choice(choice(2, Some("Female")))),
        ("lastname", text("Lee")),
        ("telephone1", Value::Null),
    ]);
    let mut out = Vec::new();
    compiled
        .apply(ID, &contact)
        .expect("the row is valid")
        .write_json(Part::All, &mut out);
    assert_eq!(
        String::from_utf8(out).expect("JSON is UTF-8"),
        concat!(
            r#"{"externalId":"a1000000-0000-4000-8000-00000000000f","birthDate":"1984-02-29","#,
            r#""email":"ann.lee@example.com","firstName":"Ann","gender":"female","lastName":"Lee","#,
            r#""location":{"address1":"1 Main St","city":"Miami"},"phone":""}"#
        )
    );
}
