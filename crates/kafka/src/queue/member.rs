//! A member of the group that works off some queue topics, from joining to leaving.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::membership::QueueContext;
use crate::{Kafka, KafkaError, pool::Handler, tail};

/// How long a poll may block while the group is waited for.
const POLL: Duration = Duration::from_millis(20);

/// A member that has not begun to work: [`Queue::consume`](super::Queue::consume) begins. To join takes a second or more, in which
/// a run can open what else it needs. Leaves when dropped.
///
/// Until it works, it stands in the way of members that come or go. So it should not be kept for long without working.
pub struct QueueMember<H: Handler>(Option<Joined<H>>);

/// The consumer of a member.
pub(super) struct Joined<H: Handler> {
    pub(super) consumer: Arc<BaseConsumer<QueueContext<H>>>,
    pub(super) group: String,
    /// How long to wait for becoming a member before leaving, where a broker has to be spared a member that leaves while it joins.
    settle: Option<Duration>,
}

impl<H: Handler> QueueMember<H> {
    /// Begins to join `group`, which works off `topics`. They must be there. To be called within the runtime that the work
    /// pool runs in.
    ///
    /// # Errors
    /// If the settings are not valid.
    pub fn join(kafka: &Kafka, group: &str, topics: &[String]) -> Result<Self, KafkaError> {
        let session_timeout = kafka.settings().session_timeout;
        let context = QueueContext::new(topics.into(), session_timeout / 2);
        let partitions = context.share().borrow().total;
        let consumer = kafka.member(group, partitions, context)?;
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer
            .subscribe(&names)
            .map_err(KafkaError::client("join the group of writers"))?;
        // A join takes at least half the session timeout at the embedded broker, and a second one may be under way.
        let settle = kafka.settings().leave_as_member.then(|| session_timeout * 2);
        Ok(Self(Some(Joined {
            consumer: Arc::new(consumer),
            group: group.to_owned(),
            settle,
        })))
    }

    /// The member, to be worked with; `None` once it has been taken.
    pub(super) fn take(mut self) -> Option<Joined<H>> {
        self.0.take()
    }
}

impl<H: Handler> Drop for QueueMember<H> {
    fn drop(&mut self) {
        let Some(joined) = self.0.take() else { return };
        // Leaving blocks. If there is no thread for it, the group misses the member after the session timeout.
        let name = format!("leave {}", joined.group);
        if let Err(error) = tail::spawn(&name, move || joined.leave()) {
            tracing::warn!(error = %error, "a group is left without a word");
        }
    }
}

impl<H: Handler> Joined<H> {
    /// Has `wake` called when the group has news. To be called before the consumer is shared.
    pub(super) fn wake_by(&mut self, wake: impl Fn() + Send + Sync + 'static) {
        if let Some(consumer) = Arc::get_mut(&mut self.consumer) {
            consumer.set_nonempty_callback(wake);
        }
    }

    /// Leaves the group. Blocks.
    pub(super) fn leave(self) {
        if let Some(settle) = self.settle {
            self.become_member(settle);
        }
        self.consumer.unsubscribe();
    }

    /// Polls on until there is an assignment, so that the group is not left in the midst of joining it.
    fn become_member(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let is_member = || self.consumer.assignment().is_ok_and(|assigned| assigned.count() > 0);
        while !is_member() && Instant::now() < deadline {
            // What comes is not taken any more; its offsets are not stored, so whoever joins next reads it.
            drop(self.consumer.poll(POLL));
        }
    }
}
