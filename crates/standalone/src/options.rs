//! Flags of the standalone process.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use clap::{Parser, ValueEnum};

/// Crosswalk in one process: control plane, reader, writer, and, unless you name your own, an embedded Kafka-compatible
/// broker and a sandbox of Dynamics 365 and Adobe Campaign.
#[derive(Debug, Clone, Parser)]
#[command(name = "crosswalk-standalone", version, after_help = EXAMPLES)]
pub struct Options {
    /// Address of the API (gRPC and gRPC-web).
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    pub listen: SocketAddr,

    /// Address of metrics and health.
    #[arg(long, default_value = "127.0.0.1:9464", value_name = "HOST:PORT")]
    pub admin_listen: SocketAddr,

    /// Address of the sandbox's admin pages; its Microsoft and Adobe sides take the next two ports. Port 0: free ports.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "HOST:PORT")]
    pub sandbox_listen: SocketAddr,

    /// `embedded`, or the address of your own Kafka.
    #[arg(long, default_value = "embedded", value_name = "embedded|HOST:PORT")]
    pub kafka: KafkaChoice,

    /// Port of the embedded broker on the loopback address; 0 takes a free one.
    #[arg(long, default_value_t = 9092, value_name = "PORT")]
    pub broker_port: u16,

    /// Where the embedded broker and the sealing key lie; made if it is not there.
    #[arg(long, default_value = ".crosswalk", value_name = "DIRECTORY")]
    pub data_dir: PathBuf,

    /// Contacts the sandbox begins with.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub contacts: u64,

    /// Whether contacts in the sandbox keep being edited, added and deleted.
    #[arg(long, default_value = "off")]
    pub activity: ActivityChoice,

    /// How often Dynamics 365 is asked for changes.
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub poll_interval: std::time::Duration,

    /// What is logged, e.g. `info` or `warn,crosswalk_campaign_writer=debug`.
    #[arg(long, default_value = "warn", value_name = "LEVEL")]
    pub log: String,
}

const EXAMPLES: &str = "Examples:
  crosswalk-standalone                                  everything on its usual ports
  crosswalk-standalone --activity live --contacts 500   a small sandbox that keeps changing
  crosswalk-standalone --kafka localhost:9092           your own Kafka
  crosswalk-standalone --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --sandbox-listen 127.0.0.1:0 --broker-port 0
                                                        all on free ports; the addresses are printed";

/// Which Kafka to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KafkaChoice {
    /// The one in this process.
    Embedded,
    /// Another one: its bootstrap servers.
    Bootstrap(String),
}

impl FromStr for KafkaChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "embedded" => Ok(Self::Embedded),
            address
                if address
                    .rsplit_once(':')
                    .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()) =>
            {
                Ok(Self::Bootstrap(address.to_owned()))
            }
            other => Err(format!("`{other}` is neither `embedded` nor HOST:PORT")),
        }
    }
}

/// Whether contacts keep changing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ActivityChoice {
    /// Nothing happens by itself.
    Off,
    /// Contacts keep being edited, added and deleted.
    Live,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn flags_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn kafka_is_embedded_or_an_address() {
        assert_eq!("embedded".parse(), Ok(KafkaChoice::Embedded));
        assert_eq!(
            "broker:9092".parse(),
            Ok(KafkaChoice::Bootstrap("broker:9092".to_owned()))
        );
        for wrong in ["", "broker", ":9092", "broker:port", "broker:99999"] {
            assert!(wrong.parse::<KafkaChoice>().is_err(), "{wrong}");
        }
    }
}
