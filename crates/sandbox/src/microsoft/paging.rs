//! Skip tokens: opaque XML cookies that say where the next page starts (contracts/dataverse.md §2.6).

use std::hash::{DefaultHasher, Hash, Hasher};

use http::StatusCode;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use uuid::Uuid;

use super::errors::ApiError;

/// What the product leaves bare in the outer cookie: letters, digits, `=`, `/` and a few more.
const OUTER: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'%')
    .add(b'&')
    .add(b'#')
    .add(b'+');

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// Behind a row, in key order. `tracked` is the version the whole tracked read stands for.
    Key {
        /// The last row of the page before.
        after: Uuid,
        /// Version at the start of a tracked read; `None` in a plain read.
        tracked: Option<u64>,
    },
    /// Behind this many rows of a sorted read.
    Offset(u64),
    /// In the changes of a delta read.
    Changes {
        /// Version of the last change of the page before.
        after: u64,
        /// Version the whole delta read stands for.
        through: u64,
        /// Version of the delta token it started from.
        base: u64,
        /// New and updated rows are done, deletions follow.
        deletions: bool,
    },
}

/// A page's number and start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageCookie {
    /// Number of the page, 2 for the second.
    pub page: u64,
    /// Where it starts.
    pub position: Position,
}

impl PageCookie {
    /// The token as it stands in a link, percent-encoded.
    pub(crate) fn encode(&self, table: &str) -> String {
        let (kind, values) = self.parts();
        let values = values.iter().map(u128::to_string).collect::<Vec<_>>().join(" ");
        let check = checksum(table, self.page, kind, &values);
        let inner = format!(
            "<cookie page=\"{}\"><{table}id kind=\"{kind}\" last=\"{values}\" check=\"{check:016x}\" /></cookie>",
            self.page - 1
        );
        let inner = utf8_percent_encode(&inner, NON_ALPHANUMERIC).to_string();
        let tracking = if matches!(self.position, Position::Key { tracked: None, .. } | Position::Offset(_)) {
            "False"
        } else {
            "True"
        };
        let outer = format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"{inner}\" istracking=\"{tracking}\" />",
            self.page
        );
        utf8_percent_encode(&outer, OUTER).to_string()
    }

    /// Reads a token whose outer percent-encoding has been undone; refuses one that was not made here or was edited.
    pub(crate) fn decode(token: &str, table: &str) -> Result<Self, ApiError> {
        Self::read(token, table).ok_or_else(|| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "0x80040203",
                "Malformed XML in the Paging Cookie",
            )
        })
    }

    fn read(token: &str, table: &str) -> Option<Self> {
        let page: u64 = attribute(token, "pagenumber")?.parse().ok()?;
        let inner = percent_decode_str(attribute(token, "pagingcookie")?)
            .decode_utf8()
            .ok()?;
        let kind = attribute(&inner, "kind")?;
        let values = attribute(&inner, "last")?;
        let check = u64::from_str_radix(attribute(&inner, "check")?, 16).ok()?;
        if check != checksum(table, page, kind, values) {
            return None;
        }
        let numbers = values
            .split(' ')
            .map(str::parse)
            .collect::<Result<Vec<u128>, _>>()
            .ok()?;
        let narrow = |value: u128| u64::try_from(value).ok();
        let position = match (kind, numbers.as_slice()) {
            ("key", [after]) => Position::Key {
                after: Uuid::from_u128(*after),
                tracked: None,
            },
            ("tracked", [after, version]) => Position::Key {
                after: Uuid::from_u128(*after),
                tracked: Some(narrow(*version)?),
            },
            ("offset", [offset]) => Position::Offset(narrow(*offset)?),
            ("changes" | "deletions", [after, through, base]) => Position::Changes {
                after: narrow(*after)?,
                through: narrow(*through)?,
                base: narrow(*base)?,
                deletions: kind == "deletions",
            },
            _ => return None,
        };
        Some(Self { page, position })
    }

    fn parts(&self) -> (&'static str, Vec<u128>) {
        match self.position {
            Position::Key { after, tracked: None } => ("key", vec![after.as_u128()]),
            Position::Key {
                after,
                tracked: Some(version),
            } => ("tracked", vec![after.as_u128(), version.into()]),
            Position::Offset(offset) => ("offset", vec![offset.into()]),
            Position::Changes {
                after,
                through,
                base,
                deletions,
            } => {
                let kind = if deletions { "deletions" } else { "changes" };
                (kind, vec![after.into(), through.into(), base.into()])
            }
        }
    }
}

/// Whether a decoded skip token belongs to a delta read; needs no table, so it can be asked before routing.
pub(crate) fn is_delta_token(token: &str) -> bool {
    attribute(token, "pagingcookie")
        .and_then(|inner| percent_decode_str(inner).decode_utf8().ok())
        .is_some_and(|inner| matches!(attribute(&inner, "kind"), Some("changes" | "deletions")))
}

fn attribute<'text>(text: &'text str, name: &str) -> Option<&'text str> {
    let (_, rest) = text.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

/// Ties a token to its table and content. Not a defence against forgery: it only has to notice edits.
fn checksum(table: &str, page: u64, kind: &str, values: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    ("crosswalk paging cookie", table, page, kind, values).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(token: &str) -> String {
        percent_decode_str(token).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn tokens_survive_the_way_through_a_link() {
        let positions = [
            Position::Key {
                after: Uuid::from_u128(u128::MAX - 5),
                tracked: None,
            },
            Position::Key {
                after: Uuid::from_u128(1),
                tracked: Some(900_001),
            },
            Position::Offset(5000),
            Position::Changes {
                after: 7,
                through: 9,
                base: 3,
                deletions: false,
            },
            Position::Changes {
                after: 7,
                through: 9,
                base: 3,
                deletions: true,
            },
        ];
        for position in positions {
            let cookie = PageCookie { page: 2, position };
            let token = decoded(&cookie.encode("contact"));
            assert_eq!(PageCookie::decode(&token, "contact"), Ok(cookie));
            assert_eq!(is_delta_token(&token), matches!(position, Position::Changes { .. }));
        }
    }

    #[test]
    fn edited_tokens_are_refused() {
        let cookie = PageCookie {
            page: 2,
            position: Position::Offset(5000),
        };
        let token = decoded(&cookie.encode("contact"));
        assert!(PageCookie::decode(&token.replace("pagenumber=\"2\"", "pagenumber=\"3\""), "contact").is_err());
        assert!(PageCookie::decode(&token.replace("5000", "6000"), "contact").is_err());
        assert!(PageCookie::decode(&token, "account").is_err());
        assert!(PageCookie::decode("<cookie />", "contact").is_err());
    }

    #[test]
    fn inner_cookie_is_encoded_twice() {
        let token = PageCookie {
            page: 2,
            position: Position::Offset(1),
        }
        .encode("contact");
        assert!(
            token.starts_with("%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253Ccookie"),
            "{token}"
        );
    }
}
