use crosswalk_core::{Class, Classify};
use http::header::RETRY_AFTER;
use serde_json::json;

use super::*;

pub(super) const KEY: &str = "6f0cbd41-0000-4000-8000-000000000001";
pub(super) const PROFILE: Target<'static> = Target::Collection { resource: "profile" };
pub(super) const RECORD: Target<'static> = Target::Record {
    resource: "profile",
    key: KEY,
};
pub(super) const LINK: Target<'static> = Target::Link {
    resource: "profile",
    key: KEY,
};
pub(super) const METADATA: Target<'static> = Target::Metadata { resource: "profile" };
pub(super) const FILTER: Target<'static> = Target::Filter {
    resource: "profile",
    filter: "byExternalId",
};

pub(super) fn classify_text(status: u16, body: &str, target: Target<'_>) -> Error {
    let status = StatusCode::from_u16(status).unwrap();
    let answer = Answer {
        status,
        headers: &HeaderMap::new(),
        body: body.as_bytes(),
    };
    classify(answer, target, Timestamp::UNIX_EPOCH)
}

/// The same text bare, in the sandbox's envelope, and in one with other names and escapes: none may make a difference.
fn in_all_envelopes(text: &str) -> [String; 3] {
    [
        text.to_owned(),
        json!({"error_code": "RST-360011", "message": text}).to_string(),
        json!({"error": {"reason": text, "status": 500}})
            .to_string()
            .replace('\'', "\\u0027"),
    ]
}

fn is_fatal(error: &Error) -> bool {
    error.class() == Class::Fatal
}

fn is_retry(error: &Error) -> bool {
    matches!(error.class(), Class::Retry { .. })
}

#[test]
fn gateway_codes_decide_whatever_the_text() {
    use Misconfiguration as M;
    let configuration = |problem: M| Some(problem);
    for (status, code, problem) in [
        (400, 400_003, configuration(M::AccessDenied)),
        (401, 401_014, configuration(M::ScopeMissing)),
        (401, 401_015, configuration(M::ScopeMissing)),
        (403, 403_011, configuration(M::ScopeMissing)),
        (403, 403_000, configuration(M::ApiKeyInvalid)),
        (403, 403_003, configuration(M::ApiKeyInvalid)),
        (403, 403_012, configuration(M::AddressBlocked)),
        (403, 403_013, configuration(M::AddressBlocked)),
        (403, 403_023, configuration(M::OrganizationNotAllowed)),
        (403, 403_024, configuration(M::OrganizationNotAllowed)),
        (403, 403_999, configuration(M::AccessDenied)),
        (401, 401_013, None),
        (401, 401_999, None),
        (403, 403_010, None),
        (403, 403_020, None),
    ] {
        let body = json!({"error_code": code.to_string(), "message": "any text"}).to_string();
        for target in [PROFILE, RECORD, LINK, METADATA, FILTER] {
            match (classify_text(status, &body, target), &problem) {
                (Error::Configuration { problem, .. }, Some(expected)) => assert_eq!(problem, *expected, "{code}"),
                (Error::Authentication { .. }, None) => {}
                (error, _) => panic!("{code}: {error:?}"),
            }
        }
    }
}

#[test]
fn gateway_overload_and_outage_are_tried_again() {
    for code in [429_001, 429_002, 429_050] {
        let body = json!({"error_code": code.to_string(), "message": "Too many requests"}).to_string();
        assert!(
            matches!(classify_text(429, &body, RECORD), Error::Throttled { .. }),
            "{code}"
        );
    }
    for (status, code) in [(503, 503_000), (503, 503_010), (403, 503_020), (503, 503_071)] {
        let body = json!({"error_code": code.to_string(), "message": ""}).to_string();
        assert!(
            matches!(classify_text(status, &body, RECORD), Error::Transient { .. }),
            "{code}"
        );
    }
}

#[test]
fn retry_after_is_passed_on() {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, "7".parse().unwrap());
    let body = br#"{"error_code":"429050","message":"Too many requests"}"#;
    for status in [429, 503] {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: &headers,
            body,
        };
        let class = classify(answer, RECORD, Timestamp::UNIX_EPOCH).class();
        assert_eq!(
            class,
            Class::Retry {
                after: Some(std::time::Duration::from_secs(7))
            }
        );
    }
}

#[test]
fn wrong_address_is_a_configuration_error_despite_its_status() {
    for status in [500, 502] {
        let message = "Oops. Something went wrong. Check your URI and try again.";
        let body = json!({"code": status, "message": message}).to_string();
        let error = classify_text(status, &body, RECORD);
        assert_eq!(error.code(), "CAMPAIGN_URL_WRONG");
        assert!(is_fatal(&error));
    }
    assert_eq!(classify_text(302, "", RECORD).code(), "CAMPAIGN_URL_WRONG");
}

