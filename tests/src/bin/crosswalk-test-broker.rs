//! The embedded broker in a process of its own, so that a test can kill it: `crosswalk-test-broker DIRECTORY ADDRESS`.

use std::path::Path;

use anyhow::Context as _;
use crosswalk_standalone::EmbeddedBroker;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, address] = arguments.as_slice() else {
        anyhow::bail!("usage: crosswalk-test-broker DIRECTORY ADDRESS");
    };
    let address = address.parse().context("ADDRESS is not an address with a port")?;
    EmbeddedBroker::start(Path::new(directory), address)
        .await?
        .ended()
        .await;
    anyhow::bail!("the embedded broker has ended");
}
