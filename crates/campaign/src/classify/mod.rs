//! From an unsuccessful answer to an [`Error`]: a pure function.
//!
//! Many of Campaign's final answers are HTTP 500 (contracts/campaign.md §6.3), so the codes in the body are looked at
//! before a status counts as transient; the other way round, one bad record would be tried again for ever (§6.4).

mod text;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

use self::text::Message;
use crate::error::{Error, Misconfiguration, Rejection};
use crate::reply::Reply;
use crate::retry_after::retry_after;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// What a call was addressed to; the same status means different things for different targets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// Descriptions of resources.
    Metadata { resource: &'a str },
    /// A resource as a whole: POST.
    Collection { resource: &'a str },
    /// A record by its key in the path.
    Record { resource: &'a str, key: &'a str },
    /// A record by the `href` that a filter found; its last segment is a PKey.
    Link { resource: &'a str, key: &'a str },
    /// A published filter.
    Filter { resource: &'a str, filter: &'a str },
}

impl<'a> Target<'a> {
    const fn resource(self) -> &'a str {
        match self {
            Self::Metadata { resource }
            | Self::Collection { resource }
            | Self::Record { resource, .. }
            | Self::Link { resource, .. }
            | Self::Filter { resource, .. } => resource,
        }
    }

    /// What a final refusal means that no field or value explains: for a record's own call nothing general, for the
    /// others that what they address is not there. Campaign's text for an unknown filter is not public (§11 no. 12).
    fn misconfiguration(self) -> Option<Misconfiguration> {
        let resource = self.resource().to_owned();
        match self {
            Self::Metadata { .. } => Some(Misconfiguration::ResourceNotFound { resource }),
            Self::Filter { filter, .. } => Some(Misconfiguration::FilterNotFound {
                resource,
                filter: filter.to_owned(),
            }),
            Self::Collection { .. } | Self::Record { .. } | Self::Link { .. } => None,
        }
    }
}

/// An unsuccessful answer as it arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    /// The body, or as much of it as was read.
    pub(crate) body: &'a [u8],
}

/// The error that an unsuccessful answer of the Campaign API stands for.
///
/// `now` serves to turn a `Retry-After` date into a delay.
pub(crate) fn classify(answer: Answer<'_>, target: Target<'_>, now: Timestamp) -> Error {
    let message = Message::read(answer.body);
    let reply = Box::new(Reply::new(answer.status, answer.headers, &message.text));
    let configuration = |problem| Error::Configuration {
        problem,
        reply: reply.clone(),
    };

    if message.is_wrong_address() {
        return configuration(Misconfiguration::UrlWrong);
    }
    if let Some(verdict) = message
        .gateway_code
        .and_then(|code| by_gateway_code(answer.status, code))
    {
        return verdict.error(reply, answer.headers, now);
    }
    match answer.status.as_u16() {
        401 => Error::Authentication { reply },
        403 => configuration(Misconfiguration::AccessDenied),
        404 => not_found(&message, target, reply),
        408 | 425 | 429 | 501..=599 => by_status(answer.status).error(reply, answer.headers, now),
        500 if !message.is_final() => Verdict::Transient.error(reply, answer.headers, now),
        300..=399 => configuration(Misconfiguration::UrlWrong),
        405 => method_not_allowed(target, reply),
        _ => refused(&message, target, reply),
    }
}

/// What the gateway's answer means whatever was asked (§6.1).
enum Verdict {
    Authentication,
    Configuration(Misconfiguration),
    Throttled,
    Transient,
}

impl Verdict {
    fn error(self, reply: Box<Reply>, headers: &HeaderMap, now: Timestamp) -> Error {
        match self {
            Self::Authentication => Error::Authentication { reply },
            Self::Configuration(problem) => Error::Configuration { problem, reply },
            Self::Throttled => Error::Throttled {
                after: retry_after(headers, now),
                reply,
            },
            Self::Transient => Error::Transient {
                after: retry_after(headers, now),
                reply,
            },
        }
    }
}

