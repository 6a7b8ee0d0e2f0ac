//! How memory is allocated in every process that this crate is linked into.

use mimalloc::MiMalloc;

/// Records are made on one thread and dropped on another, all the time. With the C library's allocator that took a quarter of a
/// writer's processor time; with this one the same writer writes a fifth more (docs/benchmarks.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
