//! Seeded accounts.

use rand::Rng;
use uuid::Uuid;

use super::{account_id, random_of};
use crate::microsoft::USERS;
use crate::microsoft::store::{Actor, Cell, Deriving, EncodedRow, Organization, Row, derive_columns};

const NAMES: [&str; 12] = [
    "Contoso",
    "Fabrikam",
    "Nordwind",
    "Łódź Textil",
    "Αθηναϊκή",
    "Северсталь",
    "株式会社青空",
    "한빛상사",
    "东方贸易",
    "Adventure Works",
    "Café São Jorge",
    "Müller & Söhne",
];
const KINDS: [&str; 5] = ["Ltd", "GmbH", "S.A.", "AB", "Group"];
/// Accounts exist since 2019-01-01T00:00:00Z.
const SINCE: i64 = 1_546_300_800;

/// The rows of all accounts.
pub(super) fn rows(
    organization: &mut Organization,
    table: usize,
    (seed, count): (u64, u64),
    business_unit: Uuid,
) -> Vec<(Uuid, Row)> {
    let definition = organization.table(table).definition().clone();
    let actor = Actor {
        user: USERS[0].0,
        business_unit,
    };
    (0..count)
        .map(|index| {
            let mut cells = vec![None; definition.columns.len()];
            for (name, cell) in values(seed, index) {
                if let Some(column) = definition.column(name) {
                    cells[column] = Some(cell);
                }
            }
            derive_columns(
                &definition,
                &mut cells,
                Deriving {
                    actor,
                    now: SINCE,
                    created: true,
                },
                None,
            );
            let version = organization.reserve_version();
            (
                account_id(seed, index),
                Row {
                    version,
                    cells: EncodedRow::encode(&cells),
                },
            )
        })
        .collect()
}

fn values(seed: u64, index: u64) -> Vec<(&'static str, Cell)> {
    let mut random = random_of("account", seed, index);
    let name = NAMES[random.random_range(0..NAMES.len())];
    let kind = KINDS[random.random_range(0..KINDS.len())];
    vec![
        ("accountid", Cell::Guid(account_id(seed, index))),
        ("name", Cell::text(&format!("{name} {kind} {index}"))),
        ("accountnumber", Cell::text(&format!("A-{index:05}"))),
        ("emailaddress1", Cell::text(&format!("office.{index}@example.org"))),
        ("numberofemployees", Cell::Integer(random.random_range(1..20_000))),
        ("donotemail", Cell::Boolean(false)),
        ("donotbulkemail", Cell::Boolean(random.random_bool(0.1))),
        ("statecode", Cell::Integer(0)),
        ("statuscode", Cell::Integer(1)),
        ("ownerid", Cell::Reference(0, USERS[0].0)),
    ]
}
