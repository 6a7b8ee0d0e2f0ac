//! Tables of the system that others refer to: users, teams, business units, currencies, the organization.

use super::{ColumnKind, LookupKind, Ownership, TableBuilder, TableDefinition, TextFormat};

/// The definition of `systemuser`.
pub(super) fn system_user() -> TableDefinition {
    TableBuilder::new("SystemUser", "systemusers", ("User", "Users"), 8)
        .owned_by(Ownership::BusinessOwned)
        .system_table()
        .text("FullName", 200, "Full Name")
        .primary_name()
        .text("FirstName", 256, "First Name")
        .text("LastName", 256, "Last Name")
        .text("DomainName", 1024, "User Name")
        .formatted("InternalEMailAddress", 100, TextFormat::Email, "Primary Email")
        .add("ApplicationId", Some("Application ID"), ColumnKind::UniqueIdentifier)
        .boolean("IsDisabled", "Status", "Enabled", "Disabled")
        .lookup(
            "BusinessUnitId",
            "Business Unit",
            LookupKind::Lookup,
            &[("businessunit", "businessunitid")],
        )
        .dates_and_version()
        .build(&[])
}

/// The definition of `team`.
pub(super) fn team() -> TableDefinition {
    TableBuilder::new("Team", "teams", ("Team", "Teams"), 9)
        .owned_by(Ownership::BusinessOwned)
        .system_table()
        .text("Name", 160, "Team Name")
        .primary_name()
        .dates_and_version()
        .build(&[])
}

/// The definition of `businessunit`.
pub(super) fn business_unit() -> TableDefinition {
    TableBuilder::new("BusinessUnit", "businessunits", ("Business Unit", "Business Units"), 10)
        .owned_by(Ownership::BusinessOwned)
        .system_table()
        .text("Name", 160, "Name")
        .primary_name()
        .dates_and_version()
        .build(&[])
}

/// The definition of `transactioncurrency`.
pub(super) fn transaction_currency() -> TableDefinition {
    TableBuilder::new(
        "TransactionCurrency",
        "transactioncurrencies",
        ("Currency", "Currencies"),
        9105,
    )
    .owned_by(Ownership::OrganizationOwned)
    .system_table()
    .text("CurrencyName", 100, "Currency Name")
    .primary_name()
    .text("ISOCurrencyCode", 5, "Currency Code")
    .text("CurrencySymbol", 13, "Currency Symbol")
    .integer("CurrencyPrecision", "Currency Precision", 0, 10)
    .add(
        "ExchangeRate",
        Some("Exchange Rate"),
        ColumnKind::Decimal {
            min: 0,
            max: 100_000_000_000,
            precision: 12,
        },
    )
    .active_inactive()
    .dates_and_version()
    .build(&[])
}

/// The definition of `organization`: one row, whose retention setting ages delta tokens (contracts/dataverse.md §3.5).
pub(super) fn organization() -> TableDefinition {
    TableBuilder::new("Organization", "organizations", ("Organization", "Organizations"), 1019)
        .owned_by(Ownership::None)
        .system_table()
        .text("Name", 160, "Organization Name")
        .primary_name()
        .integer(
            "ExpireChangeTrackingInDays",
            "Days to Expire Change Tracking Deltas",
            0,
            365,
        )
        .integer("LanguageCode", "Language", 0, i32::MAX)
        .dates_and_version()
        .build(&[])
}
