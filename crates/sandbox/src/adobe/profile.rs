//! The resources out of the box: `profile` with its custom fields, and the units it can be linked to.

use std::sync::Arc;

use super::definition::{Condition, Definition, Filter};
use super::enumeration;
use super::field::{Access, Computed, DataPolicy, Field, FieldKind};

/// The `profile` resource (contracts/campaign.md §5.1), extended by one custom field of every type and by units, with
/// `externalId` declared as an identification key and the filters the contract asks customers for (§3.4).
pub(super) fn profile() -> Definition {
    let fields = [
        server_fields(),
        person_fields(),
        address_fields(),
        consent_fields(),
        custom_fields(),
    ]
    .concat();
    Definition::new(("profile", "Profiles", "nms:recipient"), "Identified profiles", fields)
        .with_unique_key("externalId", &["externalId"])
        .with_filter(|profile| equals(profile, "byEmail", "By email", "email", "email", false))
        .with_filter(|profile| equals(profile, "byKeysProfile", "By profile keys", "email", "email", false))
        .with_filter(|profile| Filter {
            name: "byText",
            label: "By text",
            parameter: "text",
            condition: Condition::StartsWith {
                fields: ["email", "firstName", "lastName"]
                    .iter()
                    .filter_map(|name| profile.id(name))
                    .collect(),
            },
            custom: false,
        })
        .with_filter(|profile| {
            equals(
                profile,
                "byExternalId",
                "ExternalId",
                "externalId_parameter",
                "externalId",
                true,
            )
        })
        .with_filter(|_| Filter {
            name: "byLastModifiedSince",
            label: "LastModifiedSince",
            parameter: "lastModified_parameter",
            condition: Condition::ModifiedSince,
            custom: true,
        })
}

/// Organizational units: a small resource for `orgUnit` links to point at.
pub(super) fn org_unit() -> Definition {
    unit(
        "orgUnitBase",
        "Organizational unit",
        "nms:orgUnitBase",
        "Organizational units",
    )
}

/// Geographical units, the target of `geoUnit`.
pub(super) fn geo_unit() -> Definition {
    unit(
        "geoUnitBase",
        "Geographical unit",
        "nms:geoUnitBase",
        "Geographical units",
    )
}

fn unit(name: &'static str, label: &'static str, schema: &'static str, help: &'static str) -> Definition {
    let mut fields = row_fields();
    fields.extend([
        Field::text("name", "Name", 64),
        Field::text("label", "Label", 128),
        Field::computed("title", "Title", FieldKind::Text { length: 255 }, Computed::Title),
    ]);
    Definition::new((name, label, schema), help, fields).with_unique_key("name", &["name"])
}

fn equals(
    definition: &Definition,
    name: &'static str,
    label: &'static str,
    parameter: &'static str,
    field: &str,
    custom: bool,
) -> Filter {
    let field = definition
        .id(field)
        .expect("filters are declared on fields of the resource");
    Filter {
        name,
        label,
        parameter,
        condition: Condition::Equals { field },
        custom,
    }
}

/// What every row of every resource has.
pub(super) fn row_fields() -> Vec<Field> {
    vec![
        Field::computed(
            "PKey",
            "Main resource ID",
            FieldKind::Text { length: 255 },
            Computed::PrimaryKey,
        ),
        Field::computed("created", "Created", FieldKind::DateTime, Computed::Created),
        Field::computed("href", "URL", FieldKind::Memo, Computed::Href),
        Field::computed(
            "lastModified",
            "Last modified",
            FieldKind::DateTime,
            Computed::LastModified,
        ),
    ]
}

fn server_fields() -> Vec<Field> {
    let mut fields = row_fields();
    fields.extend([
        Field::computed("acsId", "ACS ID", FieldKind::Text { length: 36 }, Computed::AcsId).extension(),
        Field::computed("age", "Age", FieldKind::Long, Computed::Age),
        Field::computed(
            "cryptedId",
            "Encrypted ID",
            FieldKind::Text { length: 255 },
            Computed::CryptedId,
        ),
        Field::computed(
            "domain",
            "Email domain",
            FieldKind::Text { length: 255 },
            Computed::Domain,
        ),
        Field::computed(
            "postalAddress",
            "Postal address",
            FieldKind::Item,
            Computed::PostalAddress,
        )
        .category("address"),
        Field::computed(
            "title",
            "Profile",
            FieldKind::Text { length: 255 },
            Computed::ProfileTitle,
        ),
        Field::new("isExternal", "Is external resource", FieldKind::Boolean),
        Field::text("thumbnail", "Thumbnail", 255).empty_text("/nl/img/thumbnails/defaultProfil.png"),
        Field::new(
            "subscriptions",
            "Subscriptions",
            FieldKind::Collection {
                target: "subscriptionRcp",
            },
        )
        .access(Access::ReadOnly),
    ]);
    fields
}

