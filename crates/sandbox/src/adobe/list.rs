//! List answers: filters, field projections, the envelope and counts (contracts/campaign.md §2.4, §3).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::definition::{Definition, FieldId, Visibility};
use super::error::CampaignError;
use super::filter::Filter;
use super::opaque::Context;
use super::organisation::{Organisation, Resource};
use super::query::{IsSeen, Page, Parameters, Query};
use super::render::{RecordWriter, View, write_text};
use super::row::Row;
use super::table::Table;

/// The filters of a path, and the field it projects to, if any.
pub(super) struct Selection<'a> {
    filters: Vec<&'a Filter>,
    projection: Option<FieldId>,
}

impl<'a> Selection<'a> {
    /// The selection that path segments after the resource stand for; `None` if one is neither filter nor field.
    pub(super) fn of(definition: &'a Definition, visibility: Visibility<'_>, segments: &[String]) -> Option<Self> {
        let mut selection = Self {
            filters: Vec::new(),
            projection: None,
        };
        for segment in segments {
            let filter = definition.filters.iter().find(|filter| filter.name == segment);
            match filter.filter(|filter| !filter.custom || visibility.endpoint.shows_extensions()) {
                Some(filter) if selection.projection.is_none() => selection.filters.push(filter),
                Some(_) => return None,
                None if selection.projection.is_none() => {
                    let shown = Some(segment).filter(|name| !name.contains('.'));
                    selection.projection = Some(shown.and_then(|name| definition.visible_id(name, visibility))?);
                }
                None => return None,
            }
        }
        Some(selection)
    }
}

/// A list request.
pub(super) struct ListRequest<'a> {
    pub(super) resource: &'a Resource,
    pub(super) view: View<'a>,
    pub(super) selection: Selection<'a>,
    /// Path segments between resource and query.
    pub(super) segments: &'a [String],
    /// The query string as it came.
    pub(super) query: &'a str,
}

impl ListRequest<'_> {
    /// The page asked for, in its envelope.
    pub(super) fn page(&self, organisation: &Organisation) -> Result<Vec<u8>, CampaignError> {
        let query = self.parse(organisation)?;
        let context = if self.selection.filters.is_empty() {
            Context::Record
        } else {
            Context::Filtered
        };
        let writer = RecordWriter::new(organisation, self.resource, View { context, ..self.view });

        let (page, rows_of_table) =
            self.looking_at(organisation, |table, is_seen| (query.page(table, is_seen), table.len()));
        let mut out = Vec::with_capacity(1024 + page.rows.len() * 3072);
        out.extend_from_slice(br#"{"content":["#);
        for (position, (id, row)) in page.rows.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            match self.selection.projection {
                None => writer.write(&mut out, *id, row),
                Some(field) => writer.write_field(&mut out, *id, row, field),
            }
        }
        self.finish(organisation, &query, &page, rows_of_table, &mut out);
        Ok(out)
    }

    /// The number of rows of all pages, as `{"count":26}`.
    pub(super) fn count(&self, organisation: &Organisation) -> Result<Vec<u8>, CampaignError> {
        let query = self.parse(organisation)?;
        let count = self.looking_at(organisation, |table, is_seen| query.count(table, is_seen));
        Ok(format!(r#"{{"count":{count}}}"#).into_bytes())
    }

    /// Looks at the rows of the table, and says which of them can be seen.
    fn looking_at<T>(&self, organisation: &Organisation, look: impl FnOnce(&Table, IsSeen<'_>) -> T) -> T {
        let is_seen = |row: &Row| !organisation.is_hidden(self.resource, row);
        let hides_rows = !self.resource.definition.required_joins().is_empty();
        look(&self.resource.table.read(), hides_rows.then_some(&is_seen))
    }

    fn parse(&self, organisation: &Organisation) -> Result<Query, CampaignError> {
        let parameters = Parameters::parse(self.query);
        Query::new(
            organisation,
            self.resource,
            self.view,
            &self.selection.filters,
            &parameters,
        )
    }

    /// Appends what follows the content: `count`, `next` and `serverSidePagination`.
    fn finish(&self, organisation: &Organisation, query: &Query, page: &Page, rows_of_table: usize, out: &mut Vec<u8>) {
        let here = organisation.sealer.cursor(query.start as u64, query.identity);
        out.extend_from_slice(br#"],"count":{"href":"#);
        write_text(out, &self.href(organisation, "/_count", &here));
        if query.start == 0 && !page.more {
            out.extend_from_slice(format!(r#","value":{}"#, page.rows.len()).as_bytes());
        }
        out.push(b'}');
        let big = rows_of_table as u64 > self.view.visibility.switches.big_table_threshold;
        if page.more && (!big || query.forced) {
            let next = organisation
                .sealer
                .cursor((query.start + page.rows.len()) as u64, query.identity);
            out.extend_from_slice(br#","next":{"href":"#);
            write_text(out, &self.href(organisation, "", &next));
            out.push(b'}');
        }
        out.extend_from_slice(br#","serverSidePagination":true}"#);
    }

    /// The URL of this list with another cursor. Its double slashes are those of the product (contracts/campaign.md
    /// §2.4).
    fn href(&self, organisation: &Organisation, suffix: &str, cursor: &str) -> String {
        /// What may stand in a path segment unescaped, besides letters and digits.
        const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'@');
        let mut rest: String = self
            .segments
            .iter()
            .map(|segment| format!("/{}", utf8_percent_encode(segment, SEGMENT)))
            .collect();
        rest.push_str(suffix);
        rest.push('?');
        let kept = self
            .query
            .split('&')
            .filter(|part| !part.is_empty() && !part.starts_with("_lineStart="));
        for part in kept {
            rest.push_str(part);
            rest.push('&');
        }
        organisation.url(
            &self.view,
            self.view.path(&self.resource.definition),
            &format!("{rest}_lineStart={cursor}"),
        )
    }
}
