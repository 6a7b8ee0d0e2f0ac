//! The three long groups of contact columns: choices, consent, addresses (contracts/dataverse.md §8.2, §8.3).

use super::{ColumnKind, Derivation, TableBuilder, TextFormat};

const UNLABELLED_CHOICES: [(&str, &str); 7] = [
    ("CustomerTypeCode", "Relationship Type"),
    ("CustomerSizeCode", "Customer Size"),
    ("EducationCode", "Education"),
    ("HasChildrenCode", "Has Children"),
    ("LeadSourceCode", "Lead Source"),
    ("TerritoryCode", "Territory"),
    ("ShippingMethodCode", "Shipping Method"),
];

const DEFAULT_CHOICE: &[&str] = &["Default Value"];

/// Gender, marital status and the other choices of a person.
pub(super) fn choice_columns(table: TableBuilder) -> TableBuilder {
    let table = table
        .picklist("GenderCode", "Gender", &["Male", "Female"])
        .picklist(
            "FamilyStatusCode",
            "Marital Status",
            &["Single", "Married", "Divorced", "Widowed"],
        )
        .picklist(
            "PreferredContactMethodCode",
            "Preferred Method of Contact",
            &["Any", "Email", "Phone", "Fax", "Mail"],
        )
        .picklist("AccountRoleCode", "Role", &["Decision Maker", "Employee", "Influencer"]);
    UNLABELLED_CHOICES.iter().fold(table, |table, (schema_name, label)| {
        table.picklist(schema_name, label, DEFAULT_CHOICE)
    })
}

/// The consent columns, whose labels are not uniform, and the other yes/no columns.
pub(super) fn consent_columns(table: TableBuilder) -> TableBuilder {
    table
        .boolean("DoNotEMail", "Do not allow Emails", "Allow", "Do Not Allow")
        .boolean("DoNotBulkEMail", "Do not allow Bulk Emails", "Allow", "Do Not Allow")
        .boolean("DoNotPhone", "Do not allow Phone Calls", "Allow", "Do Not Allow")
        .boolean("DoNotFax", "Do not allow Faxes", "Allow", "Do Not Allow")
        .boolean("DoNotPostalMail", "Do not allow Mails", "Allow", "Do Not Allow")
        .boolean("DoNotBulkPostalMail", "Do not allow Bulk Mails", "No", "Yes")
        .boolean("DoNotSendMM", "Send Marketing Materials", "Send", "Do Not Send")
        .boolean_default("FollowEmail", "Follow Email Activity", ("Do Not Allow", "Allow"), true)
        .boolean("MarketingOnly", "Marketing Only", "No", "Yes")
        .boolean("Merged", "Merged", "No", "Yes")
        .read_only()
        .boolean("IsBackofficeCustomer", "Back Office Customer", "No", "Yes")
        .boolean("ParticipatesInWorkflow", "Participates in Workflow", "No", "Yes")
}

/// The columns of one of the three addresses.
pub(super) fn address_columns(table: TableBuilder, number: u8) -> TableBuilder {
    let address = Address { number };
    let table = address.choices(address.names(table));
    let table = address.lines(table);
    let table = address.numbers(table);
    table
        .add(
            &address.column("Composite"),
            Some(&format!("Address {number}")),
            ColumnKind::Memo { max_length: 1000 },
        )
        .derived(Derivation::AddressComposite {
            prefix: format!("address{number}_"),
        })
}

#[derive(Clone, Copy)]
struct Address {
    number: u8,
}

impl Address {
    fn column(self, part: &str) -> String {
        format!("Address{}_{part}", self.number)
    }

    fn label(self, part: &str) -> String {
        format!("Address {}: {part}", self.number)
    }

    fn composite(self) -> String {
        format!("address{}_composite", self.number)
    }

    fn text(self, table: TableBuilder, part: &str, max_length: u32, label: &str) -> TableBuilder {
        table.text(&self.column(part), max_length, &self.label(label))
    }

    fn names(self, table: TableBuilder) -> TableBuilder {
        let name_length = if self.number == 2 { 100 } else { 200 };
        let table = table.add(
            &self.column("AddressId"),
            Some(&self.label("ID")),
            ColumnKind::UniqueIdentifier,
        );
        let table = self.text(table, "Name", name_length, "Name");
        let table = self.text(table, "PrimaryContactName", 100, "Primary Contact Name");
        let table = ["1", "2", "3"].iter().fold(table, |table, digit| {
            let label = if *digit == "1" {
                "Phone".to_owned()
            } else {
                format!("Telephone {digit}")
            };
            table.formatted(
                &self.column(&format!("Telephone{digit}")),
                50,
                TextFormat::Phone,
                &self.label(&label),
            )
        });
        self.text(table, "Fax", 50, "Fax")
    }

    fn choices(self, table: TableBuilder) -> TableBuilder {
        let first = self.number == 1;
        let pick = |labels: &'static [&'static str]| if first { labels } else { DEFAULT_CHOICE };
        let shipping = pick(&[
            "Airborne",
            "DHL",
            "FedEx",
            "UPS",
            "Postal Mail",
            "Full Load",
            "Will Call",
        ]);
        table
            .picklist(
                &self.column("AddressTypeCode"),
                &self.label("Address Type"),
                pick(&["Bill To", "Ship To", "Primary", "Other"]),
            )
            .picklist(
                &self.column("ShippingMethodCode"),
                &self.label("Shipping Method"),
                shipping,
            )
            .picklist(
                &self.column("FreightTermsCode"),
                &self.label("Freight Terms"),
                pick(&["FOB", "No Charge"]),
            )
    }

    fn lines(self, table: TableBuilder) -> TableBuilder {
        [
            ("Line1", 250, "Street 1"),
            ("Line2", 250, "Street 2"),
            ("Line3", 250, "Street 3"),
            ("City", 80, "City"),
            ("StateOrProvince", 50, "State/Province"),
            ("County", 50, "County"),
            ("PostalCode", 20, "ZIP/Postal Code"),
            ("PostOfficeBox", 20, "Post Office Box"),
            ("Country", 80, "Country/Region"),
        ]
        .into_iter()
        .fold(table, |table, (part, max_length, label)| {
            self.text(table, part, max_length, label)
                .accompanied_by(&self.composite())
        })
    }

    fn numbers(self, table: TableBuilder) -> TableBuilder {
        let degrees = |limit: f64| ColumnKind::Double {
            min: -limit,
            max: limit,
            precision: 5,
        };
        let table = table
            .add(&self.column("Latitude"), Some(&self.label("Latitude")), degrees(90.0))
            .add(
                &self.column("Longitude"),
                Some(&self.label("Longitude")),
                degrees(180.0),
            )
            .integer(&self.column("UTCOffset"), &self.label("UTC Offset"), -1500, 1500);
        self.text(table, "UPSZone", 4, "UPS Zone")
    }
}
