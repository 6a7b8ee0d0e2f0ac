//! The Kafka of a world.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use crosswalk_kafka::KafkaSettings;
use crosswalk_standalone::EmbeddedBroker;

/// The Kafka of a world.
pub enum TestKafka {
    /// An embedded broker in the test's process.
    Embedded {
        /// Where it listens.
        address: SocketAddr,
        /// The broker; it ends with the world.
        broker: EmbeddedBroker,
    },
    /// The Kafka that `CROSSWALK_TEST_KAFKA` names; it is not ours to stop.
    External(String),
}

impl TestKafka {
    pub(crate) async fn start(directory: &Path) -> anyhow::Result<Self> {
        if let Ok(bootstrap) = std::env::var("CROSSWALK_TEST_KAFKA")
            && !bootstrap.is_empty()
        {
            return Ok(Self::External(bootstrap));
        }
        let address = free_address()?;
        let broker = EmbeddedBroker::start(directory, address).await?;
        Ok(Self::Embedded { address, broker })
    }

    /// Whether it is the embedded one.
    #[must_use]
    pub const fn is_embedded(&self) -> bool {
        matches!(self, Self::Embedded { .. })
    }

    /// Settings for a service's environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let settings = match self {
            Self::Embedded { address, .. } => KafkaSettings::embedded(address.to_string()),
            Self::External(bootstrap) => KafkaSettings {
                bootstrap: bootstrap.clone(),
                // Apache Kafka takes no shorter session timeout than six seconds.
                session_timeout: Duration::from_secs(6),
                heartbeat_interval: Duration::from_secs(2),
                ..KafkaSettings::default()
            },
        };
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

/// An address on loopback that is free at the moment.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}
