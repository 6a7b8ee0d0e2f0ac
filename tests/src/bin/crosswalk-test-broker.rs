//! The embedded broker in a process of its own, so that a test can kill it: `crosswalk-test-broker ADDRESS [DIRECTORY]`. Without
//! a directory its records are in memory.

use std::path::Path;

use anyhow::Context as _;
use crosswalk_standalone::{BrokerStorage, EmbeddedBroker};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, storage) = match arguments.as_slice() {
        [address] => (address, BrokerStorage::Memory),
        [address, directory] => (address, BrokerStorage::Directory(Path::new(directory))),
        _ => anyhow::bail!("usage: crosswalk-test-broker ADDRESS [DIRECTORY]"),
    };
    let address = address.parse().context("ADDRESS is not an address with a port")?;
    EmbeddedBroker::start(storage, address).await?.ended().await;
    anyhow::bail!("the embedded broker has ended");
}
