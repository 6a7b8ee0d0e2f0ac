//! What can go wrong in a call, and what to do about it.

use std::sync::Arc;
use std::time::Duration;

use crosswalk_core::{Class, Classify};

use crate::{RefusedRequest, Reply};

/// An unsuccessful call of Campaign or IMS (contracts/campaign.md §6.4).
///
/// Neither `Display` nor `Debug` ever holds a secret or a token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The connection or the settings cannot work.
    #[error("{problem}")]
    InvalidConnection {
        /// What is wrong, naming the setting.
        problem: String,
    },
    /// IMS or the gateway refused the credentials.
    #[error("Adobe refused the credentials, {reply}")]
    Authentication {
        /// What IMS or the gateway said.
        reply: Box<Reply>,
    },
    /// Something is set up wrongly, here or in Campaign: no record can succeed until somebody mends it.
    #[error("{problem}, {reply}")]
    Configuration {
        /// What is wrong.
        problem: Misconfiguration,
        /// What Campaign said.
        reply: Box<Reply>,
    },
    /// A list entry's `href` leads away from the configured gateway and is not followed.
    #[error("Campaign sent a link to {origin}, which is not the configured API address")]
    ForeignLink {
        /// Scheme, host and port of the link.
        origin: String,
    },
    /// Too many requests.
    #[error("Campaign is throttling, {reply}")]
    Throttled {
        /// The delay asked for.
        after: Option<Duration>,
        /// What the gateway said.
        reply: Box<Reply>,
    },
    /// A failure of the other side that passes.
    #[error("Campaign failed, {reply}")]
    Transient {
        /// The delay asked for.
        after: Option<Duration>,
        /// What the other side said.
        reply: Box<Reply>,
    },
    /// No answer arrived: connection refused or reset, name not found, timeout. The call may have taken effect.
    #[error("no answer from Campaign")]
    NoAnswer {
        /// What happened to the connection; without the URL.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// The call succeeded but its answer is not what the contract says.
    #[error("Campaign sent an answer that cannot be understood: {problem}")]
    UnexpectedAnswer {
        /// What is odd about it.
        problem: String,
    },
    /// There is no record with that key.
    #[error("Campaign has no such record, {reply}")]
    NotFound {
        /// Whether the text speaks of a missing record, so that nothing else can be meant.
        certain: bool,
        /// What Campaign said.
        reply: Box<Reply>,
    },
    /// A record that holds a unique key of the body exists already.
    #[error("a record with the same key exists, {reply}")]
    DuplicateKey {
        /// The key's value, where the text tells it.
        key: Option<String>,
        /// What Campaign said.
        reply: Box<Reply>,
    },
    /// More than one record has the key, so that none can be chosen.
    #[error("{rows} records have the key `{key}`")]
    AmbiguousKey {
        /// The key.
        key: String,
        /// How many of them were seen.
        rows: usize,
    },
    /// Campaign refused this record.
    #[error("Campaign refused the record, {reply}")]
    Rejected {
        /// Why, as far as the text tells.
        rejection: Rejection,
        /// The field at fault, where the text tells.
        field: Option<String>,
        /// Campaign's message codes in the text, e.g. `RST-360011`, in order, each once.
        codes: Vec<String>,
        /// What Campaign said.
        reply: Box<Reply>,
    },
}

/// What is set up wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misconfiguration {
    /// The gateway does not know the client id as an API key.
    #[error("Adobe does not accept the API key")]
    ApiKeyInvalid,
    /// The credential's product profile does not include this instance.
    #[error("the credential has no right to this Campaign instance")]
    OrganizationNotAllowed,
    /// The token lacks a scope.
    #[error("the token does not have the scopes that Campaign needs")]
    ScopeMissing,
    /// The gateway does not serve our network address.
    #[error("Adobe does not serve this network address")]
    AddressBlocked,
    /// Another refusal of the gateway.
    #[error("Adobe denies access")]
    AccessDenied,
    /// There is no Campaign at the address.
    #[error("there is no Campaign instance at this address")]
    UrlWrong,
    /// There is no identity service at the address.
    #[error("there is no Adobe identity service at this address")]
    ImsUrlWrong,
    /// The resource does not exist or is not published with the API.
    #[error("Campaign has no resource `{resource}`")]
    ResourceNotFound {
        /// API name of the resource.
        resource: String,
    },
    /// A field of the body does not exist.
    #[error("the resource `{resource}` has no field `{field}`")]
    FieldUnknown {
        /// API name of the resource.
        resource: String,
        /// API name of the field.
        field: String,
    },
    /// A field of the body cannot be written.
    #[error("the field `{field}` of `{resource}` is read-only")]
    FieldReadOnly {
        /// API name of the resource.
        resource: String,
        /// API name of the field.
        field: String,
    },
    /// Campaign takes the key for a PKey: the resource declares no identification key.
    #[error("`{resource}` cannot be addressed by a key of its own")]
    KeyNotDeclared {
        /// API name of the resource.
        resource: String,
    },
    /// The published filter is missing.
    #[error("`{resource}` has no filter `{filter}`")]
    FilterNotFound {
        /// API name of the resource.
        resource: String,
        /// The filter's path element.
        filter: String,
    },
}

