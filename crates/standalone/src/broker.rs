//! The embedded broker: a Kafka-compatible broker in this process, durable in one SQLite file, or in memory for benchmarks.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use crosswalk_kafka::KafkaSettings;
use nisshi_broker::{broker::Broker, coordinator::group::administrator::Controller};
use nisshi_storage::ArcDynStorage;
use tokio::{net::TcpStream, task::JoinHandle, time::Instant};
use url::Url;
use uuid::Uuid;

const NODE_ID: i32 = 111;
const CLUSTER_ID: &str = "crosswalk";
const FILE: &str = "kafka.db";
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Where an embedded broker keeps its records.
#[derive(Debug, Clone, Copy)]
pub enum BrokerStorage<'a> {
    /// In one file of this directory.
    Directory(&'a Path),
    /// In memory: they end with the broker.
    Memory,
}

/// A running embedded broker. It ends when dropped.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl EmbeddedBroker {
    /// Starts a broker on `address`, whose port must be free.
    ///
    /// # Errors
    /// If its directory cannot be used, or the broker does not answer within half a minute.
    pub async fn start(storage: BrokerStorage<'_>, address: SocketAddr) -> anyhow::Result<Self> {
        let url = Url::parse(&format!("tcp://{address}")).context("the broker's address is no URL")?;
        let mut broker = Broker::<Controller<ArcDynStorage>, ArcDynStorage>::builder()
            .node_id(NODE_ID)
            .cluster_id(CLUSTER_ID)
            .incarnation_id(Uuid::new_v4())
            .advertised_listener(url.clone())
            .listener(url)
            .storage(storage.url()?)
            .silent(true)
            .build()
            .await
            .map_err(|error| anyhow::anyhow!("the embedded broker cannot open its storage: {error}"))?;
        let task = tokio::spawn(async move {
            if let Err(error) = broker.serve(Instant::now()).await {
                tracing::error!(error = %error, "the embedded broker has ended");
            }
        });
        let broker = Self { address, task };
        broker.answers().await?;
        Ok(broker)
    }

    /// How clients reach it.
    #[must_use]
    pub fn settings(&self) -> KafkaSettings {
        KafkaSettings::embedded(self.address.to_string())
    }

    /// Waits until the broker has ended, which it does only by a failure.
    pub async fn ended(&mut self) {
        // However it ended, it has ended.
        let _ = (&mut self.task).await;
    }

    async fn answers(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while TcpStream::connect(self.address).await.is_err() {
            anyhow::ensure!(
                !self.task.is_finished(),
                "the embedded broker could not listen on {}",
                self.address
            );
            anyhow::ensure!(
                Instant::now() < deadline,
                "the embedded broker does not answer on {}",
                self.address
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl BrokerStorage<'_> {
    fn url(self) -> anyhow::Result<Url> {
        match self {
            Self::Directory(directory) => file_url(directory),
            Self::Memory => Ok(Url::parse("memory://crosswalk/")?),
        }
    }
}

/// The broker takes the part of a storage URL behind its first slash as a path, relative to the working directory unless it
/// begins with another slash.
fn file_url(directory: &Path) -> anyhow::Result<Url> {
    let file: PathBuf = std::path::absolute(directory)?.join(FILE);
    let path = file.to_str().context("the data directory's name is not UTF-8")?;
    let url = Url::parse(&format!("sqlite:///{path}")).context("the data directory is no part of a URL")?;
    anyhow::ensure!(
        url.path() == format!("/{path}"),
        "the data directory {} has characters the embedded broker cannot take; use letters, digits, `-`, `_`, `.`, `/`",
        directory.display()
    );
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_storage_of_an_absolute_directory_is_an_absolute_path_behind_the_first_slash() {
        let url = file_url(Path::new("/var/lib/crosswalk")).unwrap();
        assert_eq!(url.domain(), None);
        assert_eq!(url.path().strip_prefix('/'), Some("/var/lib/crosswalk/kafka.db"));
    }

    #[test]
    fn a_directory_the_broker_would_misname_is_refused() {
        assert!(file_url(Path::new("/var/lib/cross walk")).is_err());
    }
}
