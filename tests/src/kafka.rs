//! The Kafka of a world.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::Context as _;
use crosswalk_kafka::KafkaSettings;
use crosswalk_standalone::{BrokerStorage, EmbeddedBroker};

use crate::{address::ReservedAddress, broker_process::BrokerProcess};

/// The Kafka of a world: the embedded broker, or Apache Kafka if `CROSSWALK_TEST_KAFKA` names one.
pub struct TestKafka(Kind);

enum Kind {
    /// An embedded broker in the test's process; it ends with the world.
    Embedded {
        address: ReservedAddress,
        _broker: EmbeddedBroker,
    },
    /// The Kafka that `CROSSWALK_TEST_KAFKA` names; it is not ours to stop.
    External(String),
    /// A broker in a process of its own.
    Process(Box<BrokerProcess>),
}

impl TestKafka {
    /// The Kafka that worlds share, or an embedded broker.
    ///
    /// # Errors
    /// If the embedded broker does not come up.
    pub async fn start(directory: &Path) -> anyhow::Result<Self> {
        if let Some(bootstrap) = external() {
            return Ok(Self(Kind::External(bootstrap)));
        }
        let address = ReservedAddress::new()?;
        let broker = EmbeddedBroker::start(BrokerStorage::Directory(directory), address.get()).await?;
        Ok(Self(Kind::Embedded {
            address,
            _broker: broker,
        }))
    }

    /// A broker of the kind that worlds share, in a process of its own, which can be killed.
    ///
    /// # Errors
    /// If it does not come up.
    pub async fn start_process(directory: &Path) -> anyhow::Result<Self> {
        let process = match external() {
            Some(_) => BrokerProcess::start_apache(directory).await?,
            None => BrokerProcess::start_embedded(directory).await?,
        };
        Ok(Self(Kind::Process(Box::new(process))))
    }

    /// The Kafka that worlds share, or an embedded broker in a process of its own that keeps its records in memory.
    ///
    /// # Errors
    /// If it does not come up.
    pub async fn start_in_memory(directory: &Path) -> anyhow::Result<Self> {
        if let Some(bootstrap) = external() {
            return Ok(Self(Kind::External(bootstrap)));
        }
        let process = BrokerProcess::start_in_memory(directory).await?;
        Ok(Self(Kind::Process(Box::new(process))))
    }

    /// Whether it is the embedded one.
    #[must_use]
    pub const fn is_embedded(&self) -> bool {
        match &self.0 {
            Kind::Embedded { .. } => true,
            Kind::External(_) => false,
            Kind::Process(process) => process.is_embedded(),
        }
    }

    /// Process id of the broker, if it is in a process of its own and runs.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        match &self.0 {
            Kind::Process(process) => process.id(),
            _ => None,
        }
    }

    /// Kills the broker with SIGKILL.
    ///
    /// # Errors
    /// If it is not in a process of its own, or cannot be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process()?.kill().await
    }

    /// Starts the broker again, on the same data and address, and waits until it listens.
    ///
    /// # Errors
    /// If it is not in a process of its own, or does not come up.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.process()?.restart().await
    }

    fn process(&mut self) -> anyhow::Result<&mut BrokerProcess> {
        match &mut self.0 {
            Kind::Process(process) => Some(&mut **process),
            _ => None,
        }
        .context("this world's broker is not in a process of its own")
    }

    /// How services reach it.
    #[must_use]
    pub fn settings(&self) -> KafkaSettings {
        let apache = |bootstrap: String| KafkaSettings {
            bootstrap,
            // Apache Kafka takes no shorter session timeout than six seconds.
            session_timeout: Duration::from_secs(6),
            heartbeat_interval: Duration::from_secs(2),
            ..KafkaSettings::default()
        };
        let embedded = |address: SocketAddr| KafkaSettings::embedded(address.to_string());
        match &self.0 {
            Kind::Embedded { address, .. } => embedded(address.get()),
            Kind::External(bootstrap) => apache(bootstrap.clone()),
            Kind::Process(process) if process.is_embedded() => embedded(process.address()),
            Kind::Process(process) => apache(process.address().to_string()),
        }
    }

    /// Settings for a service's environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let settings = self.settings();
        let milliseconds = |duration: Duration| format!("{}ms", duration.as_millis());
        vec![
            ("CROSSWALK__KAFKA__BOOTSTRAP", settings.bootstrap),
            (
                "CROSSWALK__KAFKA__SESSION_TIMEOUT",
                milliseconds(settings.session_timeout),
            ),
            (
                "CROSSWALK__KAFKA__HEARTBEAT_INTERVAL",
                milliseconds(settings.heartbeat_interval),
            ),
            ("CROSSWALK__KAFKA__FETCH_WAIT", milliseconds(settings.fetch_wait)),
            (
                "CROSSWALK__KAFKA__FETCH_PARTITION_BYTES",
                settings.fetch_partition_bytes.to_string(),
            ),
            (
                "CROSSWALK__KAFKA__LEAVE_AS_MEMBER",
                settings.leave_as_member.to_string(),
            ),
            ("CROSSWALK__KAFKA__PURGE", settings.purge.to_string()),
        ]
    }
}

/// The Kafka that the environment names.
fn external() -> Option<String> {
    std::env::var("CROSSWALK_TEST_KAFKA")
        .ok()
        .filter(|bootstrap| !bootstrap.is_empty())
}
