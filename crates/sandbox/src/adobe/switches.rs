//! What can be changed about the Adobe side while it runs: breaking it as administrators do, and its unpublished
//! limits.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::config::{AdobeConfig, OverLong, RateLimit};

/// Signal activities take a signal every ten minutes (contracts/campaign.md §2.1).
const SIGNAL_INTERVAL_SECONDS: u64 = 600;

/// The switches in force. A request sees one consistent set of them from beginning to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switches {
    /// Every secret of the credential is refused.
    pub secret_expired: bool,
    /// Names of fields that were taken out of their resource: gone from metadata and records, unknown in bodies.
    pub removed_fields: BTreeSet<String>,
    /// The `profileAndServicesExt` endpoint is not published.
    pub ext_unpublished: bool,
    /// `externalId` of profile is no identification key: not unique, not usable in URIs.
    pub external_id_key_undeclared: bool,
    /// Custom resources that no link connects with profiles are on the `customResources` endpoint instead of
    /// `profileAndServicesExt`, as in the product (contracts/campaign.md §2.1). Off, all of them are on the latter.
    pub unlinked_resources_apart: bool,
    /// How long a signal activity of a workflow refuses to be triggered again, in seconds.
    pub signal_interval_seconds: u64,
    /// The daily restart: calls meet dropped connections, 502 and 503 in turn.
    pub restarting: bool,
    /// Names of text fields that have the smart-case data policy: each word is capitalised when written.
    pub smart_case_fields: BTreeSet<String>,
    /// What happens to values that do not fit their field.
    pub over_long: OverLong,
    /// Above so many rows, lists have no `next` unless forced.
    pub big_table_threshold: u64,
    /// Calls a second the gateway lets through; `None`: all.
    pub rate_limit: Option<RateLimit>,
}

impl Switches {
    pub(super) fn new(config: &AdobeConfig) -> Self {
        Self {
            secret_expired: false,
            removed_fields: BTreeSet::new(),
            ext_unpublished: false,
            external_id_key_undeclared: false,
            unlinked_resources_apart: false,
            signal_interval_seconds: SIGNAL_INTERVAL_SECONDS,
            restarting: false,
            smart_case_fields: BTreeSet::new(),
            over_long: config.over_long,
            big_table_threshold: config.big_table_threshold,
            rate_limit: config.rate_limit,
        }
    }
}