fn person_fields() -> Vec<Field> {
    let enumeration = |name, label, members| Field::new(name, label, FieldKind::Enumeration(Arc::new(members)));
    vec![
        Field::new("birthDate", "Date of birth", FieldKind::Date),
        Field::text("email", "Email", 128)
            .policy(DataPolicy::Email)
            .category("contact")
            .indexed(),
        enumeration("emailFormat", "Email format", enumeration::email_format()).category("contact"),
        Field::text("externalId", "External Resource ID", 100),
        Field::text("fax", "Fax", 32).category("contact"),
        Field::text("firstName", "First name", 30),
        enumeration("gender", "Gender", enumeration::gender()),
        Field::new(
            "geoUnit",
            "Geographical unit",
            FieldKind::Link { target: "geoUnitBase" },
        )
        .extension(),
        Field::text("lastName", "Last name", 50),
        Field::text("middleName", "Middle name", 30),
        Field::text("mobilePhone", "Mobile", 32).category("contact"),
        Field::new(
            "orgUnit",
            "Organizational unit",
            FieldKind::Link { target: "orgUnitBase" },
        )
        .extension(),
        Field::text("phone", "Phone", 32).category("contact"),
        enumeration(
            "preferredLanguage",
            "Preferred language",
            enumeration::preferred_language(),
        ),
        Field::text("salutation", "Title", 20),
        enumeration("timeZone", "Time zone", enumeration::time_zone()),
    ]
}

fn address_fields() -> Vec<Field> {
    // Lengths of the members are not public: 255, as for every text without an explicit one (contracts/campaign.md
    // §5.1).
    let member = |name, label| Field::text(name, label, 255).category("address");
    vec![
        Field::new("location", "Location", FieldKind::Item).category("address"),
        member("location.address1", "Address 1 (apartment)"),
        member("location.address2", "Address 2"),
        member("location.address3", "Address 3 (number and street)"),
        member("location.address4", "Address 4"),
        member("location.city", "City"),
        member("location.countryCode", "Country code"),
        member("location.stateCode", "State code"),
        member("location.zipCode", "ZIP/Postcode"),
    ]
}

/// The opt-out flags with their change stamps (contracts/campaign.md §5.3 and §5.4). Push has no stamp on the wire.
/// Both stamps of `blackList` are set, since their difference is not known.
fn consent_fields() -> Vec<Field> {
    let flag = |name, label, stamps: &[&'static str]| {
        Field::new(name, label, FieldKind::Boolean)
            .stamps(stamps)
            .category("denylist")
    };
    let stamp = |name, label| {
        Field::new(name, label, FieldKind::DateTime)
            .access(Access::Ignored)
            .category("denylist")
    };
    vec![
        flag(
            "blackList",
            "No longer contact (by any channel)",
            &["blackListAllLastModified", "blackListLastModified"],
        ),
        flag(
            "blackListEmail",
            "No longer contact by email",
            &["blackListEmailLastModified"],
        ),
        flag(
            "blackListFax",
            "No longer contact by fax",
            &["blackListFaxLastModified"],
        ),
        flag(
            "blackListMobile",
            "No longer contact by SMS",
            &["blackListMobileLastModified"],
        ),
        flag(
            "blackListPhone",
            "No longer contact by phone",
            &["blackListPhoneLastModified"],
        ),
        flag(
            "blackListPostalMail",
            "No longer contact by direct mail",
            &["blackListPostalMailLastModified"],
        ),
        flag(
            "blackListPushnotification",
            "No longer contact by push notification",
            &[],
        ),
        flag("ccpaOptOut", "CCPA Opt-Out", &["ccpaOptOutLastModified"]),
        stamp("blackListAllLastModified", "Change of all channels"),
        stamp("blackListLastModified", "Change of no longer contact"),
        stamp("blackListEmailLastModified", "Change of email"),
        stamp("blackListFaxLastModified", "Change of fax"),
        stamp("blackListMobileLastModified", "Change of SMS"),
        stamp("blackListPhoneLastModified", "Change of phone"),
        stamp("blackListPostalMailLastModified", "Change of direct mail"),
        stamp("ccpaOptOutLastModified", "Change of CCPA Opt-Out"),
    ]
}

/// What this Campaign's customer added to profiles: one field of every type the product offers.
fn custom_fields() -> Vec<Field> {
    [
        Field::new("cusAnniversary", "Anniversary", FieldKind::Date),
        Field::new("cusLastPurchase", "Last purchase", FieldKind::DateTime),
        Field::text("cusLoyaltyLevel", "Loyalty level", 50),
        Field::text("cusNickname", "Nickname", 100),
        Field::new("cusNotes", "Notes", FieldKind::Memo),
        Field::new("cusPoints", "Points", FieldKind::Int64),
        Field::new("cusRatio", "Ratio", FieldKind::Double),
        Field::new("cusScore", "Score", FieldKind::Short),
        Field::new(
            "cusSegment",
            "Segment",
            FieldKind::Enumeration(Arc::new(enumeration::segment())),
        ),
        Field::new("cusSpend", "Spend", FieldKind::Float),
        Field::new("cusTier", "Tier", FieldKind::Byte),
        Field::new("cusVip", "VIP", FieldKind::Boolean),
        Field::new("cusVisits", "Visits", FieldKind::Long),
    ]
    .map(|field| field.extension().category("custom"))
    .to_vec()
}
