//! Tests of the crosswalk as a whole.

mod applying;
mod compatibility;
mod default_contact;
mod fixtures;
mod matrix;
mod messages;
mod options;
mod properties;
mod validation;
