//! The backlog of every instance's ingress workflow: measured all the time, so that nobody who asks waits for long.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crosswalk_core::{
    InstanceId, WorkflowId, WorkflowName,
    control::{Configuration, State},
    worker::Role,
};
use crosswalk_kafka::{ControlLog, Kafka, KafkaError, LagMeter};
use crosswalk_runtime::error::chain;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Time between two measurements while somebody watches.
const WATCHED_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two measurements while nobody does.
const IDLE_INTERVAL: Duration = Duration::from_secs(2);

/// How long somebody who asks for a fresh measurement waits for it.
const FRESH_WAIT: Duration = Duration::from_secs(2);

/// Measures the backlog of all instances.
pub(crate) struct Backlogs {
    kafka: Kafka,
    meters: Mutex<HashMap<InstanceId, (Arc<Meter>, DropGuard)>>,
}

/// What is known of one backlog.
struct Meter {
    measured: watch::Sender<Measured>,
    watchers: AtomicUsize,
    asked: Notify,
}

/// One measurement.
#[derive(Debug, Clone, Copy)]
struct Measured {
    /// It counts what was there at this moment, or later.
    begun: Instant,
    /// `None`: Kafka did not say.
    records: Option<u64>,
}

/// Somebody who watches a backlog, which is measured more often meanwhile.
pub(crate) struct BacklogWatch {
    meter: Arc<Meter>,
    measured: watch::Receiver<Measured>,
}

impl Backlogs {
    pub(crate) fn new(kafka: Kafka) -> Self {
        Self {
            kafka,
            meters: Mutex::default(),
        }
    }

    /// Measures until told to stop.
    pub(crate) async fn run(&self, control: &ControlLog, stop: &CancellationToken) -> Result<(), KafkaError> {
        let mut state = control.watch();
        let mut tasks = JoinSet::new();
        let result = loop {
            if let Some(present) = state.borrow_and_update().clone() {
                self.keep_meters(&present, control, &mut tasks);
            }
            tokio::select! {
                () = stop.cancelled() => break Ok(()),
                changed = state.changed() => if changed.is_err() { break Err(KafkaError::Cancelled) },
                Some(ended) = tasks.join_next() => if let Err(error) = ended {
                    tracing::error!(error = %error, "measuring a backlog has ended by a defect");
                    break Err(KafkaError::Cancelled);
                },
            }
        };
        self.meters.lock().clear();
        while tasks.join_next().await.is_some() {}
        result
    }

    /// One meter for each instance there is.
    fn keep_meters(&self, state: &State, control: &ControlLog, tasks: &mut JoinSet<()>) {
        let mut meters = self.meters.lock();
        meters.retain(|id, _| state.instance(id).is_some());
        for (id, _) in state.instances() {
            if meters.contains_key(id) {
                continue;
            }
            let measured = watch::Sender::new(Measured {
                begun: Instant::now(),
                records: None,
            });
            let meter = Arc::new(Meter {
                measured,
                watchers: AtomicUsize::new(0),
                asked: Notify::new(),
            });
            let stop = CancellationToken::new();
            let name = WorkflowName {
                instance: id.clone(),
                workflow: WorkflowId::Ingress,
            };
            let measuring = measure(self.kafka.clone(), control.clone(), name, Arc::clone(&meter));
            let stopped = stop.clone().cancelled_owned();
            tasks.spawn(async move {
                tokio::select! {
                    () = stopped => {}
                    () = measuring => {}
                }
            });
            meters.insert(id.clone(), (meter, stop.drop_guard()));
        }
    }

    fn meter(&self, id: &InstanceId) -> Option<Arc<Meter>> {
        self.meters.lock().get(id).map(|(meter, _)| Arc::clone(meter))
    }

    /// The last measurement; `None` if it is not known.
    pub(crate) fn latest(&self, id: &InstanceId) -> Option<u64> {
        self.meter(id)?.measured.borrow().records
    }

    /// A measurement that begins now; the last one if that takes too long.
    pub(crate) async fn fresh(&self, id: &InstanceId) -> Option<u64> {
        let meter = self.meter(id)?;
        let mut measured = meter.measured.subscribe();
        let asked = Instant::now();
        meter.asked.notify_one();
        let is_fresh = |measured: &Measured| measured.begun >= asked && measured.records.is_some();
        match tokio::time::timeout(FRESH_WAIT, measured.wait_for(is_fresh)).await {
            Ok(Ok(fresh)) => fresh.records,
            _ => meter.measured.borrow().records,
        }
    }

    /// Watches; `None` if the instance has only just been made.
    pub(crate) fn watch(&self, id: &InstanceId) -> Option<BacklogWatch> {
        let meter = self.meter(id)?;
        meter.watchers.fetch_add(1, Ordering::Relaxed);
        meter.asked.notify_one();
        let measured = meter.measured.subscribe();
        Some(BacklogWatch { meter, measured })
    }
}

