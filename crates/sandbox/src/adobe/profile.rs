//! The resources out of the box: `profile` with its custom fields, and the units it can be linked to.

use std::sync::Arc;

use super::definition::Definition;
use super::enumeration;
use super::field::{Access, Computed, DataPolicy, Field, FieldKind};
use super::filter::{Filter, ParameterKind};
use super::service::SUBSCRIPTION;

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
    let definition = Definition::new(("profile", "Profiles", "nms:recipient"), "Identified profiles", fields)
        .with_unique_key("externalId", &["externalId"]);
    with_own_filters(definition)
        .with_filter(|profile| {
            let external_id = [(profile.known_id("externalId"), "externalId_parameter")];
            Filter::equals(("byExternalId", "ExternalId"), &external_id, ParameterKind::Text).custom()
        })
        .with_filter(|_| {
            let (name, label) = ("byLastModifiedSince", "LastModifiedSince");
            Filter::modified_since(name, label, "lastModified_parameter").custom()
        })
}

/// The filters of profiles out of the box (contracts/campaign.md §3.4). There are no audiences and deliveries here, so
/// that filters by these select nothing.
fn with_own_filters(profile: Definition) -> Definition {
    let by_email = |name, label| {
        move |profile: &Definition| {
            let email = [(profile.known_id("email"), "email")];
            Filter::equals((name, label), &email, ParameterKind::Text)
        }
    };
    profile
        .with_filter(by_email("byEmail", "By email"))
        .with_filter(by_email("byKeysProfile", "By profile keys"))
        .with_filter(|profile| {
            let fields = ["email", "firstName", "lastName"].map(|name| profile.known_id(name));
            Filter::by_text("By name or email", fields.to_vec())
        })
        .with_filter(|_| Filter::nothing("byStaticAudience", "By audience", "audience"))
        .with_filter(|profile| Filter::birthday(profile.known_id("birthDate")))
        .with_filter(|_| Filter::nothing("hasReceivedDelivery", "Has received a delivery", "delivery"))
        .with_filter(|_| Filter::nothing("hasOpenedDelivery", "Has opened a delivery", "delivery"))
        .with_filter(|_| Filter::nothing("hasClickedDelivery", "Has clicked in a delivery", "delivery"))
        .with_filter(|_| Filter::row("profile", "Profile"))
        .with_filter(|_| Filter::subscribers())
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
    Definition::new((name, label, schema), help, fields).with_own_key("name", &["name"])
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
                target: SUBSCRIPTION,
                link: "subscriber",
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
    let flags = [
        (
            "blackList",
            "No longer contact (by any channel)",
            &["blackListAllLastModified", "blackListLastModified"][..],
        ),
        (
            "blackListEmail",
            "No longer contact by email",
            &["blackListEmailLastModified"],
        ),
        (
            "blackListFax",
            "No longer contact by fax",
            &["blackListFaxLastModified"],
        ),
        (
            "blackListMobile",
            "No longer contact by SMS",
            &["blackListMobileLastModified"],
        ),
        (
            "blackListPhone",
            "No longer contact by phone",
            &["blackListPhoneLastModified"],
        ),
        (
            "blackListPostalMail",
            "No longer contact by direct mail",
            &["blackListPostalMailLastModified"],
        ),
        (
            "blackListPushnotification",
            "No longer contact by push notification",
            &[],
        ),
        ("ccpaOptOut", "CCPA Opt-Out", &["ccpaOptOutLastModified"]),
    ];
    let flag = |(name, label, stamps): (_, _, &[_])| Field::new(name, label, FieldKind::Boolean).stamps(stamps);
    let fields = flags.into_iter().map(flag).chain(consent_stamps());
    fields.map(|field| field.category("denylist")).collect()
}

fn consent_stamps() -> impl Iterator<Item = Field> {
    let stamps = [
        ("blackListAllLastModified", "Change of all channels"),
        ("blackListLastModified", "Change of no longer contact"),
        ("blackListEmailLastModified", "Change of email"),
        ("blackListFaxLastModified", "Change of fax"),
        ("blackListMobileLastModified", "Change of SMS"),
        ("blackListPhoneLastModified", "Change of phone"),
        ("blackListPostalMailLastModified", "Change of direct mail"),
        ("ccpaOptOutLastModified", "Change of CCPA Opt-Out"),
    ];
    let stamp = |(name, label)| Field::new(name, label, FieldKind::DateTime).access(Access::Ignored);
    stamps.into_iter().map(stamp)
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
