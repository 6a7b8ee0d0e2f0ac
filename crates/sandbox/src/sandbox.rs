//! One sandbox: both products, their listeners and the admin listener.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::activity::{Activity, ActivityControl};
use crate::adobe::{Adobe, AdobeConfig};
use crate::counters::Counters;
use crate::faults::Faults;
use crate::microsoft::{Dynamics, DynamicsConfig};
use crate::{activity, admin, listen, seed};

/// What a sandbox is started with.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Address of the admin listener. The Microsoft and Adobe listeners take the next two ports; with port 0 each of the
    /// three takes a free one.
    pub listen: SocketAddr,
    /// Number of contacts Dynamics starts with.
    pub contacts: u64,
    /// Number of orders a shop starts with: three more tables in Dynamics, four resources in Campaign, see [`seed::shop`].
    /// Without a number there is no shop.
    pub orders: Option<u64>,
    /// Fixes the seeded rows, the live edits and the dice of fault rules.
    pub seed: u64,
    /// Whether contacts keep changing by themselves.
    pub activity: Activity,
    /// The Microsoft side.
    pub dynamics: DynamicsConfig,
    /// The Adobe side.
    pub campaign: AdobeConfig,
}

impl Default for SandboxConfig {
    /// Three free ports on the loopback address, a hundred contacts, nothing changing by itself.
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            contacts: 100,
            orders: None,
            seed: 1,
            activity: Activity::Off,
            dynamics: DynamicsConfig::default(),
            campaign: AdobeConfig::default(),
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port could not be bound.
    #[error("could not listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The two ports behind the admin port do not exist.
    #[error("port {0} leaves no room for the two product listeners behind it")]
    PortRange(u16),
    /// Making the rows failed.
    #[error("could not make the rows to begin with")]
    Seed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What the admin listener and the sandbox itself share.
pub(crate) struct Shared {
    pub(crate) config: SandboxConfig,
    pub(crate) faults: Arc<Faults>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) dynamics: Arc<Dynamics>,
    pub(crate) campaign: Arc<Adobe>,
    pub(crate) activity: ActivityControl,
    pub(crate) addresses: Addresses,
}

/// Where the three listeners are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) admin: SocketAddr,
    pub(crate) microsoft: SocketAddr,
    pub(crate) adobe: SocketAddr,
}

/// A running sandbox. Dropping it stops it at once; [`Sandbox::stop`] waits for open requests.
pub struct Sandbox {
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Binds the three ports, makes the contacts and serves. When it returns, everything answers.
    pub async fn start(config: SandboxConfig) -> Result<Self, StartError> {
        let [admin, microsoft, adobe] = bind(config.listen).await?;
        let addresses = Addresses {
            admin: admin.1,
            microsoft: microsoft.1,
            adobe: adobe.1,
        };
        let faults = Arc::new(Faults::new(config.seed));
        let counters = Arc::new(Counters::new());
        let dynamics = Dynamics::new(config.dynamics.clone(), faults.clone(), counters.clone());
        dynamics.set_port(addresses.microsoft.port());
        let campaign = Adobe::new(config.campaign.clone(), faults.clone(), counters.clone());
        let (seeded, filled, wanted) = (dynamics.clone(), campaign.clone(), config.clone());
        tokio::task::spawn_blocking(move || fill(&seeded, &filled, &wanted))
            .await
            .map_err(|error| StartError::Seed(error.into()))?
            .map_err(StartError::Seed)?;
        let activity = ActivityControl::new(config.activity);
        let shared = Arc::new(Shared {
            config,
            faults,
            counters,
            dynamics,
            campaign,
            activity,
            addresses,
        });
        let stop = CancellationToken::new();
        let serve = |listener: TcpListener, router: Router| tokio::spawn(listen::serve(listener, router, stop.clone()));
        let tasks = vec![
            serve(admin.0, admin::router(shared.clone())),
            serve(microsoft.0, shared.dynamics.router()),
            serve(adobe.0, shared.campaign.router()),
            tokio::spawn(activity::run(shared.clone(), stop.clone())),
        ];
        Ok(Self { shared, stop, tasks })
    }

    /// URL of the admin listener, without a trailing slash.
    pub fn admin_url(&self) -> String {
        url(self.shared.addresses.admin)
    }

    /// URL of the Microsoft listener: token authority and Dynamics environment in one.
    pub fn microsoft_url(&self) -> String {
        url(self.shared.addresses.microsoft)
    }

    /// URL of the Adobe listener: IMS and Campaign in one.
    pub fn adobe_url(&self) -> String {
        url(self.shared.addresses.adobe)
    }

    /// The Microsoft side, for direct edits.
    pub fn dynamics(&self) -> &Arc<Dynamics> {
        &self.shared.dynamics
    }

    /// The Adobe side, for direct edits.
    pub fn campaign(&self) -> &Arc<Adobe> {
        &self.shared.campaign
    }

    /// The fault rules of both sides.
    pub fn faults(&self) -> &Arc<Faults> {
        &self.shared.faults
    }

    /// The counters of both sides.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.shared.counters
    }

    /// The switch of live activity.
    pub fn activity(&self) -> &ActivityControl {
        &self.shared.activity
    }

    /// Addresses and credentials, as a person reads them.
    pub fn description(&self) -> String {
        let dynamics = self.dynamics().config();
        let campaign = self.campaign().config();
        format!(
            "Dynamics 365     {microsoft}\n  tenant         {tenant}\n  client id      {client}\n  client secret  {secret}\n\
             Adobe Campaign   {adobe}\n  organisation   {organisations}\n  client id      {adobe_client}\n  \
             client secret  {adobe_secret}\nAdmin            {admin}",
            microsoft = self.microsoft_url(),
            tenant = dynamics.tenant_id,
            client = dynamics.client_id,
            secret = dynamics.client_secret,
            adobe = self.adobe_url(),
            organisations = campaign.organisations.join(", "),
            adobe_client = campaign.client_id,
            adobe_secret = campaign.client_secret,
            admin = self.admin_url(),
        )
    }

    /// Stops serving; open requests get a short while to end.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::warn!(%error, "a part of the sandbox ended badly");
            }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Makes the rows a sandbox starts with.
fn fill(
    dynamics: &Dynamics,
    campaign: &Adobe,
    config: &SandboxConfig,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    seed::load(dynamics, config.seed, config.contacts);
    if let Some(orders) = config.orders {
        seed::shop::publish(dynamics, campaign)?;
        seed::shop::create_orders(dynamics, config.seed, config.contacts, 0..orders)?;
    }
    Ok(())
}

pub(crate) fn url(address: SocketAddr) -> String {
    // A listener on all addresses is reached through the loopback one.
    let ip = if address.ip().is_unspecified() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        address.ip()
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

type Bound = (TcpListener, SocketAddr);

async fn bind(first: SocketAddr) -> Result<[Bound; 3], StartError> {
    let address = |step: u16| match first.port() {
        0 => Ok(first),
        port => {
            let port = port.checked_add(step).ok_or(StartError::PortRange(port))?;
            Ok(SocketAddr::new(first.ip(), port))
        }
    };
    Ok([
        bind_one(address(0)?).await?,
        bind_one(address(1)?).await?,
        bind_one(address(2)?).await?,
    ])
}

async fn bind_one(address: SocketAddr) -> Result<Bound, StartError> {
    let failed = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
