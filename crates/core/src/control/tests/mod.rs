//! Tests of the control log: what the fold does with every kind of entry, and what holds for any log.

mod differences;
mod fixtures;
mod fold;
mod pending_changes;
mod properties;
mod refusals;
mod workflows;
