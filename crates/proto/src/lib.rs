#![doc = include_str!("../README.md")]

pub mod api;
pub mod record;

/// The API, package `crosswalk.v1`: messages, clients, servers, and proto3 JSON.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    rust_2018_idioms,
    unused_qualifications
)]
pub mod v1 {
    tonic::include_proto!("crosswalk.v1");
    include!(concat!(env!("OUT_DIR"), "/crosswalk.v1.serde.rs"));
}

pub use record::DecodeError;

/// The encoded descriptors of all files with their comments, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
