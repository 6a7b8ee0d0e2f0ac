//! Queries of lists: filters, order and paging parameters, and the rows they select (contracts/campaign.md §3).

use std::cmp::Ordering;

use percent_encoding::percent_decode_str;

use super::definition::{Definition, FieldId, Visibility};
use super::error::CampaignError;
use super::field::{Computed, Source};
use super::filter::Filter;
use super::opaque;
use super::organisation::{Organisation, Resource};
use super::predicate::{Compiler, Predicate, custom_parameter};
use super::render::View;
use super::row::{Cell, Row};
use super::table::{RowId, Table};

/// Lines of a page unless asked otherwise (contracts/campaign.md §3.1).
const DEFAULT_LINES: usize = 25;
/// More are not given; the product's own maximum is not public.
const MAXIMUM_LINES: usize = 1000;

/// The parameters of a query string, decoded, in their order.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn parse(query: &str) -> Self {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        let parameters = query.split('&').filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        });
        Self(parameters.collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(parameter, _)| parameter == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum SortKey {
    Created,
    LastModified,
    Field(FieldId),
}

/// Which rows of a resource can be seen; `None`: all.
pub(super) type IsSeen<'a> = Option<&'a dyn Fn(&Row) -> bool>;

/// A query of one resource.
pub(super) struct Query {
    predicates: Vec<Predicate>,
    order: Option<(SortKey, bool)>,
    /// Lines of a page.
    pub(super) lines: usize,
    /// Lines before the page.
    pub(super) start: usize,
    /// What filters and order make of it; cursors are bound to it.
    pub(super) identity: u64,
    /// `_forcePagination=true` was given.
    pub(super) forced: bool,
}

/// The rows of one page, copied, so that they can be rendered without the table's lock.
pub(super) struct Page {
    pub(super) rows: Vec<(RowId, Row)>,
    /// Whether more follow.
    pub(super) more: bool,
}

impl Query {
    pub(super) fn new(
        organisation: &Organisation,
        resource: &Resource,
        view: View<'_>,
        filters: &[&Filter],
        parameters: &Parameters,
    ) -> Result<Self, CampaignError> {
        let definition = &resource.definition;
        let compiler = Compiler {
            organisation,
            resource,
            view,
            parameters,
        };
        let predicates = compiler.compile(filters)?;
        let order = parameters
            .get("_order")
            .map(|order| parse_order(order, definition, view.visibility))
            .transpose()?;
        let identity = opaque::hash((
            definition.name,
            view.visibility.endpoint.segment(),
            view.collection.map(|collection| (collection.link, collection.row)),
            filtered_by(filters, parameters),
            order,
        ));
        let start = match parameters.get("_lineStart") {
            None => 0,
            Some(cursor) => {
                let line = organisation.sealer.line(cursor, identity);
                line.and_then(|line| usize::try_from(line).ok())
                    .ok_or_else(|| invalid("_lineStart", cursor))?
            }
        };
        let lines = parse_lines(parameters)?;
        let forced = parameters.get("_forcePagination") == Some("true");
        Ok(Self {
            predicates,
            order,
            lines,
            start,
            identity,
            forced,
        })
    }

    /// The page of the query. Lines are counted anew each time, so that rows shift when data changes in between.
    pub(super) fn page(&self, table: &Table, is_seen: IsSeen<'_>) -> Page {
        let mut rows = match self.order {
            None => self.unordered(table, is_seen),
            Some((key, descending)) => self.ordered(table, is_seen, key, descending),
        };
        let more = rows.len() > self.lines;
        rows.truncate(self.lines);
        let rows = rows
            .into_iter()
            .filter_map(|id| Some((id, table.row(id)?.clone())))
            .collect();
        Page { rows, more }
    }

    /// The number of rows of all pages.
    pub(super) fn count(&self, table: &Table, is_seen: IsSeen<'_>) -> usize {
        if self.predicates.is_empty() && is_seen.is_none() {
            table.len()
        } else {
            self.matches(table, is_seen).count()
        }
    }

    /// Newest first, which makes inserts shift rows as well.
    fn unordered(&self, table: &Table, is_seen: IsSeen<'_>) -> Vec<RowId> {
        self.matches(table, is_seen)
            .map(|(id, _)| id)
            .skip(self.start)
            .take(self.lines + 1)
            .collect()
    }

    fn ordered(&self, table: &Table, is_seen: IsSeen<'_>, key: SortKey, descending: bool) -> Vec<RowId> {
        let mut rows: Vec<(Option<Cell<'_>>, RowId)> = self
            .matches(table, is_seen)
            .map(|(id, row)| (sort_cell(row, key), id))
            .collect();
        let by_key = |left: &(Option<Cell<'_>>, RowId), right: &(Option<Cell<'_>>, RowId)| {
            let order = compare(left.0, right.0);
            (if descending { order.reverse() } else { order }).then(left.1.cmp(&right.1))
        };
        // Only the page is sorted; the rest is merely told apart.
        let end = self.start.saturating_add(self.lines + 1);
        if end < rows.len() {
            rows.select_nth_unstable_by(end, by_key);
            rows.truncate(end);
        }
        if self.start >= rows.len() {
            return Vec::new();
        }
        rows.select_nth_unstable_by(self.start, by_key);
        let page = &mut rows[self.start..];
        page.sort_unstable_by(by_key);
        page.iter().map(|(_, id)| *id).collect()
    }

    /// All rows of the query, newest first.
    fn matches<'a>(&'a self, table: &'a Table, is_seen: IsSeen<'a>) -> Box<dyn Iterator<Item = (RowId, &'a Row)> + 'a> {
        let indexed = self.predicates.iter().find_map(|predicate| predicate.candidates(table));
        let candidates: Box<dyn Iterator<Item = (RowId, &'a Row)> + 'a> = match indexed {
            Some(ids) => Box::new(ids.into_iter().rev().filter_map(|id| Some((id, table.row(id)?)))),
            None => Box::new(table.from(1).rev()),
        };
        if self.predicates.is_empty() && is_seen.is_none() {
            return candidates;
        }
        let matches = move |id: RowId, row: &Row| {
            self.predicates.iter().all(|predicate| predicate.holds(id, row))
                && is_seen.is_none_or(|is_seen| is_seen(row))
        };
        Box::new(candidates.filter(move |(id, row)| matches(*id, row)))
    }
}

/// What the filters get to compare with, as far as it can be told from the parameters.
fn filtered_by<'a>(filters: &[&Filter], parameters: &'a Parameters) -> Vec<(&'static str, Vec<Option<&'a str>>)> {
    let filter_type = parameters.get("filterType");
    let custom = filter_type.and_then(|kind| parameters.get(&custom_parameter(kind)));
    let values = |filter: &Filter| {
        let own = filter.parameters.iter().map(|(name, _)| parameters.get(name));
        own.chain([filter_type, custom]).collect()
    };
    filters.iter().map(|filter| (filter.name, values(filter))).collect()
}

fn parse_order(
    order: &str,
    definition: &Definition,
    visibility: Visibility<'_>,
) -> Result<(SortKey, bool), CampaignError> {
    let (name, descending) = match order.trim().rsplit_once(' ') {
        Some((name, "desc")) => (name.trim_end(), true),
        Some((name, "asc")) => (name.trim_end(), false),
        _ => (order.trim(), false),
    };
    let id = definition
        .visible_id(name, visibility)
        .filter(|&id| definition.field(id).sortable());
    let id = id.ok_or_else(|| CampaignError::UnknownProperty {
        property: name.to_owned(),
        resource: definition.name.to_owned(),
    })?;
    let key = match definition.field(id).source {
        Source::Computed(Computed::Created) => SortKey::Created,
        Source::Computed(Computed::LastModified) => SortKey::LastModified,
        _ => SortKey::Field(id),
    };
    Ok((key, descending))
}

fn parse_lines(parameters: &Parameters) -> Result<usize, CampaignError> {
    let Some(text) = parameters.get("_lineCount") else {
        return Ok(DEFAULT_LINES);
    };
    let lines = text
        .parse::<u64>()
        .ok()
        .filter(|&lines| lines > 0)
        .ok_or_else(|| invalid("_lineCount", text))?;
    Ok(usize::try_from(lines).unwrap_or(MAXIMUM_LINES).min(MAXIMUM_LINES))
}

fn sort_cell(row: &Row, key: SortKey) -> Option<Cell<'_>> {
    match key {
        SortKey::Created => Some(Cell::Integer(row.created)),
        SortKey::LastModified => Some(Cell::Integer(row.last_modified)),
        SortKey::Field(field) => row.get(field),
    }
}

/// Empty values sort as the empty text and zero, which is what they read as.
fn compare(left: Option<Cell<'_>>, right: Option<Cell<'_>>) -> Ordering {
    let zero = |other: Cell<'_>| match other {
        Cell::Text(_) => Cell::Text(""),
        Cell::Integer(_) => Cell::Integer(0),
        Cell::Number(_) => Cell::Number(0.0),
    };
    match (left, right) {
        (None, None) => Ordering::Equal,
        (Some(left), None) => left.compare(zero(left)),
        (None, Some(right)) => zero(right).compare(right),
        (Some(left), Some(right)) => left.compare(right),
    }
}

/// A parameter that does not make sense.
pub(super) fn invalid(parameter: &str, value: &str) -> CampaignError {
    CampaignError::InvalidParameter {
        parameter: parameter.to_owned(),
        value: value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings_are_decoded() {
        let parameters = Parameters::parse("email=a%2Bb%40example.com&_order=lastName%20desc&x+y=&&z");
        assert_eq!(parameters.get("email"), Some("a+b@example.com"));
        assert_eq!(parameters.get("_order"), Some("lastName desc"));
        assert_eq!(parameters.get("x y"), Some(""));
        assert_eq!(parameters.get("z"), Some(""));
        assert_eq!(parameters.get("other"), None);
    }

    #[test]
    fn empty_values_sort_as_zero() {
        assert_eq!(compare(None, Some(Cell::Integer(-1))), Ordering::Greater);
        assert_eq!(compare(Some(Cell::Text("a")), None), Ordering::Greater);
        assert_eq!(compare(None, None), Ordering::Equal);
    }
}
