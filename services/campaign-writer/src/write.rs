//! Writing one record: judged by the ledger, mapped, sent, and set aside if it is refused (design §7).

use std::sync::{Arc, atomic::Ordering};

use crosswalk_campaign::{Action, Links, RecordKey, Write, WrittenKind};
use crosswalk_core::{
    Change, ChangeKind, Class, Classify, Row,
    control::RunId,
    ledger::{Judgement, Known, Skip, Standing, judge, written_part},
    mapping::{Part, key_text, parse_key},
};
use crosswalk_kafka::{
    DeadLetters, Ledger,
    pool::{Handler, Job, Verdict},
};
use metrics::counter;
use uuid::Uuid;

use crate::{
    drift::fitted_since,
    failure::RunError,
    hidden::{Hidden, only_looks},
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
    pub(crate) target: Arc<Target>,
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
pub(crate) struct Record<'a> {
    pub(crate) job: &'a Job<Work>,
    pub(crate) table: &'a MappedTable,
    pub(crate) change: &'a Change,
    pub(crate) id: Uuid,
    pub(crate) key: RecordKey,
    /// What the ledger knew of it when its turn came.
    pub(crate) known: Option<Known>,
}

impl Record<'_> {
    /// Whether nothing but what the ledger tells can be at the destination: no earlier attempt was made, and no other change
    /// was to be written in between, either of which may have taken effect without an answer.
    fn is_first_heard(&self) -> bool {
        self.job.attempt() == 1 && !self.job.payload().mixed
    }
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
        match self.work_off(&record).await {
            Ok(verdict) => verdict,
            // Whatever Campaign was asked about the record, it refuses the record.
            Err(RunError::Campaign(error)) if error.class() == Class::Rejected => {
                self.reject(&record, Reason::Campaign(error)).await
            }
            Err(error) => self.hindered(error),
        }
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
            Judgement::Map(row) => self.map(record, Arc::clone(&fitted), row).await,
            Judgement::SetAside(rejection) => {
                let reason = Reason::Source(rejection.clone());
                Ok(self.reject(record, reason).await)
            }
            Judgement::EpochEnd => Err(RunError::Defect("the end of an epoch is no record".to_owned())),
        }
    }

    async fn map(&self, record: &Record<'_>, fitted: Arc<Fitted>, row: &Row) -> Result<Verdict<RunError>, RunError> {
        let part = written_part(record.change.origin, record.known.as_ref());
        let key = record.key.as_str();
        let (fitted, bodies) = match fitted.bodies(key, row, part) {
            Ok(bodies) => (fitted, bodies),
            // The value may be one that the resource has learnt to take since it was last looked at.
            Err(_) => {
                let fitted = fitted_since(&self.target.client, record.table, record.change.read_at).await?;
                match fitted.bodies(key, row, part) {
                    Ok(bodies) => (fitted, bodies),
                    Err(rejected) => return Ok(self.reject(record, Reason::Row(rejected)).await),
                }
            }
        };
        let is_unchanged = |known: Known| known.is_unchanged_by(record.change, bodies.hashes);
        if record.is_first_heard() && record.known.is_some_and(is_unchanged) {
            return self.skip(record, Skip::Unchanged).await;
        }
        if record.known.is_some_and(|known| known.standing == Standing::Hidden) && only_looks(record.job.attempt()) {
            return self.look(record, &fitted, bodies, part).await;
        }
        self.upsert(record, &fitted, bodies, part).await
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
            return self.wait(record).await;
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
                return Ok(self.reject(record, Reason::Campaign(error)).await);
            }
            Err(error) => return Err(error.into()),
        };
        match written {
            WrittenKind::InsertedHidden => {
                self.prove_key_of_hidden(record, &request).await?;
                self.remember(record, bodies.hashes, Part::All, true).await?;
                self.wait(record).await
            }
            WrittenKind::StillHidden => self.wait(record).await,
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
            links: &Links::default(),
            action: Action::Delete,
        };
        let kind = self.target.client.write(write).await?.kind;
        let is_hidden = record.known.is_some_and(|known| known.standing == Standing::Hidden);
        if kind == WrittenKind::AlreadyGone && is_hidden {
            return self.wait(record).await;
        }
        self.ledger.forget(record.job.partition(), record.id).await?;
        self.done(record, kind).await
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
}
