//! Seeded contacts.

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::locales::{LOCALES, Locale};
use super::{account_id, contact_id, random_of};
use crate::microsoft::schema::{ColumnKind, TableDefinition};
use crate::microsoft::store::{Cell, EncodedRow};
use crate::microsoft::{DynamicsConfig, EURO, US_DOLLAR, USERS, date_of_days};

/// The first moment a contact can have been created: 2015-01-01T00:00:00Z.
const OLDEST: i64 = 1_420_070_400;
/// The last moment a seeded contact can have been changed: 2025-12-31T00:00:00Z.
const NEWEST: i64 = 1_767_139_200;
/// Share of contacts with a value longer than Campaign takes, for each of three columns.
const OVER_LONG: f64 = 0.001;

const DOMAINS: [&str; 4] = ["example.com", "example.org", "example.net", "mail.example.com"];
const JOBS: [&str; 6] = [
    "Buyer",
    "Chief Executive",
    "Ingénieur",
    "Lehrerin",
    "Vývojář",
    "Developer",
];
const NICKNAMES: [&str; 5] = ["🎸 Max", "Ann 🌻", "👩‍💻", "J😀", "🇪🇺 Eu"];

macro_rules! columns {
    ($($name:ident),* $(,)?) => {
        /// Indices of the columns the seeder fills.
        struct Columns { $($name: usize),* }

        impl Columns {
            fn of(table: &TableDefinition) -> Self {
                Self { $($name: table.column(stringify!($name)).expect("the standard contact table has it")),* }
            }
        }
    };
}

columns! {
    fullname, firstname, middlename, lastname, salutation, nickname, jobtitle, emailaddress1, emailaddress2, telephone1,
    mobilephone, fax, websiteurl, birthdate, anniversary, numberofchildren, annualincome, annualincome_base,
    description, employeeid, gendercode, familystatuscode, preferredcontactmethodcode, donotemail, donotbulkemail,
    donotphone, donotfax, donotpostalmail, donotbulkpostalmail, donotsendmm, followemail, marketingonly,
    address1_addresstypecode, address1_line1, address1_city, address1_stateorprovince,
    address1_postalcode, address1_country, address1_latitude, address1_longitude, address1_composite, address2_line1,
    address2_city, address2_postalcode, address2_country, address2_composite, parentcustomerid, transactioncurrencyid,
    ownerid, owninguser, owningbusinessunit, createdby, modifiedby, createdon, modifiedon, statecode, statuscode,
}

/// Makes contacts of one seed.
pub(crate) struct ContactSeeder {
    seed: u64,
    columns: Columns,
    /// What every contact has: yes/no defaults, untouched choices, business unit.
    template: Vec<Option<Cell>>,
}

impl ContactSeeder {
    /// A seeder for the contact table.
    pub(crate) fn new(table: &TableDefinition, seed: u64, config: &DynamicsConfig) -> Self {
        let columns = Columns::of(table);
        let mut template = vec![None; table.columns.len()];
        for (index, column) in table.columns.iter().enumerate() {
            template[index] = match &column.kind {
                ColumnKind::Boolean { default, .. } => Some(Cell::Boolean(*default)),
                ColumnKind::Picklist(set) if set.options.len() == 1 => Some(Cell::Integer(set.options[0].value.into())),
                _ => None,
            };
        }
        template[columns.owningbusinessunit] = Some(Cell::Reference(0, config.business_unit_id));
        Self {
            seed,
            columns,
            template,
        }
    }

    /// Id and encoded cells of the contact of an index.
    pub(crate) fn encoded(&self, index: u64) -> (Uuid, EncodedRow) {
        let (id, cells) = self.contact(index);
        (id, EncodedRow::encode(&cells))
    }

    fn contact(&self, index: u64) -> (Uuid, Vec<Option<Cell>>) {
        let id = contact_id(self.seed, index);
        let mut random = random_of("contact", self.seed, index);
        let mut cells = self.template.clone();
        let locale = pick_locale(&mut random);
        cells[TableDefinition::PRIMARY_ID] = Some(Cell::Guid(id));
        self.name(&mut cells, &mut random, locale);
        self.reachability(&mut cells, &mut random, locale, index);
        self.person(&mut cells, &mut random);
        self.consent(&mut cells, &mut random);
        self.address(&mut cells, &mut random, locale);
        self.system(&mut cells, &mut random);
        (id, cells)
    }

