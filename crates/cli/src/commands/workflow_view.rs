//! How workflows are shown.

use crosswalk_proto::v1::{Progress, Workflow, hindrance::Kind};
use jiff::Timestamp;

use crate::{
    names::id_of,
    output::{DASH, ago, ago_or_dash, count, details, shorten, table},
};

/// Longest note in a table row; `workflows get` shows it whole.
const NOTE_CHARACTERS: usize = 100;

/// Several workflows, a row each.
pub(crate) fn list(workflows: &[Workflow], now: Timestamp) -> String {
    let row = |workflow: &Workflow| {
        let progress = workflow.progress.as_ref();
        [
            id_of(&workflow.name).to_owned(),
            status(workflow),
            ago_or_dash(workflow.status_time.as_ref(), now),
            backlog(workflow),
            progress.map_or_else(|| DASH.to_owned(), written),
            progress.map_or_else(|| DASH.to_owned(), |progress| count(progress.records_rejected)),
            shorten(&notes(workflow, now).join("; "), NOTE_CHARACTERS),
        ]
    };
    table(
        ["WORKFLOW", "STATUS", "SINCE", "BACKLOG", "WRITTEN", "REJECTED", "NOTE"],
        workflows.iter().map(row),
    )
}

/// All about one workflow.
pub(crate) fn whole(workflow: &Workflow, now: Timestamp) -> String {
    let mut rows = vec![
        (
            "Workflow",
            format!("{} ({})", id_of(&workflow.name), workflow.display_name),
        ),
        ("Status", status_with_time(workflow, now)),
        ("Note", notes(workflow, now).join("\n")),
        ("Backlog", backlog(workflow)),
    ];
    if let Some(progress) = &workflow.progress {
        rows.push(("Read", count(progress.records_read)));
        rows.push(("Written", written(progress)));
        rows.push(("Rejected", count(progress.records_rejected)));
        rows.push(("Skipped", some(progress.records_skipped)));
        rows.push(("Waiting for parents", some(progress.records_waiting)));
        rows.push(("Last progress", ago_or_dash(progress.last_progress_time.as_ref(), now)));
    }
    let warnings: Vec<&str> = workflow
        .warnings
        .iter()
        .map(|warning| warning.message.as_str())
        .collect();
    rows.push(("Warnings", warnings.join("\n")));
    rows.push(("Run", run(workflow)));
    rows.push(("Last actor", workflow.last_actor.clone()));
    rows.retain(|(_, value)| !value.is_empty());
    let details = details(rows);
    if workflow.workers.is_empty() {
        details
    } else {
        format!("{details}\n\n{}", workers(workflow))
    }
}

/// A count that is worth a line only if there is something to count.
fn some(number: i64) -> String {
    if number == 0 { String::new() } else { count(number) }
}

/// One line that tells the state of a workflow.
pub(crate) fn line(workflow: &Workflow, now: Timestamp) -> String {
    let mut line = format!(
        "{} {} backlog {}",
        id_of(&workflow.name),
        status(workflow),
        backlog(workflow)
    );
    if let Some(progress) = &workflow.progress {
        line.push_str(&format!(
            " written {} rejected {}",
            written(progress),
            count(progress.records_rejected)
        ));
    }
    let notes = notes(workflow, now);
    if notes.is_empty() {
        line
    } else {
        format!("{line}: {}", notes.join("; "))
    }
}

/// The status without its prefix.
pub(crate) fn status(workflow: &Workflow) -> String {
    workflow.status().as_str_name().trim_start_matches("STATUS_").to_owned()
}

/// Records written, of those expected if an initial read is going on.
pub(crate) fn written(progress: &Progress) -> String {
    let written = count(progress.records_written);
    match progress.records_expected {
        Some(expected) => format!("{written} of {}", count(expected)),
        None => written,
    }
}

