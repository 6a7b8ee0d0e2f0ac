//! The client against the sandbox, and against a scripted server for what the sandbox does not do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail like the tests themselves"
)]

mod catalog;
mod environment;
mod odd_answers;
mod support;
mod tokens;
mod tracked_reads;
