//! A broker in a process of its own, which can be killed, and started again on the same data and address.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tokio::{net::TcpStream, process::Command};

use crate::{
    address::ReservedAddress,
    eventually,
    process::{Process, command},
    world::PATIENCE,
};

/// Says where the jars of Apache Kafka are, as a Java class path; `tests/kafka/run-with-kafka` sets it.
const CLASS_PATH: &str = "CROSSWALK_TEST_KAFKA_CLASS_PATH";

/// What a broker's data directory is formatted with: 16 bytes in base64.
const CLUSTER_ID: &str = "Y3Jvc3N3YWxrLXRlc3RzMQ";

/// A broker in a process of its own. It is killed when dropped.
pub(crate) struct BrokerProcess {
    kind: Kind,
    directory: PathBuf,
    address: ReservedAddress,
    process: Option<Process>,
}

enum Kind {
    Embedded,
    EmbeddedInMemory,
    Apache {
        class_path: String,
        controller: ReservedAddress,
    },
}

impl BrokerProcess {
    /// A process of `crosswalk-test-broker`, the embedded broker without the rest of standalone.
    pub(crate) async fn start_embedded(directory: &Path) -> anyhow::Result<Self> {
        Self::start(Kind::Embedded, directory).await
    }

    /// As [`start_embedded`](Self::start_embedded), with its records in memory: they end with the process.
    pub(crate) async fn start_in_memory(directory: &Path) -> anyhow::Result<Self> {
        Self::start(Kind::EmbeddedInMemory, directory).await
    }

    /// A process of Apache Kafka.
    pub(crate) async fn start_apache(directory: &Path) -> anyhow::Result<Self> {
        let class_path = std::env::var(CLASS_PATH).with_context(|| {
            format!(
                "{CLASS_PATH} is not set, so there is no broker to kill; run the tests with tests/kafka/run-with-kafka"
            )
        })?;
        let controller = ReservedAddress::new()?;
        Self::start(Kind::Apache { class_path, controller }, directory).await
    }

    async fn start(kind: Kind, directory: &Path) -> anyhow::Result<Self> {
        let mut broker = Self {
            kind,
            directory: directory.join("broker"),
            address: ReservedAddress::new()?,
            process: None,
        };
        std::fs::create_dir(&broker.directory)?;
        if let Kind::Apache { class_path, controller } = &broker.kind {
            format_storage(class_path, &broker.directory, broker.address.get(), controller.get()).await?;
        }
        broker.restart().await?;
        Ok(broker)
    }

    /// Where it listens, all its lives long.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address.get()
    }

    /// Whether it is the embedded broker.
    pub(crate) const fn is_embedded(&self) -> bool {
        matches!(self.kind, Kind::Embedded | Kind::EmbeddedInMemory)
    }

    /// Its process id, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.as_ref().and_then(Process::id)
    }

    /// Kills it with SIGKILL.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill().await?;
        }
        Ok(())
    }

    /// Starts it on its data and waits until it listens.
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        let command = match &self.kind {
            Kind::Embedded | Kind::EmbeddedInMemory => {
                let mut command = command("crosswalk-test-broker")?;
                command.arg(self.address().to_string());
                if matches!(self.kind, Kind::Embedded) {
                    command.arg(&self.directory);
                }
                command
            }
            Kind::Apache { class_path, .. } => {
                let mut command = java(class_path, "kafka.Kafka");
                command.arg(properties(&self.directory));
                command
            }
        };
        let process = Process::spawn(command, &self.directory.join("broker.log"))?;
        let process = self.process.insert(process);
        let address = self.address.get();
        let listens = eventually("the broker", PATIENCE, || async {
            Ok(TcpStream::connect(address).await?)
        });
        if let Err(error) = listens.await {
            process.check()?;
            return Err(error);
        }
        Ok(())
    }
}

fn properties(directory: &Path) -> PathBuf {
    directory.join("server.properties")
}

fn java(class_path: &str, class: &str) -> Command {
    let mut command = Command::new("java");
    command.args(["-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]);
    command.args(["-cp", class_path, class]);
    command
}

/// Writes the broker's properties and makes its data directory what Kafka wants to find.
async fn format_storage(
    class_path: &str,
    directory: &Path,
    address: SocketAddr,
    controller: SocketAddr,
) -> anyhow::Result<()> {
    let properties = properties(directory);
    let settings = format!(
        "{common}\
         controller.quorum.voters=1@{controller}\n\
         listeners=PLAINTEXT://{address},CONTROLLER://{controller}\n\
         advertised.listeners=PLAINTEXT://{address}\n\
         log.dirs={directory}\n",
        common = include_str!("../kafka/server.properties"),
        directory = directory.join("log").display(),
    );
    std::fs::write(&properties, settings)?;
    let output = java(class_path, "kafka.tools.StorageTool")
        .args(["format", "-t", CLUSTER_ID, "-c"])
        .arg(&properties)
        .output()
        .await
        .context("java cannot be run")?;
    anyhow::ensure!(
        output.status.success(),
        "the broker's directory cannot be formatted: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
