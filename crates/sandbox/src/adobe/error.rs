//! What Campaign itself refuses, with the published texts (contracts/campaign.md §4.3 and §6.3).
//!
//! Where no text is public it is ours and carries no code but the generic `RST-360011`, so that nobody can come to rely
//! on an invented code.

use http::StatusCode;
use serde_json::json;

const CONTACT_ADMINISTRATOR: &str = "RST-360011 An error has occurred - please contact your administrator.";

/// An error of the Campaign application server. `Display` is the full text of the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    /// Case 1: a PKey that cannot be decrypted, in the URI or in a body.
    #[error(
        "'{name}' attribute unknown (see definition of '{label} ({schema})' schema). XTK-170036 Unable to parse \
         expression '@id = @{name}'."
    )]
    UndecodablePrimaryKey {
        /// The key without its leading `@`.
        name: String,
        /// Label of the resource.
        label: String,
        /// Schema of the resource.
        schema: String,
    },
    /// Case 2: the key in the URI and the one in the body differ.
    #[error(
        "{CONTACT_ADMINISTRATOR} RST-360012 Inconsistent operation on resource '{resource}' – Cannot update key \
         '{uri_key}' to '{body_key}'."
    )]
    InconsistentKey {
        /// Name of the resource.
        resource: String,
        /// Key of the URI.
        uri_key: String,
        /// Key of the body.
        body_key: String,
    },
    /// Case 3: no row has the key of the URI.
    #[error(
        "{CONTACT_ADMINISTRATOR} Unable to find document with path '{label}' from key '{key}:0' (document with schema \
         '{resource}' and name '{key}')"
    )]
    KeyOfUriNotFound {
        /// Label of the resource.
        label: String,
        /// Name of the resource.
        resource: String,
        /// The key that no row has.
        key: String,
    },
    /// Case 4: no row has the key a body names.
    #[error(
        "{CONTACT_ADMINISTRATOR} Unable to find document with path '{label}' from key '{key}' (document with schema \
         '{resource}' and name '{key}')"
    )]
    KeyOfBodyNotFound {
        /// Label of the resource.
        label: String,
        /// Name of the resource.
        resource: String,
        /// The key that no row has.
        key: String,
    },
    /// Case 5: another row has this unique key.
    #[error(
        "A '{label}' with the same key '{value}' already exists. PGS-220000 PostgreSQL error: ERROR:  duplicate key \
         value violates unique constraint \"{constraint}\" DETAIL:  Key ({columns})=({value}) already exists."
    )]
    DuplicateKey {
        /// Label of the resource.
        label: String,
        /// Value of the key; the values of a composite key joined by `, `.
        value: String,
        /// Name of the database index.
        constraint: String,
        /// Name of the database columns, joined by `, `.
        columns: String,
    },
    /// Case 6: not a member of the enumeration.
    #[error(
        "{CONTACT_ADMINISTRATOR} The value '{value}' is not valid for the '{schema}:{enumeration}' enumeration of the \
         '@{field}' field"
    )]
    InvalidEnumerationValue {
        /// The refused value.
        value: String,
        /// Schema of the resource.
        schema: String,
        /// Name of the enumeration.
        enumeration: String,
        /// Name of the field.
        field: String,
    },
    /// Case 7: the attribute cannot be written.
    #[error(
        "Cannot update the '{property}' property that is read-only '{property}' property is not valid for the \
         '{resource}' resource."
    )]
    ReadOnlyProperty {
        /// Name of the attribute.
        property: String,
        /// Name of the resource.
        resource: String,
    },
    /// Case 8: the resource has no such attribute.
    #[error("'{property}' property is not valid for the '{resource}' resource.")]
    UnknownProperty {
        /// Name of the attribute.
        property: String,
        /// Name of the resource.
        resource: String,
    },
    /// Case 9: the value fails a data policy. Only the code is known.
    #[error("{CONTACT_ADMINISTRATOR} XTK-170049 The value '{value}' of the '@{field}' field is not a valid {policy}.")]
    DataPolicy {
        /// The refused value.
        value: String,
        /// Name of the field.
        field: String,
        /// What the policy asks for.
        policy: &'static str,
    },
    /// Case 10: a signal activity of a workflow is not triggered. Public is the text for a parameter that the activity does
    /// not declare; for the others the reason is ours.
    #[error(
        "{CONTACT_ADMINISTRATOR} {reason} XTK-170006 Unable to parse expression 'HandleTrigger(@name, $(source), \
         $({{parameters}}))'. RST-360000 Error while assessing 'HandleTrigger(@name, $(source), $({{parameters}}))' \
         expression ('xtk:workflow:execution/activities/signal/trigger' resource)"
    )]
    SignalActivity {
        /// What is wrong with the call.
        reason: String,
    },
    /// A value of the wrong type. The text is ours.
    #[error("{CONTACT_ADMINISTRATOR} The value '{value}' is not valid for the '@{field}' field of type '{kind}'.")]
    InvalidValue {
        /// The refused value, as JSON.
        value: String,
        /// Name of the field.
        field: String,
        /// Technical type of the field.
        kind: &'static str,
    },
    /// A text that does not fit. The text is ours.
    #[error(
        "{CONTACT_ADMINISTRATOR} The value of the '@{field}' field is too long: {actual} characters, at most {length}."
    )]
    TooLong {
        /// Name of the field.
        field: String,
        /// Characters sent.
        actual: usize,
        /// Characters the field takes.
        length: usize,
    },
    /// A query parameter that makes no sense. The text is ours.
    #[error("{CONTACT_ADMINISTRATOR} The value '{value}' is not valid for the '{parameter}' parameter.")]
    InvalidParameter {
        /// Name of the parameter.
        parameter: String,
        /// The refused value.
        value: String,
    },
    /// The resource has no such filter. The text is ours.
    #[error("{CONTACT_ADMINISTRATOR} The '{filter}' filter is unknown for the '{resource}' resource.")]
    UnknownFilter {
        /// Name of the filter.
        filter: String,
        /// Name of the resource.
        resource: String,
    },
    /// The endpoint has no such resource. The text is ours.
    #[error("{CONTACT_ADMINISTRATOR} The '{resource}' resource is unknown.")]
    UnknownResource {
        /// Name asked for.
        resource: String,
    },
    /// The body is no JSON object. The text is ours.
    #[error("{CONTACT_ADMINISTRATOR} The request body is not a JSON object: {reason}")]
    MalformedBody {
        /// What the parser says.
        reason: String,
    },
    /// The `Accept` header leaves out JSON, which is all there is. The text is ours.
    #[error("{CONTACT_ADMINISTRATOR} There is no format among '{accept}'.")]
    NotAcceptable {
        /// The header.
        accept: String,
    },
    /// The URI does not take this method. The text is ours.
    #[error("{CONTACT_ADMINISTRATOR} The {method} method is not allowed here.")]
    MethodNotAllowed {
        /// The method asked for.
        method: String,
    },
}

