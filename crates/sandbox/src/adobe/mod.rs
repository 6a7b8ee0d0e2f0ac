//! The Adobe side: the IMS token endpoint, the API gateway and Campaign Standard's REST API.
//!
//! What is imitated, and where conventions stand in for what is not public, is in contracts/campaign.md. A request
//! passes `campaign` (faults, endpoints), `gateway` (keys, tokens, rate) and `dispatch`, then `records`, `list` or
//! `metadata`. These work on `Definition`s, so that custom resources are definitions and no code. Rows are kept packed (`row`) in one
//! `Table` a resource; its lock is held for the change itself only, never while bodies are parsed or records rendered.
//!
//! Not here: marketing history, privacy requests, transactional messages, the I/O Events journal and SFTP exports.
//! Asked for them it answers as the product does for what does not exist.

mod access_tokens;
mod admin;
mod birthday;
mod body;
mod campaign;
mod computed;
mod config;
mod convert;
mod declared;
mod definition;
mod direct;
mod dispatch;
mod engine_calls;
mod enumeration;
mod error;
mod export;
mod field;
mod filter;
mod gateway;
mod ims;
mod list;
mod metadata;
mod opaque;
mod organisation;
mod path;
mod predicate;
mod profile;
mod query;
mod records;
mod render;
mod row;
mod schema_change;
mod service;
mod switches;
mod table;
mod time;
mod workflow;
mod writes;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::routing::any;
use parking_lot::RwLock;

pub use self::config::{AdobeConfig, OverLong, RateLimit};
pub use self::declared::{
    Cardinality, Comparison, DefinitionError, FieldDefinition, FieldType, FilterDefinition, KeyDefinition,
    LinkDefinition, ResourceDefinition,
};
pub use self::engine_calls::EngineCalls;
pub use self::error::CampaignError;
pub use self::export::Export;
pub use self::organisation::Organisation;
pub use self::schema_change::FieldChanges;
pub use self::switches::Switches;
pub use self::writes::{WriteEntry, WriteJournal, WriteJournalState};

use self::access_tokens::AccessTokens;
use self::engine_calls::EngineCallCounts;
use self::gateway::Bucket;
use crate::counters::Counters;
use crate::faults::Faults;

/// What all organisations of one Adobe side have in common.
struct Shared {
    switches: RwLock<Arc<Switches>>,
    writes: WriteJournal,
    engine_calls: EngineCallCounts,
}

/// The Adobe side of a sandbox.
pub struct Adobe {
    config: AdobeConfig,
    faults: Arc<Faults>,
    counters: Arc<Counters>,
    shared: Arc<Shared>,
    organisations: Vec<Arc<Organisation>>,
    access_tokens: AccessTokens,
    bucket: Bucket,
    /// Calls so far: makes request ids and the turns of a restart.
    calls: AtomicU64,
}

impl Adobe {
    /// An Adobe side with empty profiles in every organisation.
    pub fn new(config: AdobeConfig, faults: Arc<Faults>, counters: Arc<Counters>) -> Arc<Self> {
        let shared = Arc::new(Shared {
            switches: RwLock::new(Arc::new(Switches::new(&config))),
            writes: WriteJournal::default(),
            engine_calls: EngineCallCounts::default(),
        });
        if let Some(capacity) = config.write_journal {
            shared.writes.enable(Some(capacity));
        }
        let organisation = |name: &String| Arc::new(Organisation::new(name, config.seed, Arc::clone(&shared)));
        Arc::new(Self {
            organisations: config.organisations.iter().map(organisation).collect(),
            access_tokens: AccessTokens::new(config.seed, config.token_lifetime, &config.client_id),
            bucket: Bucket::default(),
            calls: AtomicU64::new(0),
            config,
            faults,
            counters,
            shared,
        })
    }

    /// What a product client talks to: `/ims/…` and `/{organisation}/campaign/…`.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/ims/token/v3", any(ims::token))
            .route("/ims/profile/v1", any(ims::profile))
            .route("/ims/validate_token/v1", any(ims::validate_token))
            .fallback(campaign::handle)
            .with_state(Arc::clone(self))
    }

    /// What tests and people talk to, without tokens: rows, switches, write journal and engine calls.
    pub fn admin_router(self: &Arc<Self>) -> Router {
        admin::router(Arc::clone(self))
    }

    /// What it was started with.
    pub fn config(&self) -> &AdobeConfig {
        &self.config
    }

    /// The organisation of this name.
    pub fn organisation(&self, name: &str) -> Option<&Arc<Organisation>> {
        self.organisations
            .iter()
            .find(|organisation| organisation.name() == name)
    }

    /// All organisations, in the order of the configuration.
    pub fn organisations(&self) -> &[Arc<Organisation>] {
        &self.organisations
    }

    /// The switches in force.
    pub fn switches(&self) -> Switches {
        Switches::clone(&self.shared.switches.read())
    }

    /// Changes switches; requests under way still see the old ones.
    pub fn change_switches(&self, change: impl FnOnce(&mut Switches)) {
        let mut switches = self.shared.switches.write();
        change(Arc::make_mut(&mut switches));
    }

    /// Makes every access token issued so far invalid: clients meet 401013 until they ask for a new one.
    pub fn revoke_access_tokens(&self) {
        self.access_tokens.revoke_all();
    }

    /// The write journal of all organisations.
    pub fn writes(&self) -> &WriteJournal {
        &self.shared.writes
    }

    /// Engine calls of all organisations since the last reset.
    pub fn engine_calls(&self) -> EngineCalls {
        self.shared.engine_calls.snapshot()
    }

    /// Sets the engine calls to zero.
    pub fn reset_engine_calls(&self) {
        self.shared.engine_calls.reset();
    }
}