/// Why Campaign refused a record, as far as the text tells (contracts/campaign.md §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The value is none of the enumeration's.
    NotInEnumeration,
    /// The value breaks the field's data policy, e.g. is not an e-mail address.
    DataPolicy,
    /// The text is longer than the field.
    TooLong,
    /// The key in the body is not the one in the address.
    KeyMismatch,
    /// A link of the body names a record that does not exist.
    LinkTargetMissing,
    /// Anything else.
    Other,
}

impl Error {
    /// A stable code for people and programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidConnection { .. } => "CAMPAIGN_CONNECTION_INVALID",
            Self::Authentication { .. } => "CAMPAIGN_AUTHENTICATION_FAILED",
            Self::Configuration { problem, .. } => problem.code(),
            Self::ForeignLink { .. } => "CAMPAIGN_LINK_FOREIGN",
            Self::Throttled { .. } => "CAMPAIGN_THROTTLED",
            Self::Transient { .. } => "CAMPAIGN_UNAVAILABLE",
            Self::NoAnswer { .. } => "CAMPAIGN_UNREACHABLE",
            Self::UnexpectedAnswer { .. } => "CAMPAIGN_ANSWER_UNEXPECTED",
            Self::NotFound { .. } => "CAMPAIGN_RECORD_NOT_FOUND",
            Self::DuplicateKey { .. } => "CAMPAIGN_DUPLICATE_KEY",
            Self::AmbiguousKey { .. } => "CAMPAIGN_KEY_AMBIGUOUS",
            Self::Rejected { rejection, .. } => rejection.code(),
        }
    }

    /// What somebody should do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::InvalidConnection { .. } => "Correct the instance's Campaign connection.",
            Self::Authentication { .. } => {
                "Check client id, client secret and scopes of the OAuth Server-to-Server credential in the Adobe \
                 Developer Console, then start the workflow again."
            }
            Self::Configuration { problem, .. } => problem.advice(),
            Self::ForeignLink { .. } => "Set the API address of the connection to the one Campaign uses in its links.",
            Self::Throttled { .. } | Self::Transient { .. } => "Nothing: the call is tried again.",
            Self::NoAnswer { .. } => {
                "Nothing if it passes: the call is tried again. If it lasts, check the API address and the network."
            }
            Self::UnexpectedAnswer { .. } => {
                "Check that the API address leads to Campaign itself and not to a proxy or a sign-in page."
            }
            Self::NotFound { .. } => "Check whether the record was deleted in Campaign.",
            Self::DuplicateKey { .. } => {
                "Another record in Campaign holds the same unique value: merge the two or change one, then redrive."
            }
            Self::AmbiguousKey { .. } => {
                "Remove the duplicates in Campaign and declare the key as unique, then redrive."
            }
            Self::Rejected { rejection, .. } => rejection.advice(),
        }
    }

    /// The unsuccessful answer, where there was one.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Authentication { reply }
            | Self::Configuration { reply, .. }
            | Self::Throttled { reply, .. }
            | Self::Transient { reply, .. }
            | Self::NotFound { reply, .. }
            | Self::DuplicateKey { reply, .. }
            | Self::Rejected { reply, .. } => Some(reply),
            Self::InvalidConnection { .. }
            | Self::ForeignLink { .. }
            | Self::NoAnswer { .. }
            | Self::UnexpectedAnswer { .. }
            | Self::AmbiguousKey { .. } => None,
        }
    }

    /// Keeps the request with the answer to it.
    pub(crate) fn to(mut self, request: RefusedRequest) -> Self {
        if let Self::Authentication { reply }
        | Self::Configuration { reply, .. }
        | Self::Throttled { reply, .. }
        | Self::Transient { reply, .. }
        | Self::NotFound { reply, .. }
        | Self::DuplicateKey { reply, .. }
        | Self::Rejected { reply, .. } = &mut self
        {
            reply.request = Some(request);
        }
        self
    }

    /// The field at fault, where Campaign named one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Rejected { field, .. } => field.as_deref(),
            Self::Configuration {
                problem: Misconfiguration::FieldUnknown { field, .. } | Misconfiguration::FieldReadOnly { field, .. },
                ..
            } => Some(field),
            _ => None,
        }
    }
}