    fn name(&self, cells: &mut [Option<Cell>], random: &mut SmallRng, locale: &Locale) {
        let columns = &self.columns;
        let (given, gender) = pick(random, locale.given);
        let family = pick(random, locale.family);
        let given = if random.random_bool(OVER_LONG) {
            "Wolfeschlegelsteinhausen-Maximiliana Ä"
        } else {
            given
        };
        let middle = random.random_bool(0.08).then(|| pick(random, locale.given).0);
        let parts: Vec<&str> = [Some(given), middle, Some(family)].into_iter().flatten().collect();
        cells[columns.fullname] = Some(Cell::text(&parts.join(" ")));
        cells[columns.firstname] = Some(Cell::text(given));
        cells[columns.middlename] = middle.map(Cell::text);
        cells[columns.lastname] = Some(Cell::text(family));
        let usual = locale.salutations[usize::from(gender == 2)];
        cells[columns.salutation] = if random.random_bool(OVER_LONG) {
            Some(Cell::text("Sehr geehrte Frau Professorin Doktor"))
        } else {
            random.random_bool(0.6).then(|| Cell::text(usual))
        };
        cells[columns.nickname] = random.random_bool(0.004).then(|| Cell::text(pick(random, &NICKNAMES)));
        cells[columns.gendercode] = random.random_bool(0.85).then_some(Cell::Integer(gender));
        cells[columns.jobtitle] = random.random_bool(0.3).then(|| Cell::text(pick(random, &JOBS)));
    }

    fn reachability(&self, cells: &mut [Option<Cell>], random: &mut SmallRng, locale: &Locale, index: u64) {
        let columns = &self.columns;
        let name = cells[columns.fullname]
            .as_ref()
            .and_then(|cell| cell.as_ref().as_text().map(slug))
            .unwrap_or_default();
        let domain = pick(random, &DOMAINS);
        cells[columns.emailaddress1] = random
            .random_bool(0.96)
            .then(|| Cell::text(&format!("{name}.{index}@{domain}")));
        cells[columns.emailaddress2] = random
            .random_bool(0.05)
            .then(|| Cell::text(&format!("{name}.{index}.private@{domain}")));
        let number = |random: &mut SmallRng| {
            format!(
                "{} {} {:07}",
                locale.calling_code,
                random.random_range(10..99),
                random.random_range(0..10_000_000)
            )
        };
        let telephone = number(random);
        cells[columns.telephone1] = if random.random_bool(OVER_LONG) {
            Some(Cell::text(&format!("{telephone} ext. 12345 (reception)")))
        } else {
            random.random_bool(0.5).then(|| Cell::text(&telephone))
        };
        cells[columns.mobilephone] = random.random_bool(0.6).then(|| Cell::text(&number(random)));
        cells[columns.fax] = random.random_bool(0.03).then(|| Cell::text(&number(random)));
        cells[columns.websiteurl] = random
            .random_bool(0.05)
            .then(|| Cell::text(&format!("https://www.example.com/{name}/{index}")));
    }

    fn person(&self, cells: &mut [Option<Cell>], random: &mut SmallRng) {
        let columns = &self.columns;
        // Days from 1930-01-01 to 2007-12-31.
        cells[columns.birthdate] = random
            .random_bool(0.7)
            .then(|| Cell::Integer(random.random_range(-14_610..13_879)));
        cells[columns.anniversary] = random
            .random_bool(0.1)
            .then(|| Cell::Integer(random.random_range(0..20_000)));
        cells[columns.numberofchildren] = random
            .random_bool(0.2)
            .then(|| Cell::Integer(random.random_range(0..6)));
        cells[columns.familystatuscode] = random
            .random_bool(0.3)
            .then(|| Cell::Integer(random.random_range(1..=4)));
        cells[columns.preferredcontactmethodcode] = Some(Cell::Integer(random.random_range(1..=5)));
        cells[columns.employeeid] = random
            .random_bool(0.05)
            .then(|| Cell::text(&format!("E{:06}", random.random_range(0..1_000_000))));
        cells[columns.description] = random.random_bool(0.03).then(|| {
            Cell::text("Met at the trade fair.\r\nPrefers to be called \"in the morning\" & never on Fridays; <urgent>")
        });
        if random.random_bool(0.1) {
            let amount = random.random_range(100_000_000..2_000_000_000_i64);
            let dollars = random.random_bool(0.3);
            cells[columns.annualincome] = Some(Cell::Integer(amount));
            let base = if dollars {
                (amount as f64 / 1.085).round() as i64
            } else {
                amount
            };
            cells[columns.annualincome_base] = Some(Cell::Integer(base));
            cells[columns.transactioncurrencyid] = Some(Cell::Reference(0, if dollars { US_DOLLAR } else { EURO }));
        }
    }

    fn consent(&self, cells: &mut [Option<Cell>], random: &mut SmallRng) {
        let columns = &self.columns;
        for (column, share) in [
            (columns.donotemail, 0.06),
            (columns.donotbulkemail, 0.12),
            (columns.donotphone, 0.08),
            (columns.donotfax, 0.2),
            (columns.donotpostalmail, 0.05),
            (columns.donotbulkpostalmail, 0.07),
            (columns.donotsendmm, 0.1),
            (columns.followemail, 0.8),
            (columns.marketingonly, 0.02),
        ] {
            cells[column] = Some(Cell::Boolean(random.random_bool(share)));
        }
    }

