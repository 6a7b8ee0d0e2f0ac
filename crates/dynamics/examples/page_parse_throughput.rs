//! How fast a page is typed: 5,000 rows of 25 columns, on one thread.
//!
//! `cargo run --release -p crosswalk-dynamics --example page_parse_throughput [repetitions]`

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crosswalk_core::schema::{Column, ColumnOption, ColumnType, Table};
use crosswalk_dynamics::{Page, Selection};

const ROWS: usize = 5_000;

/// The columns a contact mapping typically reads; the type decides the values.
const COLUMNS: [(&str, ColumnType); 25] = [
    ("firstname", ColumnType::String),
    ("middlename", ColumnType::String),
    ("lastname", ColumnType::String),
    ("salutation", ColumnType::String),
    ("jobtitle", ColumnType::String),
    ("emailaddress1", ColumnType::String),
    ("telephone1", ColumnType::String),
    ("mobilephone", ColumnType::String),
    ("address1_line1", ColumnType::String),
    ("address1_city", ColumnType::String),
    ("address1_postalcode", ColumnType::String),
    ("address1_country", ColumnType::String),
    ("description", ColumnType::Memo),
    ("birthdate", ColumnType::DateOnly),
    ("gendercode", ColumnType::Picklist),
    ("preferredcontactmethodcode", ColumnType::Picklist),
    ("numberofchildren", ColumnType::Integer),
    ("annualincome", ColumnType::Money),
    ("donotemail", ColumnType::Boolean),
    ("donotbulkemail", ColumnType::Boolean),
    ("donotphone", ColumnType::Boolean),
    ("parentcustomerid", ColumnType::Customer),
    ("statecode", ColumnType::State),
    ("createdon", ColumnType::DateTime),
    ("modifiedon", ColumnType::DateTime),
];

#[expect(clippy::print_stdout, reason = "the output of a program run by hand")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repetitions: usize = std::env::args().nth(1).map_or(Ok(21), |count| count.parse())?;
    let names: Vec<String> = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let selection = Selection::new(&table(), &names)?;
    let body = page()?;

    let mut times = Vec::with_capacity(repetitions);
    for _ in 0..repetitions.max(1) {
        let begin = Instant::now();
        let page = Page::parse(body.as_bytes(), &selection)?;
        times.push(begin.elapsed());
        assert_eq!((page.changes.len(), page.rejected.len()), (ROWS, 0));
    }
    times.sort();
    println!("{} bytes a page, {} bytes a row", body.len(), body.len() / ROWS);
    println!(
        "n={} median={} rows/s slowest={} rows/s fastest={} rows/s",
        times.len(),
        rows_per_second(times[times.len() / 2]),
        rows_per_second(times[times.len() - 1]),
        rows_per_second(times[0]),
    );
    Ok(())
}

fn rows_per_second(time: Duration) -> u64 {
    (ROWS as f64 / time.as_secs_f64()) as u64
}

fn table() -> Table {
    let mut columns: Vec<Column> = COLUMNS
        .iter()
        .chain(&[("contactid", ColumnType::Uniqueidentifier)])
        .map(|(name, column_type)| Column {
            logical_name: (*name).to_owned(),
            display_name: (*name).to_owned(),
            column_type: *column_type,
            max_length: None,
            options: (0..6)
                .map(|value| ColumnOption {
                    value,
                    label: Some(format!("Option {value}")),
                })
                .collect(),
            targets: Vec::new(),
            readable: true,
        })
        .collect();
    columns.sort_by(|one, other| one.logical_name.cmp(&other.logical_name));
    Table {
        logical_name: "contact".to_owned(),
        entity_set: "contacts".to_owned(),
        display_name: "Contact".to_owned(),
        primary_id: "contactid".to_owned(),
        change_tracking: true,
        columns,
        keys: Vec::new(),
    }
}

fn page() -> Result<String, std::fmt::Error> {
    let mut page = String::from(r#"{"@odata.context":"https://contoso/api/data/v9.2/$metadata#contacts","value":["#);
    for row in 0..ROWS {
        write!(
            page,
            r#"{}{{"@odata.etag":"W/\"{}\"""#,
            if row == 0 { "" } else { "," },
            915_244 + row
        )?;
        for (place, (name, column_type)) in COLUMNS.iter().enumerate() {
            write_member(&mut page, name, *column_type, row, place)?;
        }
        write!(page, r#","contactid":"a1000000-0000-4000-8000-{row:012x}"}}"#)?;
    }
    page.push_str(r#"],"@odata.deltaLink":"https://contoso/api/data/v9.2/contacts?$deltatoken=919042"}"#);
    Ok(page)
}

/// One value in seven is null.
fn write_member(page: &mut String, name: &str, column_type: ColumnType, row: usize, place: usize) -> std::fmt::Result {
    if column_type.is_lookup() {
        write!(page, r#","_{name}_value":"#)?;
    } else {
        write!(page, r#","{name}":"#)?;
    }
    if (row + place).is_multiple_of(7) {
        return page.write_str("null");
    }
    match column_type {
        ColumnType::DateOnly => write!(page, r#""19{:02}-0{}-2{}""#, row % 100, 1 + row % 9, row % 9),
        ColumnType::DateTime => write!(page, r#""2026-01-3{}T21:{:02}:01Z""#, row % 2, row % 60),
        ColumnType::Money => write!(page, "{}.{:04}", row * 17, row % 10_000),
        ColumnType::Boolean => write!(page, "{}", row.is_multiple_of(3)),
        ColumnType::Customer => write!(page, r#""b2000000-0000-4000-8000-{row:012x}""#),
        ColumnType::State | ColumnType::Picklist | ColumnType::Integer => write!(page, "{}", row % 4),
        _ => write!(page, r#""{name} {row} Žofie Γεωργία""#),
    }
}
