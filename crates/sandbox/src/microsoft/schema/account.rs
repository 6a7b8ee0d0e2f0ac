//! A small account table: what contacts look up to.

use super::{ColumnKind, LookupKind, RequiredLevel, TableBuilder, TableDefinition, TextFormat};

/// The definition of `account`. Its account number is declared as an alternate key, so that key addressing can be tried.
pub(super) fn account() -> TableDefinition {
    TableBuilder::new("Account", "accounts", ("Account", "Accounts"), 1)
        .text("Name", 160, "Account Name")
        .required(RequiredLevel::ApplicationRequired)
        .primary_name()
        .text("AccountNumber", 20, "Account Number")
        .formatted("EMailAddress1", 100, TextFormat::Email, "Email")
        .formatted("Telephone1", 50, TextFormat::Phone, "Main Phone")
        .formatted("WebSiteURL", 200, TextFormat::Url, "Website")
        .add(
            "Description",
            Some("Description"),
            ColumnKind::Memo { max_length: 2000 },
        )
        .integer("NumberOfEmployees", "Number of Employees", 0, 1_000_000_000)
        .money("Revenue", "Annual Revenue")
        .text("Address1_City", 80, "Address 1: City")
        .text("Address1_Country", 80, "Address 1: Country/Region")
        .boolean("DoNotEMail", "Do not allow Emails", "Allow", "Do Not Allow")
        .boolean("DoNotBulkEMail", "Do not allow Bulk Emails", "Allow", "Do Not Allow")
        .lookup(
            "PrimaryContactId",
            "Primary Contact",
            LookupKind::Lookup,
            &[("contact", "primarycontactid")],
        )
        .lookup(
            "ParentAccountId",
            "Parent Account",
            LookupKind::Lookup,
            &[("account", "parentaccountid")],
        )
        .lookup(
            "TransactionCurrencyId",
            "Currency",
            LookupKind::Lookup,
            &[("transactioncurrency", "transactioncurrencyid")],
        )
        .active_inactive()
        .user_owned_columns()
        .build(&[("AccountNumberKey", "Account Number", &["accountnumber"])])
}
