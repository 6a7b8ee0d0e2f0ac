//! Reading rows: collections and single rows.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use uuid::Uuid;

use super::errors::{ApiError, JSON, bytes_response};
use super::keys::RowKey;
use super::paging::{PageCookie, Position};
use super::query::{Filter, Ordering, Selection, compare_rows, matches, parse_filter, parse_order};
use super::render::{RowRenderer, write_cell, write_integer, write_json_string};
use super::request::ApiRequest;
use super::store::{Organization, Row, Table};

/// Largest page (contracts/dataverse.md §2.3).
pub(crate) const MAX_PAGE_SIZE: usize = 5000;
/// Counts stop here (contracts/dataverse.md §3.8).
pub(crate) const COUNT_LIMIT: usize = 5000;

/// A plain read of a collection.
pub(crate) struct CollectionQuery {
    selection: Selection,
    filter: Option<Filter>,
    order: Vec<Ordering>,
    /// Rows in all pages together; `None`: no limit.
    top: Option<usize>,
    page_size: usize,
    cookie: Option<PageCookie>,
}

impl CollectionQuery {
    /// Reads the options of a request; refuses those the sandbox has no answer for.
    pub(crate) fn parse(request: &ApiRequest, table: &Table) -> Result<Self, ApiError> {
        let definition = table.definition();
        for option in ["$expand", "$apply"] {
            if request.options.get(option).is_some() {
                return Err(ApiError::not_implemented(format!(
                    "The query option '{option}' is not supported here."
                )));
            }
        }
        let max_page_size = request.preferences.max_page_size;
        let cookie = request.options.get("$skiptoken");
        Ok(Self {
            selection: Selection::parse(request.options.get("$select"), definition)?,
            filter: parse_filter_option(request, table)?,
            order: request
                .options
                .resolved("$orderby")
                .map_or(Ok(Vec::new()), |text| parse_order(&text, definition))?,
            // `$top` is ignored when a page size is asked for.
            top: request.options.top()?.filter(|_| max_page_size.is_none()),
            page_size: page_size(max_page_size),
            cookie: cookie
                .map(|token| PageCookie::decode(token, &definition.logical_name))
                .transpose()?,
        })
    }

    /// One page.
    pub(crate) fn page(&self, request: &ApiRequest, organization: &Organization, table: &Table) -> Vec<u8> {
        let limit = self.top.map_or(self.page_size, |top| top.min(self.page_size));
        let (rows, next) = if self.order.is_empty() {
            self.by_key(table, limit)
        } else {
            self.sorted(table, limit)
        };
        let next = next.filter(|_| self.top.is_none());
        let mut writer = PageWriter::new(request, organization, table, &self.selection, "");
        writer.counts(request, || self.count(table), organization);
        writer.rows(rows);
        writer.finish(next.map(|position| {
            let page = self.cookie.map_or(2, |cookie| cookie.page + 1);
            (
                "nextLink",
                link(
                    request,
                    table,
                    "$skiptoken",
                    &PageCookie { page, position }.encode(&table.definition().logical_name),
                ),
            )
        }))
    }

    fn by_key<'rows>(&self, table: &'rows Table, limit: usize) -> (Vec<&'rows Row>, Option<Position>) {
        let after = match self.cookie.map(|cookie| cookie.position) {
            Some(Position::Key { after, .. }) => Some(after),
            _ => None,
        };
        let mut last = None;
        let mut rows = Vec::with_capacity(limit.min(1024));
        for (id, row) in table.rows_after(after).filter(|(_, row)| self.matches(row)) {
            if rows.len() == limit {
                return (rows, last.map(|after| Position::Key { after, tracked: None }));
            }
            rows.push(row);
            last = Some(*id);
        }
        (rows, None)
    }

    fn sorted<'rows>(&self, table: &'rows Table, limit: usize) -> (Vec<&'rows Row>, Option<Position>) {
        let offset = match self.cookie.map(|cookie| cookie.position) {
            Some(Position::Offset(offset)) => usize::try_from(offset).unwrap_or(usize::MAX),
            _ => 0,
        };
        let mut all: Vec<&Row> = table.rows().values().filter(|row| self.matches(row)).collect();
        all.sort_by(|left, right| compare_rows(&self.order, &left.cells, &right.cells));
        let end = offset.saturating_add(limit);
        let next = (end < all.len()).then_some(Position::Offset(end as u64));
        (all.into_iter().skip(offset).take(limit).collect(), next)
    }

    fn matches(&self, row: &Row) -> bool {
        self.filter.as_ref().is_none_or(|filter| matches(filter, &row.cells))
    }

    /// Matching rows, but no more than one over the limit.
    fn count(&self, table: &Table) -> usize {
        count_matching(table, self.filter.as_ref())
    }
}

