//! The `crosswalk` command as a user runs it: the real binary against an API server in this process.

mod catalog;
mod dead_letters;
mod errors;
mod instances;
mod mappings;
mod run;
mod server;
mod watching;
mod workflows;