impl Classify for Error {
    fn class(&self) -> Class {
        match self {
            Self::Throttled { after, .. } | Self::Transient { after, .. } => Class::Retry { after: *after },
            Self::NoAnswer { .. } => Class::RETRY,
            Self::NotFound { .. } | Self::DuplicateKey { .. } | Self::AmbiguousKey { .. } | Self::Rejected { .. } => {
                Class::Rejected
            }
            Self::InvalidConnection { .. }
            | Self::Authentication { .. }
            | Self::Configuration { .. }
            | Self::ForeignLink { .. }
            | Self::UnexpectedAnswer { .. } => Class::Fatal,
        }
    }
}

impl Misconfiguration {
    const fn code(&self) -> &'static str {
        match self {
            Self::ApiKeyInvalid => "CAMPAIGN_API_KEY_INVALID",
            Self::OrganizationNotAllowed => "CAMPAIGN_ORGANIZATION_NOT_ALLOWED",
            Self::ScopeMissing => "CAMPAIGN_SCOPE_MISSING",
            Self::AddressBlocked => "CAMPAIGN_ADDRESS_BLOCKED",
            Self::AccessDenied => "CAMPAIGN_ACCESS_DENIED",
            Self::UrlWrong => "CAMPAIGN_URL_WRONG",
            Self::ImsUrlWrong => "CAMPAIGN_IMS_URL_WRONG",
            Self::ResourceNotFound { .. } => "CAMPAIGN_RESOURCE_NOT_FOUND",
            Self::FieldUnknown { .. } => "CAMPAIGN_FIELD_UNKNOWN",
            Self::FieldReadOnly { .. } => "CAMPAIGN_FIELD_READ_ONLY",
            Self::KeyNotDeclared { .. } => "CAMPAIGN_KEY_NOT_DECLARED",
            Self::FilterNotFound { .. } => "CAMPAIGN_FILTER_NOT_FOUND",
        }
    }

    const fn advice(&self) -> &'static str {
        match self {
            Self::ApiKeyInvalid => "Add the Adobe Campaign API to the credential's project in the Developer Console.",
            Self::OrganizationNotAllowed => {
                "Check the organization in the connection, and that the credential has the product profile \
                 \"Campaign Standard - <organization> - Administrators\"."
            }
            Self::ScopeMissing => {
                "Add the missing scopes to the connection; usual are openid, AdobeID, campaign_sdk and \
                 additional_info.projectedProductContext."
            }
            Self::AddressBlocked => "Have this network's public address allowed for the Campaign API.",
            Self::AccessDenied => "Check the credential's product profiles in the Adobe Admin Console.",
            Self::UrlWrong => {
                "Correct API address and organization of the connection, and check that the \"Profiles & Services Ext API\" \
                 is published in Campaign."
            }
            Self::ImsUrlWrong => "Correct the address of the identity service, usually https://ims-na1.adobelogin.com.",
            Self::ResourceNotFound { .. } => {
                "Publish the resource in Campaign with its API option on (\"Create the Profiles & Services Ext API\"), or \
                 remove its mapping."
            }
            Self::FieldUnknown { .. } => "Publish the field in Campaign, or remove it from the mapping.",
            Self::FieldReadOnly { .. } => "Remove the field from the mapping: Campaign computes it.",
            Self::KeyNotDeclared { .. } => {
                "Declare the mapping's key as an identification key of the resource and publish it, or address records \
                 through a published filter."
            }
            Self::FilterNotFound { .. } => {
                "Define and publish the filter in the resource's filter definitions, with the parameter of the setting."
            }
        }
    }
}

impl Rejection {
    const fn code(self) -> &'static str {
        match self {
            Self::NotInEnumeration => "CAMPAIGN_VALUE_NOT_IN_ENUMERATION",
            Self::DataPolicy => "CAMPAIGN_DATA_POLICY",
            Self::TooLong => "CAMPAIGN_VALUE_TOO_LONG",
            Self::KeyMismatch => "CAMPAIGN_KEY_MISMATCH",
            Self::LinkTargetMissing => "CAMPAIGN_LINK_TARGET_MISSING",
            Self::Other => "CAMPAIGN_REJECTED",
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::NotInEnumeration => "Correct the value in Dynamics or add it to the enumeration, then redrive.",
            Self::DataPolicy => "Correct the value in Dynamics so that it meets the field's data policy, then redrive.",
            Self::TooLong => "Shorten the value in Dynamics, or let the mapping cut over-long texts, then redrive.",
            Self::KeyMismatch => "Map the key to the field that Campaign declares as identification key.",
            Self::LinkTargetMissing => "Write the record it refers to first, then redrive.",
            Self::Other => "Read what Campaign said, correct the record in Dynamics, then redrive.",
        }
    }
}
