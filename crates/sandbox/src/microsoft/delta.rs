//! Delta tokens (contracts/dataverse.md §3.2, §3.5): `919042!01/30/2026 08:10:44`, percent-encoded in lower case.

use http::StatusCode;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::errors::ApiError;
use super::literal::timestamp_of_seconds;
use super::store::{CellRef, Organization, Table};

/// A token: the data version it stands for, and when it was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeltaToken {
    /// Data version.
    pub version: u64,
    /// Seconds since 1970 UTC.
    pub issued: i64,
}

const FORMAT: &str = "%m/%d/%Y %H:%M:%S";
const SECONDS_A_DAY: i64 = 86_400;

impl DeltaToken {
    /// The token as it stands in a link.
    pub(crate) fn encode(self) -> String {
        let time = timestamp_of_seconds(self.issued).strftime(FORMAT).to_string();
        format!(
            "{}%21{}",
            self.version,
            time.replace('/', "%2f").replace(' ', "%20").replace(':', "%3a")
        )
    }

    /// Reads a decoded token and checks that `table` can still answer it at `now`.
    pub(crate) fn decode(token: &str, organization: &Organization, table: &Table, now: i64) -> Result<Self, ApiError> {
        let decoded = Self::read(token).filter(|token| token.version <= organization.version());
        let decoded =
            decoded.ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "0x80044183", "Invalid version stamp"))?;
        let age = now - decoded.issued;
        // A sandbox that starts anew has forgotten what happened before, so tokens of an earlier start are expired.
        let is_foreign = decoded.issued < organization.created();
        if is_foreign || table.is_expired(decoded.version) || age >= retention_days(organization) * SECONDS_A_DAY {
            return Err(ApiError::expired_version_stamp());
        }
        Ok(decoded)
    }

    fn read(token: &str) -> Option<Self> {
        let (version, time) = token.split_once('!')?;
        let time = DateTime::strptime(FORMAT, time).ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(Self {
            version: version.parse().ok()?,
            issued: time.timestamp().as_second(),
        })
    }
}

/// `organization.expirechangetrackingindays`: how long deletions are kept for change tracking.
fn retention_days(organization: &Organization) -> i64 {
    let days = || {
        let table = organization.table(organization.table_named("organization")?);
        let column = table.definition().column("expirechangetrackingindays")?;
        match table.rows().values().next()?.cells.cell(column)? {
            CellRef::Integer(days) => Some(days),
            _ => None,
        }
    };
    days().unwrap_or(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_look_as_the_products_do() {
        let token = DeltaToken {
            version: 919_042,
            issued: crate::microsoft::literal::parse_moment("2026-01-30T08:10:44Z").unwrap(),
        };
        assert_eq!(token.encode(), "919042%2101%2f30%2f2026%2008%3a10%3a44");
        assert_eq!(DeltaToken::read("919042!01/30/2026 08:10:44"), Some(token));
        assert_eq!(DeltaToken::read("919042"), None);
        assert_eq!(DeltaToken::read("x!01/30/2026 08:10:44"), None);
    }
}
