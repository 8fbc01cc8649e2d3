//! Services are what every call needs and no call owns: settings, target table, connections,
//! credentials, stored answers and observers.

#[cfg(feature = "redis")]
mod redis;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;
use tokio::sync::watch;

#[cfg(any(feature = "aws", feature = "azure", feature = "google"))]
use crate::auth;
use crate::auth::Credential;
use crate::cache::Cache;
use crate::config::{Config, ProviderConfig, RouteConfig, RoutePolicy};
use crate::error::{Error, ErrorKind};
use crate::http::{Lookups, Network, Pool, Settings};
use crate::limit::Room;
use crate::limit::budget::Budgets;
use crate::observe::metrics::Metrics;
use crate::observe::{Observer, Observers};
#[cfg(feature = "redis")]
use crate::redis::Redis;
#[cfg(not(feature = "redis"))]
use crate::target::Membership;
use crate::target::{ChosenTarget, Table};
use crate::wire::Plane;

/// The state that the calls of one client share.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) config: Arc<Config>,
    pub(crate) table: Arc<Table>,
    /// Pools by provider, in the order of the configuration. All belong to one tokio runtime.
    pub(crate) pools: Arc<[Pools]>,
    /// Whether any of these pools, or of those of the same client elsewhere, has had a connection
    /// that calls share.
    pub(crate) shares: Arc<AtomicBool>,
    /// Credentials by provider.
    pub(crate) credentials: Arc<[Credential]>,
    /// The room for the bytes in flight.
    pub(crate) room: Arc<Room>,
    /// The stored answers, if answers are stored.
    pub(crate) cache: Option<Arc<Cache>>,
    /// The budgets of money, if there are some.
    pub(crate) budgets: Option<Arc<Budgets>>,
    /// Whether somebody wants to know what answers usually use.
    pub(crate) learns_usage: bool,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) observers: Observers,
    pub(crate) lookups: Lookups,
    /// Opens connections instead of TCP.
    pub(crate) network: Option<Arc<dyn Network>>,
    /// How far the client has closed.
    pub(crate) state: Arc<watch::Sender<ClientState>>,
    /// The Redis that several processes share.
    #[cfg(feature = "redis")]
    pub(crate) redis: Option<Redis>,
    /// The process id.
    pub(crate) process: u32,
}

/// The connections to one provider.
pub(crate) struct Pools {
    pub(crate) data: Pool,
    /// Those to its control plane, if its URL is known.
    control: Option<Pool>,
    /// Those to the hosts of its other regions, opened with the first call that chooses one.
    elsewhere: Box<[(&'static str, OnceLock<Pool>)]>,
    /// Makes these.
    make: Arc<dyn Fn(&Settings) -> Pool + Send + Sync>,
    closed: AtomicBool,
}

impl Pools {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Pool> {
        let elsewhere = self.elsewhere.iter().filter_map(|(_, pool)| pool.get());
        std::iter::once(&self.data).chain(&self.control).chain(elsewhere)
    }

    /// Closes idle connections. From now on none is kept.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.all().for_each(Pool::close);
    }

    /// The pool of a region that a call has chosen.
    fn in_region(&self, region: &str, settings: &ProviderConfig) -> Option<&Pool> {
        let (_, pool) = self.elsewhere.iter().find(|(name, _)| *name == region)?;
        let (_, http) = settings.elsewhere.iter().find(|(name, _)| *name == region)?;
        let pool = pool.get_or_init(|| (self.make)(http));
        if self.closed.load(Ordering::SeqCst) {
            pool.close();
        }
        Some(pool)
    }
}

/// How far a client has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientState {
    Open,
    /// The client takes no new calls.
    Closing,
    /// The client ends the calls that still run.
    Cancelled,
}

