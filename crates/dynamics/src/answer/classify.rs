//! From an error answer of Dataverse to the error it means: the code first, then the status
//! (contracts/dataverse.md §6.2, §10).

use std::sync::Arc;
use std::time::Duration;

use crate::Error;

use super::Answer;

/// The error that an answer means; `table` is the logical name of the table whose rows were asked for, if any.
pub(crate) fn classify(answer: Answer, after: Option<Duration>, table: Option<&str>) -> Error {
    let code = answer.code.map_or(0, |code| code.0);
    match code {
        // ExpiredVersionStamp; the status is not documented (§3.5). 0x80044183 is the token the service cannot read.
        0x8004_4352 | 0x8004_4183 => Error::ExpiredDeltaToken(Arc::new(answer)),
        // ChangeTrackingNotEnabledForEntity, …ForRelatedEntities.
        0x8007_2491 | 0x8007_2492 => Error::ChangeTrackingOff(Arc::new(answer)),
        // UserNotMemberOfOrg.
        0x8007_2560 => Error::NotAMember(Arc::new(answer)),
        0x8004_0225 => Error::UserDisabled(Arc::new(answer)),
        // PrivilegeDenied, PrincipalPrivilegeDenied, access check, no licence, no roles, field-level security.
        0x8004_0220 | 0x8004_0231 | 0x8004_8306 | 0x8004_d24b | 0x8004_2f09 | 0x8004_f504 => {
            Error::PrivilegeMissing(Arc::new(answer))
        }
        // Service protection, Throttling, DataEngineQueryThrottling.
        0x8007_2321 | 0x8007_2322 | 0x8007_2326 | 0x8005_f103 | 0x8004_8544 => Error::Throttled {
            answer: Arc::new(answer),
            after,
        },
        // SQL deadlock and timeout; UnExpected and IsvUnExpected come with 400 as well as 500.
        0x8004_4150 | 0x8004_4151 | 0x8004_0216 | 0x8004_0224 => Error::Unavailable {
            answer: Arc::new(answer),
            after,
        },
        _ => match table.and_then(|table| not_found(&answer, table)) {
            Some(error) => error,
            None => by_status(answer, after),
        },
    }
}

/// Whether the table or one of its columns is gone.
fn not_found(answer: &Answer, table: &str) -> Option<Error> {
    let table_not_found = || Error::TableNotFound {
        table: table.to_owned(),
    };
    match (answer.code.map_or(0, |code| code.0), answer.status) {
        // QueryBuilderNoEntity.
        (0x8004_1102, _) => Some(table_not_found()),
        (_, 404) if answer.message.contains("for the segment") => Some(table_not_found()),
        // QueryBuilderNoAttribute.
        (0x8004_1103, _) => Some(column_not_found(answer, table)),
        _ if answer.message.contains("Could not find a property named") => Some(column_not_found(answer, table)),
        _ => None,
    }
}

fn by_status(answer: Answer, after: Option<Duration>) -> Error {
    match answer.status {
        401 => Error::Unauthorized(Arc::new(answer)),
        403 if answer.is_odata => Error::PrivilegeMissing(Arc::new(answer)),
        404 if !answer.is_odata => Error::NotDataverse(Arc::new(answer)),
        300..=399 => Error::NotDataverse(Arc::new(answer)),
        429 => Error::Throttled {
            answer: Arc::new(answer),
            after,
        },
        408 | 500 | 502..=599 => Error::Unavailable {
            answer: Arc::new(answer),
            after,
        },
        _ => Error::Refused(Arc::new(answer)),
    }
}

/// Both texts name the column in quotes: `… property named 'x' on type …`, `… attribute with Name = 'x' …`.
fn column_not_found(answer: &Answer, table: &str) -> Error {
    let column = ["named '", "Name = '"]
        .into_iter()
        .find_map(|before| answer.message.split_once(before))
        .and_then(|(_, rest)| rest.split_once('\''))
        .map_or("?", |(column, _)| column);
    Error::ColumnNotFound {
        table: table.to_owned(),
        column: logical_name(column).to_owned(),
    }
}

/// A lookup is selected as `_name_value` (contracts/dataverse.md §0.7).
fn logical_name(wire_name: &str) -> &str {
    wire_name
        .strip_prefix('_')
        .and_then(|name| name.strip_suffix("_value"))
        .unwrap_or(wire_name)
}

#[cfg(test)]
mod tests {
    use crosswalk_core::{Class, Classify};
    use http::HeaderMap;
    use proptest::prelude::*;

    use super::*;

    fn error(status: u16, code: &str, message: &str) -> Error {
        let body = serde_json::json!({"error": {"code": code, "message": message}}).to_string();
        classify(
            Answer::new(status, &HeaderMap::new(), body.as_bytes()),
            None,
            Some("contact"),
        )
    }

