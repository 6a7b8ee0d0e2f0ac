//! The metrics of this service.

use std::sync::Arc;

use crosswalk_dynamics::{Exchange, Observer};
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

/// Counter: records queued.
pub(crate) const RECORDS_TOTAL: &str = "crosswalk_reader_records_total";

/// Counter: records that could not be typed or queued whole; the writer sets them aside.
pub(crate) const REJECTED_TOTAL: &str = "crosswalk_reader_rejected_total";

/// Histogram: how many records a page held.
pub(crate) const PAGE_RECORDS: &str = "crosswalk_reader_page_records";

/// Counter, by `operation` and `status`: calls to Dynamics 365.
const CALLS_TOTAL: &str = "crosswalk_dynamics_calls_total";

/// Histogram, by `operation`: how long calls to Dynamics 365 took.
const CALL_SECONDS: &str = "crosswalk_dynamics_call_seconds";

/// Gives every metric its help text.
pub fn describe() {
    describe_counter!(RECORDS_TOTAL, Unit::Count, "Records queued.");
    describe_counter!(
        REJECTED_TOTAL,
        Unit::Count,
        "Records that could not be typed or queued whole; the writer sets them aside."
    );
    describe_histogram!(PAGE_RECORDS, Unit::Count, "Records in a page.");
    describe_counter!(
        CALLS_TOTAL,
        Unit::Count,
        "Calls to Dynamics 365, by operation and status."
    );
    describe_histogram!(
        CALL_SECONDS,
        Unit::Seconds,
        "Time of calls to Dynamics 365, by operation."
    );
}

/// Counts the calls of a client.
pub(crate) fn observer() -> Arc<dyn Observer> {
    struct Calls;

    impl Observer for Calls {
        fn exchanged(&self, exchange: Exchange) {
            let operation = exchange.operation.name();
            let status = exchange
                .status
                .map_or_else(|| "none".to_owned(), |status| status.to_string());
            counter!(CALLS_TOTAL, "operation" => operation, "status" => status).increment(1);
            histogram!(CALL_SECONDS, "operation" => operation).record(exchange.duration);
        }
    }

    Arc::new(Calls)
}
