//! What a service is given by the process it runs in.

use std::borrow::Cow;

use tokio_util::sync::CancellationToken;

use super::serve;
use crate::health::{Liveness, Readiness};
use crate::shutdown::Shutdown;
use crate::supervise::{Rule, Supervisor};

/// Which service this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceInfo {
    /// Its name, which is also the name of its folder: `campaign-writer`.
    pub name: &'static str,
    /// Its version; `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// What it does, in one sentence for `--help`.
    pub about: &'static str,
}

/// What a service is given by the process it runs in. Clones are the same thing.
#[derive(Debug, Clone)]
pub struct Context {
    service: ServiceInfo,
    shutdown: Shutdown,
    readiness: Readiness,
    liveness: Liveness,
    supervisor: Supervisor,
}

impl Context {
    /// A context of its own. Whoever hosts the service keeps a clone of `shutdown` to stop it.
    #[must_use]
    pub fn new(service: ServiceInfo, shutdown: Shutdown) -> Self {
        let supervisor = Supervisor::new(shutdown.token().clone());
        Self {
            service,
            shutdown,
            readiness: Readiness::new(),
            liveness: Liveness::new(),
            supervisor,
        }
    }

    /// A context for another service in the same process. It stops with this one, but can also be stopped, or fail, alone.
    /// What it reports to readiness and liveness counts here too, under its name.
    #[must_use]
    pub fn child(&self, service: ServiceInfo) -> Self {
        let shutdown = self.shutdown.child();
        Self {
            service,
            readiness: self.readiness.scoped(service.name),
            liveness: self.liveness.scoped(service.name),
            supervisor: Supervisor::new(shutdown.token().clone()),
            shutdown,
        }
    }

    /// Runs another service in the same process as a task of this one: if it fails, so does this one.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn host<Build, Built>(&self, service: ServiceInfo, build: Build)
    where
        Build: FnOnce(Context) -> Built + Send + 'static,
        Built: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let served = serve(self.child(service), build);
        self.spawn(service.name, Rule::Critical, async move { Ok(served.await?) });
    }

    /// Which service this is.
    #[must_use]
    pub fn service(&self) -> ServiceInfo {
        self.service
    }

    /// When to stop, and how much time there is for it.
    #[must_use]
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// The token that is cancelled when it is time to stop.
    #[must_use]
    pub fn token(&self) -> &CancellationToken {
        self.shutdown.token()
    }

    /// Where parts of the service say what they wait for.
    #[must_use]
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Where the loops of the service give signs of life.
    #[must_use]
    pub fn liveness(&self) -> &Liveness {
        &self.liveness
    }

    /// The owner of the service's tasks.
    #[must_use]
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// Spawns a task of the service; see [`Supervisor::spawn`].
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn(
        &self,
        name: impl Into<Cow<'static, str>>,
        rule: Rule,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.supervisor.spawn(name, rule, task);
    }

    /// Spawns a task of the service that is dropped when the service is told to stop; see
    /// [`Supervisor::spawn_until_stopped`].
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn_until_stopped(
        &self,
        name: impl Into<Cow<'static, str>>,
        rule: Rule,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.supervisor.spawn_until_stopped(name, rule, task);
    }
}