    #[test]
    fn documented_answers_mean_their_errors() {
        let fatal = Class::Fatal;
        let cases = [
            (
                400,
                "0x80044352",
                "Version stamp associated with the client has expired. Please perform a full sync.",
                fatal,
                "DYNAMICS_DELTA_TOKEN_EXPIRED",
            ),
            (500, "0x80044352", "", fatal, "DYNAMICS_DELTA_TOKEN_EXPIRED"),
            (
                400,
                "0x80072491",
                "Entity new_thing isn't enabled for change tracking.",
                fatal,
                "DYNAMICS_CHANGE_TRACKING_OFF",
            ),
            (
                403,
                "0x80072560",
                "The user is not a member of the organization.",
                fatal,
                "DYNAMICS_NOT_A_MEMBER",
            ),
            (
                403,
                "0x80040225",
                "The specified user(Id = x) is disabled.",
                fatal,
                "DYNAMICS_USER_DISABLED",
            ),
            (
                403,
                "0x80040220",
                "SecLib::CheckPrivilege failed. User: x, PrivilegeName: prvReadContact",
                fatal,
                "DYNAMICS_PRIVILEGE_MISSING",
            ),
            (
                403,
                "0x80048306",
                "Principal with id x does not have ReadAccess right(s)",
                fatal,
                "DYNAMICS_PRIVILEGE_MISSING",
            ),
            (403, "", "something new", fatal, "DYNAMICS_PRIVILEGE_MISSING"),
            (401, "0x8004a102", "", fatal, "DYNAMICS_AUTHENTICATION_FAILED"),
            (
                429,
                "0x80072322",
                "Number of requests exceeded the limit of 6000",
                Class::RETRY,
                "DYNAMICS_THROTTLED",
            ),
            (400, "0x80048544", "", Class::RETRY, "DYNAMICS_THROTTLED"),
            (503, "0x8005f103", "", Class::RETRY, "DYNAMICS_THROTTLED"),
            (
                400,
                "0x80044150",
                "Generic SQL error.",
                Class::RETRY,
                "DYNAMICS_UNAVAILABLE",
            ),
            (
                500,
                "0x80044151",
                "SQL timeout expired.",
                Class::RETRY,
                "DYNAMICS_UNAVAILABLE",
            ),
            (
                400,
                "0x80040216",
                "An unexpected error occurred.",
                Class::RETRY,
                "DYNAMICS_UNAVAILABLE",
            ),
            (500, "", "", Class::RETRY, "DYNAMICS_UNAVAILABLE"),
            (
                404,
                "0x80060888",
                "Resource not found for the segment 'contactz'.",
                fatal,
                "DYNAMICS_TABLE_NOT_FOUND",
            ),
            (
                400,
                "0x80060888",
                "Could not find a property named 'x' on type 'Microsoft.Dynamics.CRM.contact'.",
                fatal,
                "DYNAMICS_COLUMN_NOT_FOUND",
            ),
            (
                400,
                "0x80041103",
                "'contact' entity doesn't contain attribute with Name = 'x' ...",
                fatal,
                "DYNAMICS_COLUMN_NOT_FOUND",
            ),
            (
                400,
                "0x80060888",
                "The \"$filter\" query parameter isn't supported when Change Tracking is enabled.",
                fatal,
                "DYNAMICS_REQUEST_REFUSED",
            ),
            (
                501,
                "0x8006088a",
                "The \"startswith\" function isn't supported for Metadata Entities.",
                fatal,
                "DYNAMICS_REQUEST_REFUSED",
            ),
        ];
        for (status, code, message, class, expected) in cases {
            let error = error(status, code, message);
            assert_eq!(
                (error.class(), error.code()),
                (class, expected),
                "{status} {code} {message}"
            );
        }
    }

    #[test]
    fn missing_column_is_named_by_its_logical_name() {
        for (message, expected) in [
            (
                "Could not find a property named 'shoesize' on type 'Microsoft.Dynamics.CRM.contact'.",
                "shoesize",
            ),
            (
                "Could not find a property named '_ownerid_value' on type 'Microsoft.Dynamics.CRM.contact'.",
                "ownerid",
            ),
            ("Could not find a property named", "?"),
        ] {
            let Error::ColumnNotFound { table, column } = error(400, "0x80060888", message) else {
                panic!("{message} was not understood");
            };
            assert_eq!((table.as_str(), column.as_str()), ("contact", expected));
        }
    }

    #[test]
    fn bodies_of_gateways_are_judged_by_status() {
        for (status, expected) in [
            (502, "DYNAMICS_UNAVAILABLE"),
            (503, "DYNAMICS_UNAVAILABLE"),
            (504, "DYNAMICS_UNAVAILABLE"),
            (429, "DYNAMICS_THROTTLED"),
            (404, "DYNAMICS_URL_WRONG"),
            (302, "DYNAMICS_URL_WRONG"),
            (403, "DYNAMICS_REQUEST_REFUSED"),
        ] {
            let error = classify(
                Answer::new(status, &HeaderMap::new(), b"<html>oops</html>"),
                None,
                Some("contact"),
            );
            assert_eq!(error.code(), expected, "{status}");
        }
    }

    #[test]
    fn property_of_the_metadata_is_not_a_column() {
        let body = br#"{"error":{"code":"0x80060888","message":"Could not find a property named 'MaxLength' on ..."}}"#;
        let error = classify(Answer::new(400, &HeaderMap::new(), body), None, None);
        assert_eq!(error.code(), "DYNAMICS_REQUEST_REFUSED");
    }

    #[test]
    fn asked_for_delay_reaches_the_class() {
        let after = Some(Duration::from_secs(27));
        let answer = Answer::new(429, &HeaderMap::new(), b"");
        assert_eq!(classify(answer, after, Some("contact")).class(), Class::Retry { after });
    }

    proptest! {
        #[test]
        fn any_answer_is_survived(status in 300_u16..600, body in prop::collection::vec(any::<u8>(), 0..200)) {
            let error = classify(Answer::new(status, &HeaderMap::new(), &body), None, Some("contact"));
            prop_assert!(!error.code().is_empty() && !error.advice().is_empty() && !error.to_string().is_empty());
        }
    }
}
