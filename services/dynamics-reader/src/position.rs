//! Keeping the position of a unit: its checkpoint, loaded when it begins and saved behind every page (design §6).

use std::time::Duration;

use crosswalk_dynamics::PageLink;
use crosswalk_kafka::{Checkpoints, KafkaError};
use crosswalk_proto::record::{Checkpoint, Position};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    failure::UnitError,
    plan::{Progress, Reading, Subject},
    read::Unit,
};

/// How often the position is written while nothing changes. It moves with every poll, and an old one expires.
const QUIET_SAVE_INTERVAL: Duration = Duration::from_secs(60);

/// Keeps the position of one unit.
pub(crate) struct PositionKeeper {
    checkpoints: Checkpoints,
    unit: String,
    subject: Subject,
    columns: Vec<String>,
    /// When a checkpoint was last written.
    saved: Mutex<Option<Instant>>,
}

impl PositionKeeper {
    /// Makes the topic if it is not there, and loads the unit's last checkpoint.
    pub(crate) async fn open(unit: &Unit, cancel: &CancellationToken) -> Result<(Self, Option<Checkpoint>), UnitError> {
        let (shared, workflow) = (&unit.shared, &unit.workflow);
        let checkpoints = Checkpoints::open(&shared.kafka, shared.producer.clone(), &workflow.instance).await?;
        let name = workflow.workflow.unit(&unit.mapping.definition.source_table);
        let last = checkpoints.load(&name, cancel.clone()).await?;
        let keeper = Self {
            checkpoints,
            unit: name,
            subject: Subject::new(unit.mapping.uid, &unit.settings),
            columns: Vec::new(),
            saved: Mutex::default(),
        };
        Ok((keeper, last))
    }

    /// For a read of these columns.
    pub(crate) fn with_columns(self, columns: Vec<String>) -> Self {
        Self { columns, ..self }
    }

    /// What the position is a position of.
    pub(crate) const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The unit's name, e.g. `ingress/contact`.
    pub(crate) fn unit(&self) -> &str {
        &self.unit
    }

    /// Writes where the unit stands and waits until that is durable; while nothing changes, only now and then.
    pub(crate) async fn save(&self, progress: &Progress, is_quiet: bool) -> Result<(), KafkaError> {
        let saved = *self.saved.lock();
        if is_quiet && saved.is_some_and(|saved| saved.elapsed() < QUIET_SAVE_INTERVAL) {
            return Ok(());
        }
        self.checkpoints.save(&self.checkpoint(progress)).await?;
        *self.saved.lock() = Some(Instant::now());
        Ok(())
    }

    fn checkpoint(&self, progress: &Progress) -> Checkpoint {
        let position = match &progress.link {
            Some(PageLink::Delta(link)) => Position::Delta(link.clone()),
            Some(PageLink::Next(link)) => Position::Next(link.clone()),
            None => Position::Next(String::new()),
        };
        let superseded_link = match &progress.reading {
            Reading::Rebase { superseded, .. } => Some(superseded.clone()),
            _ => None,
        };
        Checkpoint {
            unit: self.unit.clone(),
            mapping_uid: self.subject.mapping,
            columns: self.columns.clone(),
            epoch: progress.epoch,
            position,
            read: progress.reading.read(),
            records: progress.records,
            expected: progress.expected,
            time: Timestamp::now(),
            version: progress.version,
            superseded_link,
            source: self.subject.source.clone(),
            target: self.subject.target.clone(),
            replay: progress.replay,
            redriven: progress.redriven,
        }
    }
}
