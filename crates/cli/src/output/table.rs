//! Tables without lines, so that they can be read by people and cut by tools.

use comfy_table::{Cell, Color, ContentArrangement, Table, presets};
use indicatif::HumanCount;

/// Stands where there is no value.
pub(crate) const DASH: &str = "–";

/// A table with a header line.
pub(crate) fn table<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = empty();
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(coloured));
    }
    render(table)
}

/// A list of names and values, one a line; values may have several lines.
pub(crate) fn details(rows: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut table = empty();
    for (name, value) in rows {
        table.add_row([Cell::new(format!("{name}:")), coloured(value)]);
    }
    render(table)
}

/// A count with separators between the thousands.
pub(crate) fn count(number: i64) -> String {
    // Counts are never negative; if one is, it is shown as it came.
    u64::try_from(number).map_or_else(|_| number.to_string(), |number| HumanCount(number).to_string())
}

/// The first line of a text, cut to a number of characters.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= most && line.len() == text.len() {
        return line.to_owned();
    }
    let kept: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn empty() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table
}

/// States stand out in colour on a terminal; the table leaves colours out elsewhere.
fn coloured(text: String) -> Cell {
    let colour = match text.as_str() {
        "RUNNING" | "ok" => Some(Color::Green),
        "STARTING" => Some(Color::Yellow),
        "FAILED" | "failed" => Some(Color::Red),
        _ => None,
    };
    let cell = Cell::new(text);
    match colour {
        Some(colour) => cell.fg(colour),
        None => cell,
    }
}

fn render(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_say_so() {
        assert_eq!(shorten("short", 5), "short");
        assert_eq!(shorten("longer", 5), "long…");
        assert_eq!(shorten("zwölf Wörter", 6), "zwölf…");
        assert_eq!(shorten("two\nlines", 20), "two…");
        assert_eq!(shorten("", 5), "");
    }

    #[test]
    fn counts_have_separators() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-1), "-1");
    }
}
