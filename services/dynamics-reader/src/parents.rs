//! Waiting for the records that others point to: in a first load, parents are in Campaign before their children are read
//! (design §7).

use std::time::Duration;

use crosswalk_core::{
    control::EntryId,
    worker::{Hindrance, Role},
};
use crosswalk_kafka::{Checkpoints, LagMeter, Reports};
use crosswalk_proto::record::Read;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::{failure::UnitError, plan::Subject, read::Unit};

/// How often it is looked whether a parent's load is done.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// A mapped table whose records come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) table: String,
    pub(crate) mapping: EntryId,
}

impl Unit {
    /// Waits until the first loads of all parents have been read and written.
    pub(crate) async fn wait_for_parents(&self, cancel: &CancellationToken) -> Result<(), UnitError> {
        for parent in &self.parents {
            self.report.set_hindrance(Some(Hindrance::Waiting {
                what: format!("the first load of {} to be in Campaign", parent.table),
                since: Timestamp::now(),
            }));
            let wait = || self.wait_for(parent, cancel);
            self.retrying(cancel, "wait for a parent's load", wait).await?;
        }
        self.report.set_hindrance(None);
        Ok(())
    }

    async fn wait_for(&self, parent: &Parent, cancel: &CancellationToken) -> Result<(), UnitError> {
        let (shared, instance) = (&self.shared, &self.workflow.instance);
        let checkpoints = Checkpoints::open(&shared.kafka, shared.producer.clone(), instance).await?;
        let unit = self.workflow.workflow.unit(&parent.table);
        loop {
            let last = checkpoints.load(&unit, cancel.clone()).await?;
            let subject = Subject::new(parent.mapping, &self.settings);
            if last.is_some_and(|last| subject.is_of(&last) && last.read != Read::Initial) {
                break;
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        let names = shared.kafka.topics();
        let group = names.writer_group(&self.workflow, Role::CampaignWriter);
        let meter = LagMeter::new(&shared.kafka, &group)?;
        let topic = names.ingress(instance, &parent.table);
        let ends = meter.ends(&topic).await?;
        let reports = Reports::follow(&shared.kafka).await?;
        loop {
            let mut positions = meter.positions(&topic).await?;
            // A parent that waits for its own parent holds back the group's offset, but nobody else.
            for passed in reports.of(&self.workflow).into_iter().flat_map(|report| report.passed) {
                if passed.table == parent.table {
                    let position = positions.entry(passed.partition).or_default();
                    *position = passed.offset.max(*position);
                }
            }
            let is_behind = |(partition, end): (&i32, &i64)| positions.get(partition).is_some_and(|at| at < end);
            if !ends.iter().any(is_behind) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
}
