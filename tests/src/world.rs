//! A whole Crosswalk for one test.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::Context as _;
use crosswalk_proto::v1::{Workflow, workflow::Status};
use crosswalk_sandbox::{Sandbox, SandboxConfig};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    address::ReservedAddress,
    api::Api,
    command::CommandLine,
    eventually,
    kafka::TestKafka,
    oracle::{CONTACTS, Oracle, Pairing, Verdict, mapped_fields},
    process::{Process, Service, command},
    shop::SHOP,
};

/// How long anything may take that is not said to be quicker. Generous, since machines are shared.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What a world begins with.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// Contacts in Dynamics.
    pub contacts: u64,
    /// Orders of the sandbox's shop, whose tables are mapped then, and accounts besides. Without a number there is no shop.
    pub orders: Option<u64>,
    /// Reader processes.
    pub readers: usize,
    /// Writer processes.
    pub writers: usize,
    /// Control plane processes.
    pub control_planes: usize,
    /// How often Dynamics is asked for changes.
    pub poll_interval: Duration,
    /// Rows in a page; small, so that a test has many.
    pub page_size: u32,
    /// Whether the mapping applies deletes.
    pub apply_deletes: bool,
    /// How often tables and resources are compared with what the mappings were checked against.
    pub schema_check_interval: Duration,
    /// Whether the broker is in a process of its own, which can be killed.
    pub broker_process: bool,
    /// More settings of the control planes, e.g. `CROSSWALK__API__REPLAY_LIMIT`.
    pub control_plane_settings: &'static [(&'static str, &'static str)],
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            contacts: 500,
            orders: None,
            readers: 1,
            writers: 1,
            control_planes: 1,
            poll_interval: Duration::from_millis(200),
            page_size: 100,
            apply_deletes: true,
            schema_check_interval: Duration::from_secs(30),
            broker_process: false,
            control_plane_settings: &[],
        }
    }
}

/// A whole Crosswalk: Kafka, sandbox, services, an instance with a mapping of contacts to profiles.
pub struct World {
    /// The two products.
    pub sandbox: Sandbox,
    /// The broker.
    pub kafka: TestKafka,
    processes: BTreeMap<(usize, usize), Process>,
    apis: Vec<ReservedAddress>,
    options: WorldOptions,
    environment: Vec<(&'static str, String)>,
    directory: TempDir,
}

impl World {
    /// Starts everything and creates the instance and its mapping.
    ///
    /// # Errors
    /// If anything does not come up.
    pub async fn start(options: WorldOptions) -> anyhow::Result<Self> {
        let world = Self::start_empty(options).await?;
        let mut api = world.api(0)?;
        let (microsoft, adobe) = (world.sandbox.microsoft_url(), world.sandbox.adobe_url());
        eventually("the API", PATIENCE, || {
            let mut api = api.clone();
            async move {
                let request = crosswalk_proto::v1::ListInstancesRequest::default();
                Ok(api.instances.list_instances(request).await?)
            }
        })
        .await?;
        api.create_instance(&microsoft, &adobe).await?;
        api.create_mapping(&mapped_fields(), world.options.apply_deletes)
            .await?;
        for pairing in world.shop() {
            api.add_mapping(pairing.mapping(world.options.apply_deletes)).await?;
        }
        for control_plane in 0..world.options.control_planes {
            let api = world.api(control_plane)?;
            let knows_mapping = || {
                let mut api = api.clone();
                async move { Ok(api.mapping().await?) }
            };
            eventually("the mapping on every control plane", PATIENCE, knows_mapping).await?;
        }
        Ok(world)
    }

    /// Starts everything, with no instance.
    ///
    /// # Errors
    /// If anything does not come up.
    pub async fn start_empty(options: WorldOptions) -> anyhow::Result<Self> {
        let directory = directory()?;
        let kafka = if options.broker_process {
            TestKafka::start_process(directory.path()).await?
        } else {
            TestKafka::start(directory.path()).await?
        };
        let config = SandboxConfig {
            contacts: options.contacts,
            orders: options.orders,
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start(config).await?;
        sandbox.campaign().writes().enable(Some(2_000_000));
        let apis = (0..options.control_planes)
            .map(|_| ReservedAddress::new())
            .collect::<anyhow::Result<_>>()?;
        let mut environment = kafka.environment();
        environment.extend([
            ("CROSSWALK__KAFKA__PREFIX", format!("test-{}", Uuid::new_v4().simple())),
            (
                "CROSSWALK__SEALING__KEY",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned(),
            ),
            ("CROSSWALK__ADMIN__LISTEN", "127.0.0.1:0".to_owned()),
            (
                "CROSSWALK__TELEMETRY__LEVEL",
                std::env::var("CROSSWALK_TEST_LOG").unwrap_or_else(|_| "info".to_owned()),
            ),
        ]);
        let mut world = Self {
            sandbox,
            kafka,
            processes: BTreeMap::new(),
            apis,
            options,
            environment,
            directory,
        };
        for service in Service::ALL {
            for replica in 0..world.replicas(service) {
                world.spawn(service, replica)?;
            }
        }
        Ok(world)
    }

    /// A client of one of the control planes.
    ///
    /// # Errors
    /// If there is no such control plane.
    pub fn api(&self, control_plane: usize) -> anyhow::Result<Api> {
        Api::new(self.endpoint(control_plane)?)
    }

    /// The command line tool, pointed at the first control plane.
    ///
    /// # Errors
    /// If there is no control plane.
    pub fn command_line(&self) -> anyhow::Result<CommandLine> {
        Ok(CommandLine::new(self.endpoint(0)?))
    }

    /// The URL of one of the control planes.
    ///
    /// # Errors
    /// If there is no such control plane.
    pub fn endpoint(&self, control_plane: usize) -> anyhow::Result<String> {
        let address = self.apis.get(control_plane).context("no such control plane")?.get();
        Ok(format!("http://{address}"))
    }

    /// How many processes of a service the world began with.
    #[must_use]
    pub const fn replicas(&self, service: Service) -> usize {
        match service {
            Service::ControlPlane => self.options.control_planes,
            Service::DynamicsReader => self.options.readers,
            Service::CampaignWriter => self.options.writers,
        }
    }

    /// Starts a process.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn spawn(&mut self, service: Service, replica: usize) -> anyhow::Result<()> {
        let mut command = command(service.binary())?;
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        let milliseconds = |duration: Duration| format!("{}ms", duration.as_millis());
        let schema_check_interval = milliseconds(self.options.schema_check_interval);
        match service {
            Service::ControlPlane => {
                command.env("CROSSWALK__API__LISTEN", self.apis[replica].get().to_string());
                command.envs(self.options.control_plane_settings.iter().copied());
            }
            Service::DynamicsReader => {
                command.env(
                    "CROSSWALK__READING__POLL_INTERVAL",
                    milliseconds(self.options.poll_interval),
                );
                command.env("CROSSWALK__READING__SCHEMA_CHECK_INTERVAL", schema_check_interval);
                command.env("CROSSWALK__READING__PAGE_SIZE", self.options.page_size.to_string());
            }
            Service::CampaignWriter => {
                command.env("CROSSWALK__WRITING__SCHEMA_CHECK_INTERVAL", schema_check_interval);
            }
        }
        let process = Process::spawn(command, &self.log(service, replica))?;
        self.processes.insert((service as usize, replica), process);
        Ok(())
    }

