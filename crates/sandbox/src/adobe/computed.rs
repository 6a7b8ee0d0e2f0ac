//! Values of a record the server computes from others (contracts/campaign.md §2.8).

use super::definition::Definition;
use super::render::{Record, write_text};
use super::row::{Cell, Row};

/// What follows the `@` of the e-mail address.
pub(super) fn domain<'a>(record: &'a Record<'_>) -> &'a str {
    record.text("email").rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// `First Last (email)`, without what is missing.
pub(super) fn profile_title(record: &Record<'_>) -> String {
    person_title(
        &[record.text("firstName"), record.text("lastName")],
        record.text("email"),
    )
}

fn person_title(names: &[&str], email: &str) -> String {
    let mut title = joined(names);
    if !email.is_empty() {
        if !title.is_empty() {
            title.push(' ');
        }
        title.push('(');
        title.push_str(email);
        title.push(')');
    }
    title
}

/// What a row is called where it is linked to: `Label (NAME)` of a unit, the name of a person, else the row's key. For
/// custom resources that is a convention of ours; their administrators choose it.
pub(super) fn row_title(definition: &Definition, row: &Row) -> String {
    let text = |name: &str| definition.id(name).and_then(|id| row.get(id)).map_or("", Cell::text);
    if !text("label").is_empty() && !text("name").is_empty() {
        return format!("{} ({})", text("label"), text("name"));
    }
    if definition.name == "profile" {
        return person_title(&[text("firstName"), text("lastName")], text("email"));
    }
    let key = definition.unique_keys.first().and_then(|key| key.fields.first());
    key.and_then(|&field| row.get(field)).map_or("", Cell::text).to_owned()
}

/// What a text field of a row reads as, or what the row is called.
pub(super) fn text_of(definition: &Definition, row: &Row, field: &str) -> String {
    if field == "title" {
        return row_title(definition, row);
    }
    let id = definition.id(field);
    id.map_or("", |id| row.get(id).map_or(definition.field(id).empty_text, Cell::text))
        .to_owned()
}

/// Appends the `postalAddress` item. Its first line is known: first name and last name in capitals. That the others are
/// those of `location`, and that an address with town and postcode counts as defined, is a convention of ours.
pub(super) fn write_postal_address(out: &mut Vec<u8>, record: &Record<'_>) {
    let lines = [
        joined(&[record.text("firstName"), &record.text("lastName").to_uppercase()]),
        record.text("location.address1").to_owned(),
        record.text("location.address2").to_owned(),
        record.text("location.address3").to_owned(),
        record.text("location.address4").to_owned(),
        joined(&[record.text("location.zipCode"), record.text("location.city")]),
    ];
    let defined = !record.text("location.zipCode").is_empty() && !record.text("location.city").is_empty();
    out.extend_from_slice(br#"{"addrDefined":"#);
    out.extend_from_slice(if defined { b"true" } else { b"false" });
    out.extend_from_slice(br#","addrErrorCount":0,"addrLastCheck":"","addrQuality":"0""#);
    for (number, line) in (b'1'..).zip(&lines) {
        out.extend_from_slice(br#","line"#);
        out.push(number);
        out.extend_from_slice(b"\":");
        write_text(out, line);
    }
    out.extend_from_slice(br#","serialized":"#);
    write_text(out, &lines.join("\n"));
    out.push(b'}');
}

/// The parts that are not empty, with a space between them.
fn joined(parts: &[&str]) -> String {
    let mut result = String::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !result.is_empty() {
            result.push(' ');
        }
        result.push_str(part);
    }
    result
}
