//! The commands: one module for each group.

mod apply;
mod catalog;
mod completions;
mod instance_file;
mod instances;
mod mappings;
mod watching;
pub(crate) mod workflow_view;
mod workflows;

pub(crate) use self::{
    catalog::catalog, completions::completions, instances::instances, mappings::mappings, workflows::workflows,
};
