//! Tests of the crosswalk as a whole.

mod applying;
mod compatibility;
mod default_contact;
mod filters;
pub(super) mod fixtures;
mod links;
mod matrix;
mod messages;
mod options;
mod properties;
mod replacements;
mod validation;
