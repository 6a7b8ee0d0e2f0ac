//! Wire behaviour of the Microsoft side and the admin listener, through a real HTTP client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers beside the tests are tests too"
)]

mod activity;
mod admin;
mod batch;
mod batch_change_sets;
mod batch_client;
mod batch_refusals;
mod bulk;
mod client;
mod faults;
mod gateway;
mod limits;
mod metadata;
mod paging;
mod queries;
mod tables;
mod tokens;
mod tracking;
mod updates;
mod writes;
