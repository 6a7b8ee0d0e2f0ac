//! Settings of the service.

use std::time::Duration;

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
pub struct ReaderSettings {
    /// Section `telemetry`.
    pub telemetry: TelemetrySettings,
    /// Section `admin`.
    pub admin: AdminSettings,
    /// Section `shutdown`.
    pub shutdown: ShutdownSettings,
    /// Section `kafka`.
    pub kafka: KafkaSettings,
    /// Section `sealing`: the keys that open the credentials of instances.
    pub sealing: SealingSettings,
    /// Section `reading`.
    pub reading: ReadingSettings,
}

/// Section `reading`: how Dynamics 365 is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadingSettings {
    /// How often a table is asked for changes.
    #[serde(with = "humantime_serde")]
    pub poll_interval: Duration,
    /// Rows asked for at once, 1 to 5000, the most that the service gives.
    pub page_size: u32,
    /// How often the table is compared with what the mapping was checked against.
    #[serde(with = "humantime_serde")]
    pub schema_check_interval: Duration,
}

impl Default for ReadingSettings {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(5),
            page_size: 5_000,
            schema_check_interval: Duration::from_secs(5 * 60),
        }
    }
}

impl Validate for ReadingSettings {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.poll_interval < Duration::from_millis(50) {
            problems.push(Problem::new("poll_interval", "must be at least 50ms"));
        }
        if self.schema_check_interval < Duration::from_millis(100) {
            problems.push(Problem::new("schema_check_interval", "must be at least 100ms"));
        }
        if !(1..=5_000).contains(&self.page_size) {
            problems.push(Problem::new("page_size", "must be from 1 to 5000"));
        }
        problems
    }
}

impl Validate for ReaderSettings {
    fn problems(&self) -> Vec<Problem> {
        [
            self.common().problems(),
            within("kafka", Problem::all(self.kafka.problems())),
            within("sealing", self.sealing.problems()),
            within("reading", self.reading.problems()),
        ]
        .concat()
    }
}

impl ServiceSettings for ReaderSettings {
    fn common(&self) -> CommonSections<'_> {
        CommonSections {
            telemetry: &self.telemetry,
            admin: &self.admin,
            shutdown: &self.shutdown,
        }
    }
}
