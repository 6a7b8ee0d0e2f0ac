//! Watching the workflows of an instance: the full state, a marker, then changes.
//!
//! Messages are made when the client takes them, so a slow client skips states instead of piling them up.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crosswalk_core::{InstanceId, control::State};
use crosswalk_proto::v1::{self, WatchWorkflowsResponse, watch_workflows_response::Content};
use futures::{Stream, stream};
use tokio::{
    sync::watch::Receiver,
    time::{Instant, sleep_until},
};
use tonic::Status;

use crate::{backlog::BacklogWatch, error::ApiError, shared::Shared, view};

/// Least time between two looks: at most five messages a second for each workflow.
const LEAST_INTERVAL: Duration = Duration::from_millis(200);

/// Longest time between two looks, since a status changes with time alone.
const MOST_INTERVAL: Duration = Duration::from_secs(1);

/// An empty message comes when there was none for so long.
const SILENCE: Duration = Duration::from_secs(15);

/// The messages for a client who watches an instance.
pub(crate) async fn watch(
    shared: Arc<Shared>,
    instance: InstanceId,
) -> Result<impl Stream<Item = Result<WatchWorkflowsResponse, Status>> + Send + 'static, ApiError> {
    let watch = Watch::begin(shared, instance).await?;
    Ok(stream::unfold(Some(watch), async |watch| {
        let mut watch = watch?;
        match watch.next().await {
            Ok(message) => Some((Ok(message), Some(watch))),
            Err(error) => Some((Err(error.into()), None)),
        }
    }))
}

struct Watch {
    shared: Arc<Shared>,
    instance: InstanceId,
    state: Receiver<Option<Arc<State>>>,
    reports: Receiver<u64>,
    backlog: Option<BacklogWatch>,
    changes: Changes,
    looked: Instant,
}

/// Why a watch wakes up.
enum Wake {
    /// Something may have changed.
    Look,
    /// Nothing was said for long.
    Silence,
}

impl Watch {
    async fn begin(shared: Arc<Shared>, instance: InstanceId) -> Result<Self, ApiError> {
        let state = shared.state().await?;
        let connected = shared.connected()?;
        let mut changes = Changes::new(Instant::now());
        changes.begin(view::workflows(connected, &state, &instance)?);
        Ok(Self {
            state: connected.control.watch(),
            reports: connected.reports.changes(),
            backlog: connected.backlogs.watch(&instance),
            changes,
            looked: Instant::now(),
            shared,
            instance,
        })
    }

    async fn next(&mut self) -> Result<WatchWorkflowsResponse, ApiError> {
        loop {
            if let Some(message) = self.changes.pop(Instant::now()) {
                return Ok(message);
            }
            match self.wake().await? {
                Wake::Look => self.look().await?,
                Wake::Silence => self.changes.keep_alive(),
            }
        }
    }

    async fn wake(&mut self) -> Result<Wake, ApiError> {
        let backlog = self.backlog.as_mut();
        let measured = async {
            match backlog {
                Some(backlog) => backlog.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.shared.stop.cancelled() => Err(ApiError::Draining),
            changed = self.state.changed() => changed.map(|()| Wake::Look).map_err(|_| ApiError::Draining),
            changed = self.reports.changed() => changed.map(|()| Wake::Look).map_err(|_| ApiError::Draining),
            () = measured => Ok(Wake::Look),
            () = sleep_until(self.looked + MOST_INTERVAL) => Ok(Wake::Look),
            () = sleep_until(self.changes.last_message + SILENCE) => Ok(Wake::Silence),
        }
    }

    /// Looks at everything, not sooner than the least interval after the last time.
    async fn look(&mut self) -> Result<(), ApiError> {
        tokio::select! {
            () = self.shared.stop.cancelled() => return Err(ApiError::Draining),
            () = sleep_until(self.looked + LEAST_INTERVAL) => {}
        }
        let state = self.state.borrow_and_update().clone().ok_or(ApiError::Draining)?;
        self.reports.mark_unchanged();
        let connected = self.shared.connected()?;
        if self.backlog.is_none() {
            self.backlog = connected.backlogs.watch(&self.instance);
        }
        self.looked = Instant::now();
        self.changes.look(view::workflows(connected, &state, &self.instance)?);
        Ok(())
    }
}

/// What has been said, and what is to be said next.
struct Changes {
    said: [v1::Workflow; 3],
    next: VecDeque<WatchWorkflowsResponse>,
    last_message: Instant,
}

impl Changes {
    fn new(now: Instant) -> Self {
        Self {
            said: Default::default(),
            next: VecDeque::new(),
            last_message: now,
        }
    }

    /// The full state and the marker.
    fn begin(&mut self, present: [v1::Workflow; 3]) {
        self.next.extend(
            present
                .iter()
                .cloned()
                .map(|workflow| message(Content::Workflow(workflow))),
        );
        self.next.push_back(message(Content::Synchronized(true)));
        self.said = present;
    }

    /// What differs from what was said last.
    fn look(&mut self, present: [v1::Workflow; 3]) {
        for (said, present) in self.said.iter_mut().zip(present) {
            if *said != present {
                self.next.push_back(message(Content::Workflow(present.clone())));
                *said = present;
            }
        }
    }

    fn keep_alive(&mut self) {
        self.next.push_back(WatchWorkflowsResponse { content: None });
    }

    fn pop(&mut self, now: Instant) -> Option<WatchWorkflowsResponse> {
        let message = self.next.pop_front()?;
        self.last_message = now;
        Some(message)
    }
}

fn message(content: Content) -> WatchWorkflowsResponse {
    WatchWorkflowsResponse { content: Some(content) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workflows(backlogs: [i64; 3]) -> [v1::Workflow; 3] {
        backlogs.map(|backlog| v1::Workflow {
            backlog: Some(backlog),
            ..v1::Workflow::default()
        })
    }

    /// Backlogs of the messages to be said, -1 for the marker and -2 for an empty one.
    fn said(changes: &mut Changes) -> Vec<i64> {
        std::iter::from_fn(|| changes.pop(Instant::now()))
            .map(|message| match message.content {
                Some(Content::Workflow(workflow)) => workflow.backlog.unwrap(),
                Some(Content::Synchronized(_)) => -1,
                None => -2,
            })
            .collect()
    }

    #[test]
    fn the_full_state_comes_first_then_the_marker_then_what_changes() {
        let mut changes = Changes::new(Instant::now());
        changes.begin(workflows([1, 2, 3]));
        assert_eq!(said(&mut changes), [1, 2, 3, -1]);
        changes.look(workflows([1, 2, 3]));
        assert_eq!(said(&mut changes), [0; 0]);
        changes.look(workflows([1, 5, 3]));
        assert_eq!(said(&mut changes), [5]);
        changes.look(workflows([1, 5, 3]));
        assert_eq!(said(&mut changes), [0; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_message_counts_as_one_and_ends_the_silence() {
        let mut changes = Changes::new(Instant::now());
        tokio::time::advance(SILENCE).await;
        changes.keep_alive();
        assert_eq!(said(&mut changes), [-2]);
        assert_eq!(changes.last_message, Instant::now());
    }
}
