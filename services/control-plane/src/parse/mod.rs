//! Reading requests: from messages to the domain, with every violation named by the path of its field.
//!
//! Nothing here does IO, so that each rule can be tested by a table.

mod address;
mod dead_letter;
mod etag;
mod instance;
mod mapping;
mod name;
mod page;
mod text;

pub(crate) use dead_letter::{LetterFilter, dead_letter_name, dead_letter_names, letter_filter};
pub(crate) use etag::{optional_etag, required_etag};
pub(crate) use instance::{InstanceDraft, SecretText, instance_draft};
pub(crate) use mapping::{add_problems, check_fixed, mapping_definition};
pub(crate) use name::{ingress_of, instance_id, instance_name, mapping_id, mapping_name, workflow_name};
pub(crate) use page::{next_page_token, page};
pub(crate) use text::table_id;

#[cfg(test)]
mod tests;