/// Rows matching a filter, counted to one over the limit.
pub(crate) fn count_matching(table: &Table, filter: Option<&Filter>) -> usize {
    match filter {
        None => table.rows().len().min(COUNT_LIMIT + 1),
        Some(filter) => table
            .rows()
            .values()
            .filter(|row| matches(filter, &row.cells))
            .take(COUNT_LIMIT + 1)
            .count(),
    }
}

/// The `$filter` of a request.
pub(crate) fn parse_filter_option(request: &ApiRequest, table: &Table) -> Result<Option<Filter>, ApiError> {
    let filter = request.options.resolved("$filter");
    filter.map(|text| parse_filter(&text, table.definition())).transpose()
}

/// The page size in force.
pub(crate) fn page_size(asked: Option<usize>) -> usize {
    asked.unwrap_or(MAX_PAGE_SIZE).min(MAX_PAGE_SIZE)
}

/// The URL of another page or of the next delta: the request's own options and one token.
pub(crate) fn link(request: &ApiRequest, table: &Table, token: &str, value: &str) -> String {
    let separator = if request.options.repeated.is_empty() { "" } else { "&" };
    let set = &table.definition().entity_set_name;
    request.url(&format!("{set}?{}{separator}{token}={value}", request.options.repeated))
}

/// Writes the JSON of a collection.
pub(crate) struct PageWriter<'read> {
    buffer: Vec<u8>,
    renderer: RowRenderer<'read>,
    /// How often each row is written: once, but for a fault.
    times: usize,
}

impl<'read> PageWriter<'read> {
    /// Starts a page; `suffix` follows the selection in the context URL.
    pub(crate) fn new(
        request: &ApiRequest,
        organization: &'read Organization,
        table: &'read Table,
        selection: &Selection,
        suffix: &str,
    ) -> Self {
        let definition = table.definition();
        let renderer = RowRenderer::new(organization, definition, selection, &request.preferences);
        let mut buffer = Vec::with_capacity(64 * 1024);
        buffer.extend_from_slice(b"{\"@odata.context\":");
        let context = request.context(&format!(
            "{}{}{suffix}",
            definition.entity_set_name,
            selection.context()
        ));
        write_json_string(&mut buffer, &context);
        Self {
            buffer,
            renderer,
            times: if request.repeats_rows { 2 } else { 1 },
        }
    }

    /// Writes `@odata.count` and the collection annotations that were asked for; `count` runs only if needed.
    pub(crate) fn counts(&mut self, request: &ApiRequest, count: impl FnOnce() -> usize, organization: &Organization) {
        let counted = request.options.counts().then(count);
        let shown = counted.map(|count| count.min(COUNT_LIMIT));
        if let Some(shown) = shown {
            self.buffer.extend_from_slice(b",\"@odata.count\":");
            write_integer(&mut self.buffer, shown as i64);
        }
        let mut annotation = |name: &str, value: String| {
            if request.preferences.includes(name) {
                self.buffer
                    .extend_from_slice(format!(",\"@{name}\":{value}").as_bytes());
            }
        };
        let total = shown.map_or_else(|| "-1".to_owned(), |shown| shown.to_string());
        annotation("Microsoft.Dynamics.CRM.totalrecordcount", total);
        let exceeded = counted.is_some_and(|count| count >= COUNT_LIMIT);
        annotation(
            "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded",
            exceeded.to_string(),
        );
        let version = format!("\"{}\"", organization.metadata_version());
        annotation("Microsoft.Dynamics.CRM.globalmetadataversion", version);
    }

    /// Writes the rows.
    pub(crate) fn rows(&mut self, rows: Vec<&Row>) {
        self.start_rows(rows.len());
        for row in rows {
            self.row(row);
        }
    }

    /// Starts the array of rows; `expected` is how many there may be at most.
    pub(crate) fn start_rows(&mut self, expected: usize) {
        self.buffer.reserve(expected * self.renderer.expected_row_size());
        self.buffer.extend_from_slice(b",\"value\":[");
    }

    /// Writes one row.
    pub(crate) fn row(&mut self, row: &Row) {
        for _ in 0..self.times {
            self.separate();
            self.renderer.write(&mut self.buffer, row, None);
        }
    }

