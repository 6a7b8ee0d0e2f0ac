//! Metrics of a process, in the format of Prometheus.
//!
//! Libraries record through the `metrics` facade; this module installs the recorder behind it and renders it for the admin
//! port. The recorder belongs to the process: services that share one share it.

use std::sync::LazyLock;
use std::time::Duration;

use ::metrics::{Unit, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Gauge, always 1, with the labels `service` and `version`: which build runs where.
pub const BUILD_INFO: &str = "crosswalk_build_info";

/// Counter with the label `operation`: attempts that failed and are followed by another one.
pub const RETRIES_TOTAL: &str = "crosswalk_retries_total";

/// Upper bounds in seconds for every histogram whose name ends in `_seconds`: calls to an API take from a few
/// milliseconds, within a data centre, to a minute, when they time out.
const SECONDS: [f64; 14] = [
    0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
];

/// Upper bounds for every histogram whose name ends in `_records`: sizes of pages and batches.
const RECORDS: [f64; 9] = [1.0, 5.0, 20.0, 50.0, 100.0, 500.0, 1_000.0, 5_000.0, 10_000.0];

/// Upper bounds for every histogram whose name ends in `_bytes`: from a small record to the largest that Kafka takes.
const BYTES: [f64; 7] = [256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];

/// How often samples of histograms are folded into their buckets when nobody asks for the metrics; they pile up until then.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The recorder cannot be installed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("metrics cannot be recorded: {0}")]
pub struct MetricsError(String);

/// The recorder of this process.
#[derive(Debug, Clone)]
pub struct Metrics(PrometheusHandle);

/// Installs the recorder of this process. Further calls return the same one.
///
/// # Errors
/// When another library has installed a recorder of its own.
pub fn install() -> Result<Metrics, MetricsError> {
    static METRICS: LazyLock<Result<Metrics, MetricsError>> = LazyLock::new(build);
    METRICS.clone()
}

fn build() -> Result<Metrics, MetricsError> {
    let buckets = [
        ("_seconds", SECONDS.as_slice()),
        ("_records", &RECORDS),
        ("_bytes", &BYTES),
    ];
    let error = |error: metrics_exporter_prometheus::BuildError| MetricsError(error.to_string());
    let builder = buckets
        .into_iter()
        .try_fold(PrometheusBuilder::new(), |builder, (suffix, bounds)| {
            builder.set_buckets_for_metric(Matcher::Suffix(suffix.to_owned()), bounds)
        });
    let recorder = builder.map_err(error)?.build_recorder();
    let handle = recorder.handle();
    ::metrics::set_global_recorder(recorder).map_err(|error| MetricsError(error.to_string()))?;
    describe_gauge!(
        BUILD_INFO,
        Unit::Count,
        "Always 1; its labels say which build of which service runs."
    );
    describe_counter!(
        RETRIES_TOTAL,
        Unit::Count,
        "Failed attempts that are followed by another one, by operation."
    );
    Ok(Metrics(handle))
}

/// Says which build of which service runs here. Does nothing where no recorder is installed.
pub fn record_build(service: &'static str, version: &'static str) {
    gauge!(BUILD_INFO, "service" => service, "version" => version).set(1.0);
}

impl Metrics {
    /// All metrics as text, in the exposition format of Prometheus.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps samples from piling up between two requests for the metrics. Runs until it is dropped.
    pub async fn upkeep(self) {
        let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            interval.tick().await;
            self.0.run_upkeep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installing_twice_gives_the_same_recorder() {
        let first = install().expect("nothing else records in this process");
        let second = install().expect("the recorder is there");
        record_build("first-service", "1.2.3");
        record_build("second-service", "4.5.6");
        for metrics in [first, second] {
            let text = metrics.render();
            assert!(
                text.contains(r#"crosswalk_build_info{service="first-service",version="1.2.3"} 1"#),
                "{text}"
            );
            assert!(
                text.contains(r#"crosswalk_build_info{service="second-service",version="4.5.6"} 1"#),
                "{text}"
            );
        }
    }

    #[test]
    fn help_text_of_every_own_metric_is_rendered() {
        let metrics = install().expect("nothing else records in this process");
        record_build("service", "1");
        ::metrics::counter!(RETRIES_TOTAL, "operation" => "help").increment(1);
        let text = metrics.render();
        for name in [BUILD_INFO, RETRIES_TOTAL] {
            assert!(text.contains(&format!("# HELP {name} ")), "{name} is missing in {text}");
        }
    }

    #[test]
    fn histograms_in_seconds_have_buckets_for_api_calls() {
        let metrics = install().expect("nothing else records in this process");
        ::metrics::histogram!("test_call_seconds").record(0.03);
        let text = metrics.render();
        assert!(text.contains(r#"test_call_seconds_bucket{le="0.02"} 0"#), "{text}");
        assert!(text.contains(r#"test_call_seconds_bucket{le="0.05"} 1"#), "{text}");
    }
}
