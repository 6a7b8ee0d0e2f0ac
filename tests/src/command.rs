//! The command line tool, run as a user would.

use std::process::Stdio;

use anyhow::Context as _;
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, time::timeout};

use crate::{process::command, world::PATIENCE};

/// The command line tool, pointed at a control plane.
pub struct CommandLine {
    endpoint: String,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    ///
    /// # Errors
    /// If the command failed, or wrote something else.
    pub fn json(&self) -> anyhow::Result<Value> {
        anyhow::ensure!(self.code == 0, "{self:?}");
        serde_json::from_str(&self.stdout).with_context(|| format!("{self:?}"))
    }
}

impl CommandLine {
    pub(crate) const fn new(endpoint: String) -> Self {
        Self { endpoint }
    }

    /// Runs a command.
    ///
    /// # Errors
    /// If it cannot be run, or does not end in time. That it fails is no error.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        self.run_with_input(arguments, "").await
    }

    /// Runs a command with text on its standard input.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> anyhow::Result<Ran> {
        let mut child = command("crosswalk")?
            .env("CROSSWALK_ENDPOINT", &self.endpoint)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().context("standard input is no pipe")?;
        // A command that does not read its input closes it.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = timeout(PATIENCE, child.wait_with_output())
            .await
            .with_context(|| format!("crosswalk {arguments:?} does not end"))??;
        Ok(Ran {
            code: output.status.code().context("it was killed")?,
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }
}
