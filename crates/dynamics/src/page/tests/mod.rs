//! Pages as the service writes them, and as it does not.

mod values;

use crosswalk_core::{ChangeKind, Choice, Class, Classify, Row, Value};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::testing::selection;

const ADA: Uuid = Uuid::from_u128(0xa100_0000_0000_0000_0000_0000_0000_0001);
const BO: Uuid = Uuid::from_u128(0xa100_0000_0000_0000_0000_0000_0000_0002);

/// The delta of contracts/dataverse.md §3.3, with annotations of §4.5.
const DELTA: &str = r##"{
  "@odata.context": "https://contoso.api.crm4.dynamics.com/api/data/v9.2/$metadata#contacts(firstname)/$delta",
  "value": [
    {"@odata.etag":"W/\"921001\"","firstname":"Ada","lastname":"King","_parentcustomerid_value":null,
     "gendercode@OData.Community.Display.V1.FormattedValue":"Female","gendercode":2,
     "address1_composite":"not asked for","contactid":"a1000000-0000-0000-0000-000000000001"},
    {"@odata.context":"https://contoso.api.crm4.dynamics.com/data/v9.2/$metadata#contacts/$deletedEntity",
     "id":"a1000000-0000-0000-0000-000000000002","reason":"deleted"}
  ],
  "@odata.deltaLink": "https://contoso.api.crm4.dynamics.com/api/data/v9.2/contacts?$deltatoken=921050%2101%2f31"
}"##;

fn row(columns: &[(&str, Value)]) -> ChangeKind {
    let columns = columns
        .iter()
        .map(|(name, value)| ((*name).into(), value.clone()))
        .collect();
    ChangeKind::Upsert(Row { columns })
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A page of one row: the given members and Ada's id.
fn page_of(members: &str) -> String {
    format!(r#"{{"value":[{{{members},"contactid":"{ADA}"}}],"@odata.nextLink":"https://contoso/next"}}"#)
}

#[test]
fn delta_holds_rows_and_deletes() {
    let selection = selection(&["lastname", "firstname", "gendercode", "parentcustomerid"]);
    let page = Page::parse(DELTA.as_bytes(), &selection).unwrap();
    let ada = row(&[
        ("lastname", text("King")),
        ("firstname", text("Ada")),
        (
            "gendercode",
            Value::Choice(Choice {
                value: 2,
                label: Some("Female".into()),
            }),
        ),
        ("parentcustomerid", Value::Null),
    ]);
    assert_eq!(
        page.changes,
        [
            SourceChange {
                id: ADA,
                version: Some(921_001),
                kind: ada
            },
            SourceChange {
                id: BO,
                version: None,
                kind: ChangeKind::Delete
            },
        ]
    );
    assert_eq!((page.rejected, page.unknown_options), (vec![], vec![]));
    let link = "https://contoso.api.crm4.dynamics.com/api/data/v9.2/contacts?$deltatoken=921050%2101%2f31";
    assert_eq!(page.next, PageLink::Delta(link.to_owned()));
}

#[test]
fn empty_delta_gives_a_new_position() {
    let body = br#"{"@odata.context":"x","value":[],"@odata.deltaLink":"https://contoso/later"}"#;
    let page = Page::parse(body, &selection(&["firstname"])).unwrap();
    assert_eq!(
        (page.changes.len(), page.next),
        (0, PageLink::Delta("https://contoso/later".to_owned()))
    );
}

#[test]
fn rejected_row_leaves_the_others_alone() {
    let body = format!(
        r#"{{"value":[
            {{"@odata.etag":"W/\"7\"","firstname":5,"lastname":6,"contactid":"{ADA}"}},
            {{"@odata.etag":"W/\"8\"","firstname":"Bo","lastname":"Chen","contactid":"{BO}"}}
        ],"@odata.nextLink":"https://contoso/next"}}"#
    );
    let page = Page::parse(body.as_bytes(), &selection(&["firstname", "lastname"])).unwrap();
    let expected = RejectedRow {
        id: ADA,
        version: Some(7),
        column: "firstname".to_owned(),
        reason: "expected a text, found a number".to_owned(),
    };
    assert_eq!(page.rejected, [expected]);
    let bo = row(&[("firstname", text("Bo")), ("lastname", text("Chen"))]);
    assert_eq!(
        page.changes,
        [SourceChange {
            id: BO,
            version: Some(8),
            kind: bo
        }]
    );
}

#[test]
fn missing_column_is_not_taken_for_null() {
    let body = page_of(r#""firstname":"Ada""#);
    let page = Page::parse(body.as_bytes(), &selection(&["firstname", "lastname"])).unwrap();
    assert_eq!(page.changes, []);
    assert_eq!(
        (page.rejected[0].column.as_str(), page.rejected[0].reason.as_str()),
        ("lastname", "missing in the row")
    );
}

#[test]
fn columns_are_found_in_whatever_order_they_come() {
    let body = format!(
        r#"{{"value":[
            {{"firstname":"A","lastname":"B","contactid":"{ADA}"}},
            {{"contactid":"{ADA}","lastname":"B","extra":1,"firstname":"A"}},
            {{"lastname":"B","contactid":"{ADA}","firstname":"A"}}
        ],"@odata.nextLink":"https://contoso/next"}}"#
    );
    let page = Page::parse(body.as_bytes(), &selection(&["firstname", "lastname"])).unwrap();
    let expected = row(&[("firstname", text("A")), ("lastname", text("B"))]);
    assert_eq!(page.changes.len(), 3);
    assert!(
        page.changes
            .iter()
            .all(|change| change.id == ADA && change.kind == expected),
        "{:?}",
        page.changes
    );
}

