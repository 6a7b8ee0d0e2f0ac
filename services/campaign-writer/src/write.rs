//! Writing one record: mapped, sent, and set aside if it is refused (design §7).

use std::sync::atomic::Ordering;

use bytes::Bytes;
use crosswalk_campaign::{Action, RecordKey, Write, WrittenKind};
use crosswalk_core::{Change, ChangeKind, Class, Classify, Origin, control::RunId, dead_letter::QueuePlace};
use crosswalk_kafka::{
    DeadLetters,
    pool::{Handler, Job, Verdict},
};
use crosswalk_runtime::error::chain;
use jiff::Timestamp;
use metrics::counter;

use crate::{
    failure::RunError,
    metrics::RECORDS_TOTAL,
    progress::Progress,
    proof::{MappedTable, Target},
    set_aside::Reason,
    work::Work,
};

/// Writes the records of a run to Campaign.
pub(crate) struct Writer {
    pub(crate) target: Target,
    /// Names of the queue topics, in the order of the tables.
    pub(crate) topics: Vec<String>,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) progress: Progress,
    pub(crate) run: RunId,
}

/// What there is to do for a record.
enum Task {
    Call(Action),
    Nothing,
}

impl Handler for Writer {
    type Payload = Work;
    type Error = RunError;

    async fn handle(&self, job: &Job<Work>) -> Verdict<RunError> {
        let Some(table) = self.target.tables.get(usize::from(job.partition().topic)) else {
            return Verdict::Fatal(RunError::Defect("a record of an unknown topic".to_owned()));
        };
        let id = String::from_utf8_lossy(job.key());
        let key = match RecordKey::new(&*id) {
            Ok(key) => key,
            Err(error) => return self.set_aside(table, job, &id, Reason::Key(error.to_string())).await,
        };
        let change = match &job.payload().change {
            Ok(change) => change,
            Err(error) => return self.set_aside(table, job, &id, Reason::Unreadable(error.clone())).await,
        };
        if change.mapping != table.uid {
            counter!(RECORDS_TOTAL, "result" => "foreign").increment(1);
            return Verdict::Skipped;
        }
        let action = match task(table, &id, change) {
            Ok(Task::Call(action)) => action,
            Ok(Task::Nothing) => {
                counter!(RECORDS_TOTAL, "result" => "skipped").increment(1);
                return Verdict::Skipped;
            }
            Err(reason) => return self.set_aside(table, job, &id, reason).await,
        };
        self.call(table, job, change, &key, action).await
    }
}

/// Maps a change. Deletes that the mapping does not apply, and rows of which nothing is mapped, cost no call.
fn task(table: &MappedTable, id: &str, change: &Change) -> Result<Task, Reason> {
    match &change.kind {
        ChangeKind::Delete if table.definition.options.apply_deletes => Ok(Task::Call(Action::Delete)),
        ChangeKind::Delete => Ok(Task::Nothing),
        ChangeKind::Upsert(row) => {
            let payload = table.compiled.apply(id, row).map_err(Reason::Row)?;
            let mut body = Vec::with_capacity(1_024);
            payload.write_json(&mut body);
            // A change of a row is mostly an update. Being wrong costs one call.
            let known = change.origin == Origin::Change;
            Ok(Task::Call(Action::Upsert {
                body: Bytes::from(body),
                known,
            }))
        }
    }
}

impl Writer {
    async fn call(
        &self,
        table: &MappedTable,
        job: &Job<Work>,
        change: &Change,
        key: &RecordKey,
        action: Action,
    ) -> Verdict<RunError> {
        let request = match &action {
            Action::Upsert { body, .. } => body.clone(),
            Action::Delete => Bytes::new(),
        };
        let write = Write {
            resource: &table.definition.target_resource,
            key,
            action,
        };
        match self.target.client.write(write).await {
            Ok(written) => match self.prove_key(table, key, written.kind).await {
                Ok(()) => self.written(key, change.read_at, written.kind).await,
                Err(error) => self.hindered(error),
            },
            Err(error) if error.class() == Class::Rejected => {
                let reason = Reason::Campaign {
                    error,
                    request: request.to_vec(),
                };
                self.set_aside(table, job, key.as_str(), reason).await
            }
            Err(error) => self.hindered(error),
        }
    }

    /// The first record that a run inserts must be found again by its key: with a key field that is none, every later change
    /// would insert another record.
    async fn prove_key(
        &self,
        table: &MappedTable,
        key: &RecordKey,
        kind: WrittenKind,
    ) -> Result<(), crosswalk_campaign::Error> {
        if kind != WrittenKind::Inserted || table.key_proved.load(Ordering::Relaxed) {
            return Ok(());
        }
        let resource = &table.definition.target_resource;
        self.target.client.prove_key(resource, key).await?;
        table.key_proved.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// What an error means that is not the record's fault.
    fn hindered(&self, error: crosswalk_campaign::Error) -> Verdict<RunError> {
        match error.class() {
            Class::Retry { after } => {
                self.progress.note_error(&chain(&error).to_string());
                let throttled = matches!(error, crosswalk_campaign::Error::Throttled { .. });
                Verdict::Retry {
                    after,
                    throttled: throttled || after.is_some(),
                }
            }
            Class::Rejected | Class::Fatal => Verdict::Fatal(error.into()),
            Class::Cancelled => Verdict::Cancelled,
        }
    }

    /// A record that has been written has no dead letter of an earlier change any more.
    async fn written(&self, key: &RecordKey, read_at: Timestamp, kind: WrittenKind) -> Verdict<RunError> {
        if let Err(error) = self.dead_letters.settle(key.as_str(), read_at).await {
            self.progress.note_error(&chain(&error).to_string());
            return verdict(error);
        }
        let result = match kind {
            WrittenKind::Inserted => "inserted",
            WrittenKind::Updated => "updated",
            WrittenKind::Deleted => "deleted",
            WrittenKind::AlreadyGone => "already_gone",
        };
        counter!(RECORDS_TOTAL, "result" => result).increment(1);
        Verdict::Done
    }

    /// Sets a record aside; only then it is done.
    async fn set_aside(&self, table: &MappedTable, job: &Job<Work>, id: &str, reason: Reason) -> Verdict<RunError> {
        let partition = job.partition();
        let topic = self
            .topics
            .get(usize::from(partition.topic))
            .cloned()
            .unwrap_or_default();
        let place = QueuePlace {
            topic,
            partition: partition.partition,
            offset: job.offset(),
        };
        let change = job.payload().change.as_ref().ok();
        let letter = reason.letter(&table.definition.source_table, place, change, self.run);
        tracing::debug!(record.id = id, code = letter.code, "a record is set aside");
        if let Err(error) = self.dead_letters.put(id, letter).await {
            self.progress.note_error(&chain(&error).to_string());
            return verdict(error);
        }
        counter!(RECORDS_TOTAL, "result" => "rejected").increment(1);
        self.progress.rejected();
        Verdict::Skipped
    }
}

/// Kafka's trouble: waited for or fatal, never the record's fault.
fn verdict(error: crosswalk_kafka::KafkaError) -> Verdict<RunError> {
    match error.class() {
        Class::Retry { after } => Verdict::Retry {
            after,
            throttled: false,
        },
        Class::Cancelled => Verdict::Cancelled,
        Class::Rejected | Class::Fatal => Verdict::Fatal(error.into()),
    }
}
