//! The metrics of this service.

use std::sync::Arc;

use crosswalk_campaign::{Call, Observer};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};

/// Counter, by `result`: records settled.
pub(crate) const RECORDS_TOTAL: &str = "crosswalk_writer_records_total";

/// Gauge: calls in flight.
pub(crate) const IN_FLIGHT: &str = "crosswalk_writer_in_flight";

/// Gauge: calls that may be in flight at present.
pub(crate) const CONCURRENCY_LIMIT: &str = "crosswalk_writer_concurrency_limit";

/// Gauge: age of the oldest unfinished record.
pub(crate) const OLDEST_UNFINISHED_SECONDS: &str = "crosswalk_writer_oldest_unfinished_age_seconds";

/// Gauge: records that wait for their parents.
pub(crate) const WAITING_FOR_PARENTS: &str = "crosswalk_writer_waiting_for_parents";

/// Counter: written records that were deleted from the queues.
pub(crate) const PURGED_TOTAL: &str = "crosswalk_writer_purged_records_total";

/// Counter, by `operation` and `status`: calls to Campaign.
const CALLS_TOTAL: &str = "crosswalk_campaign_calls_total";

/// Histogram, by `operation`: how long calls to Campaign took.
const CALL_SECONDS: &str = "crosswalk_campaign_call_seconds";

/// Gives every metric its help text.
pub fn describe() {
    describe_counter!(RECORDS_TOTAL, Unit::Count, "Records settled, by result.");
    describe_gauge!(IN_FLIGHT, Unit::Count, "Calls to Campaign in flight.");
    describe_gauge!(
        CONCURRENCY_LIMIT,
        Unit::Count,
        "Calls to Campaign that may be in flight at present."
    );
    describe_gauge!(
        OLDEST_UNFINISHED_SECONDS,
        Unit::Seconds,
        "Age of the oldest record taken and not finished."
    );
    describe_gauge!(
        WAITING_FOR_PARENTS,
        Unit::Count,
        "Records that wait for their parents to be in Campaign."
    );
    describe_counter!(
        PURGED_TOTAL,
        Unit::Count,
        "Written records that were deleted from the queues."
    );
    describe_counter!(CALLS_TOTAL, Unit::Count, "Calls to Campaign, by operation and status.");
    describe_histogram!(CALL_SECONDS, Unit::Seconds, "Time of calls to Campaign, by operation.");
}

/// Counts the calls of a client.
pub(crate) fn observer() -> Arc<dyn Observer> {
    Arc::new(|call: &Call| {
        let operation = call.operation.name();
        counter!(CALLS_TOTAL, "operation" => operation, "status" => status_class(call.status)).increment(1);
        histogram!(CALL_SECONDS, "operation" => operation).record(call.duration);
    })
}

/// The statuses that tell something, without an allocation for each call.
const fn status_class(status: Option<u16>) -> &'static str {
    match status {
        None => "none",
        Some(200..=299) => "2xx",
        Some(401) => "401",
        Some(403) => "403",
        Some(404) => "404",
        Some(429) => "429",
        Some(400..=499) => "4xx",
        Some(500) => "500",
        Some(502) => "502",
        Some(503) => "503",
        Some(504) => "504",
        Some(_) => "other",
    }
}
