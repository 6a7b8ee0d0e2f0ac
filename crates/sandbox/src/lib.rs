#![doc = include_str!("../README.md")]

mod activity;
mod admin;
pub mod adobe;
pub mod counters;
pub mod faults;
mod intern;
mod listen;
pub mod microsoft;
mod sandbox;
pub mod seed;
pub mod wire;

pub use activity::{Activity, ActivityControl};
pub use sandbox::{Sandbox, SandboxConfig, StartError};
