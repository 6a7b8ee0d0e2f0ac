//! Named switches of the Microsoft side: states an administrator could bring about, as opposed to faults of the network.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;

/// The switches that are plain states. Switches that change definitions or tokens act on those directly.
#[derive(Debug, Default)]
pub struct Switches {
    secret_expired: AtomicBool,
    privilege_revoked: RwLock<BTreeSet<String>>,
}

impl Switches {
    /// Whether the application's client secret has expired: the token endpoint answers 7000222.
    pub fn secret_expired(&self) -> bool {
        self.secret_expired.load(Ordering::Relaxed)
    }

    /// Lets the client secret expire, or be valid again.
    pub fn set_secret_expired(&self, expired: bool) {
        self.secret_expired.store(expired, Ordering::Relaxed);
    }

    /// Whether the application user may not read this table (logical name).
    pub fn privilege_revoked(&self, table: &str) -> bool {
        self.privilege_revoked.read().contains(table)
    }

    /// The tables the application user may not read.
    pub fn revoked_privileges(&self) -> BTreeSet<String> {
        self.privilege_revoked.read().clone()
    }

    /// Replaces the tables the application user may not read.
    pub fn set_revoked_privileges(&self, tables: BTreeSet<String>) {
        *self.privilege_revoked.write() = tables;
    }
}
