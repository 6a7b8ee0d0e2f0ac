//! A Crosswalk with the services that a measurement needs, every part a process of its own.

use std::time::Duration;

use anyhow::Context as _;
use crosswalk_kafka::Kafka;
use crosswalk_proto::v1::{ListInstancesRequest, Workflow, workflow::Status};
use crosswalk_tests::{Api, PATIENCE, Process, TestKafka, command, eventually, mapped_fields};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    arguments::Arguments,
    memory::{Memory, processor_time},
    sandbox::Sandbox,
};

/// How long a phase may take that handles every record; a stuck one ends long before, where progress can be seen.
pub(crate) const LONGEST_PHASE: Duration = Duration::from_secs(1800);

/// A setting of a service, as its environment tells it.
pub(crate) type Setting = (&'static str, String);

/// What a system consists of.
pub(crate) struct Setup {
    /// Contacts in Dynamics.
    pub(crate) contacts: u64,
    /// Fixes the contacts.
    pub(crate) seed: u64,
    /// Columns of contacts and the fields of profiles they are mapped to.
    pub(crate) fields: Vec<(&'static str, &'static str)>,
    /// Settings of the reader; without any there is no reader.
    pub(crate) reader: Option<Vec<Setting>>,
    /// Settings of the writer; without any there is no writer.
    pub(crate) writer: Option<Vec<Setting>>,
    /// The broker.
    pub(crate) broker: Broker,
}

/// Which embedded broker there is, if no other Kafka is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broker {
    /// As `make up` has it.
    InFile,
    /// Many times as fast. What it tells of the end of a topic is too low, so that whoever starts anew on it may miss what
    /// was written last.
    InMemory,
}

impl Setup {
    /// All services, as they are by default.
    pub(crate) fn whole(arguments: &Arguments) -> Self {
        let interval = format!("{}ms", arguments.poll_interval.as_millis());
        Self {
            contacts: arguments.contacts,
            seed: arguments.seed,
            fields: mapped_fields(),
            reader: Some(vec![("CROSSWALK__READING__POLL_INTERVAL", interval)]),
            writer: Some(Vec::new()),
            broker: Broker::InFile,
        }
    }
}

/// Broker, sandbox, services, an instance with a mapping of contacts to profiles.
pub(crate) struct System {
    /// The two products.
    pub(crate) sandbox: Sandbox,
    /// The API.
    pub(crate) api: Api,
    kafka: TestKafka,
    prefix: String,
    services: Vec<(&'static str, Process)>,
    /// Logs.
    directory: TempDir,
}

/// The Kafka that `CROSSWALK_TEST_KAFKA` names.
pub(crate) fn named_kafka() -> Option<String> {
    let named = std::env::var("CROSSWALK_TEST_KAFKA").ok();
    named.filter(|bootstrap| !bootstrap.is_empty())
}

impl System {
    /// Starts everything, with nothing written yet and the workflow stopped.
    pub(crate) async fn start(setup: Setup) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let kafka = match setup.broker {
            _ if named_kafka().is_some() => TestKafka::start(directory.path()).await?,
            Broker::InFile => TestKafka::start_process(directory.path()).await?,
            Broker::InMemory => TestKafka::start_in_memory(directory.path()).await?,
        };
        let sandbox = Sandbox::start(setup.contacts, setup.seed, directory.path()).await?;
        let prefix = format!("bench-{}", Uuid::new_v4().simple());
        let mut environment = kafka.environment();
        environment.extend([
            ("CROSSWALK__KAFKA__PREFIX", prefix.clone()),
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
        let wanted = [
            (
                "control-plane",
                Some(vec![("CROSSWALK__API__LISTEN", "127.0.0.1:0".to_owned())]),
            ),
            ("dynamics-reader", setup.reader),
            ("campaign-writer", setup.writer),
        ];
        let mut services = Vec::new();
        for (name, settings) in wanted {
            let Some(settings) = settings else { continue };
            let mut command = command(&format!("crosswalk-{name}"))?;
            command.envs(environment.iter().map(|(key, value)| (key, value)));
            command.envs(settings);
            let log = directory.path().join(format!("{name}.log"));
            services.push((name, Process::spawn(command, &log)?));
        }
        let api = created(&mut services[0].1, &sandbox, &setup.fields).await?;
        Ok(Self {
            sandbox,
            api,
            kafka,
            prefix,
            services,
            directory,
        })
    }

    /// The system's Kafka, for whoever looks into its topics or adds to them.
    pub(crate) fn kafka(&self) -> Kafka {
        let settings = crosswalk_kafka::KafkaSettings {
            prefix: self.prefix.clone(),
            ..self.kafka.settings()
        };
        Kafka::new(settings, "bench")
    }

    /// Makes the topic that contacts are queued in, if no service has done so yet, and names it.
    pub(crate) async fn make_queue(&self) -> anyhow::Result<String> {
        let kafka = self.kafka();
        let spec = kafka.topics().ingress_spec(&"demo".parse()?, "contact");
        let name = spec.name.clone();
        kafka.ensure_topics(&[spec]).await?;
        Ok(name)
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

    /// Memory of a service.
    pub(crate) fn memory_of(&self, service: &str) -> anyhow::Result<Memory> {
        let memory = self.memory()?;
        let of_service = memory.iter().find(|(name, _)| *name == service);
        of_service
            .map(|(_, memory)| *memory)
            .with_context(|| format!("there is no {service}"))
    }

    /// Name and memory of each process that is ours.
    pub(crate) fn memory(&self) -> anyhow::Result<Vec<(&'static str, Memory)>> {
        self.processes().map(|(name, id)| Ok((name, Memory::of(id)?))).collect()
    }

    /// How long each process that is ours has been on a processor.
    pub(crate) fn processor_times(&self) -> anyhow::Result<Vec<(&'static str, Duration)>> {
        self.processes()
            .map(|(name, id)| Ok((name, processor_time(id)?)))
            .collect()
    }

    fn processes(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let services = self.services.iter().map(|(name, process)| (*name, process.id()));
        let others = [
            ("sandbox", self.sandbox.process.id()),
            ("broker", self.kafka.process_id()),
        ];
        services.chain(others).filter_map(|(name, id)| Some((name, id?)))
    }
}

/// A client of the control plane once it answers and has the instance and its mapping.
async fn created(
    control_plane: &mut Process,
    sandbox: &Sandbox,
    fields: &[(&'static str, &'static str)],
) -> anyhow::Result<Api> {
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
    api.create_mapping(fields, true).await?;
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
