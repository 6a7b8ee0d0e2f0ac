//! What an Adobe side is started with.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Settings of the Adobe side. Everything that can also be changed while it runs is a [`super::Switches`] field there.
#[derive(Debug, Clone, PartialEq)]
pub struct AdobeConfig {
    /// Fixes PKeys, access tokens and ACS ids.
    pub seed: u64,
    /// The organisations (tenant slugs of the URL) served, each with data and PKey secrets of its own.
    pub organisations: Vec<String>,
    /// The one credential's client id, also its API key.
    pub client_id: String,
    /// The credential's secret.
    pub client_secret: String,
    /// The credential's second live secret, as there is one while secrets are rotated (contracts/campaign.md §1.1).
    pub second_client_secret: Option<String>,
    /// How long an access token is valid.
    pub token_lifetime: Duration,
    /// Calls a second the gateway lets through; `None`: all.
    pub rate_limit: Option<RateLimit>,
    /// `XtkBigTableThreshold`: above so many rows, lists have no `next` unless forced (contracts/campaign.md §3.1).
    pub big_table_threshold: u64,
    /// What happens to values that do not fit their field.
    pub over_long: OverLong,
    /// How many writes the write journal keeps from the start; `None`: it is off until switched on.
    pub write_journal: Option<usize>,
}

impl Default for AdobeConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            organisations: vec!["sandbox".to_owned(), "sandbox-mkt-stage".to_owned()],
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            second_client_secret: Some("sandbox-second-secret".to_owned()),
            token_lifetime: Duration::from_secs(24 * 60 * 60),
            rate_limit: None,
            big_table_threshold: 100_000,
            over_long: OverLong::Reject,
            write_journal: None,
        }
    }
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Calls a second in the long run, at least 1.
    pub per_second: u32,
    /// Calls at once after a pause, at least 1.
    pub burst: u32,
}

impl RateLimit {
    /// The rate contracts/campaign.md §6.5 proposes for sandboxes; the product's own is not public.
    pub const CONTRACT: Self = Self {
        per_second: 20,
        burst: 40,
    };
}

/// What happens to texts longer than their field and numbers outside its range. The product's behaviour is not public
/// (contracts/campaign.md §2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverLong {
    /// The write is refused with 500.
    #[default]
    Reject,
    /// Texts are cut and numbers clamped, silently.
    Truncate,
}
