#![doc = include_str!("../README.md")]

mod banner;
mod broker;
mod data_directory;
mod demo;
mod options;
mod settings;

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use crosswalk_campaign_writer::WriterSettings;
use crosswalk_control_plane::{ApiSettings, ControlPlaneSettings};
use crosswalk_dynamics_reader::{ReaderSettings, ReadingSettings};
use crosswalk_kafka::{Kafka, KafkaSettings};
use crosswalk_runtime::{
    bind::bind,
    sealing::{SealingKey, SealingSettings},
    service::{Context, ServiceInfo},
    settings::{Problem, SecretSource, SettingsError},
    supervise::Rule,
};
use crosswalk_sandbox::{Activity, Sandbox, SandboxConfig};

pub use broker::{BrokerStorage, EmbeddedBroker};
use data_directory::DataDirectory;
pub use demo::demo_instance;
pub use options::{ActivityChoice, KafkaChoice, Options};
pub use settings::StandaloneSettings;

/// What this process is.
pub const SERVICE: ServiceInfo = ServiceInfo {
    name: "standalone",
    version: env!("CARGO_PKG_VERSION"),
    about: "All of Crosswalk in one process.",
};

/// Changes a second of the sandbox's live activity.
const LIVE_CHANGES_PER_SECOND: f64 = 2.0;

/// Where the key lies that instance credentials are sealed with, in the data directory.
const KEY_FILE: &str = "sealing.key";

/// Starts everything and prints the addresses and what to try next.
///
/// # Errors
/// If a port or the data directory cannot be used.
pub async fn start(context: Context, options: Options) -> anyhow::Result<()> {
    check_address(options.listen)?;
    let directory = DataDirectory::open(&options.data_dir)?;
    let key_file = options.data_dir.join(KEY_FILE);
    SealingKey::load_or_generate(&key_file)?;
    let sealing = SealingSettings {
        key: SecretSource::File(key_file),
        older_keys: Vec::new(),
    };
    let kafka = start_kafka(&context, &options).await?;
    make_shared_topics(&kafka).await?;
    let sandbox = start_sandbox(&options).await?;
    let api = bind(options.listen, "--listen").await?;
    let api_address = api.local_addr().context("the API has no address")?;

    let control_plane = ControlPlaneSettings {
        kafka: kafka.clone(),
        sealing: sealing.clone(),
        api: ApiSettings {
            listen: options.listen,
            ..ApiSettings::default()
        },
        ..ControlPlaneSettings::default()
    };
    context.host(crosswalk_control_plane::SERVICE, |context| {
        crosswalk_control_plane::start_on(context, control_plane, api)
    });
    let reader = ReaderSettings {
        kafka: kafka.clone(),
        sealing: sealing.clone(),
        reading: ReadingSettings {
            poll_interval: options.poll_interval,
            ..ReadingSettings::default()
        },
        ..ReaderSettings::default()
    };
    context.host(crosswalk_dynamics_reader::SERVICE, |context| {
        crosswalk_dynamics_reader::start(context, reader)
    });
    let writer = WriterSettings {
        kafka,
        sealing,
        ..WriterSettings::default()
    };
    context.host(crosswalk_campaign_writer::SERVICE, |context| {
        crosswalk_campaign_writer::start(context, writer)
    });

    demo::ensure(api_address, &sandbox.microsoft_url(), &sandbox.adobe_url()).await?;
    banner::print(&options, api_address, &sandbox);
    // It outlives the services too, which still write to it while they drain.
    let services = services_left(context.clone());
    context.spawn("sandbox", Rule::Critical, async move {
        services.await;
        sandbox.stop().await;
        drop(directory);
        Ok(())
    });
    Ok(())
}

/// Whoever reaches the API may do everything.
fn check_address(listen: SocketAddr) -> Result<(), SettingsError> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    let expected = "must be a loopback address such as 127.0.0.1:8080, since authentication is not available yet";
    Err(SettingsError::new(vec![
        Problem::new("--listen", expected).set_by("the command line"),
    ]))
}

/// Made once before the services start, which would race for them.
async fn make_shared_topics(settings: &KafkaSettings) -> anyhow::Result<()> {
    let kafka = Kafka::new(settings.clone(), SERVICE.name);
    let topics = kafka.topics();
    let specs = [topics.control_spec(), topics.workers_spec(), topics.slots_spec()];
    kafka.ensure_topics(&specs).await.context("Kafka cannot be used")
}

async fn start_kafka(context: &Context, options: &Options) -> anyhow::Result<KafkaSettings> {
    let KafkaChoice::Bootstrap(bootstrap) = &options.kafka else {
        let address = ([127, 0, 0, 1], options.broker_port).into();
        // The broker binds by itself; this finds a free port, and says clearly when the port is taken.
        let address = bind(address, "--broker-port").await?.local_addr()?;
        let mut broker = EmbeddedBroker::start(BrokerStorage::Directory(&options.data_dir), address).await?;
        let settings = broker.settings();
        let services = services_left(context.clone());
        context.spawn("broker", Rule::Critical, async move {
            tokio::select! {
                () = services => Ok(()),
                () = broker.ended() => Err(anyhow::anyhow!("the embedded broker has ended")),
            }
        });
        return Ok(settings);
    };
    Ok(KafkaSettings {
        bootstrap: bootstrap.clone(),
        ..KafkaSettings::default()
    })
}

/// Waits until the process is told to stop and the services have left. The broker outlives them, since they drain into it.
async fn services_left(context: Context) {
    const SERVICES: [ServiceInfo; 3] = [
        crosswalk_control_plane::SERVICE,
        crosswalk_dynamics_reader::SERVICE,
        crosswalk_campaign_writer::SERVICE,
    ];
    context.token().cancelled().await;
    let still_there = || {
        let running = context.supervisor().running();
        SERVICES
            .iter()
            .any(|service| running.iter().any(|task| task == service.name))
    };
    while still_there() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn start_sandbox(options: &Options) -> anyhow::Result<Sandbox> {
    let activity = match options.activity {
        ActivityChoice::Off => Activity::Off,
        ActivityChoice::Live => Activity::Live {
            changes_per_second: LIVE_CHANGES_PER_SECOND,
        },
    };
    let config = SandboxConfig {
        listen: options.sandbox_listen,
        contacts: options.contacts,
        activity,
        ..SandboxConfig::default()
    };
    Sandbox::start(config)
        .await
        .context("the sandbox cannot be started; choose other ports with --sandbox-listen")
}
