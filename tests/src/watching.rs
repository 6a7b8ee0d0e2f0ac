//! Watching the ingress workflow from one moment to another.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use crosswalk_proto::v1::{WatchWorkflowsRequest, WatchWorkflowsResponse, Workflow, watch_workflows_response::Content};
use tokio::task::JoinHandle;
use tonic::Streaming;

use crate::{
    api::{Api, INGRESS, INSTANCE},
    eventually,
};

/// Keeps all that a watch says of the ingress workflow. The watch ends when this is dropped.
pub struct Watching {
    seen: Arc<Mutex<Vec<Workflow>>>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Watching {
    pub(crate) async fn begin(api: &mut Api) -> anyhow::Result<Self> {
        let request = WatchWorkflowsRequest {
            parent: INSTANCE.to_owned(),
        };
        let messages = api.workflows.watch_workflows(request).await?.into_inner();
        let seen = Arc::default();
        let task = tokio::spawn(collect(messages, Arc::clone(&seen)));
        Ok(Self { seen, task })
    }

    /// Waits until the watch has said a state that is as wanted.
    ///
    /// # Errors
    /// If none comes in time.
    pub async fn until(
        &self,
        what: &str,
        deadline: Duration,
        wanted: impl Fn(&Workflow) -> bool,
    ) -> anyhow::Result<()> {
        let look = || async {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            anyhow::ensure!(seen.iter().any(&wanted), "{:?}", seen.last());
            Ok(())
        };
        eventually(what, deadline, look).await
    }

    /// Ends the watch and gives the states of the workflow, in the order they came.
    ///
    /// # Errors
    /// If the watch had ended by itself.
    pub async fn finish(mut self) -> anyhow::Result<Vec<Workflow>> {
        if self.task.is_finished() {
            (&mut self.task).await??;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *seen))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends only with an error: a watch has no end.
async fn collect(
    mut messages: Streaming<WatchWorkflowsResponse>,
    seen: Arc<Mutex<Vec<Workflow>>>,
) -> anyhow::Result<()> {
    loop {
        let message = messages.message().await?.context("the watch has ended by itself")?;
        match message.content {
            Some(Content::Workflow(workflow)) if workflow.name == INGRESS => {
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(workflow);
            }
            _ => {}
        }
    }
}
