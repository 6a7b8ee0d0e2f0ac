//! A worker's report about one run, published every second and at each change of phase (design §5).

use std::{sync::Arc, time::Duration};

use crosswalk_core::{
    WorkflowName,
    control::RunId,
    worker::{Counts, Hindrance, Passed, Phase, Role, WorkerReport},
};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Reporter;

#[cfg(test)]
mod tests;

/// How often a report is published when nothing changes.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What a worker says about one run. Cheap to clone; reporting ends, with the last report published, when the last clone
/// is dropped.
#[derive(Clone)]
pub struct RunReport {
    shared: Arc<Shared>,
    _stop: Arc<DropGuard>,
}

struct Shared {
    report: Mutex<WorkerReport>,
    changed: Notify,
}

impl RunReport {
    /// Begins to report, in phase STARTING.
    #[must_use]
    pub fn start(reporter: &Reporter, worker: &str, role: Role, workflow: &WorkflowName, run: RunId) -> Self {
        let now = Timestamp::now();
        let report = WorkerReport {
            worker: worker.to_owned(),
            role,
            workflow: workflow.clone(),
            run,
            time: now,
            phase: Phase::Starting,
            phase_since: now,
            hindrance: None,
            counts: Counts::default(),
            passed: Vec::new(),
        };
        let shared = Arc::new(Shared {
            report: Mutex::new(report),
            changed: Notify::new(),
        });
        let stop = CancellationToken::new();
        tokio::spawn(publish(reporter.clone(), Arc::clone(&shared), stop.clone()));
        Self {
            shared,
            _stop: Arc::new(stop.drop_guard()),
        }
    }

    /// Sets the phase; published at once if it is another one.
    pub fn set_phase(&self, phase: Phase) {
        let mut report = self.shared.report.lock();
        if report.phase != phase {
            report.phase = phase;
            report.phase_since = Timestamp::now();
            drop(report);
            self.shared.changed.notify_one();
        }
    }

    /// Says what holds the worker up, or that nothing does any more.
    pub fn set_hindrance(&self, hindrance: Option<Hindrance>) {
        let mut report = self.shared.report.lock();
        let began_or_ended = report.hindrance.is_some() != hindrance.is_some();
        report.hindrance = hindrance;
        drop(report);
        if began_or_ended {
            self.shared.changed.notify_one();
        }
    }

    /// Changes what the worker counted; published with the next report.
    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.shared.report.lock().counts);
    }

    /// Says how far the worker is in partitions with records that wait for their parents; published with the next report.
    pub fn set_passed(&self, passed: Vec<Passed>) {
        self.shared.report.lock().passed = passed;
    }

    /// What the worker has counted.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.report.lock().counts
    }
}

async fn publish(reporter: Reporter, shared: Arc<Shared>, stop: CancellationToken) {
    let name = format!("reports about {}", shared.report.lock().workflow);
    let beat = reporter.beat(&name);
    loop {
        beat();
        // Asked before the picture is taken, so that the last report shows the last phase.
        let is_last = stop.is_cancelled();
        let report = {
            let mut report = shared.report.lock();
            report.time = Timestamp::now();
            report.clone()
        };
        // The producer lets whoever comes wait while its buffer is full, as it is when the broker has been away for long.
        // The next report says all that this one would have said.
        match tokio::time::timeout(REPORT_INTERVAL, reporter.publish(&report)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(error = %error, "a worker report was not published"),
            Err(_) => tracing::debug!("a worker report was not taken in time"),
        }
        if is_last {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = shared.changed.notified() => {}
            () = tokio::time::sleep(REPORT_INTERVAL) => {}
        }
    }
}