/// By the gateway's `error_code`. Its texts can be overridden by the deployment, the codes cannot (§6.1).
fn by_gateway_code(status: StatusCode, code: u32) -> Option<Verdict> {
    let verdict = match code {
        // The fault is in the token, and another one may be better.
        401_013 | 403_010 | 403_020 => Verdict::Authentication,
        401_014 | 401_015 | 403_011 => Verdict::Configuration(Misconfiguration::ScopeMissing),
        403_000 | 403_003 => Verdict::Configuration(Misconfiguration::ApiKeyInvalid),
        403_012 | 403_013 => Verdict::Configuration(Misconfiguration::AddressBlocked),
        403_023 | 403_024 => Verdict::Configuration(Misconfiguration::OrganizationNotAllowed),
        400_003 => Verdict::Configuration(Misconfiguration::AccessDenied),
        429_000..=429_999 => Verdict::Throttled,
        // The default table sends 503020 with status 403.
        503_000..=503_999 => Verdict::Transient,
        _ => match status.as_u16() {
            401 => Verdict::Authentication,
            403 => Verdict::Configuration(Misconfiguration::AccessDenied),
            _ => return None,
        },
    };
    Some(verdict)
}

fn by_status(status: StatusCode) -> Verdict {
    if status == StatusCode::TOO_MANY_REQUESTS {
        Verdict::Throttled
    } else {
        Verdict::Transient
    }
}

/// 404: a record is missing, or a record that the body refers to, or the resource itself (§6.3 no. 3 and 4).
fn not_found(message: &Message, target: Target<'_>, reply: Box<Reply>) -> Error {
    let resource = target.resource().to_owned();
    if let Some(problem) = target.misconfiguration() {
        return Error::Configuration { problem, reply };
    }
    let missing = message.missing_key();
    match (target, missing) {
        (Target::Record { key, .. }, Some(missing)) if missing == key => Error::NotFound { certain: true, reply },
        // The record's own PKey, in whatever form this path gives it: bodies refer to other records by keys.
        (Target::Link { key, .. }, Some(missing)) if missing.starts_with('@') || missing == key => {
            Error::NotFound { certain: true, reply }
        }
        (_, Some(_)) => Error::Rejected {
            rejection: Rejection::LinkTargetMissing,
            field: None,
            codes: message.codes(),
            reply,
        },
        (Target::Record { .. } | Target::Link { .. }, None) => Error::NotFound { certain: false, reply },
        (_, None) => Error::Configuration {
            problem: Misconfiguration::ResourceNotFound { resource },
            reply,
        },
    }
}

/// 405: Campaign does not take the verb on this kind of address. PATCH and DELETE by custom key are the ones whose
/// support is not certain (§4.2).
fn method_not_allowed(target: Target<'_>, reply: Box<Reply>) -> Error {
    let resource = target.resource().to_owned();
    let problem = match target {
        Target::Record { .. } => Misconfiguration::KeyNotDeclared { resource },
        _ => Misconfiguration::ResourceNotFound { resource },
    };
    Error::Configuration { problem, reply }
}

/// A final refusal: the text tells whether the mapping, the key or a value is at fault.
fn refused(message: &Message, target: Target<'_>, reply: Box<Reply>) -> Error {
    let resource = target.resource().to_owned();
    // A field that is gone or read-only is so for every record.
    if let Some(field) = message.read_only_field() {
        return Error::Configuration {
            problem: Misconfiguration::FieldReadOnly { resource, field },
            reply,
        };
    }
    if let Some(field) = message.unknown_field() {
        return Error::Configuration {
            problem: Misconfiguration::FieldUnknown { resource, field },
            reply,
        };
    }
    if let Some(problem) = target.misconfiguration() {
        return Error::Configuration { problem, reply };
    }
    if let Target::Record { key, .. } = target
        && message.takes_for_handle(key)
    {
        return Error::Configuration {
            problem: Misconfiguration::KeyNotDeclared { resource },
            reply,
        };
    }
    if message.is_duplicate() {
        return Error::DuplicateKey {
            key: message.duplicate_key(),
            reply,
        };
    }
    Error::Rejected {
        rejection: message.rejection(),
        field: message.field(),
        codes: message.codes(),
        reply,
    }
}
