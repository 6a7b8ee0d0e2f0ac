//! How a record ends: remembered in the ledger, and only then done, or waiting, or set aside (design §8).

use crosswalk_campaign::WrittenKind;
use crosswalk_core::{
    Class, Classify,
    dead_letter::QueuePlace,
    ledger::{Known, PayloadHashes, Skip},
    mapping::Part,
};
use crosswalk_kafka::{
    KafkaError,
    pool::{Job, Verdict},
};
use crosswalk_runtime::error::chain;
use metrics::counter;

use crate::{
    drift::fitted_since,
    failure::RunError,
    hidden::wait_after,
    metrics::RECORDS_TOTAL,
    set_aside::Reason,
    table::MappedTable,
    work::Work,
    write::{Record, Writer},
};

impl Writer {
    /// Nothing is to be written, but that the source still has the record is to be remembered: what a later read does not
    /// find any more is told by that.
    pub(crate) async fn skip(&self, record: &Record<'_>, reason: Skip) -> Result<Verdict<RunError>, RunError> {
        if let Some(known) = record.known
            && record.change.kind.is_present()
        {
            let seen = Known::seen(Some(known), record.change);
            if seen.epoch != known.epoch {
                self.ledger.settle(record.job.partition(), record.id, &seen).await?;
            }
        }
        if matches!(reason, Skip::Unchanged | Skip::Filtered | Skip::DeletesOff) {
            self.settle_dead_letter(record).await?;
        }
        counter!(RECORDS_TOTAL, "result" => reason.name()).increment(1);
        self.progress.skipped(record.job.records());
        self.hidden.settled(record.job.partition(), record.job.key());
        Ok(Verdict::Skipped)
    }

    pub(crate) async fn written(
        &self,
        record: &Record<'_>,
        hashes: PayloadHashes,
        part: Part,
        kind: WrittenKind,
    ) -> Result<Verdict<RunError>, RunError> {
        let part = if kind == WrittenKind::Inserted { Part::All } else { part };
        self.remember(record, hashes, part, false).await?;
        self.done(record, kind).await
    }

    pub(crate) async fn remember(
        &self,
        record: &Record<'_>,
        hashes: PayloadHashes,
        part: Part,
        hidden: bool,
    ) -> Result<(), KafkaError> {
        let known = Known::written(record.known, record.change, hashes, part, hidden);
        self.ledger.settle(record.job.partition(), record.id, &known).await
    }

    /// A record that has been written has no dead letter of an earlier change any more.
    pub(crate) async fn done(&self, record: &Record<'_>, kind: WrittenKind) -> Result<Verdict<RunError>, RunError> {
        self.settle_dead_letter(record).await?;
        let result = match kind {
            WrittenKind::Inserted | WrittenKind::InsertedHidden => "inserted",
            WrittenKind::Updated | WrittenKind::StillHidden => "updated",
            WrittenKind::Deleted => "deleted",
            WrittenKind::AlreadyGone => "already_gone",
        };
        counter!(RECORDS_TOTAL, "result" => result).increment(1);
        self.progress.written(record.job.records());
        self.hidden.settled(record.job.partition(), record.job.key());
        Ok(Verdict::Done)
    }

    async fn settle_dead_letter(&self, record: &Record<'_>) -> Result<(), KafkaError> {
        let key = dead_letter_key(record.table, record.key.as_str());
        self.dead_letters.settle(&key, record.change.read_at).await
    }

    /// The record is tried again when its parent may be there. That it is hidden is remembered, whoever wrote it: else a later
    /// delete, which finds nothing, would take it for gone. So is the epoch, since the source has the record.
    pub(crate) async fn wait(&self, record: &Record<'_>) -> Result<Verdict<RunError>, RunError> {
        let (partition, change) = (record.job.partition(), record.change);
        let known = self.ledger.known(partition, record.id);
        let hidden = Known::hidden(known, change);
        if change.kind.is_present() && known != Some(hidden) {
            self.ledger.settle(partition, record.id, &hidden).await?;
        }
        self.hidden.waits(partition, record.job.key());
        Ok(Verdict::Wait {
            after: wait_after(record.job.attempt(), self.hidden.len()),
        })
    }

    /// What an error means that is not the record's fault.
    pub(crate) fn hindered(&self, error: RunError) -> Verdict<RunError> {
        match error.class() {
            Class::Retry { after } => {
                self.progress.note_error(&chain(&error).to_string());
                let throttled = matches!(error, RunError::Campaign(crosswalk_campaign::Error::Throttled { .. }));
                let by_campaign = matches!(error, RunError::Campaign(_));
                Verdict::Retry {
                    after,
                    throttled: throttled || (by_campaign && after.is_some()),
                }
            }
            Class::Rejected | Class::Fatal => Verdict::Fatal(error),
            Class::Cancelled => Verdict::Cancelled,
        }
    }

    pub(crate) async fn reject(&self, record: &Record<'_>, reason: Reason) -> Verdict<RunError> {
        // It may be the resource that has changed, not the record that is wrong.
        if matches!(reason, Reason::Campaign(_))
            && let Err(error) = fitted_since(&self.target.client, record.table, record.change.read_at).await
        {
            return self.hindered(error);
        }
        let rejected = Known::rejected(record.known, record.change);
        let partition = record.job.partition();
        if let Err(error) = self.ledger.settle(partition, record.id, &rejected).await {
            return self.hindered(error.into());
        }
        self.hidden.settled(partition, record.job.key());
        self.set_aside(record.table, record.job, record.key.as_str(), reason)
            .await
    }

    /// Sets a record aside; only then it is done.
    pub(crate) async fn set_aside(
        &self,
        table: &MappedTable,
        job: &Job<Work>,
        id: &str,
        reason: Reason,
    ) -> Verdict<RunError> {
        let partition = job.partition();
        let topic = self.topics.get(usize::from(partition.topic)).cloned();
        let place = QueuePlace {
            topic: topic.unwrap_or_default(),
            partition: partition.partition,
            offset: job.offset(),
        };
        let change = job.payload().change.as_ref().ok();
        let letter = reason.letter(table, place, change, self.run);
        tracing::debug!(record.id = id, code = letter.code, "a record is set aside");
        let code = letter.code.clone();
        if let Err(error) = self.dead_letters.put(&dead_letter_key(table, id), letter).await {
            return self.hindered(error.into());
        }
        counter!(RECORDS_TOTAL, "result" => "rejected").increment(1);
        match self.progress.rejected(job.records()) {
            None => Verdict::Skipped,
            Some(rejected) => Verdict::Fatal(RunError::TooManyRejected {
                rejected,
                of: crate::progress::RECENT,
                code,
            }),
        }
    }
}

fn dead_letter_key(table: &MappedTable, id: &str) -> String {
    format!("{}/{id}", table.source())
}
