//! Change tracking: tracked initial reads and delta reads (contracts/dataverse.md §3).
//!
//! The delta link of a tracked read stands for the moment its first page was asked for, so that what changes while the
//! pages are read comes again in the first delta (an open question of the product, §3.7; this is the safe answer).

use http::StatusCode;
use uuid::Uuid;

use super::delta::DeltaToken;
use super::errors::ApiError;
use super::paging::{PageCookie, Position};
use super::query::{OPTIONS_REFUSED_UNDER_TRACKING, Selection};
use super::read::{PageWriter, link, page_size};
use super::request::ApiRequest;
use super::store::{ChangeEntry, Organization, Table};

/// Refuses what change tracking refuses: tables without it, and four query options.
pub(crate) fn check_tracked(request: &ApiRequest, table: &Table) -> Result<(), ApiError> {
    let definition = table.definition();
    if !definition.change_tracking_enabled {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "0x80072491",
            format!("Entity {} isn't enabled for change tracking.", definition.logical_name),
        ));
    }
    match OPTIONS_REFUSED_UNDER_TRACKING
        .iter()
        .find(|option| request.options.get(option).is_some())
    {
        Some(option) => Err(ApiError::bad_request(format!(
            "The \"{option}\" query parameter isn't supported when Change Tracking is enabled."
        ))),
        None => Ok(()),
    }
}

/// A page of the initial read.
pub(crate) fn initial_page(
    request: &ApiRequest,
    organization: &Organization,
    table: &Table,
    cookie: Option<PageCookie>,
    now: i64,
) -> Result<Vec<u8>, ApiError> {
    let name = &table.definition().logical_name;
    let selection = Selection::parse(request.options.get("$select"), table.definition())?;
    let (after, version) = match cookie.map(|cookie| cookie.position) {
        Some(Position::Key {
            after,
            tracked: Some(version),
        }) => (Some(after), version),
        _ => (None, organization.version()),
    };
    let limit = page_size(request.preferences.max_page_size);
    let mut writer = PageWriter::new(request, organization, table, &selection, "");
    writer.counts(request, || super::read::count_matching(table, None), organization);
    writer.start_rows(limit.min(table.rows().len()));
    let mut last = Uuid::nil();
    for (position, (id, row)) in table.rows_after(after).enumerate() {
        if position == limit {
            let position = Position::Key {
                after: last,
                tracked: Some(version),
            };
            let next = PageCookie {
                page: cookie.map_or(2, |cookie| cookie.page + 1),
                position,
            };
            return Ok(writer.finish(Some((
                "nextLink",
                link(request, table, "$skiptoken", &next.encode(name)),
            ))));
        }
        writer.row(row);
        last = *id;
    }
    let token = DeltaToken { version, issued: now };
    Ok(writer.finish(Some((
        "deltaLink",
        link(request, table, "$deltatoken", &token.encode()),
    ))))
}

/// Where a page of a delta read starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeltaPosition {
    after: u64,
    through: u64,
    base: u64,
    deletions: bool,
    page: u64,
}

impl DeltaPosition {
    /// The start of the changes behind a token.
    pub(crate) fn of_token(token: DeltaToken, organization: &Organization) -> Self {
        let base = token.version;
        Self {
            after: base,
            through: organization.version(),
            base,
            deletions: false,
            page: 1,
        }
    }

    /// The start of a further page; `None` if the cookie is not one of a delta read.
    pub(crate) fn of_cookie(cookie: PageCookie) -> Option<Self> {
        match cookie.position {
            Position::Changes {
                after,
                through,
                base,
                deletions,
            } => Some(Self {
                after,
                through,
                base,
                deletions,
                page: cookie.page,
            }),
            _ => None,
        }
    }

    /// The delta token's version, whose history must still be there.
    pub(crate) fn base(self) -> u64 {
        self.base
    }

    fn cookie(self, after: u64, deletions: bool) -> PageCookie {
        let Self {
            through, base, page, ..
        } = self;
        PageCookie {
            page: page + 1,
            position: Position::Changes {
                after,
                through,
                base,
                deletions,
            },
        }
    }
}

/// A page of a delta read: new and updated rows by version, then deletions.
pub(crate) fn delta_page(
    request: &ApiRequest,
    organization: &Organization,
    table: &Table,
    start: DeltaPosition,
    now: i64,
) -> Result<Vec<u8>, ApiError> {
    let definition = table.definition();
    let selection = Selection::parse(request.options.get("$select"), definition)?;
    let limit = page_size(request.preferences.max_page_size);
    let mut writer = PageWriter::new(request, organization, table, &selection, "/$delta");
    writer.counts(
        request,
        || count_changes(table, start.base, start.through),
        organization,
    );
    writer.start_rows(0);
    let next_page = |after, deletions| {
        let cookie = start.cookie(after, deletions).encode(&definition.logical_name);
        Some(("nextLink", link(request, table, "$skiptoken", &cookie)))
    };
    let mut room = limit;
    if !start.deletions {
        let write = |entry: ChangeEntry| table.row(entry.id).into_iter().for_each(|row| writer.row(row));
        let entries = table.changes(start.after, start.through, false);
        if let Some(after) = fill(entries, start.after, &mut room, write) {
            return Ok(writer.finish(next_page(after, false)));
        }
    }
    let context = request.context(&format!("{}/$deletedEntity", definition.entity_set_name));
    // Deletions are counted from the token, not from the last updated row.
    let after = if start.deletions { start.after } else { start.base };
    let entries = table.changes(after, start.through, true);
    if let Some(after) = fill(entries, after, &mut room, |entry| writer.deleted(&context, entry.id)) {
        return Ok(writer.finish(next_page(after, true)));
    }
    let token = DeltaToken {
        version: start.through,
        issued: now,
    };
    Ok(writer.finish(Some((
        "deltaLink",
        link(request, table, "$deltatoken", &token.encode()),
    ))))
}

/// Writes entries until there is no more room; if entries are left over, returns the version of the last one written
/// (`after` if none was).
fn fill(
    entries: impl Iterator<Item = ChangeEntry>,
    mut after: u64,
    room: &mut usize,
    mut write: impl FnMut(ChangeEntry),
) -> Option<u64> {
    for entry in entries {
        if *room == 0 {
            return Some(after);
        }
        *room -= 1;
        write(entry);
        after = entry.version;
    }
    None
}

/// Number of changes behind a version.
pub(crate) fn count_changes(table: &Table, after: u64, through: u64) -> usize {
    table.changes(after, through, false).count() + table.changes(after, through, true).count()
}
