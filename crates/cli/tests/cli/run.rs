//! Running the command.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
    time::timeout,
};

use crate::server::Server;

/// No command here takes this long, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The exit code, then what was written where; for snapshots.
    pub(crate) fn transcript(&self) -> String {
        format!(
            "exit {}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).expect("standard output is JSON")
    }
}

/// The command, with nothing from the environment of the tests.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosswalk"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CROSSWALK_")) {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs the command without a server.
pub(crate) async fn run_alone(arguments: &[&str]) -> Ran {
    finish(command(arguments).spawn().expect("starts"), "").await
}

/// Runs the command against a server.
pub(crate) async fn run(server: &Server, arguments: &[&str]) -> Ran {
    run_with_input(server, arguments, "").await
}

/// Runs the command against a server, with text on standard input.
pub(crate) async fn run_with_input(server: &Server, arguments: &[&str], input: &str) -> Ran {
    let child = command(arguments)
        .env("CROSSWALK_ENDPOINT", server.endpoint())
        .spawn()
        .expect("starts");
    finish(child, input).await
}

async fn finish(mut child: Child, input: &str) -> Ran {
    let mut stdin = child.stdin.take().expect("is piped");
    // A command that does not read its input closes it.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("ends in time")
        .expect("is waited for");
    Ran {
        code: output.status.code().expect("was not killed"),
        stdout: String::from_utf8(output.stdout).expect("is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("is UTF-8"),
    }
}
