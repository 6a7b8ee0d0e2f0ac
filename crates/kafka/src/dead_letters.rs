//! Dead letters of one workflow: setting records aside, and taking back what a later change has settled (design §4, §8).

use std::{collections::HashMap, sync::Arc};

use crosswalk_core::{WorkflowName, dead_letter::DeadLetter};
use crosswalk_proto::record::{decode_dead_letter, encode_dead_letter};
use jiff::Timestamp;
use parking_lot::RwLock;
use tokio_util::sync::DropGuard;

use crate::{Kafka, KafkaError, Producer, tail};

/// The dead letters of one workflow. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetters {
    producer: Producer,
    topic: Arc<str>,
    /// Of each record that has a dead letter, when the change that was set aside had been read.
    present: Arc<RwLock<HashMap<Box<str>, Timestamp>>>,
    _stop: Arc<DropGuard>,
}

impl DeadLetters {
    /// Opens the dead letters of a workflow, making their topic if it is not there, and follows them, to know which
    /// records have one. Waits until those that are there have been read.
    ///
    /// # Errors
    /// If Kafka refuses or cannot be reached.
    pub async fn open(kafka: &Kafka, producer: Producer, workflow: &WorkflowName) -> Result<Self, KafkaError> {
        kafka
            .ensure_topics(&[kafka.topics().dead_letters_spec(&workflow.instance, workflow.workflow)])
            .await?;
        let topic = kafka.topics().dead_letters(workflow);
        let present: Arc<RwLock<HashMap<Box<str>, Timestamp>>> = Arc::default();
        let known = Arc::clone(&present);
        let handle = move |key: &[u8], payload: Option<&[u8]>| {
            let id = String::from_utf8_lossy(key);
            match payload {
                // One that cannot be read is settled by the next write, whatever it was.
                Some(letter) => {
                    let read_at = decode_dead_letter(letter).map_or(Timestamp::MIN, |letter| letter.read_at);
                    known.write().insert(id.into(), read_at)
                }
                None => known.write().remove(&*id),
            };
        };
        let stop = tail::catch_up(kafka, &topic, handle).await?;
        Ok(Self {
            producer,
            topic: topic.into(),
            present,
            _stop: Arc::new(stop),
        })
    }

    /// Sets a record aside and waits until that is durable. A letter too large for the topic goes without its rows.
    ///
    /// # Errors
    /// If it is not acknowledged; the record must not count as finished then.
    pub async fn put(&self, record_id: &str, letter: DeadLetter) -> Result<(), KafkaError> {
        self.present.write().insert(record_id.into(), letter.read_at);
        let bare = DeadLetter {
            source_row: None,
            request: None,
            ..letter.clone()
        };
        match self
            .producer
            .send(&self.topic, record_id, Some(&encode_dead_letter(letter)))
            .await
        {
            Err(KafkaError::RecordTooLarge { .. }) => self
                .producer
                .send(&self.topic, record_id, Some(&encode_dead_letter(bare)))
                .await
                .map(drop),
            result => result.map(drop),
        }
    }

    /// Takes back the dead letter of a record, if it has one, since a change of it that was read at `read_at` has been
    /// settled. A letter of a change that was read later stays.
    ///
    /// # Errors
    /// If that is not acknowledged.
    pub async fn settle(&self, record_id: &str, read_at: Timestamp) -> Result<(), KafkaError> {
        if self
            .present
            .read()
            .get(record_id)
            .is_none_or(|set_aside| *set_aside > read_at)
        {
            return Ok(());
        }
        self.producer.send(&self.topic, record_id, None).await?;
        self.present.write().remove(record_id);
        Ok(())
    }
}