#[test]
fn failures_that_pass_are_tried_again() {
    for (status, body) in [
        (500, ""),
        (500, "Internal Server Error"),
        (500, "<html><body>500</body></html>"),
        (500, r#"{"error_code":"NET-190001","message":"no code of Campaign's"}"#),
        (501, ""),
        (502, "<html><body>502 Bad Gateway</body></html>"),
        (503, ""),
        (504, r#"{"message":"Endpoint request timed out"}"#),
        // The gateway's own failure, whatever an upstream text happens to hold.
        (504, "RST-360011"),
        (408, ""),
    ] {
        for target in [PROFILE, RECORD, LINK, METADATA, FILTER] {
            let error = classify_text(status, body, target);
            assert!(matches!(error, Error::Transient { .. }), "{status} {body}: {error:?}");
            assert!(is_retry(&error));
        }
    }
    assert!(matches!(
        classify_text(429, "", RECORD),
        Error::Throttled { after: None, .. }
    ));
}

#[test]
fn undecodable_handle_in_a_body_rejects_the_record() {
    let text = "'O5iRp40EGA' attribute unknown (see definition of 'Profiles (nms:recipient)' schema). XTK-170036 Unable to \
                parse expression '@id = @O5iRp40EGA'.";
    for body in in_all_envelopes(text) {
        match classify_text(500, &body, RECORD) {
            Error::Rejected {
                rejection: Rejection::Other,
                codes,
                ..
            } => assert!(codes.contains(&"XTK-170036".into())),
            error => panic!("{error:?}"),
        }
    }
}

#[test]
fn key_taken_for_a_handle_means_that_no_key_is_declared() {
    let text = format!(
        "'{KEY}' attribute unknown (see definition of 'Profiles (nms:recipient)' schema). XTK-170036 Unable to parse \
         expression '@id = @{KEY}'."
    );
    for body in in_all_envelopes(&text) {
        let error = classify_text(500, &body, RECORD);
        assert_eq!(error.code(), "CAMPAIGN_KEY_NOT_DECLARED");
        assert!(is_fatal(&error));
    }
    assert_eq!(classify_text(405, "", RECORD).code(), "CAMPAIGN_KEY_NOT_DECLARED");
}

#[test]
fn changed_key_rejects_the_record() {
    let text = "RST-360011 An error has occurred - please contact your administrator. RST-360012 Inconsistent operation on \
                resource 'service' – Cannot update key 'SVC3' to 'SVC4'.";
    for body in in_all_envelopes(text) {
        match classify_text(500, &body, RECORD) {
            Error::Rejected {
                rejection: Rejection::KeyMismatch,
                codes,
                ..
            } => {
                assert_eq!(codes, ["RST-360011", "RST-360012"]);
            }
            error => panic!("{error:?}"),
        }
    }
}

#[test]
fn missing_record_is_told_from_missing_link_target_and_missing_resource() {
    let text = |key: &str| {
        format!(
            "RST-360011 An error has occurred - please contact your administrator. Unable to find document with path \
             'Profiles' from key '{key}' (document with schema 'profile' and name '{key}')"
        )
    };
    for (target, text, expected) in [
        (RECORD, text(&format!("{KEY}:0")), "CAMPAIGN_RECORD_NOT_FOUND"),
        (RECORD, text(KEY), "CAMPAIGN_RECORD_NOT_FOUND"),
        (RECORD, text("unit-7"), "CAMPAIGN_LINK_TARGET_MISSING"),
        (PROFILE, text("unit-7"), "CAMPAIGN_LINK_TARGET_MISSING"),
        (LINK, text("@abc:0"), "CAMPAIGN_RECORD_NOT_FOUND"),
        (LINK, text("unit-7"), "CAMPAIGN_LINK_TARGET_MISSING"),
        (RECORD, "Not Found".to_owned(), "CAMPAIGN_RECORD_NOT_FOUND"),
        (PROFILE, "Not Found".to_owned(), "CAMPAIGN_RESOURCE_NOT_FOUND"),
        (METADATA, "Not Found".to_owned(), "CAMPAIGN_RESOURCE_NOT_FOUND"),
        (FILTER, "Not Found".to_owned(), "CAMPAIGN_FILTER_NOT_FOUND"),
    ] {
        for body in in_all_envelopes(&text) {
            assert_eq!(classify_text(404, &body, target).code(), expected, "{target:?} {body}");
        }
    }
    assert!(matches!(
        classify_text(404, &text(KEY), RECORD),
        Error::NotFound { certain: true, .. }
    ));
    assert!(matches!(
        classify_text(404, "", RECORD),
        Error::NotFound { certain: false, .. }
    ));
}

#[test]
fn duplicate_key_tells_the_value_that_is_taken() {
    let text = "A 'Service' with the same key 'SVC4' already exists. PGS-220000 PostgreSQL error: ERROR:  duplicate key \
                value violates unique constraint \"nmsservice_name\" DETAIL:  Key (sname)=(SVC4) already exists.";
    let without_our_words = "PGS-220000 PostgreSQL error: ERROR:  duplicate key value violates unique constraint \
                             \"nmsservice_name\" DETAIL:  Key (sname)=(SVC4) already exists.";
    for text in [text, without_our_words] {
        for body in in_all_envelopes(text) {
            match classify_text(500, &body, PROFILE) {
                Error::DuplicateKey { key, .. } => assert_eq!(key.as_deref(), Some("SVC4")),
                error => panic!("{error:?}"),
            }
        }
    }
    for text in ["PGS-220000", "A 'Profile' with the same key exists"] {
        assert!(
            matches!(classify_text(500, text, PROFILE), Error::DuplicateKey { key: None, .. }),
            "{text}"
        );
    }
    let apostrophe = "A 'Profile' with the same key 'O'Neil' already exists.";
    match classify_text(500, apostrophe, PROFILE) {
        Error::DuplicateKey { key, .. } => assert_eq!(key.as_deref(), Some("O'Neil")),
        error => panic!("{error:?}"),
    }
}

#[test]
fn other_database_errors_reject_the_record() {
    let text = "PGS-220000 PostgreSQL error: ERROR:  value too long for type character varying(30)";
    let error = classify_text(500, text, PROFILE);
    assert!(
        matches!(
            error,
            Error::Rejected {
                rejection: Rejection::TooLong,
                ..
            }
        ),
        "{error:?}"
    );
    let text = "PGS-220000 PostgreSQL error: ERROR:  numeric field overflow";
    let error = classify_text(500, text, PROFILE);
    assert!(
        matches!(
            error,
            Error::Rejected {
                rejection: Rejection::Other,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn bad_values_reject_the_record_and_name_the_field() {
    let enumeration = "RST-360011 An error has occurred - please contact your administrator. The value 'invalid' is not \
                       valid for the 'nms:recipient:gender' enumeration of the '@gender' field";
    let policy = "XTK-170049 The value 'nobody' of the '@email' field is not a valid email.";
    let long = "RST-360011 The value of the '@firstName' field is too long: 31 characters, at most 30.";
    for (text, rejection, field, code) in [
        (
            enumeration,
            Rejection::NotInEnumeration,
            Some("gender"),
            "CAMPAIGN_VALUE_NOT_IN_ENUMERATION",
        ),
        (policy, Rejection::DataPolicy, Some("email"), "CAMPAIGN_DATA_POLICY"),
        (long, Rejection::TooLong, Some("firstName"), "CAMPAIGN_VALUE_TOO_LONG"),
        ("XTK-170049", Rejection::DataPolicy, None, "CAMPAIGN_DATA_POLICY"),
        ("RST-360099", Rejection::Other, None, "CAMPAIGN_REJECTED"),
    ] {
        for body in in_all_envelopes(text) {
            for target in [PROFILE, RECORD, LINK] {
                let error = classify_text(500, &body, target);
                assert_eq!(error.field(), field, "{text}");
                assert_eq!(error.code(), code, "{text}");
                assert!(
                    matches!(error, Error::Rejected { rejection: found, .. } if found == rejection),
                    "{text}"
                );
            }
        }
    }
    assert_eq!(classify_text(400, "malformed", RECORD).class(), Class::Rejected);
    assert_eq!(classify_text(413, "", RECORD).class(), Class::Rejected);
}

#[test]
fn changed_schema_stops_the_workflow_and_names_the_field() {
    let unknown = "'cusLoyalty' property is not valid for the 'profile' resource";
    let read_only =
        "Cannot update the 'age' property that is read-only 'age' property is not valid for the 'profile' resource.";
    for (text, code, field) in [
        (unknown, "CAMPAIGN_FIELD_UNKNOWN", "cusLoyalty"),
        (read_only, "CAMPAIGN_FIELD_READ_ONLY", "age"),
    ] {
        for body in in_all_envelopes(text) {
            let error = classify_text(500, &body, PROFILE);
            assert_eq!((error.code(), error.field()), (code, Some(field)));
            assert!(is_fatal(&error));
        }
    }
}

#[test]
fn final_refusal_of_metadata_or_filter_means_that_it_is_missing() {
    let text = "RST-360011 An error has occurred - please contact your administrator.";
    assert_eq!(classify_text(500, text, METADATA).code(), "CAMPAIGN_RESOURCE_NOT_FOUND");
    assert_eq!(classify_text(500, text, FILTER).code(), "CAMPAIGN_FILTER_NOT_FOUND");
}

#[test]
fn errors_show_what_campaign_said() {
    let mut headers = HeaderMap::new();
    headers.insert("x-request-id", "Tq1".parse().unwrap());
    let body = br#"{"error_code":"403023","message":"Profile is not valid"}"#;
    let answer = Answer {
        status: StatusCode::FORBIDDEN,
        headers: &headers,
        body,
    };
    let error = classify(answer, METADATA, Timestamp::UNIX_EPOCH);
    assert_eq!(
        error.to_string(),
        "the credential has no right to this Campaign instance, HTTP 403, request Tq1: 403023 Profile is not valid"
    );
    assert_eq!(error.reply().unwrap().request_id.as_deref(), Some("Tq1"));
}
