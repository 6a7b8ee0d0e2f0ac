//! Queries of lists: filters, order and paging parameters, and the rows they select (contracts/campaign.md §3).

use std::cmp::Ordering;

use percent_encoding::percent_decode_str;

use super::definition::{Condition, Definition, FieldId, Filter, Visibility};
use super::error::CampaignError;
use super::field::{Computed, Source};
use super::opaque;
use super::organisation::Organisation;
use super::row::{Cell, Row};
use super::table::{RowId, Table};
use super::time;

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

/// One condition of a query.
enum Predicate {
    Equals { field: FieldId, text: String },
    StartsWith { fields: Vec<FieldId>, prefix: String },
    ModifiedSince(i64),
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
        definition: &Definition,
        visibility: Visibility<'_>,
        filters: &[&Filter],
        parameters: &Parameters,
    ) -> Result<Self, CampaignError> {
        let mut predicates = Vec::new();
        for filter in filters {
            predicates.extend(predicate(filter, definition, visibility, parameters)?);
        }
        let order = parameters
            .get("_order")
            .map(|order| parse_order(order, definition, visibility))
            .transpose()?;
        let filtered_by: Vec<(&str, Option<&str>)> = filters
            .iter()
            .map(|filter| (filter.name, parameters.get(filter.parameter)))
            .collect();
        let identity = opaque::hash((
            definition.name,
            visibility.endpoint.segment(),
            filtered_by,
            parameters.get("filterType"),
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
        let indexed = self.predicates.iter().find_map(|predicate| match predicate {
            Predicate::Equals { field, text } => table.find(*field, text),
            _ => None,
        });
        let candidates: Box<dyn Iterator<Item = (RowId, &'a Row)> + 'a> = match indexed {
            Some(ids) => Box::new(ids.into_iter().rev().filter_map(|id| Some((id, table.row(id)?)))),
            None => Box::new(table.from(1).rev()),
        };
        if self.predicates.is_empty() && is_seen.is_none() {
            return candidates;
        }
        let matches = move |row: &Row| {
            self.predicates.iter().all(|predicate| predicate.holds(row)) && is_seen.is_none_or(|is_seen| is_seen(row))
        };
        Box::new(candidates.filter(move |(_, row)| matches(row)))
    }
}

impl Predicate {
    fn holds(&self, row: &Row) -> bool {
        let text = |field: FieldId| row.get(field).map_or("", Cell::text);
        match self {
            Self::Equals { field, text: wanted } => text(*field) == wanted,
            Self::StartsWith { fields, prefix } => fields.iter().any(|&field| text(field).starts_with(prefix)),
            Self::ModifiedSince(moment) => row.last_modified >= *moment,
        }
    }
}

/// The condition a filter sets. One whose parameter is missing or empty is not enabled and lets everything through:
/// that is what `enabledIf` in the filter descriptions says.
fn predicate(
    filter: &Filter,
    definition: &Definition,
    visibility: Visibility<'_>,
    parameters: &Parameters,
) -> Result<Option<Predicate>, CampaignError> {
    let value = parameters.get(filter.parameter).filter(|value| !value.is_empty());
    match &filter.condition {
        Condition::Equals { field } => Ok(value.map(|value| Predicate::Equals {
            field: *field,
            text: value.to_owned(),
        })),
        Condition::ModifiedSince => {
            let parse = |value| time::parse_datetime(value).ok_or_else(|| invalid(filter.parameter, value));
            Ok(value.map(parse).transpose()?.map(Predicate::ModifiedSince))
        }
        Condition::StartsWith { fields } => {
            let Some(kind) = parameters.get("filterType") else {
                return Ok(value.map(|value| Predicate::StartsWith {
                    fields: fields.clone(),
                    prefix: value.to_owned(),
                }));
            };
            // A custom field is named without its prefix, its value stands in a parameter of the field's own name.
            let custom = format!("cus{kind}");
            let (id, value) = match definition.visible_id(kind, visibility) {
                Some(id) => (id, value),
                None => {
                    let id = definition.visible_id(&custom, visibility);
                    (id.ok_or_else(|| invalid("filterType", kind))?, parameters.get(&custom))
                }
            };
            Ok(value.map(|value| Predicate::StartsWith {
                fields: vec![id],
                prefix: value.to_owned(),
            }))
        }
    }
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

fn invalid(parameter: &str, value: &str) -> CampaignError {
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
