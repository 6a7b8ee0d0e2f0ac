//! Sections that every service has.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::{Problem, Validate, within};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Human,
    /// One JSON object a line, for a log collector.
    Json,
}

/// Section `telemetry`: what is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// How log lines look: `human` or `json`.
    pub format: LogFormat,
    /// The least severe level that is logged, for all targets or for some: `info`, `info,crosswalk_kafka=debug`.
    pub level: String,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            level: "info".to_owned(),
        }
    }
}

impl Validate for TelemetrySettings {
    fn problems(&self) -> Vec<Problem> {
        match EnvFilter::try_new(&self.level) {
            Ok(_) => Vec::new(),
            Err(error) => vec![Problem::new(
                "level",
                format!(
                    "expected error, warn, info, debug or trace, or such with targets, like info,crosswalk_kafka=debug: {error}"
                ),
            )],
        }
    }
}

/// Section `admin`: the port for operators, with metrics and health. It has no authentication and shows no data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminSettings {
    /// Address and port. Port 0 takes a free one.
    pub listen: SocketAddr,
}

impl Default for AdminSettings {
    /// 127.0.0.1:9464, the port that is registered for Prometheus exporters of OpenTelemetry.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9464)),
        }
    }
}

impl Validate for AdminSettings {
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// Section `shutdown`: how a process leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShutdownSettings {
    /// How long work under way may take to finish once the process was told to stop. The grace period of a pod must be
    /// longer than this, and the drain of a rebalance shorter.
    #[serde(with = "humantime_serde")]
    pub drain_deadline: Duration,
}

impl Default for ShutdownSettings {
    /// 20 seconds: inside the 30 that Kubernetes waits by default.
    fn default() -> Self {
        Self {
            drain_deadline: Duration::from_secs(20),
        }
    }
}

impl Validate for ShutdownSettings {
    fn problems(&self) -> Vec<Problem> {
        if self.drain_deadline.is_zero() {
            return vec![Problem::new(
                "drain_deadline",
                "must be longer than zero; a second signal aborts at once",
            )];
        }
        Vec::new()
    }
}

/// The sections that every service has, wherever its settings keep them.
#[derive(Debug, Clone, Copy)]
pub struct CommonSections<'a> {
    /// Section `telemetry`.
    pub telemetry: &'a TelemetrySettings,
    /// Section `admin`.
    pub admin: &'a AdminSettings,
    /// Section `shutdown`.
    pub shutdown: &'a ShutdownSettings,
}

impl Validate for CommonSections<'_> {
    fn problems(&self) -> Vec<Problem> {
        [
            within("telemetry", self.telemetry.problems()),
            within("admin", self.admin.problems()),
            within("shutdown", self.shutdown.problems()),
        ]
        .concat()
    }
}
