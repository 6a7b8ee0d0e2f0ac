//! How long a Start takes, as a client sees it who watches.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use crosswalk_proto::v1::{
    WatchWorkflowsRequest, WatchWorkflowsResponse, Workflow, watch_workflows_response::Content, workflow::Status,
};
use crosswalk_tests::{INGRESS, INSTANCE};
use tonic::Streaming;

use crate::{
    arguments::Arguments,
    report::{Report, say},
    system::System,
};

/// A Start or Stop that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// Stops and starts the workflow, and measures from the call of Start until Watch shows RUNNING.
pub(crate) async fn measure(arguments: &Arguments, system: &mut System, report: &mut Report) -> anyhow::Result<()> {
    say(&format!("{} stops and starts", arguments.starts));
    let request = WatchWorkflowsRequest {
        parent: INSTANCE.to_owned(),
    };
    let mut watch = system.api.workflows.watch_workflows(request).await?.into_inner();
    for _ in 0..arguments.starts {
        let begin = Instant::now();
        system.api.stop().await?;
        until(&mut watch, "STOPPED", |workflow| {
            workflow.status() == Status::Stopped && !workflow.stopping
        })
        .await?;
        report.add("Stop to STOPPED", "s", [begin.elapsed().as_secs_f64()]);

        let begin = Instant::now();
        let run = system.api.start().await?.run_id;
        until(&mut watch, "RUNNING", |workflow| {
            workflow.status() == Status::Running && workflow.run_id == run
        })
        .await?;
        report.add("STARTING to RUNNING", "s", [begin.elapsed().as_secs_f64()]);
    }
    report.memory("after the starts", system)
}

async fn until(
    watch: &mut Streaming<WatchWorkflowsResponse>,
    what: &str,
    wanted: impl Fn(&Workflow) -> bool,
) -> anyhow::Result<()> {
    let mut seen = None;
    let found = async {
        loop {
            let message = watch.message().await?.context("the watch has ended")?;
            let Some(Content::Workflow(workflow)) = message.content else {
                continue;
            };
            if workflow.name == INGRESS {
                if wanted(&workflow) {
                    return Ok(());
                }
                seen = Some(workflow);
            }
        }
    };
    match tokio::time::timeout(DEADLINE, found).await {
        Ok(result) => result,
        Err(_) => anyhow::bail!(
            "{what} did not come within {} s; last seen: {seen:?}",
            DEADLINE.as_secs()
        ),
    }
}
