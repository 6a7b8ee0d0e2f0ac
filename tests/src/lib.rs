#![doc = include_str!("../README.md")]

mod api;
mod kafka;
mod oracle;
mod poll;
mod process;
mod world;

pub use api::{Api, INGRESS, INSTANCE, MAPPING, field};
pub use kafka::TestKafka;
pub use oracle::{Oracle, Verdict};
pub use poll::eventually;
pub use process::Service;
pub use world::{PATIENCE, World, WorldOptions};
