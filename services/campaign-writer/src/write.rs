//! Writing one record: judged by the ledger, mapped, sent, and set aside if it is refused (design §7).

use std::sync::atomic::Ordering;

use crosswalk_campaign::{Action, RecordKey, Write, WrittenKind};
use crosswalk_core::{
    Change, ChangeKind, Class, Classify, Row,
    control::RunId,
    dead_letter::QueuePlace,
    ledger::{Judgement, Known, PayloadHashes, Skip, Standing, judge, written_part},
    mapping::{Part, key_text, parse_key},
};
use crosswalk_kafka::{
    DeadLetters, KafkaError, Ledger,
    pool::{Handler, Job, Verdict},
};
use crosswalk_runtime::error::chain;
use metrics::counter;
use uuid::Uuid;

use crate::{
    failure::RunError,
    hidden::{Hidden, only_looks, wait_after},
    metrics::RECORDS_TOTAL,
    progress::Progress,
    proof::Target,
    set_aside::Reason,
    sweep::{COUNTING, Sweeper, Swept},
    table::{Bodies, Fitted, MappedTable},
    work::Work,
};

/// Writes the records of a run to Campaign.
pub(crate) struct Writer {
    pub(crate) target: std::sync::Arc<Target>,
    /// Names of the queue topics, in the order of the tables.
    pub(crate) topics: Vec<String>,
    pub(crate) ledger: Ledger,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) sweeper: Sweeper,
    pub(crate) hidden: Hidden,
    pub(crate) progress: Progress,
    pub(crate) run: RunId,
}

/// One record on its way.
struct Record<'a> {
    job: &'a Job<Work>,
    table: &'a MappedTable,
    change: &'a Change,
    id: Uuid,
    key: RecordKey,
    known: Option<Known>,
}

impl Handler for Writer {
    type Payload = Work;
    type Error = RunError;

    async fn handle(&self, job: &Job<Work>) -> Verdict<RunError> {
        let Some(table) = self.target.tables.get(usize::from(job.partition().topic)) else {
            return Verdict::Fatal(RunError::Defect("a record of an unknown topic".to_owned()));
        };
        let key = String::from_utf8_lossy(job.key());
        let change = match &job.payload().change {
            Ok(change) => change,
            Err(error) => {
                return self
                    .set_aside(table, job, &key, Reason::Unreadable(error.clone()))
                    .await;
            }
        };
        if change.mapping != table.mapping.uid {
            counter!(RECORDS_TOTAL, "result" => "foreign").increment(1);
            self.progress.skipped(job.records());
            return Verdict::Skipped;
        }
        if change.kind == ChangeKind::EpochEnd {
            return self.sweep(table, job, change).await;
        }
        let Some(id) = parse_key(&key) else {
            let problem = "the key of the record is no id of a Dynamics record".to_owned();
            return self.set_aside(table, job, &key, Reason::Key(problem)).await;
        };
        let record = match RecordKey::new(key_text(id)) {
            Ok(key) => Record {
                job,
                table,
                change,
                id,
                key,
                known: self.ledger.known(job.partition(), id),
            },
            Err(error) => return self.set_aside(table, job, &key, Reason::Key(error.to_string())).await,
        };
        self.work_off(&record)
            .await
            .unwrap_or_else(|error| self.hindered(error))
    }
}

impl Writer {
    async fn work_off(&self, record: &Record<'_>) -> Result<Verdict<RunError>, RunError> {
        let fitted = record.table.fitted();
        let definition = record.table.definition();
        let judgement = judge(
            record.change,
            record.known.as_ref(),
            definition.options,
            definition.filter.delete_filtered,
            |row| fitted.compiled.passes(row),
        );
        match judgement {
            Judgement::Skip(reason) => self.skip(record, reason).await,
            Judgement::Delete => self.delete(record).await,
            Judgement::Map(row) => self.map(record, &fitted, row).await,
            Judgement::EpochEnd => Err(RunError::Defect("the end of an epoch is no record".to_owned())),
        }
    }

