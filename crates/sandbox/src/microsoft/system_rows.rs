//! The rows of the system: users, the team, the business unit, currencies, the organization.

use rust_decimal::Decimal;
use uuid::{Uuid, uuid};

use super::config::DynamicsConfig;
use super::store::{Actor, Cell, Deriving, EncodedRow, Organization, Row, derive_columns};

/// Base currency of the organization.
pub const EURO: Uuid = uuid!("00000000-0000-4000-8000-0000000000e1");
/// The other currency.
pub const US_DOLLAR: Uuid = uuid!("00000000-0000-4000-8000-0000000000e2");
/// Users beside the application user: id, first name, last name.
pub const USERS: [(Uuid, &str, &str); 3] = [
    (uuid!("00000000-0000-4000-8000-0000000000d1"), "Nora", "Lindqvist"),
    (uuid!("00000000-0000-4000-8000-0000000000d2"), "Tomás", "Ferreira"),
    (uuid!("00000000-0000-4000-8000-0000000000d3"), "Aiko", "Tanaka"),
];

const TEAM: Uuid = uuid!("00000000-0000-4000-8000-0000000000f1");
/// When the rows of the system were made: 2024-01-15T09:00:00Z.
const INSTALLED: i64 = 1_705_309_200;

type NamedCells = Vec<(&'static str, Option<Cell>)>;

/// Loads the rows of the system.
pub(super) fn load_system_rows(organization: &mut Organization, config: &DynamicsConfig) {
    let named = |name: &str| vec![("name", Some(Cell::text(name)))];
    let mut settings = named("Sandbox");
    settings.push((
        "expirechangetrackingindays",
        Some(Cell::Integer(config.change_tracking_retention_days)),
    ));
    settings.push(("languagecode", Some(Cell::Integer(1033))));
    load(organization, config, "systemuser", users(config));
    load(organization, config, "team", vec![(TEAM, named("Sandbox"))]);
    load(
        organization,
        config,
        "businessunit",
        vec![(config.business_unit_id, named("Sandbox"))],
    );
    load(organization, config, "transactioncurrency", currencies());
    load(
        organization,
        config,
        "organization",
        vec![(config.organization_id, settings)],
    );
}

fn users(config: &DynamicsConfig) -> Vec<(Uuid, NamedCells)> {
    let user = |id: Uuid, first: &str, last: &str| {
        let cells = vec![
            ("fullname", Some(Cell::text(&format!("{first} {last}")))),
            ("firstname", Some(Cell::text(first))),
            ("lastname", Some(Cell::text(last))),
            ("isdisabled", Some(Cell::Boolean(false))),
            ("businessunitid", Some(Cell::Reference(0, config.business_unit_id))),
        ];
        (id, cells)
    };
    let clients = std::iter::once(&config.client_id).chain(&config.further_client_ids);
    let mut users = Vec::new();
    for client_id in clients {
        let Some(id) = config.application_user(client_id) else {
            continue;
        };
        let (id, mut cells) = user(id, "#", "Sandbox Application");
        cells.push(("applicationid", Uuid::try_parse(client_id).ok().map(Cell::Guid)));
        users.push((id, cells));
    }
    for (number, (id, first, last)) in USERS.into_iter().enumerate() {
        let (id, mut cells) = user(id, first, last);
        let address = format!("user{number}@example.com");
        cells.push(("domainname", Some(Cell::text(&address))));
        cells.push(("internalemailaddress", Some(Cell::text(&address))));
        users.push((id, cells));
    }
    users
}

fn currencies() -> Vec<(Uuid, NamedCells)> {
    let currency = |id: Uuid, name: &str, code: &str, symbol: &str, rate: Decimal| {
        let cells = vec![
            ("currencyname", Some(Cell::text(name))),
            ("isocurrencycode", Some(Cell::text(code))),
            ("currencysymbol", Some(Cell::text(symbol))),
            ("currencyprecision", Some(Cell::Integer(2))),
            ("exchangerate", Some(Cell::Decimal(rate))),
            ("statecode", Some(Cell::Integer(0))),
            ("statuscode", Some(Cell::Integer(1))),
        ];
        (id, cells)
    };
    vec![
        currency(EURO, "Euro", "EUR", "€", Decimal::new(1_000_000_000_000, 12)),
        currency(US_DOLLAR, "US Dollar", "USD", "$", Decimal::new(1_085_000_000_000, 12)),
    ]
}

fn load(organization: &mut Organization, config: &DynamicsConfig, table: &str, rows: Vec<(Uuid, NamedCells)>) {
    let Some(table) = organization.table_named(table) else {
        return;
    };
    let definition = organization.table(table).definition().clone();
    let actor = Actor {
        user: config.application_user_id,
        business_unit: config.business_unit_id,
    };
    let rows = rows.into_iter().map(|(id, values)| {
        let mut cells = vec![None; definition.columns.len()];
        cells[0] = Some(Cell::Guid(id));
        for (name, cell) in values {
            if let Some(column) = definition.column(name) {
                cells[column] = cell;
            }
        }
        derive_columns(
            &definition,
            &mut cells,
            Deriving {
                actor,
                now: INSTALLED,
                created: true,
            },
            None,
        );
        (
            id,
            Row {
                version: organization.reserve_version(),
                cells: EncodedRow::encode(&cells),
            },
        )
    });
    let rows = rows.collect();
    organization.load(table, rows);
}