impl CampaignError {
    /// The HTTP status it is answered with: 500 for most, as the product does (contracts/campaign.md §0.3, fact 6).
    pub fn status(&self) -> StatusCode {
        match self {
            Self::KeyOfUriNotFound { .. } | Self::KeyOfBodyNotFound { .. } | Self::UnknownResource { .. } => {
                StatusCode::NOT_FOUND
            }
            Self::MalformedBody { .. } => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable { .. } => StatusCode::NOT_ACCEPTABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The first code in the text, or the generic one (contracts/campaign.md §6.2).
    pub fn code(&self) -> String {
        first_code(&self.to_string()).unwrap_or("RST-360011").to_owned()
    }

    /// The JSON body of the answer. Only the text is public, the envelope is a convention (contracts/campaign.md §6.2).
    pub fn body(&self) -> Vec<u8> {
        json!({"error_code": self.code(), "message": self.to_string()})
            .to_string()
            .into_bytes()
    }
}

/// The first code of the form `ABC-123456` in a text.
fn first_code(text: &str) -> Option<&str> {
    const LENGTH: usize = 10;
    let is_code = |candidate: &[u8]| {
        candidate[..3].iter().all(u8::is_ascii_uppercase)
            && candidate[3] == b'-'
            && candidate[4..].iter().all(u8::is_ascii_digit)
    };
    let start = text.as_bytes().windows(LENGTH).position(is_code)?;
    text.get(start..start + LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_carries_the_first_code_of_the_text() {
        let error = CampaignError::DuplicateKey {
            label: "Service".into(),
            value: "SVC4".into(),
            constraint: "nmsservice_name".into(),
            columns: "sname".into(),
        };
        let body: serde_json::Value = serde_json::from_slice(&error.body()).unwrap();
        assert_eq!(body["error_code"], "PGS-220000");
        assert_eq!(
            body["message"],
            "A 'Service' with the same key 'SVC4' already exists. PGS-220000 PostgreSQL error: ERROR:  duplicate key \
             value violates unique constraint \"nmsservice_name\" DETAIL:  Key (sname)=(SVC4) already exists."
        );
    }

    #[test]
    fn text_without_a_code_is_answered_with_the_generic_one() {
        let error = CampaignError::UnknownProperty {
            property: "x".into(),
            resource: "profile".into(),
        };
        let body: serde_json::Value = serde_json::from_slice(&error.body()).unwrap();
        assert_eq!(body["error_code"], "RST-360011");
        assert_eq!(body["message"], "'x' property is not valid for the 'profile' resource.");
    }
}
