//! The Microsoft side: Entra tokens and the Dataverse Web API.
//!
//! [`Dynamics`] holds the state and is the door for tests and the admin listener; `gateway` checks and decorates every
//! request to the Web API, `routes` finds the handler. `schema` and `store` know nothing of HTTP.

mod batch;
mod bulk;
mod changes;
mod config;
mod declared;
mod delta;
mod direct;
mod entra;
mod errors;
mod gateway;
mod keys;
mod labels;
mod limits;
mod literal;
mod messages;
pub mod metadata;
mod paging;
mod payload;
mod query;
mod read;
mod render;
mod request;
mod routes;
pub mod schema;
mod schema_change;
pub mod store;
mod switches;
mod system_rows;
mod tokens;
mod tracking;
mod uri;
mod validate;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::routing::post;
use parking_lot::RwLock;
use uuid::Uuid;

pub use self::config::DynamicsConfig;
pub use self::declared::{ColumnDeclaration, ColumnType, TableDeclaration};
pub use self::errors::ApiError;
use self::limits::Limiter;
pub use self::limits::{ListedUsage, ServiceProtection};
pub use self::literal::{date_of_days, timestamp_of_seconds};
pub use self::schema_change::ColumnChanges;
use self::store::{Actor, Organization};
pub use self::switches::Switches;
pub use self::system_rows::{EURO, US_DOLLAR, USERS};
use self::tokens::Tokens;
use crate::counters::Counters;
use crate::faults::Faults;

/// One Dataverse environment with its directory.
pub struct Dynamics {
    config: DynamicsConfig,
    organization: RwLock<Organization>,
    tokens: Tokens,
    switches: Switches,
    limiter: Limiter,
    faults: Arc<Faults>,
    counters: Arc<Counters>,
    /// Port of the listener; 0 before it is known.
    port: AtomicU16,
}

impl Dynamics {
    /// An environment with the standard tables and the rows of the system, but no contacts.
    pub fn new(config: DynamicsConfig, faults: Arc<Faults>, counters: Arc<Counters>) -> Arc<Self> {
        let mut organization = Organization::new(schema::standard_tables(), now());
        system_rows::load_system_rows(&mut organization, &config);
        Arc::new(Self {
            organization: RwLock::new(organization),
            tokens: Tokens::default(),
            switches: Switches::default(),
            limiter: Limiter::new(config.service_protection.clone()),
            config,
            faults,
            counters,
            port: AtomicU16::new(0),
        })
    }

    /// The routes of the Microsoft listener: the token endpoint and the Web API.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/{tenant}/oauth2/v2.0/token", post(entra::token))
            .fallback(gateway::handle)
            .with_state(self.clone())
    }

    /// The settings it was made with.
    pub fn config(&self) -> &DynamicsConfig {
        &self.config
    }

    /// The switches that are plain states.
    pub fn switches(&self) -> &Switches {
        &self.switches
    }

    /// The service protection limits in force.
    pub fn service_protection(&self) -> ServiceProtection {
        self.limiter.limits()
    }

    /// Puts other service protection limits in force; what was counted stays counted.
    pub fn set_service_protection(&self, limits: ServiceProtection) {
        self.limiter.set_limits(limits);
    }

    /// What each application user has used up on each server.
    pub fn service_usage(&self) -> Vec<ListedUsage> {
        self.limiter.usage()
    }

    /// Forgets what was counted toward the service protection limits.
    pub fn reset_service_usage(&self) {
        self.limiter.reset();
    }

    /// Makes every access token issued so far invalid: the next call answers 401.
    pub fn revoke_access_tokens(&self) {
        self.tokens.revoke_all();
    }

    /// The port scopes of token requests may name.
    pub(crate) fn set_port(&self, port: u16) {
        self.port.store(port, Ordering::Relaxed);
    }

    fn port(&self) -> Option<u16> {
        Some(self.port.load(Ordering::Relaxed)).filter(|port| *port != 0)
    }

    /// An application user as one who writes.
    fn actor_of(&self, user: Uuid) -> Actor {
        Actor {
            user,
            business_unit: self.config.business_unit_id,
        }
    }
}

/// The id of a privilege, made up but stable.
fn privilege_id(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// Seconds since 1970 UTC.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
