//! Settings of the service.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crosswalk_kafka::KafkaSettings;
use crosswalk_runtime::{
    sealing::SealingSettings,
    service::ServiceSettings,
    settings::{AdminSettings, CommonSections, Problem, ShutdownSettings, TelemetrySettings, Validate, within},
};
use serde::{Deserialize, Serialize};

/// Settings of the service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ControlPlaneSettings {
    /// Section `telemetry`.
    pub telemetry: TelemetrySettings,
    /// Section `admin`.
    pub admin: AdminSettings,
    /// Section `shutdown`.
    pub shutdown: ShutdownSettings,
    /// Section `kafka`.
    pub kafka: KafkaSettings,
    /// Section `sealing`: the keys that credentials of instances are sealed with.
    pub sealing: SealingSettings,
    /// Section `api`.
    pub api: ApiSettings,
}

/// Section `api`: the port of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSettings {
    /// Address and port. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether to listen on another address than loopback although whoever reaches it may do everything. Only for closed
    /// networks, such as a compose stack that publishes the port on the host's loopback.
    pub insecure_non_loopback: bool,
    /// Largest request accepted, in bytes.
    pub max_request_bytes: usize,
    /// How long a question to one of the two systems may take as a whole, token and metadata included.
    #[serde(with = "humantime_serde")]
    pub system_timeout: Duration,
    /// Whether records of Campaign are looked up through the published filter `byExternalId`, as writers do where the same is
    /// set.
    pub address_by_filter: bool,
    /// A replay is refused for a table with as many rows, or while as many changes wait (contracts/campaign.md §10.2).
    pub replay_limit: u64,
    /// More dead letters of a workflow cannot be listed; they can be redriven and discarded by reason. Each takes some 300 bytes
    /// of memory.
    pub dead_letters_listed: usize,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            insecure_non_loopback: false,
            max_request_bytes: 1 << 20,
            system_timeout: Duration::from_secs(30),
            address_by_filter: false,
            replay_limit: 2_000_000,
            dead_letters_listed: 1_000_000,
        }
    }
}

impl Validate for ApiSettings {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !self.listen.ip().is_loopback() && !self.insecure_non_loopback {
            problems.push(Problem::new(
                "listen",
                "must be a loopback address such as 127.0.0.1, since authentication is not available yet; on a closed \
                 network, where whoever reaches the port may do everything, set api.insecure_non_loopback = true",
            ));
        }
        if !(16 << 10..=64 << 20).contains(&self.max_request_bytes) {
            problems.push(Problem::new("max_request_bytes", "must be from 16384 to 67108864"));
        }
        if self.replay_limit == 0 {
            problems.push(Problem::new("replay_limit", "must be at least 1"));
        }
        if self.dead_letters_listed == 0 {
            problems.push(Problem::new("dead_letters_listed", "must be at least 1"));
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(300)).contains(&self.system_timeout) {
            problems.push(Problem::new("system_timeout", "must be from 1s to 5m"));
        }
        problems
    }
}

impl Validate for ControlPlaneSettings {
    fn problems(&self) -> Vec<Problem> {
        [
            self.common().problems(),
            within("kafka", Problem::all(self.kafka.problems())),
            within("sealing", self.sealing.problems()),
            within("api", self.api.problems()),
        ]
        .concat()
    }
}

impl ServiceSettings for ControlPlaneSettings {
    fn common(&self) -> CommonSections<'_> {
        CommonSections {
            telemetry: &self.telemetry,
            admin: &self.admin,
            shutdown: &self.shutdown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_port_must_be_asked_for_in_so_many_words() {
        for (listen, insecure, problems) in [
            ("127.0.0.1:8080", false, 0),
            ("[::1]:8080", false, 0),
            ("0.0.0.0:8080", false, 1),
            ("192.0.2.1:8080", false, 1),
            ("0.0.0.0:8080", true, 0),
        ] {
            let api = ApiSettings {
                listen: listen.parse().unwrap(),
                insecure_non_loopback: insecure,
                ..ApiSettings::default()
            };
            assert_eq!(api.problems().len(), problems, "{listen} {insecure}");
        }
    }

    #[test]
    fn every_section_is_checked_under_its_name() {
        let api = ApiSettings {
            max_request_bytes: 0,
            system_timeout: Duration::ZERO,
            ..ApiSettings::default()
        };
        let settings = ControlPlaneSettings {
            api,
            ..ControlPlaneSettings::default()
        };
        let keys: Vec<String> = settings
            .problems()
            .iter()
            .map(|problem| problem.key().to_owned())
            .collect();
        assert_eq!(keys, ["sealing.key", "api.max_request_bytes", "api.system_timeout"]);
    }
}
