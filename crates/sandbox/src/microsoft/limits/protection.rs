//! The settings of service protection.

use std::time::Duration;

/// The limits, and how many servers share the load. Each application user has them to itself on every server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceProtection {
    /// Virtual web servers; what is used up on one is not used up on another.
    pub servers: usize,
    /// Requests in the window.
    pub requests: usize,
    /// Combined execution time in the window.
    pub execution: Duration,
    /// Length of the sliding window.
    pub window: Duration,
    /// Requests at one moment.
    pub concurrent: usize,
    /// `x-ms-dop-hint`: the parallelism recommended to clients. A hint: nothing enforces it.
    pub parallelism_hint: u32,
}

impl Default for ServiceProtection {
    /// The product's documented limits, on four servers.
    fn default() -> Self {
        Self {
            servers: 4,
            requests: 6000,
            execution: Duration::from_secs(1200),
            window: Duration::from_secs(300),
            concurrent: 52,
            parallelism_hint: 48,
        }
    }
}

impl ServiceProtection {
    /// Why the limits make no sense, if they do not.
    pub fn problem(&self) -> Option<&'static str> {
        if self.servers == 0 {
            return Some("servers: there must be one at least");
        }
        self.window
            .is_zero()
            .then_some("window: it must be a second long at least")
    }
}
