//! What every call needs and none owns: settings, what is known of targets, connections,
//! credentials, observers.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::auth::Credential;
use crate::config::{Config, ProviderConfig};
use crate::http::{Network, Pool};
use crate::observe::metrics::Metrics;
use crate::observe::{Observer, Observers};
use crate::target::{ChosenTarget, Table};

/// What the calls of one client share.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) config: Arc<Config>,
    pub(crate) table: Arc<Table>,
    /// By provider, as in the configuration. Those of one tokio runtime.
    pub(crate) pools: Arc<[Pool]>,
    /// By provider.
    pub(crate) credentials: Arc<[Credential]>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) observers: Observers,
    /// In place of TCP.
    pub(crate) network: Option<Arc<dyn Network>>,
    /// How far the client is on its way out.
    pub(crate) state: Arc<watch::Sender<ClientState>>,
    /// The number of the process.
    pub(crate) process: u32,
}

/// How far a client is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientState {
    Open,
    /// Takes nothing new.
    Closing,
    /// Ends what still runs.
    Cancelled,
}

impl Services {
    /// Opens no connection and reads no key. Two with the same `seed` draw the same random numbers.
    pub(crate) fn new(
        config: Config,
        observers: Vec<Arc<dyn Observer>>,
        network: Option<Arc<dyn Network>>,
        seed: u64,
    ) -> Self {
        let names = config.providers.iter().map(|provider| Arc::clone(&provider.name));
        let metrics = Arc::new(Metrics::new(names));
        let credential = |provider: &ProviderConfig| {
            Credential::new(Arc::clone(&provider.name), provider.key.clone())
        };
        let own: Arc<dyn Observer> = Arc::clone(&metrics) as _;
        Services {
            table: Arc::new(Table::new(&config, seed)),
            pools: pools(&config, network.as_ref(), None),
            credentials: config.providers.iter().map(credential).collect(),
            metrics,
            observers: std::iter::once(own).chain(observers).collect(),
            network,
            state: Arc::new(watch::Sender::new(ClientState::Open)),
            process: std::process::id(),
            config: Arc::new(config),
        }
    }

    /// The same with connections of its own. `blocking`: the runtime whose threads may wait for
    /// names and files.
    pub(crate) fn with_own_connections(&self, blocking: &Handle) -> Self {
        let pools = pools(&self.config, self.network.as_ref(), Some(blocking));
        Services { pools, ..self.clone() }
    }

    /// The settings of a target's provider.
    pub(crate) fn settings(&self, target: &ChosenTarget) -> &ProviderConfig {
        &self.config.providers[target.provider]
    }

    /// Ends when the client is closed or gone; keeps nothing of it meanwhile.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.state.subscribe();
        async move {
            let _ = state.wait_for(|state| *state != ClientState::Open).await;
        }
    }
}

fn pools(
    config: &Config,
    network: Option<&Arc<dyn Network>>,
    blocking: Option<&Handle>,
) -> Arc<[Pool]> {
    let pool = |provider: &ProviderConfig| {
        let settings = provider.http.clone();
        Pool::new(settings, config.max_in_flight, blocking.cloned(), network.cloned())
    };
    config.providers.iter().map(pool).collect()
}