impl Services {
    /// Makes the services. It opens no connection and reads no key. Two with the same `seed` draw
    /// the same random numbers.
    pub(crate) fn new(
        config: Config,
        observers: Vec<Arc<dyn Observer>>,
        lookups: Lookups,
        network: Option<Arc<dyn Network>>,
        seed: u64,
    ) -> Self {
        let config = Arc::new(config);
        let metrics = Arc::new(Metrics::new(Arc::clone(&config)));
        #[cfg(any(feature = "aws", feature = "azure", feature = "google"))]
        let asking = auth::Network { lookups: lookups.clone(), network: network.clone() };
        let credential = |provider: &ProviderConfig| {
            let credential = Credential::new(Arc::clone(&provider.name), provider.key.clone());
            #[cfg(feature = "aws")]
            let credential = credential.signing(provider.identity.aws.clone(), &asking);
            #[cfg(feature = "google")]
            let credential = credential.of_google(provider.identity.google.clone(), &asking);
            #[cfg(feature = "azure")]
            let credential = credential.of_entra(provider.identity.entra.clone(), &asking);
            credential
        };
        let own: Arc<dyn Observer> = Arc::clone(&metrics) as _;
        let shares = Arc::default();
        let observers: Observers = std::iter::once(own).chain(observers).collect();
        #[cfg(feature = "redis")]
        let redis = config.redis.as_ref();
        #[cfg(feature = "redis")]
        let redis = redis.map(|redis| redis::new(redis, &observers, &lookups, network.as_ref()));
        #[cfg(feature = "redis")]
        let fleet = redis::fleet(redis.as_ref(), config.fleet);
        #[cfg(feature = "redis")]
        let second = redis::second(redis.as_ref(), config.cache.as_ref());
        #[cfg(not(feature = "redis"))]
        let (fleet, second) = (Membership::default(), None);
        Services {
            table: Arc::new(Table::new(&config, fleet, seed)),
            pools: pools(&config, &lookups, network.as_ref(), None, &shares),
            shares,
            credentials: config.providers.iter().map(credential).collect(),
            room: Room::new(config.max_bytes_in_flight),
            budgets: Budgets::new(&config.budgets),
            learns_usage: learns_usage(&config),
            cache: config.cache.clone().map(|cache| Arc::new(Cache::new(cache, second))),
            metrics,
            observers,
            #[cfg(feature = "redis")]
            redis,
            lookups,
            network,
            state: Arc::new(watch::Sender::new(ClientState::Open)),
            process: std::process::id(),
            config,
        }
    }

    /// Returns the same services with connections of their own. `blocking` is the runtime whose
    /// threads may wait for names and files.
    pub(crate) fn with_own_connections(&self, blocking: &Handle) -> Self {
        #[cfg(feature = "redis")]
        if let Some(redis) = &self.redis {
            // A call on its caller's thread drives no connection of others.
            redis.move_to(blocking);
        }
        let (network, blocking) = (self.network.as_ref(), Some(blocking));
        let pools = pools(&self.config, &self.lookups, network, blocking, &self.shares);
        Services { pools, ..self.clone() }
    }

    /// Whether Redis answers. `None` means that there is none.
    pub(crate) fn redis_up(&self) -> Option<bool> {
        #[cfg(feature = "redis")]
        return self.redis.as_ref().map(Redis::is_up);
        #[cfg(not(feature = "redis"))]
        None
    }

    /// The settings of a target's provider.
    pub(crate) fn settings(&self, target: &ChosenTarget) -> &ProviderConfig {
        &self.config.providers[target.provider]
    }

    /// The connections to a plane of a target's provider, in the region of the target. The error kind
    /// is `unsupported` if nothing says where its control plane is.
    pub(crate) fn pool(&self, target: &ChosenTarget, plane: Plane) -> Result<&Pool, Error> {
        let (pools, settings) = (&self.pools[target.provider], self.settings(target));
        let pool = match plane {
            Plane::Data => {
                // A region that is a member of the body has no host.
                let moved = target.moved.and_then(|region| pools.in_region(region, settings));
                Some(moved.unwrap_or(&pools.data))
            }
            Plane::Control => pools.control.as_ref(),
        };
        pool.ok_or_else(|| {
            let name = &settings.name;
            let message = format!(
                "{name} lists its models at another URL than its base_url, and nothing says where: \
                 give providers.{name}.control_url"
            );
            Error::new(ErrorKind::Unsupported, message)
                .with(|e| e.param = Some(format!("providers.{name}.control_url")))
        })
    }

    /// Returns a future that ends when the client is closed or dropped. The future keeps nothing of
    /// the client alive.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.state.subscribe();
        async move {
            let _ = state.wait_for(|state| *state != ClientState::Open).await;
        }
    }
}

/// Whether somebody wants to know what answers usually use.
fn learns_usage(config: &Config) -> bool {
    let by_cost = |route: &RouteConfig| route.policy == RoutePolicy::Cost;
    !config.budgets.is_empty() || config.routes.iter().any(by_cost)
}

fn pools(
    config: &Config,
    lookups: &Lookups,
    network: Option<&Arc<dyn Network>>,
    blocking: Option<&Handle>,
    shares: &Arc<AtomicBool>,
) -> Arc<[Pools]> {
    let (most_idle, blocking, lookups) = (config.max_in_flight, blocking.cloned(), lookups.clone());
    let (network, shares) = (network.cloned(), Arc::clone(shares));
    let make: Arc<dyn Fn(&Settings) -> Pool + Send + Sync> = Arc::new(move |settings| {
        let (settings, network) = (settings.clone(), network.clone());
        Pool::new(settings, most_idle, blocking.clone(), &lookups, network, &shares)
    });
    let pools = |provider: &ProviderConfig| Pools {
        data: make(&provider.http),
        control: provider.control.as_ref().map(|control| make(control)),
        elsewhere: provider.elsewhere.iter().map(|(name, _)| (*name, OnceLock::new())).collect(),
        make: Arc::clone(&make),
        closed: AtomicBool::new(false),
    };
    config.providers.iter().map(pools).collect()
}