    /// Writes the entry of a deleted row (contracts/dataverse.md §3.3).
    pub(crate) fn deleted(&mut self, context: &str, id: Uuid) {
        for _ in 0..self.times {
            self.separate();
            self.buffer.extend_from_slice(b"{\"@odata.context\":");
            write_json_string(&mut self.buffer, context);
            self.buffer
                .extend_from_slice(format!(",\"id\":\"{id}\",\"reason\":\"deleted\"}}").as_bytes());
        }
    }

    /// Ends the page, with a link if there is one.
    pub(crate) fn finish(mut self, link: Option<(&str, String)>) -> Vec<u8> {
        self.buffer.push(b']');
        if let Some((name, url)) = link {
            self.buffer.extend_from_slice(format!(",\"@odata.{name}\":").as_bytes());
            write_json_string(&mut self.buffer, &url);
        }
        self.buffer.push(b'}');
        self.buffer
    }

    fn separate(&mut self) {
        if self.buffer.last() != Some(&b'[') {
            self.buffer.push(b',');
        }
    }
}

/// `GET /contacts(key)`: one row, or 304 if the client has it.
pub(crate) fn single_row(
    request: &ApiRequest,
    organization: &Organization,
    table: usize,
    key: &RowKey,
) -> Result<Response, ApiError> {
    let table_data = organization.table(table);
    let definition = table_data.definition();
    if request.options.get("$expand").is_some() {
        return Err(ApiError::not_implemented(
            "The query option '$expand' is not supported here.",
        ));
    }
    let selection = Selection::parse(request.options.get("$select"), definition)?;
    let row = key
        .find(organization, table)
        .and_then(|id| table_data.row(id))
        .ok_or_else(|| key.not_found(definition))?;
    let etag = format!("W/\"{}\"", row.version);
    let known = request
        .headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let mut response = if known == Some(etag.as_str()) && !request.preferences.any_annotation() {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        bytes_response(
            StatusCode::OK,
            JSON,
            row_json(request, organization, table, row, &selection),
        )
    };
    response.headers_mut().insert(
        header::ETAG,
        HeaderValue::from_str(&etag).expect("digits are a header value"),
    );
    Ok(response)
}

/// The JSON of one row with its context.
pub(crate) fn row_json(
    request: &ApiRequest,
    organization: &Organization,
    table: usize,
    row: &Row,
    selection: &Selection,
) -> Vec<u8> {
    let definition = organization.table(table).definition();
    let context = request.context(&format!(
        "{}{}/$entity",
        definition.entity_set_name,
        selection.context()
    ));
    let mut buffer = Vec::with_capacity(2048);
    RowRenderer::new(organization, definition, selection, &request.preferences).write(&mut buffer, row, Some(&context));
    buffer
}

/// `GET /contacts(key)/firstname`: one value; 204 if it is null. With `raw` (`$value`) as plain text.
pub(crate) fn single_value(
    request: &ApiRequest,
    organization: &Organization,
    table: usize,
    key: &RowKey,
    property: &str,
    raw: bool,
) -> Result<Response, ApiError> {
    let table_data = organization.table(table);
    let definition = table_data.definition();
    let column = definition
        .property(property)
        .ok_or_else(|| ApiError::unknown_segment(property))?;
    let id = key.find(organization, table).ok_or_else(|| key.not_found(definition))?;
    let row = table_data.row(id).ok_or_else(|| key.not_found(definition))?;
    let Some(cell) = row.cells.cell(column) else {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        return Ok(response);
    };
    let mut value = Vec::new();
    write_cell(&mut value, &definition.columns[column].kind, Some(cell));
    if raw {
        let text = cell.as_text().map_or_else(
            || String::from_utf8_lossy(&value).trim_matches('"').to_owned(),
            str::to_owned,
        );
        return Ok(bytes_response(
            StatusCode::OK,
            HeaderValue::from_static("text/plain"),
            text.into_bytes(),
        ));
    }
    let mut buffer = b"{\"@odata.context\":".to_vec();
    write_json_string(
        &mut buffer,
        &request.context(&format!("{}({id})/{property}", definition.entity_set_name)),
    );
    buffer.extend_from_slice(b",\"value\":");
    buffer.extend_from_slice(&value);
    buffer.push(b'}');
    Ok(bytes_response(StatusCode::OK, JSON, buffer))
}