    /// Sets a setting of the processes that are started from now on, e.g. `CROSSWALK__WRITING__MAX_MISSING_SHARE`.
    pub fn set(&mut self, key: &'static str, value: &str) {
        self.environment.push((key, value.to_owned()));
    }

    /// A setting of the processes.
    pub(crate) fn setting(&self, key: &str) -> anyhow::Result<&str> {
        let found = self.environment.iter().rev().find(|(name, _)| *name == key);
        found.map(|(_, value)| value.as_str()).context("no such setting")
    }

    /// How many writes Campaign has answered, whatever it answered.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.sandbox.campaign().writes().entries(0, usize::MAX).len()
    }

    /// Kills a process with SIGKILL.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub async fn kill(&mut self, service: Service, replica: usize) -> anyhow::Result<()> {
        if let Some(mut process) = self.processes.remove(&(service as usize, replica)) {
            process.kill().await?;
        }
        Ok(())
    }

    /// An error if a process has ended by itself.
    ///
    /// # Errors
    /// Says which, with the end of its log.
    pub fn check_processes(&mut self) -> anyhow::Result<()> {
        self.processes.values_mut().try_for_each(Process::check)
    }

    fn log(&self, service: Service, replica: usize) -> PathBuf {
        self.directory.path().join(format!("{service:?}-{replica}.log"))
    }

    /// What the processes of a service have logged.
    #[must_use]
    pub fn logs(&self) -> String {
        let logs = Service::ALL
            .into_iter()
            .flat_map(|service| (0..self.replicas(service)).map(move |replica| (service, replica)));
        logs.map(|(service, replica)| std::fs::read_to_string(self.log(service, replica)).unwrap_or_default())
            .collect()
    }

    /// Starts the ingress workflow and waits until it runs.
    ///
    /// # Errors
    /// If it does not.
    pub async fn start_ingress(&mut self) -> anyhow::Result<Workflow> {
        let mut api = self.api(0)?;
        api.start().await?;
        let result = api.until_status(Status::Running, PATIENCE).await;
        self.check_processes()?;
        result
    }

    /// Waits until both systems agree and the backlog is exactly 0.
    ///
    /// # Errors
    /// If they do not come to agree; says how they differ.
    pub async fn until_settled(&mut self, deadline: Duration) -> anyhow::Result<Verdict> {
        let oracle = self.oracle();
        let exact = self.options.apply_deletes;
        let result = eventually("agreement of both systems", deadline, || async {
            if exact { oracle.check_exact() } else { oracle.check() }
        })
        .await;
        if let Err(error) = result {
            self.check_processes()?;
            let workflow = self.api(0)?.ingress().await;
            return Err(error.context(format!("the workflow is {workflow:?}")));
        }
        let verdict = result?;
        let api = self.api(0)?;
        api.until("a backlog of exactly 0", deadline, |workflow| {
            workflow.backlog == Some(0)
        })
        .await?;
        Ok(verdict)
    }

    /// Looks into both systems.
    #[must_use]
    pub fn oracle(&self) -> Oracle<'_> {
        Oracle::new(&self.sandbox, std::iter::once(&CONTACTS).chain(self.shop()).collect())
    }

    /// What is mapped besides contacts.
    fn shop(&self) -> &'static [Pairing] {
        if self.options.orders.is_some() { &SHOP } else { &[] }
    }
}

/// Where a world keeps its broker's data and what its processes say; `CROSSWALK_TEST_KEEP` keeps that for whoever looks into
/// a failure.
fn directory() -> anyhow::Result<TempDir> {
    let keep = std::env::var_os("CROSSWALK_TEST_KEEP").is_some();
    let directory = tempfile::Builder::new()
        .prefix("crosswalk-test-")
        .disable_cleanup(keep)
        .tempdir()?;
    Ok(directory)
}
