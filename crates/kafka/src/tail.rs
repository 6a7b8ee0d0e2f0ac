//! Reading a single-partition topic from its beginning: once to its end, or for ever.

use std::{sync::Arc, thread, time::Duration};

use parking_lot::Mutex;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError as ClientError,
};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Kafka, KafkaError, client::QuietContext};

/// How long a poll may block; bounds how late a cancellation is noticed.
const POLL: Duration = Duration::from_millis(100);

/// How long the broker may take to say where a topic ends.
const ASK: Duration = Duration::from_secs(2);

/// How long the broker may take to give a single record.
const ASK_ONE: Duration = Duration::from_secs(10);

/// What happens while a topic is read.
#[derive(Debug)]
pub(crate) enum Tail<'a> {
    /// The next record.
    Record {
        offset: i64,
        key: Option<&'a [u8]>,
        /// `None` is a tombstone.
        payload: Option<&'a [u8]>,
    },
    /// Everything that stood in the topic so far has been read; comes again each time the end is reached.
    End,
}

/// What a loop runs at each turn, by which others see that it is not stuck.
pub(crate) type Beat = Box<dyn Fn() + Send + Sync>;

/// The beat of a loop that has begun; none until it is set, and after the loop has ended. Clones are the same thing.
#[derive(Clone, Default)]
pub(crate) struct OnTurn(Arc<Mutex<Option<Beat>>>);

impl OnTurn {
    pub(crate) fn set(&self, beat: impl Fn() + Send + Sync + 'static) {
        *self.0.lock() = Some(Box::new(beat));
    }

    pub(crate) fn run(&self) {
        if let Some(beat) = &*self.0.lock() {
            beat();
        }
    }

    pub(crate) fn clear(&self) {
        *self.0.lock() = None;
    }
}

