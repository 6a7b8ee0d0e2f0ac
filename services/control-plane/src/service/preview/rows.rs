//! The records of a preview: one by its id, or those that the table gives first.

use crosswalk_core::{
    Row,
    mapping::{columns, key_text, parse_key},
    schema::Table,
};
use crosswalk_dynamics::{Page, RejectedRow, Selection, SourceChange};
use crosswalk_proto::v1::preview_mapping_request::Records;
use uuid::Uuid;

use super::Previewed;
use crate::{error::ApiError, shared::instance};

/// Most records in one preview, and how many if nobody says.
const MAX_SAMPLE: i32 = 100;
const DEFAULT_SAMPLE: i32 = 10;

/// A record of a preview.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// Its row.
    Row(Uuid, Row),
    /// It has a value that does not fit its column.
    Unreadable(RejectedRow),
}

impl Found {
    fn of(change: SourceChange) -> Option<Self> {
        match change.kind {
            crosswalk_core::ChangeKind::Upsert(row) => Some(Self::Row(change.id, row)),
            _ => None,
        }
    }
}

impl Previewed<'_> {
    /// The records asked for.
    pub(super) async fn rows(&self, table: &Table, wanted: Option<Records>) -> Result<Vec<Found>, ApiError> {
        let columns: Vec<String> = columns(&self.definition).into_iter().map(str::to_owned).collect();
        let selection = Selection::new(table, &columns)
            .map_err(|error| ApiError::precondition("MAPPING_INVALID", error.to_string()))?;
        match wanted {
            Some(Records::RecordId(text)) => {
                let id = parse_key(&text)
                    .ok_or_else(|| ApiError::field("record_id", "NOT_A_GUID", "must be the GUID of a record"))?;
                self.one(table, &selection, id).await
            }
            Some(Records::SampleSize(size)) => self.sample(&selection, sample_size(size)?).await,
            None => self.sample(&selection, sample_size(0)?).await,
        }
    }

    async fn one(&self, table: &Table, selection: &Selection, id: Uuid) -> Result<Vec<Found>, ApiError> {
        let (systems, present) = (&self.shared.systems, instance(self.state, self.instance)?);
        let found = systems.ask_dynamics(self.state, self.instance, present, async |client| {
            match client.row(selection, id).await {
                Ok(row) => Ok(row.and_then(Found::of)),
                Err(crosswalk_dynamics::Error::RejectedRow(row)) => Ok(Some(Found::Unreadable(*row))),
                Err(error) => Err(error),
            }
        });
        let name = format!("the record {} of {}", key_text(id), table.logical_name);
        Ok(vec![found.await?.ok_or(ApiError::NotFound(name))?])
    }

    async fn sample(&self, selection: &Selection, size: usize) -> Result<Vec<Found>, ApiError> {
        let (systems, present) = (&self.shared.systems, instance(self.state, self.instance)?);
        let page = systems.ask_dynamics(self.state, self.instance, present, async |client| {
            client.first_page(selection).await
        });
        Ok(sample_of(page.await?, size))
    }
}

fn sample_size(asked: i32) -> Result<usize, ApiError> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_SAMPLE as usize),
        Ok(size) if asked <= MAX_SAMPLE => Ok(size),
        _ => Err(ApiError::field(
            "sample_size",
            "OUT_OF_RANGE",
            format!("must be from 1 to {MAX_SAMPLE}; 0 is the default, {DEFAULT_SAMPLE}"),
        )),
    }
}

/// The records of a page that a sample shows. What cannot be read is what somebody should know of, so it comes first, but
/// leaves half of the sample to rows.
fn sample_of(page: Page, size: usize) -> Vec<Found> {
    let rows = page.changes.len();
    let unreadable = size.div_ceil(2).max(size.saturating_sub(rows));
    let unreadable = page.rejected.into_iter().take(unreadable).map(Found::Unreadable);
    let rows = page.changes.into_iter().filter_map(Found::of);
    unreadable.chain(rows).take(size).collect()
}

#[cfg(test)]
mod tests {
    use crosswalk_core::ChangeKind;
    use crosswalk_dynamics::PageLink;

    use super::*;

    fn page(rows: u128, unreadable: u128) -> Page {
        let rejected = |number| RejectedRow {
            id: Uuid::from_u128(number),
            version: None,
            column: "firstname".to_owned(),
            reason: "is no text".to_owned(),
        };
        let change = |number| SourceChange {
            id: Uuid::from_u128(number),
            version: None,
            kind: ChangeKind::Upsert(Row::default()),
        };
        Page {
            unknown_options: Vec::new(),
            changes: (0..rows).map(change).collect(),
            rejected: (0..unreadable).map(rejected).collect(),
            next: PageLink::Delta(String::new()),
        }
    }

    #[test]
    fn a_sample_shows_what_cannot_be_read_and_leaves_half_of_it_to_rows() {
        for (rows, unreadable, size, expected) in [
            (20, 0, 10, (0, 10)),
            (20, 2, 10, (2, 8)),
            (20, 20, 10, (5, 5)),
            (3, 20, 10, (7, 3)),
            (0, 20, 10, (10, 0)),
            (20, 20, 1, (1, 0)),
        ] {
            let found = sample_of(page(rows, unreadable), size);
            let shown = found.iter().filter(|one| matches!(one, Found::Unreadable(_))).count();
            assert_eq!((shown, found.len() - shown), expected, "{rows} {unreadable} {size}");
        }
    }

    #[test]
    fn a_sample_has_from_1_to_100_records_and_10_if_nobody_says() {
        for (asked, size) in [(0, Some(10)), (1, Some(1)), (100, Some(100)), (101, None), (-1, None)] {
            assert_eq!(sample_size(asked).ok(), size, "{asked}");
        }
    }
}
