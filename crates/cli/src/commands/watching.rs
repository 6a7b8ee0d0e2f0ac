//! `crosswalk workflows watch`.

use std::{
    collections::HashMap,
    io::{self, IsTerminal as _},
};

use crosswalk_proto::v1::Workflow;
use jiff::Timestamp;

use super::workflow_view;
use crate::{
    arguments::{Format, WorkflowId},
    connection::Connection,
    failure::Failure,
    output::{Output, notice},
    watch::{Event, Watch},
};

/// Follows one workflow or all, until the user interrupts or the server refuses.
pub(crate) async fn watch(
    connection: &Connection,
    output: Output,
    workflow: Option<WorkflowId>,
) -> Result<(), Failure> {
    let only = workflow.map(|workflow| connection.instance().workflow(workflow));
    let mut screen = Screen::new(output);
    let mut watch = Watch::new(connection);
    loop {
        match watch.next().await? {
            Event::Workflow(workflow) if only.as_ref().is_none_or(|only| *only == workflow.name) => {
                screen.workflow(*workflow)?;
            }
            Event::Synchronized => screen.synchronized()?,
            Event::Alive => screen.alive()?,
            Event::Workflow(_) => {}
            Event::Disconnected { reason, pause } => {
                screen.disconnected();
                let pause = humantime::format_duration(pause);
                notice(format_args!("connection lost: {reason}; trying again in {pause}"));
            }
        }
    }
}

/// Where the states are shown.
struct Screen {
    output: Output,
    kind: Kind,
    connected: Connected,
}

/// Whether the connection stands, as far as the user has been told.
#[derive(PartialEq, Eq)]
enum Connected {
    /// It is being made for the first time.
    Not,
    Yes,
    /// It broke, which the user has been told.
    Broken,
}

enum Kind {
    /// A table that is drawn over itself.
    Table {
        /// In the order in which they were first told.
        workflows: Vec<Workflow>,
        /// Lines to go up before the next drawing.
        drawn: usize,
    },
    /// A line for each change that can be seen in it.
    Lines {
        /// By workflow, so that the full state after a reconnect is not told twice.
        last: HashMap<String, String>,
    },
    /// A line of JSON for each change.
    Json,
}

impl Screen {
    fn new(output: Output) -> Self {
        let kind = match output.format() {
            Format::Json => Kind::Json,
            Format::Table if io::stdout().is_terminal() => Kind::Table {
                workflows: Vec::new(),
                drawn: 0,
            },
            Format::Table => Kind::Lines { last: HashMap::new() },
        };
        Self {
            output,
            kind,
            connected: Connected::Not,
        }
    }

    fn workflow(&mut self, workflow: Workflow) -> Result<(), Failure> {
        match &mut self.kind {
            Kind::Json => self.output.json_line(&workflow),
            Kind::Lines { last } => {
                let now = Timestamp::now();
                let line = workflow_view::line(&workflow, now);
                if last.get(&workflow.name) == Some(&line) {
                    return Ok(());
                }
                self.output.text(&format!("{now:.0} {line}"))?;
                last.insert(workflow.name, line);
                Ok(())
            }
            Kind::Table { workflows, .. } => {
                match workflows.iter_mut().find(|known| known.name == workflow.name) {
                    Some(known) => *known = workflow,
                    None => workflows.push(workflow),
                }
                // Until all have been told, a drawing would be of a part only.
                if self.connected == Connected::Yes {
                    self.draw()
                } else {
                    Ok(())
                }
            }
        }
    }

    fn synchronized(&mut self) -> Result<(), Failure> {
        if self.connected == Connected::Broken {
            notice(format_args!("connected again"));
            self.forget_drawing();
        }
        self.connected = Connected::Yes;
        self.draw()
    }

    /// Draws anew even if nothing has changed: relative times have.
    fn alive(&mut self) -> Result<(), Failure> {
        if self.connected == Connected::Yes {
            self.draw()
        } else {
            Ok(())
        }
    }

    fn disconnected(&mut self) {
        if self.connected == Connected::Yes {
            self.connected = Connected::Broken;
        }
        self.forget_drawing();
    }

    /// Messages stand below the last drawing now, so that the next must not go over it.
    fn forget_drawing(&mut self) {
        if let Kind::Table { drawn, .. } = &mut self.kind {
            *drawn = 0;
        }
    }

    fn draw(&mut self) -> Result<(), Failure> {
        let Kind::Table { workflows, drawn } = &mut self.kind else {
            return Ok(());
        };
        let table = workflow_view::list(workflows, Timestamp::now());
        let lines = table.lines().count();
        // ANSI: up to the first line drawn, then erase from there to the end of the screen.
        let erase = if *drawn == 0 {
            String::new()
        } else {
            format!("\x1b[{drawn}A\x1b[J")
        };
        self.output.text(&format!("{erase}{table}"))?;
        *drawn = lines;
        Ok(())
    }
}
