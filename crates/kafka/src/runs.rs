//! Runs: one task for every workflow that is wanted to run, as the control log says (design §5).

use std::{collections::HashMap, future::Future, sync::Arc};

use crosswalk_core::{
    WorkflowId, WorkflowName,
    control::{Run, State},
};
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{ControlLog, KafkaError};

/// Keeps one task per started workflow of a kind, of every instance, until `stop` is cancelled; then ends them all.
///
/// `run` is called for each new run with a token that says when the run is not wanted any more, and is awaited before a
/// later run of the same workflow begins. It may return early, which is how a failed run ends; the workflow then waits
/// for its next run.
///
/// # Errors
/// If the control log cannot be followed any more, or a run has panicked.
pub async fn keep_runs<F>(
    control: &ControlLog,
    workflow: WorkflowId,
    stop: &CancellationToken,
    run: impl Fn(WorkflowName, Run, CancellationToken) -> F + Clone + Send + Sync + 'static,
) -> Result<(), KafkaError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut state = control.watch();
    let mut keepers: HashMap<WorkflowName, watch::Sender<Option<Run>>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let result = loop {
        if let Some(state) = state.borrow_and_update().clone() {
            for (name, wanted) in wanted_runs(&state, workflow) {
                let keeper = keepers.entry(name.clone()).or_insert_with(|| {
                    let (sender, receiver) = watch::channel(None);
                    tasks.spawn(keep(name, receiver, run.clone()));
                    sender
                });
                tell(keeper, wanted);
            }
            // An instance that has been deleted is not in the state any more; its keeper ends with its sender.
            keepers.retain(|name, _| state.instance(&name.instance).is_some());
        }
        tokio::select! {
            () = stop.cancelled() => break Ok(()),
            changed = state.changed() => if changed.is_err() {
                break Err(KafkaError::Cancelled);
            },
            Some(ended) = tasks.join_next() => if let Err(error) = ended.flatten() {
                tracing::error!(error = %error, "a run has ended by a defect");
                break Err(KafkaError::Cancelled);
            },
        }
    };
    keepers.clear();
    while tasks.join_next().await.is_some() {}
    result
}

fn wanted_runs(state: &Arc<State>, workflow: WorkflowId) -> Vec<(WorkflowName, Option<Run>)> {
    state
        .instances()
        .map(|(id, instance)| {
            (
                WorkflowName {
                    instance: id.clone(),
                    workflow,
                },
                instance.workflow(workflow).run().cloned(),
            )
        })
        .collect()
}

fn tell(keeper: &watch::Sender<Option<Run>>, wanted: Option<Run>) {
    keeper.send_if_modified(|present| {
        let is_new = present.as_ref().map(|run| run.id) != wanted.as_ref().map(|run| run.id);
        *present = wanted;
        is_new
    });
}

/// Runs what is wanted of one workflow, one run after the other, until nobody tells what is wanted any more.
async fn keep<F>(
    name: WorkflowName,
    mut wanted: watch::Receiver<Option<Run>>,
    run: impl Fn(WorkflowName, Run, CancellationToken) -> F,
) -> Result<(), JoinError>
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let next = wanted.borrow_and_update().clone();
        let Some(next) = next else {
            if wanted.changed().await.is_err() {
                return Ok(());
            }
            continue;
        };
        let cancel = CancellationToken::new();
        let mut task = AbortOnDrop(tokio::spawn(run(name.clone(), next, cancel.clone())));
        let more = tokio::select! {
            more = wanted.changed() => more,
            ended = &mut task.0 => {
                ended?;
                if wanted.changed().await.is_err() {
                    return Ok(());
                }
                continue;
            }
        };
        cancel.cancel();
        (&mut task.0).await?;
        if more.is_err() {
            return Ok(());
        }
    }
}

/// A run does not outlive its keeper.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
