//! The dead letters of a workflow that are there now: read once, for whoever is asked to redrive some of them.

use std::{collections::HashMap, sync::Arc};

use crosswalk_core::WorkflowName;
use crosswalk_proto::record::decode_dead_letter;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::{
    Kafka, KafkaError,
    tail::{self, Tail},
};

/// What is needed of a dead letter to tell whether it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentLetter {
    /// Its key, `{table}/{record id}`.
    pub key: Box<str>,
    /// Its reason.
    pub code: Box<str>,
    /// The source table.
    pub table: Box<str>,
}

/// The dead letters of a workflow that are there now.
///
/// # Errors
/// If the topic cannot be read to its end.
pub async fn present_letters(
    kafka: &Kafka,
    workflow: &WorkflowName,
    cancel: CancellationToken,
) -> Result<Vec<PresentLetter>, KafkaError> {
    let found: Arc<Mutex<HashMap<Box<str>, PresentLetter>>> = Arc::default();
    let letters = Arc::clone(&found);
    let handle = move |event: Tail<'_>| {
        let Tail::Record {
            key: Some(key),
            payload,
            ..
        } = event
        else {
            return;
        };
        let key: Box<str> = String::from_utf8_lossy(key).into();
        match payload.map(decode_dead_letter) {
            Some(Ok(letter)) => {
                let present = PresentLetter {
                    key: key.clone(),
                    code: letter.code.into(),
                    table: letter.table.into(),
                };
                letters.lock().insert(key, present);
            }
            Some(Err(_)) | None => {
                letters.lock().remove(&key);
            }
        }
    };
    tail::read_to_end(kafka, &kafka.topics().dead_letters(workflow), cancel, handle).await?;
    let letters = std::mem::take(&mut *found.lock());
    Ok(letters.into_values().collect())
}
