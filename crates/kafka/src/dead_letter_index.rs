//! The dead letters of one workflow as people look at them: a summary of each in memory, the whole of one on demand.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crosswalk_core::{WorkflowName, dead_letter::DeadLetter};
use crosswalk_proto::record::decode_dead_letter;
use jiff::Timestamp;
use parking_lot::RwLock;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    Kafka, KafkaError, Producer,
    tail::{self, Tail},
};

/// How long the first read of the topic may take before whoever asks is sent away.
const FIRST_READ: Duration = Duration::from_secs(20);

/// What is kept in mind of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterSummary {
    /// The reason.
    pub code: Box<str>,
    /// What was wrong and what to do.
    pub message: Box<str>,
    /// The source table.
    pub table: Box<str>,
    /// The first target field that is at fault; empty if none is.
    pub target_field: Box<str>,
    /// When it was set aside.
    pub time: Timestamp,
    /// When it was read from its source.
    pub read_at: Timestamp,
    /// Its place in the topic.
    pub offset: i64,
}

/// The dead letters of one workflow. Cheap to clone; followed until the last clone is dropped.
#[derive(Clone)]
pub struct DeadLetterIndex {
    kafka: Kafka,
    producer: Producer,
    topic: Arc<str>,
    known: Arc<RwLock<Known>>,
    reached_end: watch::Receiver<bool>,
    _stop: Arc<DropGuard>,
}

struct Known {
    letters: HashMap<Box<str>, LetterSummary>,
    /// Most that are kept in mind.
    limit: usize,
    /// Those beyond the limit: their places in the topic, by key.
    unlisted: HashMap<Box<str>, i64>,
}

impl DeadLetterIndex {
    /// Follows the dead letters of a workflow, making their topic if it is not there. No more than `limit` are kept in mind.
    ///
    /// # Errors
    /// If Kafka refuses or cannot be reached.
    pub async fn follow(
        kafka: &Kafka,
        producer: Producer,
        workflow: &WorkflowName,
        limit: usize,
    ) -> Result<Self, KafkaError> {
        kafka
            .ensure_topics(&[kafka.topics().dead_letters_spec(&workflow.instance, workflow.workflow)])
            .await?;
        let topic = kafka.topics().dead_letters(workflow);
        let cancel = CancellationToken::new();
        let stop = Arc::new(cancel.clone().drop_guard());
        let known = Arc::new(RwLock::new(Known {
            letters: HashMap::new(),
            limit,
            unlisted: HashMap::new(),
        }));
        let (publish_end, reached_end) = watch::channel(false);
        let followed = Arc::clone(&known);
        let handle = move |event: Tail<'_>| match event {
            Tail::Record {
                offset,
                key: Some(key),
                payload,
            } => followed.write().take(offset, &String::from_utf8_lossy(key), payload),
            Tail::Record { .. } => {}
            Tail::End => {
                publish_end.send_replace(true);
            }
        };
        let name = topic.clone();
        let ended = move |result: Result<(), KafkaError>| {
            if let Err(error) = result {
                tracing::error!(topic = name, error = %error, "dead letters are not followed any more");
            }
        };
        tail::follow(kafka, &topic, cancel, handle, ended)?;
        Ok(Self {
            kafka: kafka.clone(),
            producer,
            topic: topic.into(),
            known,
            reached_end,
            _stop: stop,
        })
    }

    /// Waits until everything that stood in the topic has been read.
    ///
    /// # Errors
    /// If that takes too long, or there are more than can be kept in mind.
    async fn ready(&self) -> Result<(), KafkaError> {
        let mut reached_end = self.reached_end.clone();
        let reached = reached_end.wait_for(|reached| *reached);
        if !matches!(tokio::time::timeout(FIRST_READ, reached).await, Ok(Ok(_))) {
            return Err(KafkaError::NoAnswer {
                operation: "read the dead letters",
                waited: FIRST_READ,
            });
        }
        self.list_the_rest().await
    }

    /// Takes in what was beyond the limit and is not any more, now that others have gone.
    async fn list_the_rest(&self) -> Result<(), KafkaError> {
        let rest = {
            let known = self.known.read();
            if known.unlisted.is_empty() {
                return Ok(());
            }
            if known.letters.len() + known.unlisted.len() > known.limit {
                return Err(KafkaError::TooManyDeadLetters { limit: known.limit });
            }
            known.unlisted.clone()
        };
        let cancel = CancellationToken::new();
        let _ends = cancel.clone().drop_guard();
        let known = Arc::clone(&self.known);
        let handle = move |event: Tail<'_>| {
            if let Tail::Record {
                offset,
                key: Some(key),
                payload,
            } = event
            {
                let key = String::from_utf8_lossy(key);
                if rest.get(&*key) == Some(&offset) {
                    known.write().take_unlisted(offset, &key, payload);
                }
            }
        };
        tail::read_to_end(&self.kafka, &self.topic, cancel, handle).await
    }

    /// The dead letters that fit, oldest first.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn list(
        &self,
        fits: impl Fn(&str, &LetterSummary) -> bool,
    ) -> Result<Vec<(Box<str>, LetterSummary)>, KafkaError> {
        self.ready().await?;
        let known = self.known.read();
        let mut letters: Vec<(Box<str>, LetterSummary)> = known
            .letters
            .iter()
            .filter(|(key, letter)| fits(key, letter))
            .map(|(key, letter)| (key.clone(), letter.clone()))
            .collect();
        drop(known);
        letters.sort_by(|(one_key, one), (other_key, other)| (one.time, one_key).cmp(&(other.time, other_key)));
        Ok(letters)
    }

    /// One dead letter, whole; `None` if there is none of that key, or it has just been settled.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn get(&self, key: &str) -> Result<Option<(LetterSummary, DeadLetter)>, KafkaError> {
        self.ready().await?;
        let Some(summary) = self.known.read().letters.get(key).cloned() else {
            return Ok(None);
        };
        let payload = tail::read_one(&self.kafka, &self.topic, summary.offset).await?;
        let letter = payload.and_then(|payload| decode_dead_letter(&payload).ok());
        Ok(letter.map(|letter| (summary, letter)))
    }

    /// Forgets dead letters for good, and waits until that is durable.
    ///
    /// # Errors
    /// If it is not acknowledged.
    pub async fn discard(&self, keys: &[Box<str>]) -> Result<(), KafkaError> {
        let mut pending = Vec::with_capacity(keys.len());
        for key in keys {
            pending.push(self.producer.enqueue(&self.topic, key, None).await?);
        }
        for delivery in pending {
            delivery.acknowledged().await?;
        }
        let mut known = self.known.write();
        for key in keys {
            known.forget(key);
        }
        Ok(())
    }
}

