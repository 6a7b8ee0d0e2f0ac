//! A whole Crosswalk, every part a process of its own.

use std::time::Duration;

use anyhow::Context as _;
use crosswalk_proto::v1::{ListInstancesRequest, Workflow, workflow::Status};
use crosswalk_tests::{Api, PATIENCE, Process, TestKafka, command, eventually, mapped_fields};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{arguments::Arguments, memory::Memory, sandbox::Sandbox};

/// How long a phase may take that handles every record; a stuck one ends long before, where progress can be seen.
pub(crate) const LONGEST_PHASE: Duration = Duration::from_secs(1800);

/// A whole Crosswalk: broker, sandbox, services, an instance with a mapping of contacts to profiles.
pub(crate) struct System {
    /// The two products.
    pub(crate) sandbox: Sandbox,
    /// The API.
    pub(crate) api: Api,
    kafka: TestKafka,
    services: [(&'static str, Process); 3],
    /// Logs and, of the embedded broker, records.
    directory: TempDir,
}

/// The Kafka that `CROSSWALK_TEST_KAFKA` names.
pub(crate) fn named_kafka() -> Option<String> {
    let named = std::env::var("CROSSWALK_TEST_KAFKA").ok();
    named.filter(|bootstrap| !bootstrap.is_empty())
}

impl System {
    /// Starts everything, with nothing written yet and the workflow stopped.
    pub(crate) async fn start(arguments: &Arguments) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let kafka = match named_kafka() {
            Some(_) => TestKafka::start(directory.path()).await?,
            None => TestKafka::start_process(directory.path()).await?,
        };
        let sandbox = Sandbox::start(arguments.contacts, arguments.seed, directory.path()).await?;
        let interval = format!("{}ms", arguments.poll_interval.as_millis());
        let mut environment = kafka.environment();
        environment.extend([
            ("CROSSWALK__KAFKA__PREFIX", format!("bench-{}", Uuid::new_v4().simple())),
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
        let spawn = |name: &'static str, setting: Option<(&str, String)>| {
            let mut command = command(&format!("crosswalk-{name}"))?;
            command.envs(environment.iter().map(|(key, value)| (key, value)));
            command.envs(setting);
            let log = directory.path().join(format!("{name}.log"));
            anyhow::Ok((name, Process::spawn(command, &log)?))
        };
        let mut services = [
            spawn(
                "control-plane",
                Some(("CROSSWALK__API__LISTEN", "127.0.0.1:0".to_owned())),
            )?,
            spawn("dynamics-reader", Some(("CROSSWALK__READING__POLL_INTERVAL", interval)))?,
            spawn("campaign-writer", None)?,
        ];
        let api = created(&mut services[0].1, &sandbox).await?;
        Ok(Self {
            sandbox,
            api,
            kafka,
            services,
            directory,
        })
    }

    /// Ends everything, so that it does not disturb what is measured next.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        for (_, process) in &mut self.services {
            process.kill().await?;
        }
        self.sandbox.process.kill().await?;
        if self.kafka.process_id().is_some() {
            self.kafka.kill().await?;
        }
        Ok(self.directory.close()?)
    }

    /// An error if a process has ended by itself.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        let services = self.services.iter_mut().map(|(_, process)| process);
        services.chain([&mut self.sandbox.process]).try_for_each(Process::check)
    }

    /// Waits until everything that was read is settled: the backlog is exactly 0.
    pub(crate) async fn until_settled(&self) -> anyhow::Result<()> {
        let settled = |workflow: &Workflow| workflow.backlog == Some(0);
        self.api.until("a backlog of exactly 0", LONGEST_PHASE, settled).await?;
        Ok(())
    }

    /// An error unless the workflow runs.
    pub(crate) async fn check_running(&self) -> anyhow::Result<()> {
        let workflow = self.api.clone().ingress().await?;
        anyhow::ensure!(
            workflow.status() == Status::Running,
            "the workflow does not run: {workflow:?}"
        );
        Ok(())
    }

    /// Name and memory of each process that is ours.
    pub(crate) fn memory(&self) -> anyhow::Result<Vec<(&'static str, Memory)>> {
        let services = self.services.iter().map(|(name, process)| (*name, process.id()));
        let others = [
            ("sandbox", self.sandbox.process.id()),
            ("broker", self.kafka.process_id()),
        ];
        services
            .chain(others)
            .filter_map(|(name, id)| Some((name, id?)))
            .map(|(name, id)| Ok((name, Memory::of(id)?)))
            .collect()
    }
}

/// A client of the control plane once it answers and has the instance and its mapping.
async fn created(control_plane: &mut Process, sandbox: &Sandbox) -> anyhow::Result<Api> {
    let mut api = eventually("the API", PATIENCE, || {
        let output = control_plane.check().and_then(|()| control_plane.output());
        async move {
            let mut api = Api::new(format!("http://{}", api_address(&output?)?))?;
            api.instances.list_instances(ListInstancesRequest::default()).await?;
            Ok(api)
        }
    })
    .await?;
    api.create_instance(sandbox.microsoft(), sandbox.adobe()).await?;
    api.create_mapping(&mapped_fields(), true).await?;
    Ok(api)
}

/// The address that the control plane logs when it serves the API; its port is a free one.
fn api_address(output: &str) -> anyhow::Result<String> {
    const HOST: &str = "127.0.0.1:";
    let line = output.lines().find(|line| line.contains("the API is served"));
    let line = line.context("the control plane does not serve yet")?;
    let (_, behind) = line.split_once(HOST).context("the control plane logs no address")?;
    let port: String = behind.chars().take_while(char::is_ascii_digit).collect();
    Ok(format!("{HOST}{port}"))
}
