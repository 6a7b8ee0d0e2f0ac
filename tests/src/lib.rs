#![doc = include_str!("../README.md")]

mod address;
mod api;
mod broker_process;
mod command;
mod kafka;
mod oracle;
mod people;
mod poll;
mod process;
mod shop;
mod topics;
mod watching;
mod world;

pub use api::{Api, INGRESS, INSTANCE, MAPPING, field};
pub use command::{CommandLine, Ran};
pub use kafka::TestKafka;
pub use oracle::{Oracle, Verdict, difference, expected, mapped_fields};
pub use poll::eventually;
pub use process::{Process, Service, command};
pub use watching::Watching;
pub use world::{PATIENCE, World, WorldOptions};
