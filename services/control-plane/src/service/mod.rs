//! The five services of the API. Handlers are thin: they read the request, ask the parts, and answer.

mod catalog;
mod dead_letters;
mod estimate;
mod instances;
mod mappings;
mod preview;
mod replay;
mod revisions;
mod tied_stream;
mod workflows;

pub(crate) use catalog::CatalogService;
pub(crate) use dead_letters::DeadLettersService;
pub(crate) use instances::InstancesService;
pub(crate) use mappings::MappingsService;
pub(crate) use workflows::WorkflowsService;

/// Cuts a list to a page: the things to show, and the last one of them if there are more.
fn cut<T>(mut things: Vec<T>, size: usize) -> (Vec<T>, bool) {
    let more = things.len() > size;
    things.truncate(size);
    (things, more)
}
