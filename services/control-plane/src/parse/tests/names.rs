//! Names, ids and etags.

use super::violations;
use crate::{
    error::ApiError,
    parse::{
        ingress_of, instance_id, instance_name, mapping_id, mapping_name, optional_etag, required_etag, workflow_name,
    },
};

#[test]
fn names_of_another_kind_are_refused_with_the_form_that_is_needed() {
    type Parse = fn(&str) -> Result<(), ApiError>;
    let table: [(Parse, &str); 7] = [
        (
            |text| instance_name("name", text).map(drop),
            "instances/a/workflows/ingress",
        ),
        (|text| instance_name("name", text).map(drop), "a"),
        (|text| workflow_name("name", text).map(drop), "instances/a"),
        (
            |text| workflow_name("name", text).map(drop),
            "instances/a/workflows/other",
        ),
        (
            |text| ingress_of("name", text).map(drop),
            "instances/a/workflows/egress",
        ),
        (
            |text| mapping_name("name", text).map(drop),
            "instances/a/workflows/ingress",
        ),
        (
            |text| mapping_name("name", text).map(drop),
            "instances/A/workflows/ingress/mappings/m",
        ),
    ];
    for (parse, text) in table {
        assert_eq!(violations(parse(text)), [("name".to_owned(), "NAME_INVALID")], "{text}");
    }
    assert_eq!(
        violations(instance_id("instance_id", "")),
        [("instance_id".to_owned(), "REQUIRED")]
    );
    assert_eq!(
        violations(mapping_id("mapping_id", "A")),
        [("mapping_id".to_owned(), "ID_INVALID")]
    );
}

#[test]
fn an_etag_that_is_not_the_present_one_is_a_conflict_and_a_missing_one_is_asked_for() {
    use crosswalk_core::control::{Etag, LogOffset};
    let resource = "instances/demo".parse().unwrap();
    let present = Etag(LogOffset(7));
    assert_eq!(required_etag("etag", "7", &resource, present).unwrap(), present);
    assert_eq!(optional_etag("", &resource, present).unwrap(), present);
    assert_eq!(
        violations(required_etag("etag", "", &resource, present)),
        [("etag".to_owned(), "REQUIRED")]
    );
    for text in ["6", "07", "x"] {
        let result = optional_etag(text, &resource, present);
        assert!(matches!(result, Err(ApiError::Conflict { .. })), "{text}");
    }
}