/// Follows partition 0 of a topic from its beginning on a thread of its own, until cancelled.
///
/// A broker that is away is waited for. `ended` runs when the thread ends; with an error if reading cannot go on.
pub(crate) fn follow(
    kafka: &Kafka,
    topic: &str,
    cancel: CancellationToken,
    handle: impl FnMut(Tail<'_>) + Send + 'static,
    ended: impl FnOnce(Result<(), KafkaError>) + Send + 'static,
) -> Result<(), KafkaError> {
    follow_watched(kafka, topic, cancel, OnTurn::default(), handle, ended)
}

/// As [`follow`], for a loop that somebody watches: it turns several times a second, also while the broker is away.
pub(crate) fn follow_watched(
    kafka: &Kafka,
    topic: &str,
    cancel: CancellationToken,
    on_turn: OnTurn,
    mut handle: impl FnMut(Tail<'_>) + Send + 'static,
    ended: impl FnOnce(Result<(), KafkaError>) + Send + 'static,
) -> Result<(), KafkaError> {
    let consumer = reader_at_beginning(kafka, topic)?;
    let name = topic.to_owned();
    let run = move || {
        let is_cancelled = || {
            on_turn.run();
            cancel.is_cancelled()
        };
        let result = poll_until(&consumer, &name, is_cancelled, |event| {
            handle(event);
            false
        });
        on_turn.clear();
        ended(result);
    };
    spawn(&format!("follow {topic}"), run)
}

/// Follows partition 0 of a topic, and waits until all that stands in it has been handled: each record that has a key, by its key
/// and payload. It is followed until the guard is dropped.
pub(crate) async fn catch_up(
    kafka: &Kafka,
    topic: &str,
    mut handle: impl FnMut(&[u8], Option<&[u8]>) + Send + 'static,
) -> Result<DropGuard, KafkaError> {
    let cancel = CancellationToken::new();
    let guard = cancel.clone().drop_guard();
    let (reached_end, mut end) = watch::channel(false);
    let handle = move |event: Tail<'_>| match event {
        Tail::Record {
            key: Some(key),
            payload,
            ..
        } => handle(key, payload),
        Tail::Record { .. } => {}
        Tail::End => {
            reached_end.send_replace(true);
        }
    };
    let name = topic.to_owned();
    let ended = move |result: Result<(), KafkaError>| {
        if let Err(error) = result {
            tracing::error!(topic = name, error = %error, "a topic cannot be followed any more");
        }
    };
    follow(kafka, topic, cancel, handle, ended)?;
    end.wait_for(|reached| *reached)
        .await
        .map_err(|_| KafkaError::Cancelled)?;
    Ok(guard)
}

/// Reads partition 0 of a topic from its beginning to its present end.
pub(crate) async fn read_to_end(
    kafka: &Kafka,
    topic: &str,
    cancel: CancellationToken,
    mut handle: impl FnMut(Tail<'_>) + Send + 'static,
) -> Result<(), KafkaError> {
    let consumer = reader_at_beginning(kafka, topic)?;
    let name = topic.to_owned();
    let read = move || {
        let mut reached_end = false;
        poll_until(
            &consumer,
            &name,
            || cancel.is_cancelled(),
            |event| {
                reached_end = matches!(event, Tail::End);
                handle(event);
                reached_end
            },
        )?;
        if reached_end {
            Ok(())
        } else {
            Err(KafkaError::Cancelled)
        }
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| KafkaError::Cancelled)?
}

/// Reads the record of partition 0 at an offset; `None` if it is not there any more.
pub(crate) async fn read_one(kafka: &Kafka, topic: &str, offset: i64) -> Result<Option<Vec<u8>>, KafkaError> {
    let consumer = kafka.reader()?;
    let topic = topic.to_owned();
    let read = move || {
        let mut assignment = TopicPartitionList::new();
        assignment
            .add_partition_offset(&topic, 0, Offset::Offset(offset))
            .and_then(|()| consumer.assign(&assignment))
            .map_err(KafkaError::client("begin to read a record"))?;
        let begun = std::time::Instant::now();
        while begun.elapsed() < ASK_ONE {
            match consumer.poll(POLL) {
                None => {}
                // Another offset: the record has been compacted away.
                Some(Ok(message)) if message.offset() != offset => return Ok(None),
                Some(Ok(message)) => return Ok(message.payload().map(<[u8]>::to_vec)),
                Some(Err(ClientError::PartitionEOF(_))) => return Ok(None),
                Some(Err(error)) => tracing::debug!(error = %error, "waiting for the broker"),
            }
        }
        Err(KafkaError::NoAnswer {
            operation: "read a record",
            waited: ASK_ONE,
        })
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| KafkaError::Cancelled)?
}

/// A named thread for a consumer, since polling blocks.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), KafkaError> {
    thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .map(drop)
        .map_err(|error| {
            let source = ClientError::ClientCreation(error.to_string());
            KafkaError::Client {
                operation: "start a thread",
                source,
            }
        })
}

fn reader_at_beginning(kafka: &Kafka, topic: &str) -> Result<BaseConsumer<QuietContext>, KafkaError> {
    let consumer = kafka.reader()?;
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(topic, 0, Offset::Beginning)
        .and_then(|()| consumer.assign(&assignment))
        .map_err(KafkaError::client("begin to read a topic"))?;
    Ok(consumer)
}

/// The offset behind the last record that stands in a topic now; `None` if the broker does not say.
fn present_end(consumer: &BaseConsumer<QuietContext>, topic: &str) -> Option<i64> {
    match consumer.fetch_watermarks(topic, 0, ASK) {
        Ok((begin, end)) => Some(if begin < end { end } else { 0 }),
        Err(error) => {
            tracing::debug!(error = %error, "the end of a topic is not known yet");
            None
        }
    }
}

/// Polls until `cancelled`, which is asked at each turn, or until `handle` says that it has enough.
///
/// The broker tells of the end of a partition only when it has waited for more. So it is asked at the beginning where the
/// end is: whoever needs no more than what stands there now need not wait with it.
fn poll_until(
    consumer: &BaseConsumer<QuietContext>,
    topic: &str,
    cancelled: impl Fn() -> bool,
    mut handle: impl FnMut(Tail<'_>) -> bool,
) -> Result<(), KafkaError> {
    let mut end = present_end(consumer, topic);
    if end.take_if(|end| *end == 0).is_some() && handle(Tail::End) {
        return Ok(());
    }
    while !cancelled() {
        let done = match consumer.poll(POLL) {
            None => false,
            Some(Ok(message)) => {
                let is_enough = handle(Tail::Record {
                    offset: message.offset(),
                    key: message.key(),
                    payload: message.payload(),
                });
                let is_last = end.take_if(|end| message.offset() + 1 >= *end).is_some();
                is_enough || (is_last && handle(Tail::End))
            }
            Some(Err(ClientError::PartitionEOF(_))) => handle(Tail::End),
            Some(Err(source)) => {
                KafkaError::pass_over("read a topic", source)?;
                false
            }
        };
        if done {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Instant,
    };

    use super::*;
    use crate::KafkaSettings;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn wait_until(what: &str, condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < DEADLINE, "never: {what}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_loop_turns_while_the_broker_is_away_and_is_not_watched_after_its_end() {
        let settings = KafkaSettings {
            bootstrap: "127.0.0.1:1".to_owned(),
            ..KafkaSettings::default()
        };
        let (kafka, cancel, on_turn) = (
            Kafka::new(settings, "test"),
            CancellationToken::new(),
            OnTurn::default(),
        );
        let turns = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&turns);
        on_turn.set(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        follow_watched(&kafka, "topic", cancel.clone(), on_turn.clone(), |_| {}, |_| {}).unwrap();
        wait_until("three turns", || turns.load(Ordering::Relaxed) >= 3);
        cancel.cancel();
        wait_until("the end of the loop", || Arc::strong_count(&turns) == 1);
        drop(on_turn);
    }
}
