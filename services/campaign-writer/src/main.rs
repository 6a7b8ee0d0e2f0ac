//! The process of the service; see the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Records are made on one thread and dropped on another, all the time: with the C library's allocator that took a quarter of the
/// processor time. Readers, which allocate by the page, hold twice the memory with this one and are no faster, so it is the
/// writer's alone (docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    crosswalk_runtime::service::run(crosswalk_campaign_writer::SERVICE, crosswalk_campaign_writer::start)
}
