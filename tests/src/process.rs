//! A real process beside the test: a service, a broker, the command line tool.

use std::{
    env,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context as _;
use tokio::process::{Child, Command};

/// A service that a world runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// The API.
    ControlPlane,
    /// Reads Dynamics.
    DynamicsReader,
    /// Writes Campaign.
    CampaignWriter,
}

impl Service {
    /// All services.
    pub const ALL: [Self; 3] = [Self::ControlPlane, Self::DynamicsReader, Self::CampaignWriter];

    /// Its binary.
    pub(crate) const fn binary(self) -> &'static str {
        match self {
            Self::ControlPlane => "crosswalk-control-plane",
            Self::DynamicsReader => "crosswalk-dynamics-reader",
            Self::CampaignWriter => "crosswalk-campaign-writer",
        }
    }
}

/// A running process. It is killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Runs a command in the background; what it says is appended to `log`.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn spawn(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be run", command.as_std().get_program().display()))?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// Its process id; none once it has ended.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it has said so far.
    ///
    /// # Errors
    /// If its log cannot be read.
    pub fn output(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }

    /// SIGKILL, and waits until the process is gone.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Whether it still runs; an error with the end of its log if it has ended by itself.
    ///
    /// # Errors
    /// If it has ended.
    pub fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = self.output().unwrap_or_default();
            let lines: Vec<&str> = log.lines().rev().take(20).collect();
            let end: Vec<&str> = lines.into_iter().rev().collect();
            anyhow::bail!("{} has ended with {status}:\n{}", self.log.display(), end.join("\n"));
        }
        Ok(())
    }
}

/// A command of one of the workspace's binaries, with nothing from the environment of the tests.
///
/// # Errors
/// If it has not been built.
pub fn command(binary_name: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(binary(binary_name)?);
    command.env_clear();
    Ok(command)
}

/// Test binaries lie in `deps`, below the directory of the workspace's binaries.
fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let test = env::current_exe()?;
    let directory = test
        .parent()
        .and_then(Path::parent)
        .context("the test lies in no build directory")?;
    let binary = directory.join(name);
    anyhow::ensure!(
        binary.exists(),
        "{} is not built; run `cargo build --workspace --bins` first",
        binary.display()
    );
    Ok(binary)
}