    /// Nothing is to be written, but that the source still has the record is to be remembered: what a later read does not
    /// find any more is told by that.
    async fn skip(&self, record: &Record<'_>, reason: Skip) -> Result<Verdict<RunError>, RunError> {
        if let (Some(known), ChangeKind::Upsert(_)) = (record.known, &record.change.kind) {
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

    async fn map(&self, record: &Record<'_>, fitted: &Fitted, row: &Row) -> Result<Verdict<RunError>, RunError> {
        let part = written_part(record.change.origin);
        let bodies = match fitted.bodies(record.key.as_str(), row, part) {
            Ok(bodies) => bodies,
            Err(rejected) => return Ok(self.reject(record, Reason::Row(rejected)).await),
        };
        if record
            .known
            .is_some_and(|known| known.is_unchanged_by(record.change, bodies.hashes))
        {
            return self.skip(record, Skip::Unchanged).await;
        }
        if record.known.is_some_and(|known| known.standing == Standing::Hidden) && only_looks(record.job.attempt()) {
            return self.look(record, fitted, bodies, part).await;
        }
        self.upsert(record, fitted, bodies, part).await
    }

    /// Looks whether a hidden record can be seen by now. If Campaign was given this row already, that is all there is to do.
    async fn look(
        &self,
        record: &Record<'_>,
        fitted: &Fitted,
        bodies: Bodies,
        part: Part,
    ) -> Result<Verdict<RunError>, RunError> {
        let resource = &record.table.definition().target_resource;
        if self.target.client.get(resource, &record.key).await?.is_none() {
            return Ok(self.wait(record));
        }
        let holds = record.known.is_some_and(|known| known.hashes == bodies.hashes);
        if holds && !record.change.force {
            return self.written(record, bodies.hashes, part, WrittenKind::Inserted).await;
        }
        self.upsert(record, fitted, bodies, part).await
    }

    async fn upsert(
        &self,
        record: &Record<'_>,
        fitted: &Fitted,
        bodies: Bodies,
        part: Part,
    ) -> Result<Verdict<RunError>, RunError> {
        let request = bodies.insert.clone();
        let write = Write {
            resource: &record.table.definition().target_resource,
            key: &record.key,
            links: &fitted.links,
            action: Action::Upsert {
                insert: bodies.insert,
                update: bodies.update,
                known: record.known.is_some_and(|known| known.standing.exists()),
            },
        };
        let written = match self.target.client.write(write).await {
            Ok(written) => written.kind,
            Err(error) if error.class() == Class::Rejected => {
                let request = request.to_vec();
                return Ok(self.reject(record, Reason::Campaign { error, request }).await);
            }
            Err(error) => return Err(error.into()),
        };
        match written {
            WrittenKind::InsertedHidden => {
                self.prove_key_of_hidden(record, &request).await?;
                self.remember(record, bodies.hashes, Part::All, true).await?;
                Ok(self.wait(record))
            }
            WrittenKind::StillHidden => Ok(self.wait(record)),
            written => {
                if written == WrittenKind::Inserted {
                    self.prove_key(record).await?;
                }
                self.written(record, bodies.hashes, part, written).await
            }
        }
    }

    async fn delete(&self, record: &Record<'_>) -> Result<Verdict<RunError>, RunError> {
        let write = Write {
            resource: &record.table.definition().target_resource,
            key: &record.key,
            links: &[],
            action: Action::Delete,
        };
        let kind = match self.target.client.write(write).await {
            Ok(written) => written.kind,
            Err(error) if error.class() == Class::Rejected => {
                let request = Vec::new();
                return Ok(self.reject(record, Reason::Campaign { error, request }).await);
            }
            Err(error) => return Err(error.into()),
        };
        let is_hidden = record.known.is_some_and(|known| known.standing == Standing::Hidden);
        if kind == WrittenKind::AlreadyGone && is_hidden {
            return Ok(self.wait(record));
        }
        self.ledger.forget(record.job.partition(), record.id).await?;
        self.done(record, kind).await
    }

    async fn written(
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

    async fn remember(
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
    async fn done(&self, record: &Record<'_>, kind: WrittenKind) -> Result<Verdict<RunError>, RunError> {
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

    /// The record is tried again when its parent may be there.
    fn wait(&self, record: &Record<'_>) -> Verdict<RunError> {
        self.hidden.waits(record.job.partition(), record.job.key());
        Verdict::Retry {
            after: Some(wait_after(record.job.attempt())),
            throttled: false,
        }
    }

    /// The first record that a run inserts must be found again by its key: with a key field that is none, every later change
    /// would insert another record.
    async fn prove_key(&self, record: &Record<'_>) -> Result<(), crosswalk_campaign::Error> {
        let table = record.table;
        if table.key_proved.load(Ordering::Relaxed) {
            return Ok(());
        }
        let resource = &table.definition().target_resource;
        self.target.client.prove_key(resource, &record.key).await?;
        table.key_proved.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// A hidden record is not found by its key, declared or not; that it cannot be inserted twice proves it as well.
    async fn prove_key_of_hidden(
        &self,
        record: &Record<'_>,
        body: &bytes::Bytes,
    ) -> Result<(), crosswalk_campaign::Error> {
        let table = record.table;
        if table.key_proved.load(Ordering::Relaxed) {
            return Ok(());
        }
        let resource = &table.definition().target_resource;
        match self.target.client.insert(resource, body.clone()).await {
            Err(crosswalk_campaign::Error::DuplicateKey { .. }) => {
                table.key_proved.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(error),
            Ok(()) => self.target.client.prove_key(resource, &record.key).await,
        }
    }

    async fn sweep(&self, table: &MappedTable, job: &Job<Work>, end: &Change) -> Verdict<RunError> {
        let partition = job.partition();
        let topic = self.topics.get(usize::from(partition.topic)).map_or("", String::as_str);
        match self.sweeper.sweep(table, topic, partition, end).await {
            Ok(Swept::Done) => Verdict::Skipped,
            Ok(Swept::Counting) => Verdict::Retry {
                after: Some(COUNTING),
                throttled: false,
            },
            Err(error) => self.hindered(error),
        }
    }

    /// What an error means that is not the record's fault.
    fn hindered(&self, error: RunError) -> Verdict<RunError> {
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

    async fn reject(&self, record: &Record<'_>, reason: Reason) -> Verdict<RunError> {
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
    async fn set_aside(&self, table: &MappedTable, job: &Job<Work>, id: &str, reason: Reason) -> Verdict<RunError> {
        let partition = job.partition();
        let topic = self.topics.get(usize::from(partition.topic)).cloned();
        let place = QueuePlace {
            topic: topic.unwrap_or_default(),
            partition: partition.partition,
            offset: job.offset(),
        };
        let change = job.payload().change.as_ref().ok();
        let letter = reason.letter(table.source(), place, change, self.run);
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
