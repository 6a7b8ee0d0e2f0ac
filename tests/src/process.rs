//! A service as a real process.

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

    const fn binary(self) -> &'static str {
        match self {
            Self::ControlPlane => "crosswalk-control-plane",
            Self::DynamicsReader => "crosswalk-dynamics-reader",
            Self::CampaignWriter => "crosswalk-campaign-writer",
        }
    }
}

/// A running process. It is killed when dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub(crate) fn spawn(service: Service, environment: &[(&str, String)], log: &Path) -> anyhow::Result<Self> {
        let binary = binary(service.binary())?;
        let output = File::options().create(true).append(true).open(log)?;
        let child = Command::new(&binary)
            .env_clear()
            .envs(environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be run", binary.display()))?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// SIGKILL, and waits until the process is gone.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Whether it still runs; an error with the end of its log if it has ended by itself.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().rev().take(20).collect();
            let end: Vec<&str> = lines.into_iter().rev().collect();
            anyhow::bail!("{} has ended with {status}:\n{}", self.log.display(), end.join("\n"));
        }
        Ok(())
    }
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