#[test]
fn version_comes_from_the_etag_else_from_the_selected_column() {
    let selection = selection(&["versionnumber"]);
    for (members, expected) in [
        (r#""@odata.etag":"W/\"7\"","versionnumber":6"#, Some(7)),
        (r#""versionnumber":6"#, Some(6)),
        (r#""@odata.etag":"opaque","versionnumber":6"#, Some(6)),
        (r#""@odata.etag":null,"versionnumber":null"#, None),
    ] {
        let page = Page::parse(page_of(members).as_bytes(), &selection).unwrap();
        assert_eq!(page.changes[0].version, expected, "{members}");
    }
}

#[test]
fn row_that_nobody_can_name_is_the_pages_fault() {
    let selection = selection(&["firstname"]);
    for rows in [
        r#"{"firstname":"Ada"}"#,
        r#"{"firstname":"Ada","contactid":null}"#,
        r#"{"firstname":"Ada","contactid":"x"}"#,
        r#"{"@odata.context":"$metadata#contacts/$deletedEntity","reason":"deleted"}"#,
        "5",
    ] {
        let body = format!(r#"{{"value":[{rows}],"@odata.nextLink":"https://contoso/next"}}"#);
        let error = Page::parse(body.as_bytes(), &selection).unwrap_err();
        assert!(matches!(error, Error::Unexpected { .. }), "{rows}: {error:?}");
        assert_eq!(error.class(), Class::Fatal);
    }
}

#[test]
fn answer_that_is_no_tracked_page_is_refused() {
    let selection = selection(&["firstname"]);
    for body in [
        r#"{"value":[]}"#,
        r#"{"@odata.deltaLink":"https://contoso/later"}"#,
        "[]",
        r#"{"value":{}}"#,
    ] {
        let error = Page::parse(body.as_bytes(), &selection).unwrap_err();
        assert!(matches!(error, Error::Unexpected { .. }), "{body}: {error:?}");
    }
}

#[test]
fn body_that_is_no_json_may_be_asked_for_again() {
    let selection = selection(&["firstname"]);
    for body in [
        &b"<html></html>"[..],
        b"",
        b"{\"value\":[",
        b"\xff\xfe",
        b"{\"value\":[],\"@odata.nextLink\":\"x\"} x",
    ] {
        let error = Page::parse(body, &selection).unwrap_err();
        assert_eq!(error.class(), Class::RETRY, "{body:?}: {error:?}");
    }
}

#[test]
fn byte_order_mark_is_skipped() {
    let body = [b"\xef\xbb\xbf", DELTA.as_bytes()].concat();
    let page = Page::parse(&body, &selection(&["firstname"])).unwrap();
    assert_eq!(page.changes.len(), 2);
}

#[test]
fn page_cut_short_anywhere_is_an_error() {
    let selection = selection(&["firstname", "lastname", "gendercode", "parentcustomerid"]);
    for end in 0..DELTA.len() {
        assert!(
            Page::parse(&DELTA.as_bytes()[..end], &selection).is_err(),
            "cut at {end}"
        );
    }
}

#[test]
fn single_row_is_read_or_rejected() {
    let selection = selection(&["firstname"]);
    let body =
        format!(r#"{{"@odata.context":"x/$entity","@odata.etag":"W/\"7\"","firstname":"Ada","contactid":"{ADA}"}}"#);
    let expected = SourceChange {
        id: ADA,
        version: Some(7),
        kind: row(&[("firstname", text("Ada"))]),
    };
    assert_eq!(parse_row(body.as_bytes(), &selection).unwrap(), expected);
    let error = parse_row(body.replace("\"Ada\"", "1").as_bytes(), &selection).unwrap_err();
    assert_eq!(error.class(), Class::Rejected);
    assert_eq!(
        error.to_string(),
        format!("column firstname of record {ADA}: expected a text, found a number")
    );
}

proptest! {
    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Page::parse(&body, &selection(&["firstname"]));
    }

    #[test]
    fn mutated_pages_are_survived(
        edits in prop::collection::vec((0..DELTA.len(), prop::sample::select(&b"\"\\{}[],:0-e.utn \x00\xff"[..])), 1..8),
    ) {
        let mut body = DELTA.as_bytes().to_vec();
        for (place, byte) in edits {
            body[place] = byte;
        }
        let selection = selection(&["firstname", "lastname", "gendercode", "parentcustomerid"]);
        if let Ok(page) = Page::parse(&body, &selection) {
            prop_assert!(page.changes.len() + page.rejected.len() <= 2);
        }
    }
}
