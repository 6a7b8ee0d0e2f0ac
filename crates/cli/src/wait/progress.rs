//! Progress on standard error: a spinner or bar on a terminal, plain lines elsewhere.

use std::{
    fmt,
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

use crosswalk_proto::v1::{Workflow, workflow::Status};
use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use jiff::Timestamp;

use crate::{
    commands::workflow_view,
    names::id_of,
    output::{count, notice},
};

/// Shortest time between two plain lines that tell of the same status.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows how far a workflow is.
pub(crate) enum Progress {
    /// On a terminal.
    Drawn(ProgressBar),
    /// Elsewhere.
    Lines {
        /// The line last written, and when.
        last: Option<(Status, String, Instant)>,
    },
}

impl Progress {
    /// Progress on standard error.
    pub(crate) fn new() -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines { last: None };
        }
        let bar = ProgressBar::new_spinner().with_style(spinner_style());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self::Drawn(bar)
    }

    /// Shows a state of the workflow.
    pub(crate) fn show(&mut self, workflow: &Workflow) {
        match self {
            Self::Drawn(bar) => draw(bar, workflow),
            Self::Lines { last } => {
                let line = describe(workflow);
                let now = Instant::now();
                let is_news = last.as_ref().is_none_or(|(status, text, at)| {
                    *status != workflow.status() || (*text != line && now.duration_since(*at) >= LINE_INTERVAL)
                });
                if is_news {
                    notice(format_args!("{line}"));
                    *last = Some((workflow.status(), line, now));
                }
            }
        }
    }

    /// Tells something beside the progress.
    pub(crate) fn tell(&self, message: &str) {
        match self {
            Self::Drawn(bar) => bar.println(message),
            Self::Lines { .. } => notice(format_args!("{message}")),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Self::Drawn(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn draw(bar: &ProgressBar, workflow: &Workflow) {
    match load(workflow) {
        Some(load) if workflow.status() == Status::Running => {
            if bar.length().is_none() {
                bar.set_style(bar_style());
                // Rate and time left count from here, not from the time of starting.
                bar.reset_eta();
            }
            bar.set_length(load.total);
            bar.set_position(load.settled);
            bar.set_message(format!("{} {}", id_of(&workflow.name), waiting(workflow)));
        }
        _ => {
            bar.unset_length();
            bar.set_style(spinner_style());
            bar.set_message(describe(workflow));
        }
    }
}

/// How far a load is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Load {
    /// Records it is about, as far as is known.
    total: u64,
    /// Records that need no more work.
    settled: u64,
}

/// How far the load of a run is; `None` while it has read nothing. What the source says it holds is only a hint, so it is
/// never less than what has been read.
fn load(workflow: &Workflow) -> Option<Load> {
    let progress = workflow.progress.unwrap_or_default();
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    let read = number(progress.records_read);
    let total = read.max(progress.records_expected.map_or(0, number));
    let settled = read.saturating_sub(number(workflow.backlog?));
    (total > 0).then_some(Load { total, settled })
}

fn spinner_style() -> ProgressStyle {
    style("{spinner} {msg} ({elapsed})")
}

fn bar_style() -> ProgressStyle {
    style("{spinner} {msg} [{bar:30}] {human_pos} of {human_len} records, {rate}, {eta} left")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates above are well formed, as a test proves")
        .with_key("rate", |state: &ProgressState, text: &mut dyn fmt::Write| {
            // Writing into the line's own buffer does not fail.
            let _ = write!(text, "{}/s", HumanCount(state.per_sec() as u64));
        })
}

/// One line on the state of a workflow.
fn describe(workflow: &Workflow) -> String {
    let mut line = format!("{} is {}", id_of(&workflow.name), workflow_view::status(workflow));
    if workflow.stopping {
        line.push_str(", workers are still ending");
    }
    if let Some(progress) = workflow.progress.filter(|_| workflow.status() == Status::Running) {
        line.push_str(&format!(": {} records", workflow_view::written(&progress)));
        line.push_str(&format!(" written, {}", waiting(workflow)));
    }
    if let Some(hindrance) = workflow_view::hindrances(workflow, Timestamp::now()).first() {
        line.push_str(&format!(" ({hindrance})"));
    }
    line
}

fn waiting(workflow: &Workflow) -> String {
    workflow.backlog.map_or_else(
        || "backlog not known yet".to_owned(),
        |backlog| format!("{} waiting", count(backlog)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_well_formed() {
        spinner_style();
        bar_style();
    }

    #[test]
    fn a_load_is_what_is_expected_and_later_what_was_read() {
        let state = |read, expected, backlog| Workflow {
            backlog,
            progress: Some(crosswalk_proto::v1::Progress {
                records_read: read,
                records_expected: expected,
                ..Default::default()
            }),
            ..Workflow::default()
        };
        let loaded = |total, settled| Some(Load { total, settled });
        assert_eq!(load(&state(0, None, Some(0))), None);
        assert_eq!(load(&state(0, Some(500), None)), None);
        assert_eq!(load(&state(0, Some(500), Some(0))), loaded(500, 0));
        assert_eq!(load(&state(200, Some(500), Some(150))), loaded(500, 50));
        assert_eq!(load(&state(600, Some(500), Some(150))), loaded(600, 450));
        assert_eq!(load(&state(600, None, Some(0))), loaded(600, 600));
    }

    #[test]
    fn a_line_tells_status_counts_and_backlog() {
        let workflow = Workflow {
            name: "instances/demo/workflows/ingress".to_owned(),
            status: Status::Running.into(),
            backlog: Some(1_310),
            progress: Some(crosswalk_proto::v1::Progress {
                records_written: 1_200,
                records_expected: Some(5_000),
                ..Default::default()
            }),
            ..Workflow::default()
        };
        assert_eq!(
            describe(&workflow),
            "ingress is RUNNING: 1,200 of 5,000 records written, 1,310 waiting"
        );
    }

    #[test]
    fn a_workflow_that_ends_says_so() {
        let workflow = Workflow {
            name: "instances/demo/workflows/ingress".to_owned(),
            status: Status::Stopped.into(),
            stopping: true,
            ..Workflow::default()
        };
        assert_eq!(describe(&workflow), "ingress is STOPPED, workers are still ending");
    }
}
