//! Redriving dead letters: the records are read again and queued behind everything that waits (design §8).
//!
//! It happens between two polls of the unit's own read, with nothing fetched ahead: whatever is changed after a record has been
//! read again is told by a later poll, and so is queued behind it. The dead letters themselves are left to the writer, which
//! takes them back when the records are written, and replaces them when they are refused again.

use crosswalk_core::{
    ChangeKind, WorkflowName,
    control::{LogOffset, RedriveSelection},
    mapping::parse_key,
};
use crosswalk_dynamics::SourceChange;
use crosswalk_kafka::present_letters;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    failure::UnitError,
    page::rejected,
    plan::Progress,
    proof::Source,
    read::{Opened, Unit},
};

/// Records that are read again at once.
const CONCURRENT_READS: usize = 8;

/// Records that are queued together.
const BATCH: usize = 500;

impl Unit {
    /// Redrives what has been asked for since this was last done.
    pub(crate) async fn redrive(
        &self,
        opened: &Opened,
        progress: &mut Progress,
        cancel: &CancellationToken,
    ) -> Result<(), UnitError> {
        let (selections, last) = self.asked_for(progress).await?;
        let Some(last) = last else { return Ok(()) };
        let ids = self.selected(&selections, cancel).await?;
        // Somebody may have mended the table just now.
        self.until(cancel, self.check_schema(opened)).await?;
        tracing::info!(
            unit = opened.position.unit(),
            records = ids.len(),
            "redriving dead letters"
        );
        for batch in ids.chunks(BATCH) {
            let changes = self.read_again(&opened.source(), batch, cancel).await?;
            let queued = opened.destination.queue_redriven(changes, progress.epoch).await?;
            self.report.count(|counts| counts.done += queued.records);
        }
        progress.redriven = Some(last);
        opened.position.save(progress, false).await?;
        Ok(())
    }

    /// What has been asked for since this was last done, and the place of the last request.
    async fn asked_for(&self, progress: &Progress) -> Result<(Vec<RedriveSelection>, Option<LogOffset>), UnitError> {
        let state = self.shared.control.state().await?;
        let workflow: &WorkflowName = &self.workflow;
        let requests = state.workflow(workflow).map(|workflow| workflow.redrives.as_slice());
        let new = requests.unwrap_or_default().iter();
        let new = new.filter(|request| progress.redriven.is_none_or(|done| request.revision > done));
        let (selections, revisions): (Vec<_>, Vec<_>) =
            new.map(|request| (request.selection.clone(), request.revision)).unzip();
        Ok((selections, revisions.last().copied()))
    }

    /// The ids of the unit's records whose dead letters are meant.
    async fn selected(
        &self,
        selections: &[RedriveSelection],
        cancel: &CancellationToken,
    ) -> Result<Vec<Uuid>, UnitError> {
        let table = &self.mapping.definition.source_table;
        let letters = present_letters(&self.shared.kafka, &self.workflow, cancel.clone()).await?;
        let is_meant = |letter: &&crosswalk_kafka::PresentLetter| {
            *letter.table == **table
                && selections
                    .iter()
                    .any(|selection| selection.selects(&letter.key, &letter.code, &letter.table))
        };
        let id = |key: &str| parse_key(key.strip_prefix(table)?.strip_prefix('/')?);
        Ok(letters
            .iter()
            .filter(is_meant)
            .filter_map(|letter| id(&letter.key))
            .collect())
    }

    /// The records as they are now; those that are gone as deletes.
    async fn read_again(
        &self,
        source: &Source,
        ids: &[Uuid],
        cancel: &CancellationToken,
    ) -> Result<Vec<SourceChange>, UnitError> {
        // Boxed, since the compiler cannot tell otherwise that a stream of borrowing futures may move between threads.
        let reads: Vec<_> = ids
            .iter()
            .map(|id| self.read_one_again(source, *id, cancel).boxed())
            .collect();
        let changes = futures::stream::iter(reads).buffer_unordered(CONCURRENT_READS);
        self.until(cancel, changes.try_collect()).await
    }

    async fn read_one_again(
        &self,
        source: &Source,
        id: Uuid,
        cancel: &CancellationToken,
    ) -> Result<SourceChange, UnitError> {
        let read = || async {
            match source.client.row(&source.selection, id).await {
                Ok(Some(row)) => Ok(row),
                Ok(None) => Ok(SourceChange {
                    id,
                    version: None,
                    kind: ChangeKind::Delete,
                }),
                // It is as bad as it was: its dead letter is replaced by one that says so.
                Err(crosswalk_dynamics::Error::RejectedRow(row)) => Ok(rejected(&row)),
                Err(error) => Err(UnitError::from(error)),
            }
        };
        self.retrying(cancel, "read a record again", read).await
    }
}