impl Known {
    /// Takes in one beyond the limit, unless something has become of it meanwhile.
    fn take_unlisted(&mut self, offset: i64, key: &str, payload: Option<&[u8]>) {
        if self.unlisted.get(key) == Some(&offset) {
            self.unlisted.remove(key);
            self.take(offset, key, payload);
        }
    }

    fn forget(&mut self, key: &str) {
        self.letters.remove(key);
        self.unlisted.remove(key);
    }

    fn take(&mut self, offset: i64, key: &str, payload: Option<&[u8]>) {
        let letter = payload.and_then(|payload| decode_dead_letter(payload).ok());
        let Some(letter) = letter else {
            self.forget(key);
            return;
        };
        if self.letters.len() >= self.limit && !self.letters.contains_key(key) {
            self.unlisted.insert(key.into(), offset);
            return;
        }
        let target_field = letter
            .faults
            .first()
            .map(|fault| fault.field.as_str())
            .unwrap_or_default();
        let summary = LetterSummary {
            target_field: target_field.into(),
            code: letter.code.into(),
            message: letter.message.into(),
            table: letter.table.into(),
            time: letter.time,
            read_at: letter.read_at,
            offset,
        };
        self.letters.insert(key.into(), summary);
    }
}

#[cfg(test)]
mod tests {
    use crosswalk_core::control::RunId;
    use crosswalk_proto::record::encode_dead_letter;
    use uuid::Uuid;

    use super::*;

    fn letter() -> Vec<u8> {
        encode_dead_letter(DeadLetter {
            code: "TOO_LONG".to_owned(),
            message: String::new(),
            faults: Vec::new(),
            table: "contact".to_owned(),
            place: None,
            source_row: None,
            request: None,
            answer: None,
            read_at: Timestamp::UNIX_EPOCH,
            time: Timestamp::UNIX_EPOCH,
            run: RunId(Uuid::nil()),
        })
    }

    #[test]
    fn letters_beyond_the_limit_are_counted_as_too_many_only_while_they_are_there() {
        let mut known = Known {
            letters: HashMap::new(),
            limit: 2,
            unlisted: HashMap::new(),
        };
        let letter = letter();
        for (offset, key) in [(0, "a"), (1, "b"), (2, "c"), (3, "c"), (4, "b")] {
            known.take(offset, key, Some(&letter));
        }
        assert_eq!((known.letters.len(), known.unlisted.len()), (2, 1));
        assert_eq!(
            known.letters["b"].offset, 4,
            "a newer letter of the same record takes its place"
        );
        known.take_unlisted(2, "c", Some(&letter));
        assert_eq!(known.unlisted["c"], 3, "one that is out of date is not taken in");
        known.take(5, "a", None);
        known.take_unlisted(3, "c", Some(&letter));
        assert_eq!((known.letters.len(), known.unlisted.len()), (2, 0));
        known.take(6, "d", Some(&letter));
        known.take(7, "d", None);
        assert!(known.unlisted.is_empty());
    }
}