/// What holds the workers up.
pub(crate) fn hindrances(workflow: &Workflow, now: Timestamp) -> Vec<String> {
    let told = workflow
        .hindrances
        .iter()
        .filter_map(|hindrance| hindrance.kind.as_ref());
    told.map(|kind| match kind {
        Kind::Throttled(throttled) => {
            let until = throttled
                .until
                .as_ref()
                .map_or_else(String::new, |until| format!(", goes on {}", ago(until, now)));
            format!("throttled by {}{until}", throttled.by)
        }
        Kind::Retrying(retrying) => {
            let since = retrying
                .since
                .as_ref()
                .map_or_else(String::new, |since| format!(", first {}", ago(since, now)));
            format!("retrying{since}: {}", retrying.error)
        }
        Kind::Waiting(waiting) => {
            let since = waiting
                .since
                .as_ref()
                .map_or_else(String::new, |since| format!(", since {}", ago(since, now)));
            format!("waits for {}{since}", waiting.what)
        }
    })
    .collect()
}

fn status_with_time(workflow: &Workflow, now: Timestamp) -> String {
    match &workflow.status_time {
        Some(time) => format!("{} (since {})", status(workflow), ago(time, now)),
        None => status(workflow),
    }
}

fn backlog(workflow: &Workflow) -> String {
    workflow.backlog.map_or_else(|| DASH.to_owned(), count)
}

fn run(workflow: &Workflow) -> String {
    if workflow.run_id.is_empty() {
        return String::new();
    }
    format!("{}, revision {}", workflow.run_id, workflow.revision)
}

/// What stands beside the status, the weightiest first.
fn notes(workflow: &Workflow, now: Timestamp) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(failure) = &workflow.failure {
        notes.push(format!("{}: {}", failure.code, failure.message));
    }
    if workflow.stopping {
        notes.push("workers are still ending".to_owned());
    }
    notes.extend(hindrances(workflow, now));
    if workflow.pending_changes {
        notes.push("edited since it was started; stop and start to apply".to_owned());
    }
    notes
}

fn workers(workflow: &Workflow) -> String {
    let row = |worker: &crosswalk_proto::v1::Worker| {
        [
            worker.worker_id.clone(),
            worker.role.clone(),
            worker.phase.clone(),
            count(worker.in_flight),
        ]
    };
    table(
        ["WORKER", "ROLE", "PHASE", "IN FLIGHT"],
        workflow.workers.iter().map(row),
    )
}

#[cfg(test)]
mod tests {
    use crosswalk_proto::v1::{
        Failure, Hindrance,
        hindrance::{Retrying, Throttled},
        workflow::Status,
    };

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).expect("is a moment")
    }

    fn from_now(seconds: i64) -> Option<pbjson_types::Timestamp> {
        Some(pbjson_types::Timestamp {
            seconds: now().as_second() + seconds,
            nanos: 0,
        })
    }

    #[test]
    fn hindrances_say_who_and_until_when() {
        let throttled = Throttled {
            by: "Adobe Campaign".to_owned(),
            until: from_now(30),
        };
        let retrying = Retrying {
            error: "connection refused".to_owned(),
            since: from_now(-120),
        };
        let workflow = Workflow {
            hindrances: vec![
                Hindrance {
                    kind: Some(Kind::Throttled(throttled)),
                },
                Hindrance {
                    kind: Some(Kind::Retrying(retrying)),
                },
                Hindrance { kind: None },
            ],
            ..Workflow::default()
        };
        assert_eq!(
            hindrances(&workflow, now()),
            [
                "throttled by Adobe Campaign, goes on in 30 s",
                "retrying, first 2 min ago: connection refused"
            ]
        );
    }

    #[test]
    fn a_failed_workflow_shows_code_and_message_whole() {
        let message = "the client secret has expired; make a new one in Entra and update the instance. ".repeat(3);
        let workflow = Workflow {
            name: "instances/demo/workflows/ingress".to_owned(),
            status: Status::Failed.into(),
            failure: Some(Failure {
                code: "DYNAMICS_AUTHENTICATION_FAILED".to_owned(),
                message,
                time: None,
            }),
            ..Workflow::default()
        };
        let shown = whole(&workflow, now());
        let failure = workflow.failure.as_ref().expect("was set");
        assert!(
            shown.contains(&failure.code) && shown.contains(failure.message.trim()),
            "{shown}"
        );
        let row = list(std::slice::from_ref(&workflow), now());
        assert!(row.contains('…') && !row.contains(failure.message.trim()), "{row}");
    }
}
