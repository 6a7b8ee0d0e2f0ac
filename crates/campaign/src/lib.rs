#![doc = include_str!("../README.md")]

mod body;
mod classify;
mod client;
mod connection;
mod error;
mod exchange;
mod instance;
mod key;
mod key_check;
mod links;
mod metadata;
mod observer;
mod reply;
mod retry_after;
mod settings;
mod token;
mod transport;
mod write;

pub use client::{Client, Deleted};
pub use connection::Connection;
pub use error::{Error, Misconfiguration, Rejection};
pub use key::{KeyError, RecordKey};
pub use links::Links;
pub use observer::{Call, Observer, Operation};
pub use reply::{RefusedRequest, Reply};
pub use settings::{Addressing, ClientSettings, Endpoint};
pub use write::{Action, Write, Written, WrittenKind};
