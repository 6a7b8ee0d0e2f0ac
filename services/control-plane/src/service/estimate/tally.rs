//! Counting what becomes of rows, by the rules that the writer goes by.

use std::collections::HashMap;

use crosswalk_core::{
    Change, ChangeKind, Row,
    control::Mapping,
    ledger::{Bodies, Judgement, Known, Skip, judge},
    mapping::{CompiledMapping, key_text},
};
use crosswalk_dynamics::{Page, RejectedRow, SourceChange};
use crosswalk_kafka::ledger::LedgerMap;
use crosswalk_proto::v1::{EstimateMappingResponse, RejectionCount};
use jiff::Timestamp;

use super::start::Start;

/// What becomes of the rows of a table.
pub(super) struct Tally {
    mapping: Mapping,
    compiled: CompiledMapping,
    start: Start,
    /// What is known of the records that have not been met yet.
    ledger: LedgerMap,
    counted: EstimateMappingResponse,
    rejects: HashMap<(String, String), u64>,
}

impl Tally {
    pub(super) fn new(
        mapping: Mapping,
        compiled: CompiledMapping,
        start: Start,
        ledger: LedgerMap,
        expected_rows: Option<u64>,
    ) -> Self {
        let counted = EstimateMappingResponse {
            expected_rows,
            read: start.read.into(),
            force: start.force,
            ..EstimateMappingResponse::default()
        };
        Self {
            mapping,
            compiled,
            start,
            ledger,
            counted,
            rejects: HashMap::new(),
        }
    }

    /// Counts what becomes of the rows of a page.
    pub(super) fn take(&mut self, page: Page) {
        for rejected in &page.rejected {
            self.counted.rows += 1;
            self.ledger.remove(rejected.id);
            self.reject(RejectedRow::CODE, "");
        }
        for source in page.changes {
            self.counted.rows += 1;
            self.count(source);
        }
    }

    /// Counts what is in Campaign and was not met in the table.
    pub(super) fn finish(&mut self) {
        let absent = self.change(ChangeKind::Absent, None);
        let options = self.mapping.definition.options;
        let is_deleted = |known: &Known| judge(&absent, Some(known), options, false, |_| true) == Judgement::Delete;
        let deleted = self.ledger.iter().filter(|(_, known)| is_deleted(known)).count();
        self.counted.deletes += deleted as u64;
    }

    fn change(&self, kind: ChangeKind, version: Option<u64>) -> Change {
        Change {
            origin: self.start.origin,
            version,
            epoch: self.start.epoch,
            force: self.start.force,
            read_at: Timestamp::UNIX_EPOCH,
            mapping: self.mapping.uid,
            kind,
        }
    }

    fn count(&mut self, source: SourceChange) {
        let known = self.ledger.remove(source.id);
        let id = key_text(source.id);
        let change = self.change(source.kind, source.version);
        let definition = &*self.mapping.definition;
        let (options, delete_filtered) = (definition.options, definition.filter.delete_filtered);
        let passes = |row: &Row| self.compiled.passes(row);
        match judge(&change, known.as_ref(), options, delete_filtered, passes) {
            Judgement::Delete => self.counted.deletes += 1,
            Judgement::Skip(Skip::Filtered) => self.counted.filtered += 1,
            Judgement::Skip(_) => self.counted.unchanged += 1,
            Judgement::EpochEnd => {}
            Judgement::SetAside(rejection) => self.reject(&rejection.code, ""),
            Judgement::Map(row) => self.count_mapped(&id, &change, row, known),
        }
    }

    fn count_mapped(&mut self, id: &str, change: &Change, row: &Row, known: Option<Known>) {
        let hashes = match self.compiled.apply(id, row) {
            Ok(payload) => Bodies::of(&self.compiled, &payload).hashes,
            Err(rejected) => {
                if let Some(first) = rejected.errors.first() {
                    self.reject(first.code, &first.field);
                }
                return;
            }
        };
        match known {
            Some(known) if known.is_unchanged_by(change, hashes) => self.counted.unchanged += 1,
            Some(known) if known.standing.exists() => self.counted.updates += 1,
            _ => self.counted.creates += 1,
        }
    }

