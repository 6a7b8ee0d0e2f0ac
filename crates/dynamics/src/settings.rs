//! How the client speaks to the service; the defaults suit a real environment.

use std::time::Duration;

/// Sizes and times of a [`Client`](crate::Client).
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Rows a page, 1 to 5,000; the service treats more as 5,000 (contracts/dataverse.md §2.3).
    pub page_size: u32,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long a request may take as a whole, its body included. Dataverse itself may work on one for two minutes
    /// and more (contracts/dataverse.md §7.5).
    pub request_timeout: Duration,
    /// How long an unused connection is kept open.
    pub pool_idle_timeout: Duration,
    /// How long before its end a token is renewed; at most a quarter of its life.
    pub token_renewal_margin: Duration,
    /// Longest page accepted, in bytes after decompression.
    pub max_page_bytes: usize,
    /// Longest other answer accepted, in bytes after decompression.
    pub max_metadata_bytes: usize,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            page_size: 5_000,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(240),
            pool_idle_timeout: Duration::from_secs(90),
            token_renewal_margin: Duration::from_secs(300),
            max_page_bytes: 256 << 20,
            max_metadata_bytes: 16 << 20,
        }
    }
}
