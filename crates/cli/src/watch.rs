//! `WatchWorkflows` as a sequence of events that outlives broken connections.

use std::time::Duration;

use crosswalk_proto::v1::{WatchWorkflowsRequest, WatchWorkflowsResponse, Workflow, watch_workflows_response::Content};
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, Streaming};

use crate::{
    connection::Connection,
    failure::{Failure, root_cause},
};

/// The server sends something at least every 15 seconds (workflows.proto): after three times that the connection is dead.
const SILENCE: Duration = Duration::from_secs(45);

/// Longest pause between two attempts to connect.
const MAXIMUM_PAUSE: Duration = Duration::from_secs(10);

/// What the watch tells.
#[derive(Debug)]
pub(crate) enum Event {
    /// The present state of one workflow.
    Workflow(Box<Workflow>),
    /// All workflows have been told; what follows are changes.
    Synchronized,
    /// The connection lives, and nothing has changed.
    Alive,
    /// The connection broke, or could not be made again. The next event comes when it stands again.
    Disconnected {
        /// Why.
        reason: String,
        /// How long until the next attempt.
        pause: Duration,
    },
}

/// Follows the workflows of the connection's instance.
#[derive(Debug)]
pub(crate) struct Watch<'connection> {
    connection: &'connection Connection,
    stream: Option<Streaming<WatchWorkflowsResponse>>,
    /// Attempts since something was last received.
    attempts: u32,
}

impl<'connection> Watch<'connection> {
    /// A watch that connects when the first event is asked for.
    pub(crate) fn new(connection: &'connection Connection) -> Self {
        Self {
            connection,
            stream: None,
            attempts: 0,
        }
    }

    /// The next event. Loses none when dropped before it is ready.
    ///
    /// # Errors
    /// What the server answers other than that it, or the way to it, is not available for now.
    pub(crate) async fn next(&mut self) -> Result<Event, Failure> {
        loop {
            let Some(stream) = &mut self.stream else {
                if let Some(event) = self.connect().await? {
                    return Ok(event);
                }
                continue;
            };
            return match timeout(SILENCE, stream.message()).await {
                Ok(Ok(Some(message))) => {
                    self.attempts = 0;
                    Ok(event(message))
                }
                Ok(Ok(None)) => Ok(self.disconnected("the server ended the stream".to_owned())),
                Ok(Err(status)) if is_passing(&status) => Ok(self.disconnected(reason(&status))),
                Ok(Err(status)) => Err(self.connection.failure(&status)),
                Err(_) => Ok(self.disconnected(format!("nothing came for {} s", SILENCE.as_secs()))),
            };
        }
    }

    /// Begins the stream, after a pause if an attempt went before; returns an event if that fails for a passing reason.
    async fn connect(&mut self) -> Result<Option<Event>, Failure> {
        sleep(pause(self.attempts)).await;
        let request = WatchWorkflowsRequest {
            parent: self.connection.instance().into(),
        };
        match self.connection.workflows().watch_workflows(request).await {
            Ok(response) => {
                self.stream = Some(response.into_inner());
                Ok(None)
            }
            Err(status) if is_passing(&status) => Ok(Some(self.disconnected(reason(&status)))),
            Err(status) => Err(self.connection.failure(&status)),
        }
    }

    fn disconnected(&mut self, reason: String) -> Event {
        self.stream = None;
        self.attempts = self.attempts.saturating_add(1);
        Event::Disconnected {
            reason,
            pause: pause(self.attempts),
        }
    }
}

fn event(message: WatchWorkflowsResponse) -> Event {
    match message.content {
        Some(Content::Workflow(workflow)) => Event::Workflow(Box::new(workflow)),
        Some(Content::Synchronized(_)) => Event::Synchronized,
        None => Event::Alive,
    }
}

/// Whether trying again can help: the server drains or restarts, or the way to it broke, which our side notices and
/// tells as a status with a source.
fn is_passing(status: &Status) -> bool {
    status.code() == Code::Unavailable || std::error::Error::source(status).is_some()
}

fn reason(status: &Status) -> String {
    std::error::Error::source(status).map_or_else(|| status.message().to_owned(), root_cause)
}

/// None before the first attempt, then 0.5 s, doubled with each attempt.
fn pause(attempts: u32) -> Duration {
    match attempts {
        0 => Duration::ZERO,
        _ => Duration::from_millis(500)
            .saturating_mul(1 << (attempts - 1).min(10))
            .min(MAXIMUM_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_their_bound() {
        let seconds = [0, 1, 2, 3, 5, 6, 100, u32::MAX].map(|attempts| pause(attempts).as_secs_f64());
        assert_eq!(seconds, [0.0, 0.5, 1.0, 2.0, 8.0, 10.0, 10.0, 10.0]);
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        assert!(is_passing(&Status::unavailable("the server drains")));
        assert!(!is_passing(&Status::not_found("no such instance")));
        assert!(!is_passing(&Status::permission_denied("viewers only")));
        let broken = Status::from_error(Box::new(std::io::Error::other("connection reset")));
        assert!(is_passing(&broken));
        assert_eq!(reason(&broken), "connection reset");
    }
}
