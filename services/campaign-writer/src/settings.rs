//! Settings of the service.

use std::time::Duration;

use crosswalk_campaign::{Addressing, ClientSettings};
use crosswalk_kafka::{
    KafkaSettings,
    pool::{ConcurrencySettings, PoolSettings, Rate},
};
use crosswalk_runtime::{
    sealing::SealingSettings,
    service::ServiceSettings,
    settings::{AdminSettings, CommonSections, Problem, ShutdownSettings, TelemetrySettings, Validate, within},
};
use serde::{Deserialize, Serialize};

/// Settings of the service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WriterSettings {
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
    /// Section `writing`.
    pub writing: WritingSettings,
}

/// Section `writing`: how Campaign is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WritingSettings {
    /// Most calls in flight; between one and this, concurrency adapts to how Campaign answers.
    pub max_concurrency: usize,
    /// Most records of a workflow held in memory.
    pub max_records: usize,
    /// Most bytes of records of a workflow held in memory.
    pub max_bytes: usize,
    /// Most calls per second of all replicas together; each takes the share that its partitions are of all. Not limited
    /// if not set.
    pub calls_per_second: Option<f64>,
    /// How long a call may take.
    #[serde(with = "humantime_serde")]
    pub call_timeout: Duration,
    /// Whether records are addressed through the published filter `byExternalId`, for Campaign instances that do not take
    /// custom keys in addresses.
    pub address_by_filter: bool,
    /// How long records stay in the queues after they have been queued, once they are written.
    #[serde(with = "humantime_serde")]
    pub keep_written: Duration,
    /// How often the resources are compared with what the mappings were checked against.
    #[serde(with = "humantime_serde")]
    pub schema_check_interval: Duration,
    /// The share of a table, from 0 to 1, that may be missing after the whole table has been read anew. If more is, the
    /// workflow stops rather than deleting it from Campaign.
    pub max_missing_share: f64,
}

impl Default for WritingSettings {
    fn default() -> Self {
        Self {
            max_concurrency: 512,
            max_records: 20_000,
            max_bytes: 64 * 1024 * 1024,
            calls_per_second: None,
            call_timeout: Duration::from_secs(70),
            address_by_filter: false,
            keep_written: Duration::from_secs(7 * 24 * 60 * 60),
            schema_check_interval: Duration::from_secs(5 * 60),
            max_missing_share: 0.1,
        }
    }
}

impl WritingSettings {
    pub(crate) fn client(&self) -> ClientSettings {
        ClientSettings {
            request_timeout: self.call_timeout,
            addressing: Addressing::by_filter(self.address_by_filter),
            ..ClientSettings::default()
        }
    }

    pub(crate) fn pool(&self) -> PoolSettings {
        PoolSettings {
            max_records: self.max_records,
            max_bytes: self.max_bytes,
            concurrency: ConcurrencySettings {
                max: self.max_concurrency,
                ..ConcurrencySettings::default()
            },
            rate: self.calls_per_second.and_then(Rate::per_second),
        }
    }
}

impl Validate for WritingSettings {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.max_concurrency == 0 {
            problems.push(Problem::new("max_concurrency", "must be at least 1"));
        }
        if self.max_records == 0 {
            problems.push(Problem::new("max_records", "must be at least 1"));
        }
        if self.max_bytes < 1024 * 1024 {
            problems.push(Problem::new("max_bytes", "must be at least 1048576, one MiB"));
        }
        if self
            .calls_per_second
            .is_some_and(|rate| Rate::per_second(rate).is_none())
        {
            problems.push(Problem::new("calls_per_second", "must be a number above zero"));
        }
        if self.schema_check_interval < Duration::from_millis(100) {
            problems.push(Problem::new("schema_check_interval", "must be at least 100ms"));
        }
        if !(0.0..=1.0).contains(&self.max_missing_share) {
            problems.push(Problem::new("max_missing_share", "must be a number from 0 to 1"));
        }
        if self.call_timeout < Duration::from_secs(1) {
            problems.push(Problem::new("call_timeout", "must be at least 1s"));
        }
        problems
    }
}

impl Validate for WriterSettings {
    fn problems(&self) -> Vec<Problem> {
        [
            self.common().problems(),
            within("kafka", Problem::all(self.kafka.problems())),
            within("sealing", self.sealing.problems()),
            within("writing", self.writing.problems()),
        ]
        .concat()
    }
}

impl ServiceSettings for WriterSettings {
    fn common(&self) -> CommonSections<'_> {
        CommonSections {
            telemetry: &self.telemetry,
            admin: &self.admin,
            shutdown: &self.shutdown,
        }
    }
}
