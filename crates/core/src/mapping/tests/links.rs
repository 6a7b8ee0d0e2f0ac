//! Links between tables, changes of their columns, and Adobe's guardrails.

use super::fixtures::{contact, mapping, profile};
use crate::{
    mapping::{
        FieldMapping, Link, MappedTypes, ProblemCode, TableMapping,
        guardrails::{mapping_warnings, workflow_warnings},
        links, parents, validate, validate_source, validate_target,
    },
    schema::{ColumnType, FieldType},
};

fn linked(table: &str, parents: &[&str]) -> TableMapping {
    TableMapping {
        source_table: table.to_owned(),
        links: parents
            .iter()
            .map(|parent| Link {
                source: format!("{parent}id"),
                table: (*parent).to_owned(),
            })
            .collect(),
        ..mapping(&[])
    }
}

fn order(mappings: &[TableMapping]) -> Vec<(String, Vec<String>)> {
    let owned = |names: std::collections::BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
    parents(mappings)
        .into_iter()
        .map(|(table, parents)| (table.to_owned(), owned(parents)))
        .collect()
}

#[test]
fn mapped_lookups_are_links_to_every_table_they_point_to() {
    let mut table = contact();
    for column in &mut table.columns {
        if column.logical_name == "parentcustomerid" {
            column.targets = vec!["contact".to_owned(), "account".to_owned()];
        }
    }
    let definition = mapping(&[("parentcustomerid", "firstName"), ("lastname", "lastName")]);
    let found: Vec<String> = links(&definition, &table).into_iter().map(|link| link.table).collect();
    assert_eq!(found, ["account", "contact"]);
    assert_eq!(links(&mapping(&[("lastname", "lastName")]), &table), []);
}

#[test]
fn parents_come_first_through_three_levels_and_tables_not_mapped_do_not_count() {
    let mappings = [
        linked("parcel", &["line"]),
        linked("line", &["order", "product"]),
        linked("order", &["contact"]),
        linked("contact", &[]),
    ];
    let one = |table: &str, parents: &[&str]| {
        (
            table.to_owned(),
            parents.iter().map(|parent| (*parent).to_owned()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        order(&mappings),
        [
            one("contact", &[]),
            one("line", &["order"]),
            one("order", &["contact"]),
            one("parcel", &["line"]),
        ]
    );
}

#[test]
fn circles_are_broken_so_that_no_table_waits_for_itself() {
    let mappings = [
        linked("account", &["contact", "account"]),
        linked("contact", &["account"]),
        linked("order", &["contact"]),
    ];
    let found = order(&mappings);
    let parents_of = |table: &str| {
        found
            .iter()
            .find(|(name, _)| name == table)
            .map(|(_, parents)| parents.clone())
    };
    let in_circle = parents_of("account")
        .into_iter()
        .chain(parents_of("contact"))
        .flatten()
        .count();
    assert_eq!(in_circle, 1, "one of the two links is kept: {found:?}");
    assert_eq!(parents_of("order"), Some(vec!["contact".to_owned()]));
}

#[test]
fn a_column_or_field_of_another_type_is_named_and_other_changes_are_not() {
    let mut definition = mapping(&[("firstname", "firstName"), ("birthdate", "birthDate")]);
    let (table, resource) = (contact(), profile());
    definition.types = MappedTypes::of(&definition, &table, &resource);
    assert_eq!(validate(&definition, &table, &resource), []);
    let mut changed = table;
    for column in &mut changed.columns {
        match column.logical_name.as_str() {
            "birthdate" => column.column_type = ColumnType::String,
            "lastname" => column.column_type = ColumnType::Integer,
            _ => column.display_name = "renamed".to_owned(),
        }
    }
    let found = validate_source(&definition, &changed);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].field.as_str(), found[0].code),
        ("fields[1].source", ProblemCode::SourceRetyped)
    );
    assert!(found[0].message.contains("birthdate"), "{}", found[0].message);

    let mut changed = resource;
    for field in &mut changed.fields {
        match field.path.as_str() {
            "firstName" => field.field_type = FieldType::Integer,
            // Long enough for the key.
            _ => field.max_length = Some(40),
        }
    }
    let found = validate_target(&definition, &changed);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.contains("firstName"), "{}", found[0].message);

    definition.types = MappedTypes::default();
    assert_eq!(
        validate_target(&definition, &changed),
        [],
        "nothing is known of its types"
    );
}

#[test]
fn guardrails_warn_beyond_adobes_figures_and_not_at_them() {
    let sized = |table: &str, fields: usize, links: usize| TableMapping {
        fields: (0..fields)
            .map(|number| FieldMapping::new(format!("c{number}"), format!("f{number}")))
            .collect(),
        ..linked(table, &(0..links).map(|_| "x").collect::<Vec<_>>())
    };
    let codes = |definition: &TableMapping| -> Vec<(&'static str, u64)> {
        mapping_warnings(definition)
            .iter()
            .map(|warning| (warning.code, warning.actual))
            .collect()
    };
    assert_eq!(codes(&sized("order", 49, 0)), []);
    assert_eq!(codes(&sized("order", 50, 0)), [("GUARDRAIL_COLUMNS", 51)]);
    assert_eq!(codes(&sized("contact", 200, 0)), [], "profiles have no such limit");
    let mut many_links = sized("order", 0, 0);
    many_links.links = (0..6)
        .map(|number| Link {
            source: format!("l{number}"),
            table: "contact".to_owned(),
        })
        .collect();
    assert_eq!(codes(&many_links), [("GUARDRAIL_LINKS", 6)]);

    let chain = [
        linked("contact", &[]),
        linked("order", &["contact"]),
        linked("line", &["order", "line"]),
        linked("parcel", &["line"]),
    ];
    assert_eq!(workflow_warnings(&chain[..3], None), []);
    let warnings = workflow_warnings(&chain, None);
    assert_eq!(
        (warnings.len(), warnings[0].code, warnings[0].actual),
        (1, "GUARDRAIL_LINK_DEPTH", 3)
    );

    let circle = [
        linked("contact", &["account"]),
        linked("account", &["contact"]),
        linked("lead", &[]),
        linked("task", &[]),
    ];
    assert_eq!(workflow_warnings(&circle, None), [], "a circle is not endlessly deep");

    let tables: Vec<TableMapping> = (0..21).map(|number| linked(&format!("t{number}"), &[])).collect();
    assert_eq!(workflow_warnings(&tables[..20], Some(15_000_000)), []);
    let warnings: Vec<_> = workflow_warnings(&tables, Some(15_000_001))
        .into_iter()
        .map(|warning| warning.code)
        .collect();
    assert_eq!(warnings, ["GUARDRAIL_TABLES", "GUARDRAIL_RECORDS"]);
}
