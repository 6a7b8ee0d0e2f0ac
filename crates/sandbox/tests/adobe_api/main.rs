//! The Adobe side as a client meets it: through HTTP, on a port of its own. Texts and statuses are those of
//! contracts/campaign.md; each test names the behaviour it proves.

#![recursion_limit = "256"]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail the test by panicking"
)]

mod admin;
mod endpoints;
mod errors;
mod faults;
mod filters;
mod gateway;
mod ims;
mod keys;
mod lists;
mod metadata;
mod records;
mod resources;
mod services;
mod subscriptions;
mod support;
mod workflows;