    fn address(&self, cells: &mut [Option<Cell>], random: &mut SmallRng, locale: &Locale) {
        let columns = &self.columns;
        if random.random_bool(0.75) {
            let line = format!("{} {}", pick(random, locale.streets), random.random_range(1..250));
            let (city, state) = pick(random, locale.cities);
            let postal = postal_code(random, locale);
            cells[columns.address1_composite] = Some(Cell::text(&format!(
                "{line}\r\n{city}, {state} {postal}\r\n{}",
                locale.country
            )));
            cells[columns.address1_line1] = Some(Cell::text(&line));
            cells[columns.address1_city] = Some(Cell::text(city));
            cells[columns.address1_stateorprovince] = Some(Cell::text(state));
            cells[columns.address1_postalcode] = Some(Cell::text(&postal));
            cells[columns.address1_country] = Some(Cell::text(locale.country));
            cells[columns.address1_addresstypecode] = random
                .random_bool(0.5)
                .then(|| Cell::Integer(random.random_range(1..=4)));
            if random.random_bool(0.05) {
                cells[columns.address1_latitude] = Some(Cell::Double(degrees(random, 90.0)));
                cells[columns.address1_longitude] = Some(Cell::Double(degrees(random, 180.0)));
            }
        }
        if random.random_bool(0.06) {
            let line = format!("{} {}", pick(random, locale.streets), random.random_range(1..250));
            let (city, _) = pick(random, locale.cities);
            let postal = postal_code(random, locale);
            cells[columns.address2_composite] =
                Some(Cell::text(&format!("{line}\r\n{city}, {postal}\r\n{}", locale.country)));
            cells[columns.address2_line1] = Some(Cell::text(&line));
            cells[columns.address2_city] = Some(Cell::text(city));
            cells[columns.address2_postalcode] = Some(Cell::text(&postal));
            cells[columns.address2_country] = Some(Cell::text(locale.country));
        }
    }

    fn system(&self, cells: &mut [Option<Cell>], random: &mut SmallRng) {
        let columns = &self.columns;
        let user = Cell::Reference(0, pick(random, &USERS).0);
        let created = random.random_range(OLDEST..NEWEST);
        let modified = if random.random_bool(0.4) {
            created
        } else {
            random.random_range(created..NEWEST)
        };
        let inactive = random.random_bool(0.03);
        cells[columns.parentcustomerid] = random
            .random_bool(0.4)
            .then(|| Cell::Reference(0, account_id(self.seed, random.random())));
        for column in [
            columns.ownerid,
            columns.owninguser,
            columns.createdby,
            columns.modifiedby,
        ] {
            cells[column] = Some(user.clone());
        }
        cells[columns.createdon] = Some(Cell::Integer(created));
        cells[columns.modifiedon] = Some(Cell::Integer(modified));
        cells[columns.statecode] = Some(Cell::Integer(i64::from(inactive)));
        cells[columns.statuscode] = Some(Cell::Integer(1 + i64::from(inactive)));
    }

    /// The contact of an index as the JSON of a create: what a person would have typed in.
    pub(crate) fn payload(&self, index: u64) -> Map<String, Value> {
        let (id, cells) = self.contact(index);
        let columns = &self.columns;
        let mut payload = Map::from_iter([("contactid".to_owned(), Value::String(id.to_string()))]);
        let names = [
            ("firstname", columns.firstname),
            ("lastname", columns.lastname),
            ("salutation", columns.salutation),
            ("emailaddress1", columns.emailaddress1),
            ("telephone1", columns.telephone1),
            ("mobilephone", columns.mobilephone),
            ("gendercode", columns.gendercode),
            ("donotbulkemail", columns.donotbulkemail),
            ("address1_line1", columns.address1_line1),
            ("address1_city", columns.address1_city),
            ("address1_postalcode", columns.address1_postalcode),
            ("address1_country", columns.address1_country),
        ];
        for (name, column) in names {
            let value = match &cells[column] {
                Some(Cell::Text(text)) => Value::String(text.to_string()),
                Some(Cell::Integer(number)) => Value::from(*number),
                Some(Cell::Boolean(flag)) => Value::Bool(*flag),
                _ => continue,
            };
            payload.insert(name.to_owned(), value);
        }
        if let Some(Cell::Integer(days)) = cells[columns.birthdate] {
            payload.insert("birthdate".to_owned(), Value::String(date_of_days(days).to_string()));
        }
        payload
    }
}

fn pick<Item: Copy>(random: &mut SmallRng, list: &[Item]) -> Item {
    *list.choose(random).expect("lists of names are not empty")
}

fn pick_locale(random: &mut SmallRng) -> &'static Locale {
    let mut share = random.random_range(0..100);
    LOCALES
        .iter()
        .find(|locale| {
            let found = share < locale.weight;
            share = share.saturating_sub(locale.weight);
            found
        })
        .unwrap_or(&LOCALES[0])
}

fn postal_code(random: &mut SmallRng, locale: &Locale) -> String {
    let limit = 10_u32.pow(locale.postal_digits as u32);
    format!("{:01$}", random.random_range(1..limit), locale.postal_digits)
}

fn degrees(random: &mut SmallRng, limit: f64) -> f64 {
    (random.random_range(-limit..limit) * 100_000.0).round() / 100_000.0
}

/// The ASCII letters of a name, for an e-mail address; names in other scripts give `contact`.
fn slug(name: &str) -> String {
    let letters: String = name
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .take(24)
        .collect();
    if letters.is_empty() {
        "contact".to_owned()
    } else {
        letters
    }
}