impl BacklogWatch {
    /// Completes at the next measurement; never again once the instance is gone.
    pub(crate) async fn changed(&mut self) {
        if self.measured.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for BacklogWatch {
    fn drop(&mut self) {
        self.meter.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn measure(kafka: Kafka, control: ControlLog, name: WorkflowName, meter: Arc<Meter>) {
    let group = kafka.topics().writer_group(&name, Role::CampaignWriter);
    // A client of its own costs threads and connections, so it is made only for who has queues.
    let mut lag_meter = None;
    loop {
        let begun = Instant::now();
        let tables = control
            .watch()
            .borrow()
            .as_ref()
            .map(|state| queued_tables(state, &name))
            .unwrap_or_default();
        let records = match backlog(&kafka, &name, &group, tables, &mut lag_meter).await {
            Ok(records) => Some(records),
            Err(error) => {
                tracing::debug!(error = %chain(&error), workflow.name = %name, "the backlog is not known");
                None
            }
        };
        meter.measured.send_replace(Measured { begun, records });
        let is_watched = meter.watchers.load(Ordering::Relaxed) > 0;
        let interval = if is_watched { WATCHED_INTERVAL } else { IDLE_INTERVAL };
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = meter.asked.notified() => {}
        }
    }
}

/// Records in the queues of these tables that the group has not finished.
async fn backlog(
    kafka: &Kafka,
    name: &WorkflowName,
    group: &str,
    tables: Vec<String>,
    lag_meter: &mut Option<LagMeter>,
) -> Result<u64, KafkaError> {
    if tables.is_empty() {
        *lag_meter = None;
        return Ok(0);
    }
    let meter = match lag_meter {
        Some(meter) => meter,
        None => lag_meter.insert(LagMeter::new(kafka, group)?),
    };
    let topics = tables
        .iter()
        .map(|table| kafka.topics().ingress(&name.instance, table))
        .collect();
    meter.lag(topics).await
}

/// The tables whose queues count: those that the present run writes; if there is none, those that the next one would.
fn queued_tables(state: &State, name: &WorkflowName) -> Vec<String> {
    let tables = |configuration: &Configuration| {
        configuration
            .mappings
            .iter()
            .map(|mapping| mapping.definition.source_table.clone())
            .collect()
    };
    let Some(instance) = state.instance(&name.instance) else {
        return Vec::new();
    };
    match instance.workflow(name.workflow).run() {
        Some(run) => tables(&run.configuration),
        None => tables(&instance.draft(name.workflow)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ingress, started_state, stopped_state};

    #[test]
    fn a_stopped_workflow_counts_the_queues_of_its_draft() {
        assert_eq!(
            queued_tables(&stopped_state(&["account", "contact"]), &ingress()),
            ["account", "contact"]
        );
        assert_eq!(queued_tables(&stopped_state(&[]), &ingress()), [""; 0]);
    }

    #[test]
    fn a_started_workflow_counts_the_queues_of_its_run() {
        let state = started_state(&["contact"], &["account"]);
        assert_eq!(state.instance(&ingress().instance).unwrap().mappings().count(), 2);
        assert_eq!(queued_tables(&state, &ingress()), ["contact"]);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_measurement_that_began_later_is_fresh() {
        let id: InstanceId = "demo".parse().unwrap();
        let backlogs = Backlogs::new(Kafka::new(crosswalk_kafka::KafkaSettings::default(), "test"));
        assert_eq!(
            backlogs.fresh(&id).await,
            None,
            "nothing is known of an unknown instance"
        );

        let measured = watch::Sender::new(Measured {
            begun: Instant::now(),
            records: Some(5),
        });
        let meter = Arc::new(Meter {
            measured,
            watchers: AtomicUsize::new(0),
            asked: Notify::new(),
        });
        backlogs
            .meters
            .lock()
            .insert(id.clone(), (Arc::clone(&meter), CancellationToken::new().drop_guard()));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(backlogs.fresh(&id).await, Some(5), "the last one, after a bounded wait");

        // The request of before is still there.
        meter.asked.notified().await;
        let answer = async {
            meter.asked.notified().await;
            meter.measured.send_replace(Measured {
                begun: Instant::now(),
                records: Some(0),
            });
        };
        let (fresh, ()) = tokio::join!(backlogs.fresh(&id), answer);
        assert_eq!(fresh, Some(0));
    }

    #[tokio::test(start_paused = true)]
    async fn watchers_are_counted_while_they_watch() {
        let id: InstanceId = "demo".parse().unwrap();
        let backlogs = Backlogs::new(Kafka::new(crosswalk_kafka::KafkaSettings::default(), "test"));
        assert!(backlogs.watch(&id).is_none());
        let measured = watch::Sender::new(Measured {
            begun: Instant::now(),
            records: None,
        });
        let meter = Arc::new(Meter {
            measured,
            watchers: AtomicUsize::new(0),
            asked: Notify::new(),
        });
        backlogs
            .meters
            .lock()
            .insert(id.clone(), (Arc::clone(&meter), CancellationToken::new().drop_guard()));
        let watches = [backlogs.watch(&id), backlogs.watch(&id)];
        assert_eq!(meter.watchers.load(Ordering::Relaxed), 2);
        drop(watches);
        assert_eq!(meter.watchers.load(Ordering::Relaxed), 0);
    }
}
