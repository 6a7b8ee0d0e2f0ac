//! The commands: one module for each group.

mod apply;
mod catalog;
mod completions;
mod dead_letters;
mod instance_file;
mod instances;
mod mapping_view;
mod mappings;
mod trial;
mod watching;
pub(crate) mod workflow_view;
mod workflows;

pub(crate) use self::mapping_view::condition;
pub(crate) use self::{
    catalog::catalog, completions::completions, dead_letters::dead_letters, instances::instances, mappings::mappings,
    workflows::workflows,
};