    fn reject(&mut self, code: &str, field: &str) {
        *self.rejects.entry((code.to_owned(), field.to_owned())).or_default() += 1;
    }

    /// What has been counted so far.
    pub(super) fn answer(&self, done: bool) -> EstimateMappingResponse {
        let mut rejects: Vec<RejectionCount> = self
            .rejects
            .iter()
            .map(|((code, field), count)| RejectionCount {
                code: code.clone(),
                campaign_field: field.clone(),
                count: *count,
            })
            .collect();
        rejects.sort_by(|one, other| {
            (other.count, &one.code, &one.campaign_field).cmp(&(one.count, &other.code, &other.campaign_field))
        });
        EstimateMappingResponse {
            rejects,
            calls: self.counted.creates + self.counted.updates + self.counted.deletes,
            done,
            ..self.counted.clone()
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crosswalk_core::{
        Epoch, Origin, Value,
        control::EntryId,
        ledger::Standing,
        mapping::{Condition, FieldMapping, Filter, KeyMapping, MappedTypes, MappingOptions, Operator, TableMapping},
        schema::{Field, FieldType, Resource},
    };
    use crosswalk_dynamics::{PageLink, RejectedRow};
    use crosswalk_proto::v1::estimate_mapping_response::Read;
    use uuid::Uuid;

    use super::*;

    const REPLAY: Start = Start {
        read: Read::Replay,
        origin: Origin::Replay,
        force: false,
        epoch: Epoch(2),
    };

    fn definition() -> TableMapping {
        let mut city = FieldMapping::new("city", "city");
        city.apply_updates = false;
        TableMapping {
            types: MappedTypes::default(),
            source_table: "contact".to_owned(),
            target_resource: "profile".to_owned(),
            key: KeyMapping {
                source: "contactid".to_owned(),
                target: "externalId".to_owned(),
            },
            fields: vec![FieldMapping::new("name", "name"), city],
            replacements: Vec::new(),
            filter: Filter {
                conditions: vec![Condition {
                    source: "name".to_owned(),
                    operator: Operator::NotEquals,
                    values: vec!["out".to_owned()],
                }],
                ..Filter::default()
            },
            links: Vec::new(),
            options: MappingOptions {
                apply_deletes: true,
                ..MappingOptions::default()
            },
        }
    }

    fn compiled(definition: &TableMapping) -> CompiledMapping {
        let field = |path: &str| Field {
            path: path.to_owned(),
            label: path.to_owned(),
            field_type: FieldType::String,
            max_length: Some(if path == "externalId" { 100 } else { 10 }),
            values: Vec::new(),
            writable: true,
            link_target: None,
        };
        let profile = Resource {
            name: "profile".to_owned(),
            label: "Profiles".to_owned(),
            fields: ["city", "externalId", "name"].map(field).into(),
        };
        CompiledMapping::new(definition, &profile).unwrap()
    }

    fn row(name: &str, city: &str) -> Row {
        let text = |text: &str| Value::Text(text.into());
        Row {
            columns: vec![("city".into(), text(city)), ("name".into(), text(name))],
        }
    }

    /// A ledger with a record in Campaign for each row, under its place as id.
    fn ledger(written: &[Row]) -> LedgerMap {
        let (mut ledger, compiled) = (LedgerMap::default(), compiled(&definition()));
        for (place, row) in written.iter().enumerate() {
            let id = Uuid::from_u128(place as u128);
            let text = key_text(id);
            let known = Known {
                standing: Standing::Written,
                hashes: Bodies::of(&compiled, &compiled.apply(&text, row).unwrap()).hashes,
                version: 5,
                epoch: Epoch(1),
            };
            ledger.insert(id, &known);
        }
        ledger
    }

    fn page(rows: Vec<Row>) -> Page {
        let change = |(place, row)| SourceChange {
            id: Uuid::from_u128(place),
            version: Some(5),
            kind: ChangeKind::Upsert(row),
        };
        Page {
            unknown_options: Vec::new(),
            changes: (0..).zip(rows).map(change).collect(),
            rejected: Vec::new(),
            next: PageLink::Delta(String::new()),
        }
    }

    fn estimate(definition: TableMapping, start: Start, ledger: LedgerMap, page: Page) -> EstimateMappingResponse {
        let mut tally = tally(definition, start, ledger);
        tally.take(page);
        tally.finish();
        tally.answer(true)
    }

    fn tally(definition: TableMapping, start: Start, ledger: LedgerMap) -> Tally {
        let compiled = compiled(&definition);
        let mapping = Mapping {
            definition: definition.into(),
            uid: EntryId(Uuid::nil()),
            etag: "7".parse().unwrap(),
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
            replay: None,
        };
        Tally::new(mapping, compiled, start, ledger, None)
    }

    /// A tally of a replay in which nothing has been counted.
    pub(in super::super) fn empty_tally() -> Tally {
        tally(definition(), REPLAY, LedgerMap::default())
    }

    #[test]
    fn a_replay_of_equal_rows_costs_nothing_and_a_forced_one_a_call_for_each() {
        let rows = || vec![row("Ada", "London"), row("Grace", "New York")];
        for (force, unchanged, calls) in [(false, 2, 0), (true, 0, 2)] {
            let start = Start { force, ..REPLAY };
            let answer = estimate(definition(), start, ledger(&rows()), page(rows()));
            assert_eq!(
                (answer.unchanged, answer.updates, answer.calls),
                (unchanged, calls, calls)
            );
            assert_eq!((answer.read(), answer.force), (Read::Replay, force));
        }
    }

    #[test]
    fn fields_without_updates_are_written_by_a_replay_and_not_by_a_recovery() {
        let written = ledger(&[row("Ada", "London")]);
        let moved = || page(vec![row("Ada", "Paris")]);
        assert_eq!(estimate(definition(), REPLAY, written, moved()).updates, 1);
        let recovery = Start {
            read: Read::Recovery,
            origin: Origin::Change,
            ..REPLAY
        };
        let written = ledger(&[row("Ada", "London")]);
        assert_eq!(estimate(definition(), recovery, written, moved()).unchanged, 1);
    }

    #[test]
    fn every_row_is_counted_once_by_what_becomes_of_it() {
        let written = ledger(&[row("Ada", "London"), row("Grace", "New York"), row("Alan", "London")]);
        let mut page = page(vec![
            row("Ada", "London"),
            row("out", "New York"),
            row("Alan", "Bletchley"),
            row("Edith", "Oslo"),
            row("Maximiliana", "Rome"),
            row("out", "Oslo"),
        ]);
        page.rejected.push(RejectedRow {
            id: Uuid::from_u128(99),
            version: None,
            column: "name".to_owned(),
            reason: "is no text".to_owned(),
        });
        let mut definition = definition();
        definition.filter.delete_filtered = true;
        let answer = estimate(definition, REPLAY, written, page);
        assert_eq!(answer.rows, 7);
        assert_eq!((answer.unchanged, answer.updates, answer.creates), (1, 1, 1));
        assert_eq!((answer.deletes, answer.filtered), (1, 1), "what we wrote is deleted");
        let rejects: Vec<(&str, u64)> = answer
            .rejects
            .iter()
            .map(|one| (one.code.as_str(), one.count))
            .collect();
        assert_eq!(rejects, [(RejectedRow::CODE, 1), ("TOO_LONG", 1)]);
        assert_eq!(answer.calls, 3);
    }

    #[test]
    fn what_is_not_in_the_table_any_more_is_deleted_where_deletes_are_applied() {
        let gone = || ledger(&[row("Ada", "London"), row("Grace", "New York")]);
        let left = || page(vec![row("Ada", "London")]);
        assert_eq!(estimate(definition(), REPLAY, gone(), left()).deletes, 1);
        let mut kept = definition();
        kept.options.apply_deletes = false;
        assert_eq!(estimate(kept, REPLAY, gone(), left()).deletes, 0);
    }
}
