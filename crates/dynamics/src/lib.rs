#![doc = include_str!("../README.md")]

mod answer;
mod client;
mod connection;
mod error;
mod http_client;
mod instance;
mod metadata;
mod observer;
mod page;
mod selection;
mod settings;
#[cfg(test)]
mod testing;
mod token;

pub use answer::{Answer, EntraAnswer, ServiceCode};
pub use client::{Client, Identity};
pub use connection::Connection;
pub use error::Error;
pub use observer::{Exchange, Observer, Operation};
pub use page::{Page, PageLink, RejectedRow, SourceChange, UnknownOption};
pub use selection::Selection;
pub use settings::ClientSettings;
