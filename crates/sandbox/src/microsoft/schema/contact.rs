//! The contact table (contracts/dataverse.md §8).

use super::contact_columns::{address_columns, choice_columns, consent_columns};
use super::{ColumnKind, DateFormat, Derivation, LookupKind, RequiredLevel, TableBuilder, TableDefinition, TextFormat};

/// The definition of `contact`.
pub(super) fn contact() -> TableDefinition {
    let table = TableBuilder::new("Contact", "contacts", ("Contact", "Contacts"), 2);
    let table = reachability_columns(name_columns(table));
    let table = consent_columns(choice_columns(person_columns(table)));
    let table = address_columns(table, 1);
    let table = address_columns(table, 2);
    let table = address_columns(table, 3);
    relation_columns(table)
        .active_inactive()
        .user_owned_columns()
        .build(&[])
}

fn name_columns(table: TableBuilder) -> TableBuilder {
    table
        .text("FullName", 160, "Full Name")
        .derived(Derivation::FullName)
        .primary_name()
        .text("FirstName", 50, "First Name")
        .required(RequiredLevel::Recommended)
        .text("MiddleName", 50, "Middle Name")
        .text("LastName", 50, "Last Name")
        .required(RequiredLevel::ApplicationRequired)
        .text("Salutation", 100, "Salutation")
        .text("NickName", 100, "Nickname")
        .text("Suffix", 10, "Suffix")
        .text("JobTitle", 100, "Job Title")
        .text("Department", 100, "Department")
}

fn reachability_columns(table: TableBuilder) -> TableBuilder {
    table
        .formatted("EMailAddress1", 100, TextFormat::Email, "Email")
        .formatted("EMailAddress2", 100, TextFormat::Email, "Email Address 2")
        .formatted("EMailAddress3", 100, TextFormat::Email, "Email Address 3")
        .formatted("Telephone1", 50, TextFormat::Phone, "Business Phone")
        .formatted("Telephone2", 50, TextFormat::Phone, "Home Phone")
        .formatted("Telephone3", 50, TextFormat::Phone, "Telephone 3")
        .formatted("MobilePhone", 50, TextFormat::Phone, "Mobile Phone")
        .text("Fax", 50, "Fax")
        .text("Pager", 50, "Pager")
        .text("Company", 50, "Company Phone")
        .text("Business2", 50, "Business Phone 2")
        .text("Home2", 50, "Home Phone 2")
        .text("AssistantName", 100, "Assistant")
        .text("AssistantPhone", 50, "Assistant Phone")
        .text("ManagerName", 100, "Manager")
        .text("ManagerPhone", 50, "Manager Phone")
        .formatted("WebSiteUrl", 200, TextFormat::Url, "Website")
        .formatted("FtpSiteUrl", 200, TextFormat::Url, "FTP Site")
}

fn person_columns(table: TableBuilder) -> TableBuilder {
    table
        .date("BirthDate", "Birthday")
        .date("Anniversary", "Anniversary")
        .text("SpousesName", 100, "Spouse/Partner Name")
        .text("ChildrensNames", 255, "Children's Names")
        .integer("NumberOfChildren", "No. of Children", 0, 1_000_000_000)
        .money("AnnualIncome", "Annual Income")
        .money("CreditLimit", "Credit Limit")
        .boolean("CreditOnHold", "Credit Hold", "No", "Yes")
        .add(
            "Description",
            Some("Description"),
            ColumnKind::Memo { max_length: 2000 },
        )
        .text("GovernmentId", 50, "Government")
        .text("EmployeeId", 50, "Employee")
        .text("ExternalUserIdentifier", 50, "External User Identifier")
}

fn relation_columns(table: TableBuilder) -> TableBuilder {
    table
        .lookup(
            "ParentCustomerId",
            "Company Name",
            LookupKind::Customer,
            &[
                ("account", "parentcustomerid_account"),
                ("contact", "parentcustomerid_contact"),
            ],
        )
        .lookup(
            "TransactionCurrencyId",
            "Currency",
            LookupKind::Lookup,
            &[("transactioncurrency", "transactioncurrencyid")],
        )
        .lookup(
            "PreferredSystemUserId",
            "Preferred User",
            LookupKind::Lookup,
            &[("systemuser", "preferredsystemuserid")],
        )
        .lookup("MasterId", "Master ID", LookupKind::Lookup, &[("contact", "masterid")])
        .read_only()
        .moment("OverriddenCreatedOn", "Record Created On", DateFormat::DateOnly)
        .not_updatable()
        .integer("ImportSequenceNumber", "Import Sequence Number", i32::MIN, i32::MAX)
        .not_updatable()
        .moment(
            "LastUsedInCampaign",
            "Last Date Included in Campaign",
            DateFormat::DateOnly,
        )
        .not_creatable()
        .integer(
            "UTCConversionTimeZoneCode",
            "UTC Conversion Time Zone Code",
            -1,
            i32::MAX,
        )
        .without_label()
        .integer(
            "TimeZoneRuleVersionNumber",
            "Time Zone Rule Version Number",
            -1,
            i32::MAX,
        )
        .without_label()
        .add("EntityImage", Some("Entity Image"), ColumnKind::Image)
}
